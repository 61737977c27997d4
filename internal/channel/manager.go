// Package channel sends messages over the channels beside Messenger, and takes what comes back:
// reports, and messages that people send. How that is done is up to providers, each of which is a
// package below this one that fills in a Spec; package providers lists them.
//
// The Manager holds the active accounts, and reads anew what the watcher of the configuration says
// has changed. It keeps nothing of a message but the identifiers of the segments of an SMS; what
// becomes of a message is for its caller to keep.
package channel

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/guard"
	"github.com/chasqui/chasqui/internal/reach"
	"github.com/chasqui/chasqui/internal/store"
)

const (
	sweepInterval = 30 * time.Second
	// keepSegments is how long the identifiers of segments are kept for receipts.
	keepSegments = 8 * 24 * time.Hour
)

// Options says what a manager works with.
type Options struct {
	// Providers are those that accounts may have.
	Providers []Provider
	Vault     *store.Vault
	Store     *store.Store
	Logger    *slog.Logger
	Now       func() time.Time // nil means the store's
	// PublicURL is the gateway's own address, to which providers report.
	PublicURL string
	UserAgent string
	// Refused is told of providers' requests that were refused, with the reason, one of a few; nil
	// for no call.
	Refused func(reason string)
	// Reach is where accounts may lead beside public addresses.
	Reach *reach.Allowed
	// FirstPause is how long a lost connection waits for its first new try; default 500 ms. It
	// doubles up to a minute.
	FirstPause time.Duration
}

// Receiver takes what comes back over channels.
type Receiver interface {
	// Report takes what a provider says of a message. It returns nil once that is committed; a
	// not_found error when the message is gone.
	Report(context.Context, gateway.ChannelReport) error
	// Inbound takes a message that a person sent. It returns nil once that is committed.
	Inbound(context.Context, gateway.ChannelInbound) error
}

// Manager runs the channel accounts. It is made by New, started once and stopped once.
type Manager struct {
	o         Options
	host      *Host
	providers map[gateway.Provider]*Provider
	noise     guard.Noise

	mu      sync.Mutex // one refresh at a time
	current atomic.Pointer[listing]
	stopped bool

	sweeping sync.Mutex // one sweep at a time

	cancel context.CancelFunc
	work   sync.WaitGroup
}

// listing is what there is of accounts at one moment.
type listing struct {
	version int64
	entries []*entry // the oldest first
	byID    map[string]*entry
}

type entry struct {
	account  *gateway.ChannelAccount
	provider *Provider // nil for one that is not known
	settings any       // nil for those that cannot be used
	work     Account   // nil for an account that is disabled or cannot be used
}

// New makes a manager.
func New(o Options) *Manager {
	if o.Now == nil {
		o.Now = o.Store.Now
	}
	if o.UserAgent == "" {
		o.UserAgent = "Chasqui"
	}
	if o.FirstPause == 0 {
		o.FirstPause = 500 * time.Millisecond
	}
	m := &Manager{o: o, providers: map[gateway.Provider]*Provider{}, noise: guard.Noise{Logger: o.Logger}, cancel: func() {}}
	for i, p := range o.Providers {
		m.providers[p.Name] = &o.Providers[i]
	}
	m.host = &Host{
		Store: o.Store, Logger: o.Logger, Now: o.Now, HTTP: newHTTP(o.Reach), Reach: o.Reach, PublicURL: o.PublicURL, UserAgent: o.UserAgent, FirstPause: o.FirstPause,
	}
	m.current.Store(&listing{version: -1, byID: map[string]*entry{}})
	return m
}

// Start reads the accounts and begins to work with them. What comes back over them goes to r.
// Requests of providers must come after it.
func (m *Manager) Start(ctx context.Context, r Receiver) error {
	m.host.receiver = r
	if err := m.Refresh(ctx); err != nil {
		return fmt.Errorf("read channel accounts: %w", err)
	}
	ctx, m.cancel = context.WithCancel(context.WithoutCancel(ctx))
	m.work.Go(func() { m.sweep(ctx) })
	return nil
}

// Stop takes no more messages, lets those under way end until ctx does, and ends all connections.
func (m *Manager) Stop(ctx context.Context) {
	m.cancel()
	m.work.Wait()
	m.mu.Lock()
	m.stopped = true
	old := m.current.Load()
	m.current.Store(&listing{version: old.version, byID: map[string]*entry{}})
	m.mu.Unlock()
	stopAll(ctx, old.entries)
	m.host.HTTP.CloseIdleConnections()
}

func stopAll(ctx context.Context, entries []*entry) {
	var work sync.WaitGroup
	for _, e := range entries {
		if e.work != nil {
			work.Go(func() { e.work.Stop(ctx) })
		}
	}
	work.Wait()
}

// Refresh reads what changed of the accounts since the last time. One that changed starts anew;
// messages under way through it end first, for a while.
func (m *Manager) Refresh(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	old := m.current.Load()
	version, err := m.o.Vault.ChannelsVersion(ctx)
	if err != nil || m.stopped || version == old.version {
		return err
	}
	accounts, err := m.o.Vault.Channels(ctx)
	if err != nil {
		return err
	}
	next := &listing{version: version, byID: map[string]*entry{}}
	var ended, begun []*entry
	for _, a := range accounts {
		e := old.byID[a.ID]
		if e == nil || !same(e.account, a) {
			if e = m.open(a); e.work != nil {
				begun = append(begun, e)
			}
		}
		next.entries = append(next.entries, e)
		next.byID[a.ID] = e
	}
	for _, e := range old.entries {
		if next.byID[e.account.ID] != e {
			ended = append(ended, e)
		}
	}
	m.current.Store(next)
	// An SMS centre may allow a single bind: the old one goes before the new one comes.
	stopAll(ctx, ended)
	for _, e := range begun {
		e.work.Start()
	}
	return nil
}

