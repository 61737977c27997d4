package service

import (
	"context"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
)

// Directory holds all applications and subscriptions in memory, for the paths that need one for
// every event or message. It follows changes made on other nodes as its [store.Watcher] tells of
// them, and its own node's at once. What it hands out must not be changed.
type Directory struct {
	vault *store.Vault
	log   *slog.Logger

	mu      sync.Mutex // one refresh at a time
	current atomic.Pointer[listing]
	optOuts atomic.Int64 // version of the opt-outs
	someOut atomic.Bool  // somebody has opted out of Messenger
}

type listing struct {
	applications  []*gateway.Application
	byKey         map[string]*gateway.Application
	byPage        map[pageKey]*gateway.Application
	subscriptions []*gateway.Subscription
	versions      store.Versions
	changed       chan struct{} // closed when a newer listing is there
}

type pageKey struct{ app, page string }

// NewDirectory reads the directory for the first time.
func NewDirectory(ctx context.Context, vault *store.Vault, log *slog.Logger) (*Directory, error) {
	d := &Directory{vault: vault, log: log}
	return d, d.Refresh(ctx)
}

// Changes are what the directory follows.
func (d *Directory) Changes() []store.Change {
	return []store.Change{store.ChangeApplications, store.ChangeSubscriptions, store.ChangeOptOuts}
}

// usable reports whether an application is there and a key may touch it; the field at fault is
// application. One that the key may not touch is one that is not there.
func usable(d *Directory, key *gateway.APIKey, app string) error {
	switch {
	case app == "":
		return gateway.Invalid("application", "name the application by its key")
	case d.Application(app) == nil || !key.AllowsApplication(app):
		return gateway.Invalid("application", "there is no application %q", app)
	}
	return nil
}

// Refresh reads what changed since the last time.
func (d *Directory) Refresh(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	old := d.current.Load()
	versions, err := d.vault.Versions(ctx, d.Changes()...)
	if err != nil {
		return err
	}
	optOuts := versions[store.ChangeOptOuts]
	delete(versions, store.ChangeOptOuts)
	if old == nil || optOuts != d.optOuts.Load() {
		some, err := d.vault.SomeOptedOut(ctx, gateway.ChannelMessenger)
		if err != nil {
			return err
		}
		d.someOut.Store(some)
		d.optOuts.Store(optOuts)
	}
	l := &listing{versions: versions, changed: make(chan struct{})}
	if old != nil && maps.Equal(old.versions, l.versions) {
		return nil
	}
	if l.applications, err = d.vault.Applications(ctx); err != nil {
		return err
	}
	if l.subscriptions, err = d.vault.Subscriptions(ctx); err != nil {
		return err
	}
	l.byKey, l.byPage = map[string]*gateway.Application{}, map[pageKey]*gateway.Application{}
	for _, a := range l.applications {
		l.byKey[a.Key] = a
		l.byPage[pageKey{a.AppID, a.PageID}] = a
	}
	d.current.Store(l)
	if old != nil {
		close(old.changed)
	}
	return nil
}

// Application returns the application with a key; nil when there is none.
func (d *Directory) Application(key string) *gateway.Application { return d.current.Load().byKey[key] }

// ApplicationOf returns the application of a page under a Facebook app; nil when there is none.
func (d *Directory) ApplicationOf(appID, pageID string) *gateway.Application {
	return d.current.Load().byPage[pageKey{appID, pageID}]
}

// Applications returns all applications.
func (d *Directory) Applications() []*gateway.Application { return d.current.Load().applications }

// Subscriptions returns all subscriptions.
func (d *Directory) Subscriptions() []*gateway.Subscription { return d.current.Load().subscriptions }

// OptOutsVersion returns a number that changes whenever somebody opts out or back in.
func (d *Directory) OptOutsVersion() int64 { return d.optOuts.Load() }

// MessengerOptOuts reports whether anybody has opted out of Messenger, which hardly anybody does.
func (d *Directory) MessengerOptOuts() bool { return d.someOut.Load() }

// Changed returns a channel that is closed when anything in the directory has changed since the
// call.
func (d *Directory) Changed() <-chan struct{} { return d.current.Load().changed }
