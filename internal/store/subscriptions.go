package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
)

// subscriptionDoc is the part of a subscription that is neither searched nor secret.
type subscriptionDoc struct {
	Name         string                `json:"name,omitempty"`
	URL          string                `json:"url,omitempty"`
	Format       string                `json:"format,omitempty"`
	FormatData   json.RawMessage       `json:"formatData,omitempty"`
	EventTypes   []gateway.EventType   `json:"eventTypes,omitempty"`
	Applications []string              `json:"applications,omitempty"`
	Order        gateway.DeliveryOrder `json:"order"`
	Disabled     *gateway.Failure      `json:"disabled,omitempty"`
	DisabledAt   time.Time             `json:"disabledAt,omitzero"`
	Generation   int64                 `json:"generation,omitempty"`
}

// secretDoc is a signing secret as it lies, sealed with the others of its subscription, in the
// column secrets.
type secretDoc struct {
	ID        string    `json:"id"`
	Value     string    `json:"value"`
	CreatedAt time.Time `json:"createdAt"`
	ExpiresAt time.Time `json:"expiresAt,omitzero"`
}

const selectSubscriptions = `SELECT id, kind, state, doc, secrets, start_pos, acked_pos, failing_since, created_at, updated_at FROM subscriptions`

func (v *Vault) scanSubscription(rows *sql.Rows) (*gateway.Subscription, error) {
	var s gateway.Subscription
	var kind, state, doc, secrets string
	var failing, created, updated int64
	if err := rows.Scan(&s.ID, &kind, &state, &doc, &secrets, &s.StartPos, &s.AckedPos, &failing, &created, &updated); err != nil {
		return nil, fmt.Errorf("read subscription: %w", err)
	}
	var d subscriptionDoc
	if err := json.Unmarshal([]byte(doc), &d); err != nil {
		return nil, fmt.Errorf("read subscription %s: %w", s.ID, err)
	}
	s.Kind, s.State, s.Name, s.URL = gateway.SubscriptionKind(kind), gateway.SubscriptionState(state), d.Name, d.URL
	s.EventTypes, s.Applications, s.Order, s.Disabled, s.DisabledAt = d.EventTypes, d.Applications, d.Order, d.Disabled, d.DisabledAt
	s.Generation, s.Format, s.FormatData = d.Generation, d.Format, d.FormatData
	s.FailingSince, s.CreatedAt, s.UpdatedAt = FromMillis(failing), FromMillis(created), FromMillis(updated)
	text, err := v.opened("subscriptions", "secrets", s.ID, secrets)
	if err != nil {
		return nil, fmt.Errorf("read subscription %s: %w", s.ID, err)
	}
	if text != "" {
		var list []secretDoc
		if err := json.Unmarshal([]byte(text.Reveal()), &list); err != nil {
			return nil, fmt.Errorf("read secrets of subscription %s: not a list", s.ID) // the decoder's error may quote them
		}
		for _, e := range list {
			s.Secrets = append(s.Secrets, gateway.SigningSecret{ID: e.ID, Value: gateway.Secret(e.Value), CreatedAt: e.CreatedAt, ExpiresAt: e.ExpiresAt})
		}
	}
	return &s, v.Formats.Bind(&s)
}

// Subscriptions answers every subscription, the oldest first.
func (v *Vault) Subscriptions(ctx context.Context) ([]*gateway.Subscription, error) {
	rows, err := v.s.Query(ctx, selectSubscriptions+` ORDER BY created_at, id`)
	return Collect(rows, err, v.scanSubscription)
}

// Subscription returns one subscription; a not_found error when there is none.
func (v *Vault) Subscription(ctx context.Context, id string) (*gateway.Subscription, error) {
	rows, err := v.s.Query(ctx, selectSubscriptions+` WHERE id = ?`, id)
	return v.oneSubscription(id, rows, err)
}

func (v *Vault) oneSubscription(id string, rows *sql.Rows, err error) (*gateway.Subscription, error) {
	return One("subscription", id, rows, err, v.scanSubscription)
}

