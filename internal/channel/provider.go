package channel

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/reach"
	"github.com/chasqui/chasqui/internal/store"
)

// Provider is the socket that a provider of a channel plugs into. It is made of a Spec.
type Provider struct {
	gateway.ProviderInfo
	complete func(settings any)
	open     func(*Host, *gateway.ChannelAccount, any) Account
	routes   []route
}

// Spec says everything of a provider whose accounts have settings of type S, a struct that JSON
// knows. Its fields may have the tags doc and enum, for the description of the API.
type Spec[S any] struct {
	// Name is that of the provider, and of the member that holds its settings in JSON.
	Name    gateway.Provider
	Channel string
	// Secrets are those that an account may have.
	Secrets []gateway.SecretInfo
	// Inbound says that the provider brings what people send to a route "inbound" of its own; the
	// account's address for it is shown.
	Inbound bool
	// Probe says what Account.Check asks of the provider, such as "SMTP signs in".
	Probe string
	// Complete fills in what is left out of settings; nil for nothing.
	Complete func(*S)
	// Check says which field is wrong, by its path in a request such as twilio.from or
	// secrets.authToken, or returns nil. It looks at no network.
	Check func(*S, map[string]gateway.Secret) error
	// Targets are the addresses that the settings lead to, by field.
	Targets func(*S) map[string]string
	// Open makes an account ready for work. Nothing begins before its Start.
	Open func(*Host, *gateway.ChannelAccount, *S) Account
	// Routes are the requests by which the provider comes in.
	Routes []Route[S]
}

// Route is an address by which a provider comes in.
type Route[S any] struct {
	Method string
	// Path is what follows /channels/{id}/, with wildcards as http.ServeMux has them.
	Path string
	// Handle answers a request about an account of the provider, active or not.
	Handle func(*Request, *S)
}

// route is a Route whose settings have been read.
type route struct {
	method, path string
	handle       func(*Request, any)
}

// Provider makes the provider.
func (s Spec[S]) Provider() Provider {
	complete := func(settings any) {
		if s.Complete != nil {
			s.Complete(settings.(*S))
		}
	}
	p := Provider{
		ProviderInfo: gateway.ProviderInfo{
			Name: s.Name, Channel: s.Channel, Secrets: s.Secrets, Inbound: s.Inbound, Probe: s.Probe,
			New: func() any { return new(S) },
			Settle: func(settings any, secrets map[string]gateway.Secret) error {
				complete(settings)
				return s.Check(settings.(*S), secrets)
			},
			Targets: func(settings any) map[string]string { return s.Targets(settings.(*S)) },
		},
		complete: complete,
		open:     func(h *Host, a *gateway.ChannelAccount, settings any) Account { return s.Open(h, a, settings.(*S)) },
	}
	for _, r := range s.Routes {
		p.routes = append(p.routes, route{r.Method, r.Path, func(q *Request, settings any) { r.Handle(q, settings.(*S)) }})
	}
	return p
}

// Describe returns the descriptions of providers, for whoever checks and shows accounts.
func Describe(providers []Provider) gateway.Providers {
	all := make(gateway.Providers, len(providers))
	for i, p := range providers {
		all[i] = p.ProviderInfo
	}
	return all
}

// Account is an account at work.
type Account interface {
	// Send hands a message over. With reports the provider is asked to say what becomes of it.
	Send(ctx context.Context, m *gateway.ChannelMessage, reports bool) (gateway.ChannelSent, *gateway.ChannelError)
	// Check asks whether the account works, without sending anything to anybody. It does so of an
	// account that was never started, too.
	Check(ctx context.Context) *gateway.ChannelError
	// Start begins what the account does by itself; Stop ends it, and waits for it until ctx ends.
	Start()
	Stop(ctx context.Context)
	// Sweep is called every half minute, for what a crash or a lost message has left undone.
	Sweep(ctx context.Context) error
	// Connected says whether the account has its connection; keeps is false for one that needs
	// none.
	Connected() (connected, keeps bool)
}

// Idle is for accounts that do nothing by themselves: embedding it leaves them Send and Check.
type Idle struct{}

// Start begins nothing.
func (Idle) Start() {}

// Stop ends nothing.
func (Idle) Stop(context.Context) {}

// Sweep has nothing to do.
func (Idle) Sweep(context.Context) error { return nil }

// Connected says that there is no connection to keep.
func (Idle) Connected() (connected, keeps bool) { return false, false }

// Host is the gateway as an account sees it.
type Host struct {
	Store  *store.Store
	Logger *slog.Logger
	Now    func() time.Time
	// HTTP dials only addresses that accounts may lead to, follows no redirect and uses no proxy.
	HTTP *http.Client
	// Reach is where accounts may lead, for those that dial by themselves.
	Reach *reach.Allowed
	// PublicURL is the gateway's own address, to which providers report; empty when it has none.
	PublicURL string
	UserAgent string
	// FirstPause is how long a lost connection waits for its first new try. It doubles up to a
	// minute.
	FirstPause time.Duration

	receiver Receiver // from the manager's start on
}

// Report hands on what a provider says of a message. It returns nil once that is committed, and for
// one about a message that is gone.
func (h *Host) Report(ctx context.Context, r gateway.ChannelReport) error {
	err := h.receiver.Report(ctx, r)
	if gateway.CodeOf(err) == gateway.CodeNotFound {
		h.Logger.Debug("a report for a message that is gone", "account", r.Account, "message", r.MessageID)
		return nil
	}
	return err
}

// Inbound hands on a message that a person sent. It returns nil once that is committed.
func (h *Host) Inbound(ctx context.Context, in gateway.ChannelInbound) error {
	return h.receiver.Inbound(ctx, in)
}

// StatusURL is the address of an account's route "status".
func (h *Host) StatusURL(account string) string {
	return h.PublicURL + "/channels/" + account + "/status"
}

// read reads the settings of a stored account, completed with what has a default by now. They were
// checked when they were stored.
func (p *Provider) read(a *gateway.ChannelAccount) (any, error) {
	settings, err := p.Decode(a.Settings)
	if err != nil {
		return nil, err
	}
	p.complete(settings)
	return settings, nil
}
