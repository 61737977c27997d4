package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/chasqui/chasqui/internal/gateway"
)

// Tx is a transaction of the writer, shared by a group of requests. It is used inside the function
// given to Write, and nowhere else.
type Tx struct {
	w   *writer
	now time.Time

	events   []*gateway.Event
	accepts  []*Accept
	sendings []*Sending
	results  []*Result

	epochs map[int]int64 // leases held, read once in a group that needs them

	before, head int64 // the head of the logs before and after this group

	committed []func() // what is to be remembered once the group is committed
}

// OnCommit has fn called once the transaction is committed, and never when it is not. It must not
// use the store.
func (tx *Tx) OnCommit(fn func()) { tx.committed = append(tx.committed, fn) }

// Now is the moment of the transaction.
func (tx *Tx) Now() time.Time { return tx.now }

// NewID makes an identifier with the given prefix.
func (tx *Tx) NewID(prefix string) string { return tx.w.s.ids.New(prefix, tx.now) }

// Exec runs a statement and returns how many rows it changed.
func (tx *Tx) Exec(query string, args ...any) (int64, error) {
	st, err := tx.w.prepared(query)
	if err != nil {
		return 0, err
	}
	res, err := st.Exec(fit(args)...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// ExecMany runs one statement for each row of arguments and returns how many rows each changed.
// PostgreSQL gets them in one round trip.
func (tx *Tx) ExecMany(query string, rows [][]any) ([]int64, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	changed := make([]int64, len(rows))
	if !tx.w.s.dialect.dollars {
		return changed, tx.execEach(query, rows, changed)
	}
	err := tx.w.conn.Raw(func(c any) error {
		batch := &pgx.Batch{}
		text := tx.w.s.dialect.bind(query)
		for _, args := range rows {
			batch.Queue(text, fit(args)...)
		}
		br := c.(*stdlib.Conn).Conn().SendBatch(context.Background(), batch)
		for i := range rows {
			tag, err := br.Exec()
			if err != nil {
				br.Close()
				return err
			}
			changed[i] = tag.RowsAffected()
		}
		return br.Close()
	})
	return changed, err
}

// execEach runs a statement for each row on the driver itself: for statements this short, what
// database/sql does around each of them is a good part of the whole.
func (tx *Tx) execEach(query string, rows [][]any, changed []int64) error {
	return tx.w.conn.Raw(func(c any) error {
		st, err := tx.w.rawPrepared(c.(driver.Conn), query)
		if err != nil {
			return err
		}
		named := make([]driver.NamedValue, len(rows[0]))
		for i, args := range rows {
			for j, arg := range fit(args) {
				value, err := driver.DefaultParameterConverter.ConvertValue(arg)
				if err != nil {
					return fmt.Errorf("argument %d: %w", j+1, err)
				}
				named[j] = driver.NamedValue{Ordinal: j + 1, Value: value}
			}
			result, err := st.ExecContext(context.Background(), named)
			if err != nil {
				return err
			}
			if changed[i], err = result.RowsAffected(); err != nil {
				return err
			}
		}
		return nil
	})
}

// Query runs a query inside the transaction. The rows must be closed before the next statement.
func (tx *Tx) Query(query string, args ...any) (*sql.Rows, error) {
	st, err := tx.w.prepared(query)
	if err != nil {
		return nil, err
	}
	return st.Query(fit(args)...)
}

// QueryRow runs a query for one row inside the transaction.
func (tx *Tx) QueryRow(query string, args ...any) *sql.Row {
	st, err := tx.w.prepared(query)
	if err != nil {
		// The same query without preparing it gives the same error, in a row.
		return tx.w.conn.QueryRowContext(context.Background(), tx.w.s.dialect.bind(query), fit(args)...)
	}
	return st.QueryRow(fit(args)...)
}

// AppendEvent adds a fact of the gateway's own to the inbound log, in the same commit. Its
// partition follows from its application and person; Pos is set when the commit is done.
func (tx *Tx) AppendEvent(e *gateway.Event) {
	e.Partition = gateway.Partition(e.Application, e.Person)
	if e.ReceivedAt.IsZero() {
		e.ReceivedAt = tx.now
	}
	tx.events = append(tx.events, e)
}

// savepoint runs a request's function so that its failure undoes it alone.
func (tx *Tx) savepoint(r *request) error {
	if _, err := tx.Exec("SAVEPOINT request"); err != nil {
		return fmt.Errorf("savepoint: %w", err)
	}
	mark, accepted, committed := len(tx.events), len(tx.accepts), len(tx.committed)
	if r.err = refused(tx.run(r.fn)); r.err == nil {
		_, err := tx.Exec("RELEASE SAVEPOINT request")
		return err
	}
	clear(tx.events[mark:])
	tx.events, tx.accepts, tx.committed = tx.events[:mark], tx.accepts[:accepted], tx.committed[:committed]
	if _, err := tx.Exec("ROLLBACK TO SAVEPOINT request"); err != nil {
		return fmt.Errorf("undo %v: %w", r.err, err)
	}
	_, err := tx.Exec("RELEASE SAVEPOINT request")
	return err
}

// run calls a request's function. A panic of it is its error.
func (tx *Tx) run(fn func(*Tx) error) (err error) {
	defer recovered(&err)
	return fn(tx)
}

// takePositions moves the head of the logs by as many as this group appends. The row stays locked
// until the commit.
func (tx *Tx) takePositions() error {
	n := int64(len(tx.events))
	for _, a := range tx.accepts {
		if !a.Replayed {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	if err := tx.QueryRow(`UPDATE log_head SET pos = pos + ? WHERE one = 1 RETURNING pos`, n).Scan(&tx.head); err != nil {
		return fmt.Errorf("take positions: %w", err)
	}
	tx.before = tx.head - n
	pos := tx.before
	for _, a := range tx.accepts {
		if !a.Replayed {
			pos++
			a.Message.Seq = pos
		}
	}
	for _, e := range tx.events {
		pos++
		e.Pos = pos
	}
	return nil
}

// insertEvents appends the group's events; those that are there already lose their position again.
func (tx *Tx) insertEvents() error {
	rows := make([][]any, len(tx.events))
	for i, e := range tx.events {
		rows[i] = events.args(e)
	}
	stored, err := tx.ExecMany(events.insert+` ON CONFLICT DO NOTHING`, rows)
	if err != nil {
		return fmt.Errorf("append events: %w", err)
	}
	for i, n := range stored {
		if n == 0 {
			tx.events[i].Pos = 0
		}
	}
	return nil
}
