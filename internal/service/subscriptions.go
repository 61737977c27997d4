package service

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/reach"
	"github.com/chasqui/chasqui/internal/store"
)

// Subscriptions keeps who gets which events. A key that is limited to applications sees and makes
// only subscriptions that are limited to the same.
type Subscriptions struct {
	Vault     *store.Vault
	Store     *store.Store
	Directory *Directory
	Reach     *reach.Allowed // where subscriptions may lead beside public addresses
}

// Create stores a subscription that begins from `from`: "now" or empty, "earliest", or a time in
// RFC 3339. A forward subscription without a secret gets one.
func (s *Subscriptions) Create(ctx context.Context, key *gateway.APIKey, sub *gateway.Subscription, from string) error {
	if sub.Order == "" {
		sub.Order = gateway.OrderConversation
	}
	sub.State = gateway.SubscriptionActive
	if err := s.permitted(key, sub); err != nil {
		return err
	}
	if err := s.room(ctx, key); err != nil {
		return err
	}
	if sub.Signed() && len(sub.Secrets) == 0 {
		sub.Secrets = []gateway.SigningSecret{{Value: gateway.NewSigningSecret()}}
	}
	if err := s.Vault.Formats.Bind(sub); err != nil {
		return err
	}
	if err := s.Adopt(sub, nil); err != nil {
		return err
	}
	var err error
	if sub.StartPos, err = s.position(ctx, from); err != nil {
		return err
	}
	return errors.Join(s.Vault.CreateSubscription(ctx, sub), s.Directory.Refresh(ctx))
}

// MaxLimitedSubscriptions is how many subscriptions the applications of a limited key may have:
// each costs every event of theirs a look, and a worker.
const MaxLimitedSubscriptions = 200

// room reports whether a key may make one more.
func (s *Subscriptions) room(ctx context.Context, key *gateway.APIKey) error {
	if !key.Limited() {
		return nil
	}
	have, err := s.List(ctx, key)
	if err == nil && len(have) >= MaxLimitedSubscriptions {
		return gateway.Errorf(gateway.CodeConflict, "the key's applications have %d subscriptions already, which is as many as a key that is limited to applications may make: delete one", len(have))
	}
	return err
}

// Adopt checks the signing secrets that a caller brings for a subscription, and gives those an id
// that were not there before.
func (s *Subscriptions) Adopt(sub *gateway.Subscription, before []gateway.SigningSecret) error {
	switch {
	case !sub.Signed() && len(sub.Secrets) > 0:
		return gateway.Invalid("secrets", "only forward subscriptions are signed")
	case sub.Signed() && len(sub.Secrets) == 0:
		return gateway.Invalid("secrets", "must hold at least one secret")
	case len(sub.Secrets) > gateway.MaxSigningSecrets:
		return gateway.Invalid("secrets", "must hold at most %d secrets", gateway.MaxSigningSecrets)
	}
	for i := range sub.Secrets {
		secret := &sub.Secrets[i]
		if err := sub.ValidateSecret(secret.Value); err != nil {
			var e *gateway.Error
			errors.As(err, &e)
			return e.WithField(fmt.Sprintf("secrets[%d]", i))
		}
		secret.ID, secret.CreatedAt = s.Store.NewID("sec"), s.Store.Now().UTC()
		for _, old := range before {
			if old.Value == secret.Value {
				secret.ID, secret.CreatedAt = old.ID, old.CreatedAt
			}
		}
	}
	return nil
}

// position returns the position after which a subscription begins, -1 for now.
func (s *Subscriptions) position(ctx context.Context, from string) (int64, error) {
	switch from {
	case "", "now":
		return -1, nil
	case "earliest":
		return 0, nil
	}
	at, err := time.Parse(time.RFC3339, from)
	if err != nil {
		return 0, gateway.Invalid("from", "must be now, earliest or a time such as 2026-01-31T12:00:00Z")
	}
	if at.After(s.Store.Now()) {
		return -1, nil
	}
	return s.Store.PositionAt(ctx, at)
}

// permitted checks a subscription and that it gives the key no more than the key may see.
func (s *Subscriptions) permitted(key *gateway.APIKey, sub *gateway.Subscription) error {
	if err := sub.Validate(); err != nil {
		return err
	}
	if sub.URL != "" && s.Reach.Check(sub.URL) != nil {
		return gateway.Invalid("url", "leads to a private or reserved address, which the setting forward.allowPrivate does not allow")
	}
	if key.Limited() && len(sub.Applications) == 0 {
		return gateway.Errorf(gateway.CodeForbidden, "this key is limited to some applications: name them").WithField("applications")
	}
	for _, app := range sub.Applications {
		if !key.AllowsApplication(app) {
			return gateway.Errorf(gateway.CodeForbidden, "this key is limited to other applications than %s", app).WithField("applications")
		}
		if s.Directory.Application(app) == nil {
			return gateway.Invalid("applications", "there is no application %q", app)
		}
	}
	return nil
}

// List returns the subscriptions that the key may see, the oldest first.
func (s *Subscriptions) List(ctx context.Context, key *gateway.APIKey) ([]*gateway.Subscription, error) {
	all, err := s.Vault.Subscriptions(ctx)
	if err != nil {
		return nil, err
	}
	seen := all[:0]
	for _, sub := range all {
		if within(key, sub) {
			seen = append(seen, sub)
		}
	}
	return seen, nil
}

