package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
)

// HeardOf notes when the newest event of applications came.
func (tx *Tx) HeardOf(applications map[string]time.Time) error {
	rows := make([][]any, 0, len(applications))
	for key, at := range applications {
		rows = append(rows, []any{Millis(at), key, Millis(at)})
	}
	_, err := tx.ExecMany(`UPDATE applications SET last_event_at = ? WHERE key = ? AND last_event_at < ?`, rows)
	if err != nil {
		return fmt.Errorf("note when applications were heard of: %w", err)
	}
	return nil
}

// LastEvents returns when the newest event of each application came; those without one are left
// out.
func (s *Store) LastEvents(ctx context.Context) (map[string]time.Time, error) {
	rows, err := s.Query(ctx, `SELECT key, last_event_at FROM applications WHERE last_event_at > 0`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	last := map[string]time.Time{}
	for rows.Next() {
		var key string
		var at int64
		if err := rows.Scan(&key, &at); err != nil {
			return nil, err
		}
		last[key] = FromMillis(at)
	}
	return last, rows.Err()
}

// Place is how far a subscription has come in the log.
type Place struct {
	Subscription string
	Kind         string
	Pos          int64
}

// Places returns how far every active subscription has come: what a pull subscription has
// acknowledged, and what a forward subscription has delivered or parked.
func (s *Store) Places(ctx context.Context) ([]Place, error) {
	rows, err := s.Query(ctx, `SELECT s.id, s.kind, s.start_pos, s.acked_pos, COALESCE(MIN(c.pos), -1), COUNT(c.pos)
FROM subscriptions s LEFT JOIN cursors c ON c.name LIKE 'forward:%:' || s.id WHERE s.state = 'active' GROUP BY s.id, s.kind, s.start_pos, s.acked_pos`)
	return Collect(rows, err, func(r *sql.Rows) (Place, error) {
		var p Place
		var start, acked, low int64
		var parts int
		if err := r.Scan(&p.Subscription, &p.Kind, &start, &acked, &low, &parts); err != nil {
			return p, err
		}
		switch {
		case p.Kind == string(gateway.KindPull):
			p.Pos = acked
		case parts <= gateway.Partitions:
			p.Pos = start // some partition has not been worked yet
		default:
			p.Pos = low
		}
		return p, nil
	})
}

// FailingSubscriptions returns since when the active subscriptions that do nothing but fail do so.
func (s *Store) FailingSubscriptions(ctx context.Context) (map[string]time.Time, error) {
	rows, err := s.Query(ctx, `SELECT id, failing_since FROM subscriptions WHERE failing_since > 0 AND state = 'active'`)
	since := map[string]time.Time{}
	_, err = Collect(rows, err, func(r *sql.Rows) (struct{}, error) {
		var id string
		var at int64
		err := r.Scan(&id, &at)
		since[id] = FromMillis(at)
		return struct{}{}, err
	})
	return since, err
}

// RetireEvents removes up to limit events at or before a position, and returns how many it removed.
func (s *Store) RetireEvents(ctx context.Context, upto int64, limit int) (int64, error) {
	return s.retire(ctx, `DELETE FROM events WHERE pos IN (SELECT pos FROM events WHERE pos <= ? ORDER BY pos LIMIT ?)`, upto, limit)
}

// RetireSetAside removes what is known of events that were set aside and are in the log no longer:
// those up to a position.
func (s *Store) RetireSetAside(ctx context.Context, upto int64) error {
	_, err := s.retire(ctx, `DELETE FROM set_aside WHERE pos <= ?`, upto)
	return err
}

// CountEvents returns how many events of a subscription's kind lie after one position and up to
// another.
func (s *Store) CountEvents(ctx context.Context, after, upto int64) (int64, error) {
	var n int64
	err := s.QueryRow(ctx, `SELECT COUNT(*) FROM events WHERE pos > ? AND pos <= ? AND type NOT LIKE 'platform.%'`, after, upto).Scan(&n)
	return n, err
}

func (s *Store) retire(ctx context.Context, query string, args ...any) (int64, error) {
	var n int64
	err := s.Write(ctx, func(tx *Tx) (err error) {
		n, err = tx.Exec(query, args...)
		return err
	})
	return n, err
}

// Setting returns a setting; empty when it is not set.
func (s *Store) Setting(ctx context.Context, name string) (string, error) {
	var value string
	err := s.QueryRow(ctx, `SELECT value FROM settings WHERE name = ?`, name).Scan(&value)
	if err == sql.ErrNoRows {
		err = nil
	}
	return value, err
}

// AfterRestore makes a restored database safe to go on with: unfinished messages are held, since
// they may have been sent after the backup was made, and new positions cannot meet old ones. It
// returns how many messages it held.
func (s *Store) AfterRestore(ctx context.Context) (held int64, err error) {
	err = s.Write(ctx, func(tx *Tx) error {
		if held, err = tx.Exec(`UPDATE messages SET status = 'held', open = 0, updated_at = ? WHERE open = 1`, tx.now.UnixMilli()); err != nil {
			return err
		}
		// What waited for a receipt may have gone on to its next channel since.
		if _, err := tx.Exec(`UPDATE messages SET step_due = 0 WHERE step_due > 0`); err != nil {
			return fmt.Errorf("stop steps: %w", err)
		}
		// What a bot was to say by now may have been said after the backup was made.
		if _, err := tx.Exec(`DELETE FROM bot_timers WHERE due_at <= ?`, tx.now.UnixMilli()); err != nil {
			return fmt.Errorf("drop what bots were to say: %w", err)
		}
		// The clock in microseconds is past every position given out after the backup, and never
		// the same for two restores.
		_, err := tx.Exec(`UPDATE log_head SET pos = CASE WHEN pos < ? THEN ? ELSE pos + 1000000000 END WHERE one = 1`, tx.now.UnixMicro(), tx.now.UnixMicro())
		return err
	})
	return held, err
}
