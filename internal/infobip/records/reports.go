package records

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/infobip/wire"
	"github.com/chasqui/chasqui/internal/store"
)

// AddReports stores delivery reports; those that are there already stay as they are.
func addReports(tx *store.Tx, reports []*wire.Report) error {
	rows := make([][]any, len(reports))
	for i, r := range reports {
		rows[i] = []any{r.Pos, r.Partition, r.Application, r.API, r.BulkID, r.MessageID, r.Message, r.Kind, r.Channel, r.Host, store.Millis(r.CreatedAt), store.Millis(r.DueAt)}
	}
	_, err := tx.ExecMany(`INSERT INTO infobip_reports (pos, part, app, api, bulk, known, message, kind, channel, host, created_at, due_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`, rows)
	if err != nil {
		return fmt.Errorf("store reports: %w", err)
	}
	return nil
}

// reportFilter selects delivery reports that wait to be fetched. Empty fields select all.
type reportFilter struct {
	API          string // required
	Applications []string
	BulkID       string
	MessageID    string // as the caller knows it
	Channel      string // Infobip's name
	Since        time.Time
	Limit        int
}

// takeReports returns the events of reports that wait, the oldest first. Each is returned once, to
// whichever caller on whichever node.
func (d db) takeReports(ctx context.Context, f reportFilter) ([]*gateway.Event, error) {
	query, args := f.query()
	var taken []int64
	err := d.Write(ctx, func(tx *store.Tx) error {
		taken = nil
		rows, err := tx.Query(query, args...)
		found, err := store.Collect(rows, err, func(r *sql.Rows) (pos int64, err error) { err = r.Scan(&pos); return pos, err })
		if err != nil {
			return fmt.Errorf("read reports: %w", err)
		}
		marks := make([][]any, len(found))
		for i, pos := range found {
			marks[i] = []any{tx.Now().UnixMilli(), pos}
		}
		changed, err := tx.ExecMany(`UPDATE infobip_reports SET taken_at = ? WHERE pos = ? AND taken_at = 0`, marks)
		if err != nil {
			return fmt.Errorf("take reports: %w", err)
		}
		for i, n := range changed {
			if n > 0 {
				taken = append(taken, found[i])
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return d.EventsAt(ctx, taken)
}

func (f *reportFilter) query() (string, []any) {
	query := `SELECT pos FROM infobip_reports WHERE api = ? AND taken_at = 0 AND host = '' AND created_at >= ?`
	args := []any{f.API, store.Millis(f.Since)}
	if len(f.Applications) > 0 {
		query += ` AND app IN (` + store.Holes(len(f.Applications)) + `)`
		for _, a := range f.Applications {
			args = append(args, a)
		}
	}
	for _, c := range []struct{ column, value string }{{"bulk", f.BulkID}, {"known", f.MessageID}, {"channel", f.Channel}} {
		if c.value != "" {
			query += ` AND ` + c.column + ` = ?`
			args = append(args, c.value)
		}
	}
	return query + ` ORDER BY pos LIMIT ?`, append(args, f.Limit)
}

// DueReports returns reports of the partitions that this node works which are to be posted now,
// except to some hosts, and not those of some positions.
func (d db) dueReports(ctx context.Context, now time.Time, exceptHosts []string, except []int64, limit int) ([]*wire.Report, error) {
	held, _ := d.Leases().Held()
	if len(held) == 0 {
		return nil, nil
	}
	query, args := `SELECT pos, part, host, message, tries FROM infobip_reports WHERE due_at > 0 AND due_at <= ?`, []any{store.Millis(now)}
	query += ` AND part IN (` + store.Holes(len(held)) + `)`
	for part := range held {
		args = append(args, part)
	}
	if len(exceptHosts) > 0 {
		query += ` AND host NOT IN (` + store.Holes(len(exceptHosts)) + `)`
		for _, h := range exceptHosts {
			args = append(args, h)
		}
	}
	rows, err := d.Query(ctx, query+` ORDER BY due_at, pos LIMIT ?`, append(args, limit+len(except))...)
	found, err := store.Collect(rows, err, func(r *sql.Rows) (*wire.Report, error) {
		var x wire.Report
		if err := r.Scan(&x.Pos, &x.Partition, &x.Host, &x.Message, &x.Tries); err != nil {
			return nil, fmt.Errorf("read due reports: %w", err)
		}
		return &x, nil
	})
	return slices.DeleteFunc(found, func(r *wire.Report) bool { return slices.Contains(except, r.Pos) }), err
}

// SettleReport notes that a report was posted, or when it is posted next; the zero time for never
// again. Nothing is written when this node no longer works the partition.
func (d db) settleReport(ctx context.Context, r *wire.Report, due time.Time) error {
	epoch, _ := d.Leases().Epoch(r.Partition)
	return d.Write(ctx, func(tx *store.Tx) error {
		if ok, err := tx.Holds(r.Partition, epoch); err != nil || !ok {
			return err
		}
		_, err := tx.Exec(`UPDATE infobip_reports SET due_at = ?, tries = ? WHERE pos = ?`, store.Millis(due), r.Tries, r.Pos)
		return err
	})
}