// within reports whether a key may see all that a subscription gives.
func within(key *gateway.APIKey, sub *gateway.Subscription) bool {
	if key.Limited() && len(sub.Applications) == 0 {
		return false
	}
	for _, app := range sub.Applications {
		if !key.AllowsApplication(app) {
			return false
		}
	}
	return true
}

// Get returns one subscription that the key may see; a not_found error otherwise.
func (s *Subscriptions) Get(ctx context.Context, key *gateway.APIKey, id string) (*gateway.Subscription, error) {
	sub, err := s.Vault.Subscription(ctx, id)
	if err != nil {
		return nil, err
	}
	if !within(key, sub) {
		return nil, gateway.NotFound("subscription", id)
	}
	return sub, nil
}

// Update lets change alter a subscription and stores it when it is valid. Enabling one that the
// gateway disabled clears why it was.
func (s *Subscriptions) Update(ctx context.Context, key *gateway.APIKey, id string, change func(*gateway.Subscription) error) (*gateway.Subscription, error) {
	enabled := false
	sub, err := s.Vault.UpdateSubscription(ctx, id, func(_ *store.Tx, sub *gateway.Subscription) error {
		if !within(key, sub) {
			return gateway.NotFound("subscription", id)
		}
		was := sub.State
		if err := change(sub); err != nil {
			return err
		}
		enabled = was == gateway.SubscriptionDisabled && sub.State == gateway.SubscriptionActive
		if enabled {
			sub.Disabled, sub.DisabledAt, sub.FailingSince = nil, time.Time{}, time.Time{}
		}
		return s.permitted(key, sub)
	})
	if err == nil && enabled { // its receiver is said to be back
		_, err = s.Store.RetryDeliveries(ctx, id)
	}
	return sub, errors.Join(err, s.Directory.Refresh(ctx))
}

// Disable stops a forward subscription for a reason that its receiver gave; it stays as it is when
// it was disabled already.
func (s *Subscriptions) Disable(ctx context.Context, id string, why gateway.Failure) error {
	_, err := s.Vault.UpdateSubscription(ctx, id, func(tx *store.Tx, sub *gateway.Subscription) error {
		if sub.State == gateway.SubscriptionActive {
			sub.State, sub.Disabled, sub.DisabledAt = gateway.SubscriptionDisabled, &why, tx.Now().UTC()
		}
		return nil
	})
	return errors.Join(err, s.Directory.Refresh(ctx))
}

// AddSecret gives a subscription another signing secret, a new one when value is empty. The others
// go on being valid for overlap, after which deliveries carry only the new one's signature; an
// overlap of zero ends them at once.
func (s *Subscriptions) AddSecret(ctx context.Context, key *gateway.APIKey, id string, value gateway.Secret, overlap time.Duration) (*gateway.Subscription, error) {
	if value == "" {
		value = gateway.NewSigningSecret()
	}
	if err := gateway.ValidateSigningSecret(value); err != nil {
		return nil, err
	}
	return s.Update(ctx, key, id, func(sub *gateway.Subscription) error {
		if !sub.Signed() {
			return gateway.Invalid("kind", "only forward subscriptions are signed")
		}
		now := s.Store.Now().UTC()
		kept := sub.Secrets[:0]
		for _, secret := range sub.Secrets {
			end := now.Add(overlap)
			if secret.ExpiresAt.IsZero() || secret.ExpiresAt.After(end) {
				secret.ExpiresAt = end
			}
			if secret.ExpiresAt.After(now) {
				kept = append(kept, secret)
			}
		}
		if len(kept) >= gateway.MaxSigningSecrets {
			return gateway.Errorf(gateway.CodeConflict, "%d secrets are valid already: delete one first", len(kept))
		}
		sub.Secrets = append(kept, gateway.SigningSecret{ID: s.Store.NewID("sec"), Value: value, CreatedAt: now})
		return nil
	})
}

// DeleteSecret ends a signing secret at once. The last one that does not expire stays.
func (s *Subscriptions) DeleteSecret(ctx context.Context, key *gateway.APIKey, id, secret string) (*gateway.Subscription, error) {
	return s.Update(ctx, key, id, func(sub *gateway.Subscription) error {
		kept, lasting := []gateway.SigningSecret(nil), false
		for _, have := range sub.Secrets {
			if have.ID != secret {
				kept, lasting = append(kept, have), lasting || have.ExpiresAt.IsZero()
			}
		}
		if len(kept) == len(sub.Secrets) {
			return gateway.NotFound("secret", secret)
		}
		if !lasting {
			return gateway.Errorf(gateway.CodeConflict, "this is the last secret: add another first")
		}
		sub.Secrets = kept
		return nil
	})
}

// Delete removes a subscription with its deliveries.
func (s *Subscriptions) Delete(ctx context.Context, key *gateway.APIKey, id string) error {
	if _, err := s.Get(ctx, key, id); err != nil {
		return err
	}
	return errors.Join(s.Vault.DeleteSubscription(ctx, id), s.Directory.Refresh(ctx))
}
