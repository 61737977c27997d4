package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
)

// deliveries are the events for subscriptions that were delivered beyond a cursor, or are parked.
var deliveries = newTable("deliveries",
	plain("subscription", func(d *gateway.Delivery) *string { return &d.Subscription }),
	plain("pos", func(d *gateway.Delivery) *int64 { return &d.Pos }),
	plain("part", func(d *gateway.Delivery) *int { return &d.Partition }),
	plain("app", func(d *gateway.Delivery) *string { return &d.Lane.Application }),
	plain("person", func(d *gateway.Delivery) *string { return &d.Lane.Person }),
	word("status", func(d *gateway.Delivery) *gateway.DeliveryStatus { return &d.Status }),
	moment("due_at", func(d *gateway.Delivery) *time.Time { return &d.DueAt }),
	document("attempts", func(d *gateway.Delivery) string { return jsonOf(d.Attempts, len(d.Attempts) > 0) }, func(d *gateway.Delivery) *[]gateway.DeliveryAttempt { return &d.Attempts }),
	moment("created_at", func(d *gateway.Delivery) *time.Time { return &d.CreatedAt }),
	moment("updated_at", func(d *gateway.Delivery) *time.Time { return &d.UpdatedAt }),
)

var (
	scanDelivery = deliveries.reads("delivery")
	saveDelivery = deliveries.upserts([]string{"subscription", "pos"}, "part", "app", "person")
)

// SaveDeliveries stores deliveries as they are now, new ones and changed ones.
func (tx *Tx) SaveDeliveries(list []*gateway.Delivery) error {
	rows := make([][]any, len(list))
	for i, d := range list {
		d.UpdatedAt = tx.now
		rows[i] = deliveries.args(d)
	}
	if _, err := tx.ExecMany(saveDelivery, rows); err != nil {
		return fmt.Errorf("store deliveries: %w", err)
	}
	return nil
}

// DeliveryFilter selects deliveries of a subscription for listing, the newest event first.
type DeliveryFilter struct {
	Subscription string
	Status       gateway.DeliveryStatus // empty for all
	Before       int64                  // position of the last of the page before; 0 for the first page
	Limit        int
}

// ListDeliveries returns deliveries, the newest event first.
func (s *Store) ListDeliveries(ctx context.Context, f DeliveryFilter) ([]*gateway.Delivery, error) {
	where, args := []string{"subscription = ?"}, []any{f.Subscription}
	if f.Status != "" {
		where, args = append(where, "status = ?"), append(args, string(f.Status))
	}
	if f.Before > 0 {
		where, args = append(where, "pos < ?"), append(args, f.Before)
	}
	rows, err := s.Query(ctx, deliveries.selected+` WHERE `+strings.Join(where, " AND ")+` ORDER BY pos DESC LIMIT ?`, append(args, f.Limit)...)
	return Collect(rows, err, scanDelivery)
}

// DueDeliveries returns parked deliveries of a subscription whose time has come.
func (s *Store) DueDeliveries(ctx context.Context, subscription string, now time.Time, limit int) ([]*gateway.Delivery, error) {
	rows, err := s.Query(ctx, deliveries.selected+` WHERE subscription = ? AND status = 'pending' AND due_at <= ? ORDER BY due_at, pos LIMIT ?`,
		subscription, Millis(now), limit)
	return Collect(rows, err, scanDelivery)
}

// NextInLane returns the first unfinished delivery of a conversation to a subscription; nil when
// there is none.
func (s *Store) NextInLane(ctx context.Context, subscription string, lane gateway.Lane) (*gateway.Delivery, error) {
	list, err := s.Unfinished(ctx, subscription, lane, 1)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return list[0], nil
}

// Unfinished returns the first deliveries of a conversation to a subscription that are pending or
// waiting, in order.
func (s *Store) Unfinished(ctx context.Context, subscription string, lane gateway.Lane, limit int) ([]*gateway.Delivery, error) {
	rows, err := s.Query(ctx, deliveries.selected+` WHERE subscription = ? AND app = ? AND person = ?
AND status IN ('pending', 'waiting') ORDER BY pos LIMIT ?`, subscription, lane.Application, lane.Person, limit)
	return Collect(rows, err, scanDelivery)
}

