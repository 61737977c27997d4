// Package service holds the use cases of the gateway: what every face does, whichever API a request
// came by. A use case that takes the id of something takes the key of who asks too, and answers
// not_found for what the key may not see.
package service

import (
	"context"
	"log/slog"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/reach"
	"github.com/chasqui/chasqui/internal/store"
)

// Services are all use cases, for the faces.
type Services struct {
	Applications  *Applications
	Brought       *ChannelEvents
	Channels      *Channels
	Conversations *Conversations
	Directory     *Directory
	EntryPoints   *EntryPoints
	Erasures      *Erasures
	Events        *Events
	Keys          *Keys
	Messages      *Messages
	OptIns        *OptIns
	Profiles      *Profiles
	Routes        *Routes
	Scripts       *Scripts
	Subscriptions *Subscriptions
}

// Deps is what the use cases are made of. Directory, Applications and Policy are made before the
// others, for whoever sends messages needs them too.
type Deps struct {
	Store        *store.Store
	Vault        *store.Vault
	Tokens       *store.Tokens
	Directory    *Directory
	Applications *Applications
	Policy       *Policy
	Outbox       Outbox
	Accounts     ChannelAccounts
	JavaScript   JavaScript
	Fetch        Fetch
	Logger       *slog.Logger
	Platform     Platform

	PublicURL        string
	LinkURL          string         // what m.me links begin with
	Reach            *reach.Allowed // where subscriptions and channel accounts may lead beside public addresses
	Pictures         *reach.Allowed // where the pictures of codes may come from beside them
	CustomerMatching bool
	Accepted         func(application string) // told of each message that was accepted
}

// Outbox takes messages on their way, and what is reported of them.
type Outbox interface {
	Sender
	// Report applies a report to its message, and returns nil once that is committed.
	Report(context.Context, gateway.ChannelReport) error
}

// ChannelAccounts are the accounts of channels beside Messenger, at work.
type ChannelAccounts interface {
	Accounts
	// Account returns the account that serves a channel for an application.
	Account(application, channel string) (id string, ok bool)
	// Answer sends the answer to a word such as STOP through an account.
	Answer(ctx context.Context, account, address, text string) error
	// Refresh makes a change count at once on this node.
	Refresh(context.Context) error
	// Check asks the provider whether an account works. The error is a *gateway.ChannelError.
	Check(context.Context, *gateway.ChannelAccount) error
	// Providers are those that accounts may have.
	Providers() gateway.Providers
}

// New makes all use cases.
func New(d Deps) *Services {
	log := func(name string) *slog.Logger { return d.Logger.With("component", name) }
	return &Services{
		Applications: d.Applications,
		Brought: &ChannelEvents{Store: d.Store, Vault: d.Vault, Directory: d.Directory, Logger: log("channel"), Apply: d.Outbox.Report,
			Account: d.Accounts.Account, Answer: d.Accounts.Answer},
		Channels:      &Channels{Vault: d.Vault, Store: d.Store, Directory: d.Directory, Providers: d.Accounts.Providers(), Reach: d.Reach, Refresh: d.Accounts.Refresh, Probe: d.Accounts.Check},
		Conversations: &Conversations{Store: d.Store, Directory: d.Directory},
		Directory:     d.Directory,
		EntryPoints: &EntryPoints{Store: d.Store, Directory: d.Directory, Logger: log("entrypoints"), LinkBase: d.LinkURL, PublicURL: d.PublicURL,
			Pictures: NewPictures(d.Pictures), Tracked: d.Store.Reader(store.ReaderEntryPoints).Position},
		Erasures: &Erasures{Store: d.Store, Directory: d.Directory, Platform: d.Platform, PublicURL: d.PublicURL, Logger: log("erasures")},
		Events:   &Events{Store: d.Store, Vault: d.Vault, Directory: d.Directory, Projected: d.Store.Reader(store.ReaderProjector).Position},
		Keys:     NewKeys(d.Store, d.Store.Now),
		Messages: &Messages{Store: d.Store, Directory: d.Directory, Sender: d.Outbox, Counted: d.Accepted, Policy: d.Policy, Accounts: d.Accounts,
			CustomerMatching: d.CustomerMatching},
		OptIns:        &OptIns{Store: d.Store, Directory: d.Directory, Tokens: d.Tokens},
		Profiles:      &Profiles{Store: d.Store, Directory: d.Directory},
		Routes:        &Routes{Store: d.Store, Directory: d.Directory},
		Scripts:       &Scripts{JavaScript: d.JavaScript, Store: d.Store, Directory: d.Directory, Logger: log("scripts"), Fetch: d.Fetch},
		Subscriptions: &Subscriptions{Vault: d.Vault, Store: d.Store, Directory: d.Directory, Reach: d.Reach},
	}
}