// CreateSubscription stores a new subscription; its ID and times are set. A negative StartPos
// begins with what is committed after it, any other after that position of the log.
func (v *Vault) CreateSubscription(ctx context.Context, s *gateway.Subscription) error {
	return v.s.Write(ctx, func(tx *Tx) error {
		if err := v.claim(tx); err != nil {
			return err
		}
		if s.StartPos < 0 {
			if err := tx.QueryRow(`SELECT pos FROM log_head WHERE one = 1`).Scan(&s.StartPos); err != nil {
				return fmt.Errorf("read the head of the logs: %w", err)
			}
		}
		s.ID, s.CreatedAt, s.UpdatedAt, s.AckedPos = tx.NewID("sub"), tx.Now(), tx.Now(), s.StartPos
		doc, secrets := v.subscriptionValues(s)
		_, err := tx.Exec(`INSERT INTO subscriptions (id, kind, state, doc, secrets, start_pos, acked_pos, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			s.ID, string(s.Kind), string(s.State), doc, secrets, s.StartPos, s.AckedPos, Millis(s.CreatedAt), Millis(s.UpdatedAt))
		if err != nil {
			return fmt.Errorf("store subscription: %w", err)
		}
		return bump(tx, ChangeSubscriptions)
	})
}

func (v *Vault) subscriptionValues(s *gateway.Subscription) (doc, secrets string) {
	doc = string(data(subscriptionDoc{
		Name: s.Name, URL: s.URL, Format: s.Format, FormatData: s.FormatData, EventTypes: s.EventTypes,
		Applications: s.Applications, Order: s.Order, Disabled: s.Disabled, DisabledAt: s.DisabledAt, Generation: s.Generation,
	}))
	if len(s.Secrets) == 0 {
		return doc, ""
	}
	list := make([]secretDoc, len(s.Secrets))
	for i, e := range s.Secrets {
		list[i] = secretDoc{ID: e.ID, Value: e.Value.Reveal(), CreatedAt: e.CreatedAt, ExpiresAt: e.ExpiresAt}
	}
	return doc, v.sealed("subscriptions", "secrets", s.ID, gateway.Secret(data(list)))
}

// UpdateSubscription reads a subscription, lets change it, and stores it, all in one transaction.
// When change returns an error nothing is stored. The kind and the positions cannot change. It
// returns the subscription as stored.
func (v *Vault) UpdateSubscription(ctx context.Context, id string, change func(tx *Tx, s *gateway.Subscription) error) (*gateway.Subscription, error) {
	var s *gateway.Subscription
	err := v.s.Write(ctx, func(tx *Tx) error {
		if err := v.claim(tx); err != nil {
			return err
		}
		rows, err := tx.Query(selectSubscriptions+` WHERE id = ?`, id)
		if s, err = v.oneSubscription(id, rows, err); err != nil {
			return err
		}
		if err := change(tx, s); err != nil {
			return err
		}
		if err := v.Formats.Bind(s); err != nil {
			return err
		}
		s.UpdatedAt = tx.Now()
		doc, secrets := v.subscriptionValues(s)
		_, err = tx.Exec(`UPDATE subscriptions SET state = ?, doc = ?, secrets = ?, failing_since = ?, updated_at = ? WHERE id = ?`,
			string(s.State), doc, secrets, Millis(s.FailingSince), Millis(s.UpdatedAt), id)
		if err != nil {
			return fmt.Errorf("store subscription %s: %w", id, err)
		}
		return bump(tx, ChangeSubscriptions)
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Advance moves the acknowledged position of a pull subscription from one position to a later one.
// It returns false, and changes nothing, when it stands elsewhere: then another has been handed
// what lies between.
func (v *Vault) Advance(ctx context.Context, id string, from, to int64) (bool, error) {
	var n int64
	err := v.s.Write(ctx, func(tx *Tx) (err error) {
		n, err = tx.Exec(`UPDATE subscriptions SET acked_pos = ? WHERE id = ? AND kind = 'pull' AND acked_pos = ?`, to, id, from)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("advance subscription %s: %w", id, err)
	}
	return n > 0, nil
}

// Acknowledge moves the acknowledged position of a pull subscription forward, never back, and
// returns where it stands. The error is not_found when there is no such subscription.
func (v *Vault) Acknowledge(ctx context.Context, id string, pos int64) (int64, error) {
	var acked int64
	err := v.s.Write(ctx, func(tx *Tx) error {
		n, err := tx.Exec(`UPDATE subscriptions SET acked_pos = CASE WHEN acked_pos < ? THEN ? ELSE acked_pos END WHERE id = ? AND kind = 'pull'`, pos, pos, id)
		if err != nil {
			return fmt.Errorf("acknowledge at subscription %s: %w", id, err)
		}
		if n == 0 {
			return gateway.NotFound("pull subscription", id)
		}
		return tx.QueryRow(`SELECT acked_pos FROM subscriptions WHERE id = ?`, id).Scan(&acked)
	})
	return acked, err
}

// DeleteSubscription removes a subscription with its deliveries and its place in the log; a
// not_found error when there is none.
func (v *Vault) DeleteSubscription(ctx context.Context, id string) error {
	return v.s.Write(ctx, func(tx *Tx) error {
		n, err := tx.Exec(`DELETE FROM subscriptions WHERE id = ?`, id)
		if err != nil {
			return fmt.Errorf("delete subscription %s: %w", id, err)
		}
		if n == 0 {
			return gateway.NotFound("subscription", id)
		}
		if _, err := tx.Exec(`DELETE FROM deliveries WHERE subscription = ?`, id); err != nil {
			return fmt.Errorf("delete deliveries of subscription %s: %w", id, err)
		}
		// Cursors are named by what reads, followed by the subscription.
		if _, err := tx.Exec(`DELETE FROM cursors WHERE name LIKE ?`, "%"+id); err != nil {
			return fmt.Errorf("delete cursors of subscription %s: %w", id, err)
		}
		return bump(tx, ChangeSubscriptions)
	})
}
