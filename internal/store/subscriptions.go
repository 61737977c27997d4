package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
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

// subscriptionRow is a subscription with the vault that seals its secrets.
type subscriptionRow struct {
	*gateway.Subscription
	v *Vault
}

var subscriptions = newTable("subscriptions",
	plain("id", func(r *subscriptionRow) *string { return &r.ID }),
	word("kind", func(r *subscriptionRow) *gateway.SubscriptionKind { return &r.Kind }),
	word("state", func(r *subscriptionRow) *gateway.SubscriptionState { return &r.State }),
	custom("doc", (*subscriptionRow).doc, (*subscriptionRow).readDoc),
	custom("secrets", (*subscriptionRow).sealed, (*subscriptionRow).open),
	plain("start_pos", func(r *subscriptionRow) *int64 { return &r.StartPos }),
	plain("acked_pos", func(r *subscriptionRow) *int64 { return &r.AckedPos }),
	moment("failing_since", func(r *subscriptionRow) *time.Time { return &r.FailingSince }),
	moment("created_at", func(r *subscriptionRow) *time.Time { return &r.CreatedAt }),
	moment("updated_at", func(r *subscriptionRow) *time.Time { return &r.UpdatedAt }),
)

var updateSubscription = subscriptions.updates("id", "state", "doc", "secrets", "failing_since", "updated_at")

func (r *subscriptionRow) doc() string {
	return string(data(subscriptionDoc{
		Name: r.Name, URL: r.URL, Format: r.Format, FormatData: r.FormatData, EventTypes: r.EventTypes,
		Applications: r.Applications, Order: r.Order, Disabled: r.Disabled, DisabledAt: r.DisabledAt, Generation: r.Generation,
	}))
}

func (r *subscriptionRow) readDoc(text string) error {
	var d subscriptionDoc
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return err
	}
	r.Name, r.URL, r.Format, r.FormatData, r.EventTypes = d.Name, d.URL, d.Format, d.FormatData, d.EventTypes
	r.Applications, r.Order, r.Disabled, r.DisabledAt, r.Generation = d.Applications, d.Order, d.Disabled, d.DisabledAt, d.Generation
	return nil
}

func (r *subscriptionRow) sealed() string {
	if len(r.Secrets) == 0 {
		return ""
	}
	list := make([]secretDoc, len(r.Secrets))
	for i, e := range r.Secrets {
		list[i] = secretDoc{ID: e.ID, Value: e.Value.Reveal(), CreatedAt: e.CreatedAt, ExpiresAt: e.ExpiresAt}
	}
	return r.v.sealed("subscriptions", "secrets", r.ID, gateway.Secret(data(list)))
}

func (r *subscriptionRow) open(sealed string) error {
	text, err := r.v.opened("subscriptions", "secrets", r.ID, sealed)
	if err != nil || text == "" {
		return err
	}
	var list []secretDoc
	if json.Unmarshal([]byte(text.Reveal()), &list) != nil {
		return errors.New("the secrets are not a list") // the decoder's error may quote them
	}
	for _, e := range list {
		r.Secrets = append(r.Secrets, gateway.SigningSecret{ID: e.ID, Value: gateway.Secret(e.Value), CreatedAt: e.CreatedAt, ExpiresAt: e.ExpiresAt})
	}
	return nil
}

func (v *Vault) scanSubscription(rows *sql.Rows) (*gateway.Subscription, error) {
	r := &subscriptionRow{new(gateway.Subscription), v}
	if err := subscriptions.scan(rows, r); err != nil {
		return nil, fmt.Errorf("read subscription %s: %w", r.ID, err)
	}
	return r.Subscription, v.Formats.Bind(r.Subscription)
}

// Subscriptions returns every subscription, the oldest first.
func (v *Vault) Subscriptions(ctx context.Context) ([]*gateway.Subscription, error) {
	rows, err := v.s.Query(ctx, subscriptions.selected+` ORDER BY created_at, id`)
	return Collect(rows, err, v.scanSubscription)
}

// Subscription returns one subscription; a not_found error when there is none.
func (v *Vault) Subscription(ctx context.Context, id string) (*gateway.Subscription, error) {
	rows, err := v.s.Query(ctx, subscriptions.selected+` WHERE id = ?`, id)
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
		_, err := tx.Exec(subscriptions.insert, subscriptions.args(&subscriptionRow{s, v})...)
		if err != nil {
			return fmt.Errorf("store subscription: %w", err)
		}
		return bump(tx, ChangeSubscriptions)
	})
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
		rows, err := tx.Query(subscriptions.selected+` WHERE id = ?`, id)
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
		_, err = tx.Exec(updateSubscription.query, updateSubscription.args(&subscriptionRow{s, v})...)
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
