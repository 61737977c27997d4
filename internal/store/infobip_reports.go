package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
)

// AddReports stores delivery reports; those that are there already stay as they are.
func (tx *Tx) AddReports(reports []*gateway.InfobipReport) error {
	rows := make([][]any, len(reports))
	for i, r := range reports {
		rows[i] = []any{r.Pos, r.Partition, r.Application, r.API, r.BulkID, r.MessageID, r.Message, r.Kind, r.Channel, r.Host, millis(r.CreatedAt), millis(r.DueAt)}
	}
	_, err := tx.ExecMany(`INSERT INTO infobip_reports (pos, part, app, api, bulk, known, message, kind, channel, host, created_at, due_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`, rows)
	if err != nil {
		return fmt.Errorf("store reports: %w", err)
	}
	return nil
}

// ReportFilter selects delivery reports that wait to be fetched. Empty fields select all.
type ReportFilter struct {
	API          string // required
	Applications []string
	BulkID       string
	MessageID    string // as the caller knows it
	Channel      string // Infobip's name
	Since        time.Time
	Limit        int
}

// TakeReports answers the events of reports that wait, the oldest first. Each is answered once, to whichever caller on whichever node.
func (s *Store) TakeReports(ctx context.Context, f ReportFilter) ([]*gateway.Event, error) {
	query, args := f.query()
	var taken []*gateway.Event
	err := s.Write(ctx, func(tx *Tx) error {
		taken = nil
		rows, err := tx.Query(query, args...)
		found, err := collect(rows, err, scanEvent)
		if err != nil {
			return fmt.Errorf("read reports: %w", err)
		}
		marks := make([][]any, len(found))
		for i, e := range found {
			marks[i] = []any{tx.now.UnixMilli(), e.Pos}
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
	return taken, err
}

func (f *ReportFilter) query() (string, []any) {
	query := `SELECT e.pos, e.part, e.app, e.page, e.person, e.type, e.channel, e.entry_time, e.received_at, e.raw, e.data
FROM infobip_reports r JOIN events e ON e.pos = r.pos WHERE r.api = ? AND r.taken_at = 0 AND r.host = '' AND r.created_at >= ?`
	args := []any{f.API, millis(f.Since)}
	if len(f.Applications) > 0 {
		query += ` AND r.app IN (` + holes(len(f.Applications)) + `)`
		for _, a := range f.Applications {
			args = append(args, a)
		}
	}
	for _, c := range []struct{ column, value string }{{"r.bulk", f.BulkID}, {"r.known", f.MessageID}, {"r.channel", f.Channel}} {
		if c.value != "" {
			query += ` AND ` + c.column + ` = ?`
			args = append(args, c.value)
		}
	}
	return query + ` ORDER BY r.pos LIMIT ?`, append(args, f.Limit)
}

// DueReports answers reports of the partitions that this node works which are to be posted now, except to some hosts, and not those of some positions.
func (s *Store) DueReports(ctx context.Context, now time.Time, exceptHosts []string, except []int64, limit int) ([]*gateway.InfobipReport, error) {
	held, _ := s.leases.Held()
	if len(held) == 0 {
		return nil, nil
	}
	query, args := `SELECT pos, part, host, message, tries FROM infobip_reports WHERE due_at > 0 AND due_at <= ?`, []any{millis(now)}
	query += ` AND part IN (` + holes(len(held)) + `)`
	for part := range held {
		args = append(args, part)
	}
	if len(exceptHosts) > 0 {
		query += ` AND host NOT IN (` + holes(len(exceptHosts)) + `)`
		for _, h := range exceptHosts {
			args = append(args, h)
		}
	}
	rows, err := s.query(ctx, query+` ORDER BY due_at, pos LIMIT ?`, append(args, limit+len(except))...)
	found, err := collect(rows, err, func(r *sql.Rows) (*gateway.InfobipReport, error) {
		var x gateway.InfobipReport
		if err := r.Scan(&x.Pos, &x.Partition, &x.Host, &x.Message, &x.Tries); err != nil {
			return nil, fmt.Errorf("read due reports: %w", err)
		}
		return &x, nil
	})
	return slices.DeleteFunc(found, func(r *gateway.InfobipReport) bool { return slices.Contains(except, r.Pos) }), err
}

// SettleReport notes that a report was posted, or when it is posted next; the zero time for never again. Nothing is written when this node no longer works the partition.
func (s *Store) SettleReport(ctx context.Context, r *gateway.InfobipReport, due time.Time) error {
	epoch, _ := s.leases.Epoch(r.Partition)
	return s.Write(ctx, func(tx *Tx) error {
		if ok, err := tx.Holds(r.Partition, epoch); err != nil || !ok {
			return err
		}
		_, err := tx.Exec(`UPDATE infobip_reports SET due_at = ?, tries = ? WHERE pos = ?`, millis(due), r.Tries, r.Pos)
		return err
	})
}

// RetireReports removes up to limit reports that were made before a moment and are not to be posted any more.
func (s *Store) RetireReports(ctx context.Context, before time.Time, limit int) (int64, error) {
	return s.retire(ctx, `DELETE FROM infobip_reports WHERE pos IN (SELECT pos FROM infobip_reports WHERE created_at < ? AND due_at = 0 LIMIT ?)`, millis(before), limit)
}
