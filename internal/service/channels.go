package service

import (
	"context"
	"errors"
	"slices"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/reach"
	"github.com/chasqui/chasqui/internal/store"
)

// Channels keeps the accounts at providers of channels beside Messenger, and who wants nothing more
// on them. A key that is limited to applications sees and makes only accounts of those.
type Channels struct {
	Vault     *store.Vault
	Store     *store.Store
	Directory *Directory
	// Providers are those that accounts may have.
	Providers gateway.Providers
	Reach     *reach.Allowed // where accounts may lead beside public addresses
	// Refresh makes a change count at once on this node; nil for when the node looks next.
	Refresh func(context.Context) error
	// Probe asks the provider whether an account works; its error is a *gateway.ChannelError.
	Probe func(context.Context, *gateway.ChannelAccount) error
}

// Create stores an account. It returns the names of the secrets that were made for it, because it
// came without.
func (s *Channels) Create(ctx context.Context, key *gateway.APIKey, a *gateway.ChannelAccount) (made []string, err error) {
	made = s.Providers.MakeSecrets(a)
	if err := s.permitted(key, a, ""); err != nil {
		return nil, err
	}
	if err := s.Vault.CreateChannel(ctx, a); err != nil {
		return nil, err
	}
	return made, s.changed(ctx)
}

func (s *Channels) changed(ctx context.Context) error {
	if s.Refresh == nil {
		return nil
	}
	return s.Refresh(ctx)
}

// permitted completes and checks an account, and checks that it gives the key no more than the key
// may touch. had is the application before the change.
func (s *Channels) permitted(key *gateway.APIKey, a *gateway.ChannelAccount, had string) error {
	targets, err := s.Providers.Settle(a)
	if err != nil {
		return err
	}
	if !ownAccount(key, a) {
		return gateway.Errorf(gateway.CodeForbidden, "this key is limited to some applications: name one of them").WithField("application")
	}
	for field, address := range targets {
		if err := s.Reach.Check(address); err != nil {
			return gateway.Invalid(field, "leads to a private or reserved address, which the setting forward.allowPrivate does not allow")
		}
	}
	if a.Application != "" && a.Application != had && s.Directory.Application(a.Application) == nil {
		return gateway.Invalid("application", "there is no application %q", a.Application)
	}
	return nil
}

func ownAccount(key *gateway.APIKey, a *gateway.ChannelAccount) bool {
	return !key.Limited() || a.Application != "" && key.AllowsApplication(a.Application)
}

// List returns the accounts that the key may see, the oldest first.
func (s *Channels) List(ctx context.Context, key *gateway.APIKey) ([]*gateway.ChannelAccount, error) {
	all, err := s.Vault.Channels(ctx)
	if err != nil {
		return nil, err
	}
	seen := all[:0]
	for _, a := range all {
		if ownAccount(key, a) {
			seen = append(seen, a)
		}
	}
	return seen, nil
}

// Get returns one account that the key may see; a not_found error otherwise.
func (s *Channels) Get(ctx context.Context, key *gateway.APIKey, id string) (*gateway.ChannelAccount, error) {
	a, err := s.Vault.Channel(ctx, id)
	if err != nil {
		return nil, err
	}
	if !ownAccount(key, a) {
		return nil, gateway.NotFound("channel account", id)
	}
	return a, nil
}

// Update lets change alter an account and stores it when it is valid.
func (s *Channels) Update(ctx context.Context, key *gateway.APIKey, id string, change func(*gateway.ChannelAccount) error) (*gateway.ChannelAccount, error) {
	a, err := s.Vault.UpdateChannel(ctx, id, func(a *gateway.ChannelAccount) error {
		if !ownAccount(key, a) {
			return gateway.NotFound("channel account", id)
		}
		had := a.Application
		if err := change(a); err != nil {
			return err
		}
		return s.permitted(key, a, had)
	})
	if err != nil {
		return nil, err
	}
	return a, s.changed(ctx)
}

// Delete removes an account. Messages under way through it get no more receipts.
func (s *Channels) Delete(ctx context.Context, key *gateway.APIKey, id string) error {
	if _, err := s.Get(ctx, key, id); err != nil {
		return err
	}
	if err := s.Vault.DeleteChannel(ctx, id); err != nil {
		return err
	}
	return s.changed(ctx)
}