// same reports whether a change of an account leaves what it does as it was.
func same(a, b *gateway.ChannelAccount) bool {
	x, y := *a, *b
	x.UpdatedAt, x.Keywords = y.UpdatedAt, y.Keywords
	if a.Channel != gateway.ChannelWebhook { // there the name is that of a channel
		x.Name = y.Name
	}
	return reflect.DeepEqual(x, y)
}

// open reads the settings of an account, and makes an active one ready for work.
func (m *Manager) open(a *gateway.ChannelAccount) *entry {
	e := &entry{account: a, provider: m.providers[a.Provider]}
	if e.provider == nil {
		m.o.Logger.Error("a channel account has a provider that this version of the gateway does not know", "account", a.ID, "provider", a.Provider)
		return e
	}
	var err error
	if e.settings, err = e.provider.read(a); err != nil {
		m.o.Logger.Error("the settings of a channel account cannot be used", "account", a.ID, "err", err)
		e.settings = nil
		return e
	}
	if a.State == gateway.AccountActive {
		e.work = e.provider.open(m.host, a, e.settings)
	}
	return e
}

// find returns the account that a message of an application goes through: its own before one for
// every application, of several the oldest. Nil when there is none.
func (m *Manager) find(application, channel string) *entry {
	var open *entry
	for _, e := range m.current.Load().entries {
		if e.work == nil || !e.account.Serves(channel) {
			continue
		}
		if e.account.Application == application && application != "" {
			return e
		}
		if e.account.Application == "" && open == nil {
			open = e
		}
	}
	return open
}

// Has reports whether an application has an active account for a channel. It looks in memory only.
func (m *Manager) Has(application, channel string) bool { return m.find(application, channel) != nil }

// Account returns the identifier of the account that a message of an application would go through.
func (m *Manager) Account(application, channel string) (id string, ok bool) {
	e := m.find(application, channel)
	if e == nil {
		return "", false
	}
	return e.account.ID, true
}

// Send hands a message to the provider of its application's account for a channel, and returns by
// which account. The error is a *gateway.ChannelError. An address that has opted out gets nothing.
func (m *Manager) Send(ctx context.Context, channel string, msg *gateway.ChannelMessage) (account string, sent gateway.ChannelSent, err error) {
	e := m.find(msg.Application, channel)
	if e == nil {
		return "", sent, Refused(gateway.FailureAccountRefused, "there is no active account for %s", channel)
	}
	if channel == gateway.ChannelSMS || channel == gateway.ChannelEmail {
		address, ok := gateway.NormalAddress(channel, msg.Address)
		if !ok {
			return e.account.ID, sent, Refused(gateway.FailureAddressInvalid, "this is not an address for %s", channel)
		}
		out, err := m.o.Store.OptedOut(ctx, msg.Application, channel, address)
		if err != nil {
			return e.account.ID, sent, Later(gateway.FailureProviderUnavailable, "the opt-outs could not be read")
		}
		if out {
			return e.account.ID, sent, Refused(gateway.FailureOptedOut, "the person has opted out of %s", channel)
		}
		if channel == gateway.ChannelSMS && address != msg.Address {
			normal := *msg
			normal.Address = address
			msg = &normal
		}
	}
	sent, refusal := e.work.Send(ctx, msg, true)
	if refusal != nil {
		return e.account.ID, sent, refusal
	}
	return e.account.ID, sent, nil
}

// Answer sends a text to an address through one account, opted out or not, as the answers to words
// such as STOP have to be. Nothing is reported of it.
func (m *Manager) Answer(ctx context.Context, account, address, text string) error {
	e := m.current.Load().byID[account]
	if e == nil || e.work == nil {
		return Refused(gateway.FailureAccountRefused, "there is no active account %s", account)
	}
	_, refusal := e.work.Send(ctx, &gateway.ChannelMessage{
		ID: m.o.Store.NewID("ans"), Application: e.account.Application, Address: address, Body: text, AcceptedAt: m.o.Now(),
	}, false)
	if refusal != nil {
		return refusal
	}
	return nil
}

// Check asks the provider whether an account works, active or not, without sending anything to
// anybody. The error is a *gateway.ChannelError.
func (m *Manager) Check(ctx context.Context, a *gateway.ChannelAccount) error {
	p := m.providers[a.Provider]
	if p == nil {
		return Refused(gateway.FailureAccountRefused, "there is no provider %s", a.Provider)
	}
	settings, err := p.read(a)
	if err != nil {
		return Refused(gateway.FailureAccountRefused, "%s", err)
	}
	if refusal := p.open(m.host, a, settings).Check(ctx); refusal != nil {
		return refusal
	}
	return nil
}

// Providers describes the providers that accounts may have.
func (m *Manager) Providers() gateway.Providers { return Describe(m.o.Providers) }