// PromoteWaiting makes due what waits in a conversation behind nothing any more, in the partitions
// that this node works: its worker ended before it came to that.
func (s *Store) PromoteWaiting(ctx context.Context, subscription string) error {
	held, _ := s.leases.Held()
	if len(held) == 0 {
		return nil
	}
	args := []any{s.now().UnixMilli(), subscription}
	for p := range held {
		args = append(args, p)
	}
	return s.Write(ctx, func(tx *Tx) error {
		_, err := tx.Exec(`UPDATE deliveries SET status = 'pending', due_at = ? WHERE subscription = ? AND status = 'waiting' AND part IN (?`+strings.Repeat(", ?", len(held)-1)+`)
AND NOT EXISTS (SELECT 1 FROM deliveries AS b WHERE b.subscription = deliveries.subscription AND b.app = deliveries.app AND b.person = deliveries.person
AND b.status IN ('pending', 'waiting') AND b.pos < deliveries.pos)`, args...)
		return err
	})
}

// HeldLanes returns the conversations that have unfinished deliveries to a subscription.
func (s *Store) HeldLanes(ctx context.Context, subscription string) ([]gateway.Lane, error) {
	rows, err := s.Query(ctx, `SELECT DISTINCT app, person FROM deliveries WHERE subscription = ? AND status IN ('pending', 'waiting')`, subscription)
	return Collect(rows, err, func(r *sql.Rows) (gateway.Lane, error) {
		var l gateway.Lane
		err := r.Scan(&l.Application, &l.Person)
		return l, err
	})
}

// DeliveriesAfter returns the positions after one that a subscription has deliveries for; with
// unfinished, only of those that are parked.
func (s *Store) DeliveriesAfter(ctx context.Context, subscription string, pos int64, unfinished bool) ([]int64, error) {
	query := `SELECT pos FROM deliveries WHERE subscription = ? AND pos > ?`
	if unfinished {
		query += ` AND status IN ('pending', 'waiting')`
	}
	rows, err := s.Query(ctx, query, subscription, pos)
	return Collect(rows, err, func(r *sql.Rows) (int64, error) {
		var p int64
		err := r.Scan(&p)
		return p, err
	})
}

// ReplayFrom moves a subscription back (or forward) to a position: everything after it is delivered
// again. What is parked stays parked.
func (v *Vault) ReplayFrom(ctx context.Context, id string, pos int64) (*gateway.Subscription, error) {
	return v.UpdateSubscription(ctx, id, func(tx *Tx, s *gateway.Subscription) error {
		s.Generation++
		s.StartPos, s.AckedPos = pos, pos
		for _, step := range []struct {
			query string
			args  []any
		}{
			{`UPDATE subscriptions SET start_pos = ?, acked_pos = ? WHERE id = ?`, []any{pos, pos, id}},
			{`DELETE FROM deliveries WHERE subscription = ? AND pos > ? AND status IN ('delivered', 'dead')`, []any{id, pos}},
			{`DELETE FROM cursors WHERE name LIKE ?`, []any{"%" + id}},
		} {
			if _, err := tx.Exec(step.query, step.args...); err != nil {
				return fmt.Errorf("replay subscription %s: %w", id, err)
			}
		}
		return nil
	})
}

// ReplayEvent parks one event for delivery at once, whatever became of it before.
func (s *Store) ReplayEvent(ctx context.Context, subscription string, e *gateway.Event) error {
	return s.Write(ctx, func(tx *Tx) error {
		return tx.SaveDeliveries([]*gateway.Delivery{{
			Subscription: subscription, Pos: e.Pos, Partition: e.Partition, Lane: e.Lane(), Status: gateway.DeliveryPending, DueAt: tx.now, CreatedAt: tx.now,
		}})
	})
}

// retryRows is how many parked deliveries are made due in one commit.
const retryRows = 2000

// RetryDeliveries makes the parked deliveries of a subscription due now, and returns how many it
// did.
func (s *Store) RetryDeliveries(ctx context.Context, subscription string) (int64, error) {
	now, total := Millis(s.now()), int64(0)
	for {
		n, err := s.retire(ctx, `UPDATE deliveries SET due_at = ? WHERE subscription = ? AND status = 'pending' AND pos IN
(SELECT pos FROM deliveries WHERE subscription = ? AND status = 'pending' AND due_at > ? LIMIT ?)`, now, subscription, subscription, now, retryRows)
		total += n
		if err != nil || n < retryRows {
			return total, err
		}
	}
}

// Failing notes since when a subscription does nothing but fail; the zero time when it does not.
func (s *Store) Failing(ctx context.Context, subscription string, since time.Time) error {
	return s.Write(ctx, func(tx *Tx) error {
		_, err := tx.Exec(`UPDATE subscriptions SET failing_since = ? WHERE id = ?`, Millis(since), subscription)
		return err
	})
}