// Check asks the provider whether an account works, also a disabled one. It returns what is wrong,
// nil when nothing is.
func (s *Channels) Check(ctx context.Context, key *gateway.APIKey, id string) (*gateway.Failure, error) {
	a, err := s.Get(ctx, key, id)
	if err != nil {
		return nil, err
	}
	if err = s.Probe(ctx, a); err == nil {
		return nil, nil
	}
	var refusal *gateway.ChannelError
	if !errors.As(err, &refusal) {
		return nil, err
	}
	failure := refusal.Failure
	if key.Limited() {
		// What an address inside the operator's network says is not for everybody who may name one.
		failure = gateway.Failure{Code: failure.Code, Message: "the provider did not take the account; a key of all applications is told its words"}
	}
	return &failure, nil
}

// optOutsOf reports whether a key may touch the opt-outs of an application, empty for those that
// hold for all.
func (s *Channels) optOutsOf(key *gateway.APIKey, application string) error {
	if application == "" && key.Limited() {
		return gateway.Errorf(gateway.CodeForbidden, "this holds for every application, and this key is limited to some: name one of them").WithField("application")
	}
	if application == "" {
		return nil
	}
	return usable(s.Directory, key, application)
}

// OptOuts returns who wants nothing more, in the order of channel and address. A key that is
// limited to applications is told of theirs alone.
func (s *Channels) OptOuts(ctx context.Context, key *gateway.APIKey, f store.OptOutFilter) ([]gateway.OptOut, error) {
	var err error
	if f.Applications, err = narrowed(key, f.Applications); err != nil {
		return nil, err
	}
	if f.Address != "" && f.Channel != "" {
		address, ok := gateway.NormalAddress(f.Channel, f.Address)
		if !ok {
			return nil, gateway.Invalid("address", "is not an address of channel %s", f.Channel)
		}
		f.Address = address
	}
	return s.Store.OptOuts(ctx, f)
}

// SetOptOut records that an address wants nothing more on a channel from an application, empty for
// all; one that was recorded before stays as it is.
func (s *Channels) SetOptOut(ctx context.Context, key *gateway.APIKey, application, channel, address string) (gateway.OptOut, error) {
	if err := s.optOutsOf(key, application); err != nil {
		return gateway.OptOut{}, err
	}
	normal, err := optOutAddress(channel, address)
	if err != nil {
		return gateway.OptOut{}, err
	}
	made := gateway.OptOut{Channel: channel, Address: normal, Application: application}
	err = s.Store.Write(ctx, func(tx *store.Tx) error {
		made.At = gatewayapi.At(tx.Now().UTC())
		_, err := tx.SetOptOut(made)
		return err
	})
	if err != nil {
		return gateway.OptOut{}, err
	}
	if err := s.Directory.Refresh(ctx); err != nil {
		return gateway.OptOut{}, err
	}
	list, err := s.Store.OptOuts(ctx, store.OptOutFilter{Channel: channel, Address: normal, Applications: []string{application}, Limit: 1})
	if err != nil || len(list) == 0 {
		return made, err
	}
	return list[0], nil
}

// DeleteOptOut records that an address may be written to again, as far as an opt-out of the
// application forbade it, empty for one of all; a not_found error when there was none.
func (s *Channels) DeleteOptOut(ctx context.Context, key *gateway.APIKey, application, channel, address string) error {
	if err := s.optOutsOf(key, application); err != nil {
		return err
	}
	normal, err := optOutAddress(channel, address)
	if err != nil {
		return err
	}
	return s.Store.Write(ctx, func(tx *store.Tx) error {
		was, err := tx.DeleteOptOut(application, channel, normal)
		if err == nil && !was {
			return gateway.NotFound("opt-out", normal)
		}
		return err
	})
}

func optOutAddress(channel, address string) (string, error) {
	if channel == gateway.ChannelWebhook || !slices.Contains(gateway.Channels(), channel) {
		return "", gateway.Invalid("channel", "must be fbMessenger, sms or email")
	}
	normal, ok := gateway.NormalAddress(channel, address)
	if !ok {
		return "", gateway.Invalid("address", "is not an address of channel %s", channel)
	}
	return normal, nil
}
