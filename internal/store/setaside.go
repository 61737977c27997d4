package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
)

// SetAside is an event that a reader of the log failed on again and again, so that it went on
// without: the event stays in the log, and the reader can be given it anew.
type SetAside struct {
	Pos         int64 // of the event
	Reader      string
	Application string
	Person      string
	Type        gateway.EventType
	Reason      string // the last error, in at most 500 bytes
	Failures    int
	At          time.Time
}

// setAside are the events that readers go on without.
var setAside = newTable("set_aside",
	plain("pos", func(x *SetAside) *int64 { return &x.Pos }),
	plain("reader", func(x *SetAside) *string { return &x.Reader }),
	plain("app", func(x *SetAside) *string { return &x.Application }),
	plain("person", func(x *SetAside) *string { return &x.Person }),
	word("type", func(x *SetAside) *gateway.EventType { return &x.Type }),
	plain("reason", func(x *SetAside) *string { return &x.Reason }),
	plain("failures", func(x *SetAside) *int { return &x.Failures }),
	moment("at", func(x *SetAside) *time.Time { return &x.At }),
)

// maxReason is how many bytes of an error are kept.
const maxReason = 500

// SetAside records that a reader goes on without an event, and counts it.
func (tx *Tx) SetAside(reader string, e *gateway.Event, reason string, failures int) error {
	if len(reason) > maxReason {
		reason = strings.ToValidUTF8(reason[:maxReason], "")
	}
	row := &SetAside{Pos: e.Pos, Reader: reader, Application: e.Application, Person: e.Person, Type: e.Type, Reason: reason, Failures: failures, At: tx.now}
	n, err := tx.Exec(setAside.insert+` ON CONFLICT DO NOTHING`, setAside.args(row)...)
	if err != nil {
		return fmt.Errorf("set event %s aside: %w", e.ID(), err)
	}
	health := tx.w.s.Reader(reader)
	tx.OnCommit(func() {
		health.setAside.Add(n)
		tx.w.s.log.Error("an event was set aside: the reader goes on without it", "reader", reader, "event", e.ID(), "application", e.Application, "failures", failures, "reason", reason)
	})
	return nil
}

// SetAsideFilter selects events that were set aside, newest first. Empty fields select all.
type SetAsideFilter struct {
	Applications []string
	Reader       string
	Before       int64 // position of the last of the page before; 0 for the first page
	Limit        int
}

// SetAsides lists events that readers go on without, newest first.
func (s *Store) SetAsides(ctx context.Context, f SetAsideFilter) ([]SetAside, error) {
	where, args := []string{"pos > 0"}, []any{}
	if len(f.Applications) > 0 {
		where = append(where, "app IN ("+Holes(len(f.Applications))+")")
		for _, a := range f.Applications {
			args = append(args, a)
		}
	}
	if f.Reader != "" {
		where, args = append(where, "reader = ?"), append(args, f.Reader)
	}
	if f.Before > 0 {
		where, args = append(where, "pos < ?"), append(args, f.Before)
	}
	rows, err := s.Query(ctx, setAside.selected+` WHERE `+strings.Join(where, " AND ")+` ORDER BY pos DESC, reader LIMIT ?`, append(args, f.Limit)...)
	return Collect(rows, err, func(r *sql.Rows) (x SetAside, err error) { return x, setAside.scan(r, &x) })
}

// CountSetAside returns how many events each reader goes on without.
func (s *Store) CountSetAside(ctx context.Context) (map[string]int64, error) {
	rows, err := s.Query(ctx, `SELECT reader, COUNT(*) FROM set_aside GROUP BY reader`)
	counts := map[string]int64{}
	_, err = Collect(rows, err, func(r *sql.Rows) (struct{}, error) {
		var name string
		var n int64
		err := r.Scan(&name, &n)
		counts[name] = n
		return struct{}{}, err
	})
	return counts, err
}

// RetrySetAside gives a reader an event anew that it went on without. When it succeeds the event is
// no longer set aside; the error is the reader's own. A not_found error when the event is not set
// aside for that reader.
func (s *Store) RetrySetAside(ctx context.Context, reader string, pos int64) error {
	rows, err := s.Query(ctx, `SELECT pos FROM set_aside WHERE pos = ? AND reader = ?`, pos, reader)
	if _, err := One("event set aside", gateway.EventID(pos), rows, err, func(r *sql.Rows) (*int64, error) {
		at := new(int64)
		return at, r.Scan(at)
	}); err != nil {
		return err
	}
	event, err := s.Event(ctx, pos)
	if err != nil {
		return err
	}
	retry := s.Reader(reader).retry.Load()
	if retry == nil {
		return gateway.Errorf(gateway.CodeConflict, "reader %q does not run on this node", reader)
	}
	if err := (*retry)(ctx, event); err != nil {
		return err
	}
	return s.Write(ctx, func(tx *Tx) error {
		_, err := tx.Exec(`DELETE FROM set_aside WHERE pos = ? AND reader = ?`, pos, reader)
		return err
	})
}
