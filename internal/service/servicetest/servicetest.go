// Package servicetest gives unit tests the inside of a gateway: a database of its own with its
// secrets, a clock that can be put forward, and connected applications.
package servicetest

import (
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/service"
	"github.com/chasqui/chasqui/internal/store"
)

// AppSecret is the app secret, and VerifyToken the verify token, of every connected application.
const (
	AppSecret   gateway.Secret = "app secret"
	VerifyToken gateway.Secret = "verify token"
)

// Inside is the inside of a gateway, on SQLite, with all leases.
type Inside struct {
	T         testing.TB
	Store     *store.Store
	Vault     *store.Vault
	Directory *service.Directory
	Logger    *slog.Logger

	ahead atomic.Int64
}

// Open makes one that ends with the test.
func Open(t testing.TB) *Inside {
	t.Helper()
	i := &Inside{T: t, Logger: slog.New(slog.NewTextHandler(t.Output(), nil))}
	var err error
	i.Store, err = store.Open(t.Context(), store.Options{
		URL: filepath.Join(t.TempDir(), "chasqui.db"), Logger: i.Logger, Now: func() time.Time { return time.Now().Add(time.Duration(i.ahead.Load())) },
	})
	i.must(err)
	t.Cleanup(func() { i.Store.Close() })
	i.must(i.Store.Leases().Start(t.Context()))
	i.Vault, err = store.OpenVault(t.Context(), i.Store, filepath.Join(t.TempDir(), "key"))
	i.must(err)
	i.Directory, err = service.NewDirectory(t.Context(), i.Vault, i.Logger)
	i.must(err)
	return i
}

// Later puts the clock forward.
func (i *Inside) Later(by time.Duration) { i.ahead.Add(int64(by)) }

// Connect connects applications; the page of each has the application's key as its id.
func (i *Inside) Connect(keys ...string) {
	i.T.Helper()
	for _, key := range keys {
		i.must(i.Vault.CreateApplication(i.T.Context(), &gateway.Application{
			Key: key, PageID: key, AppID: "4242", State: gateway.ApplicationActive, AccessToken: gateway.Secret("token of " + key), AppSecret: AppSecret, VerifyToken: VerifyToken,
		}))
	}
	i.must(i.Directory.Refresh(i.T.Context()))
}

// Profile stores a profile of a person of an application.
func (i *Inside) Profile(application, person string) *gateway.Profile {
	i.T.Helper()
	var p *gateway.Profile
	i.must(i.Store.Write(i.T.Context(), func(tx *store.Tx) error {
		if err := tx.FirstContact(gateway.Lane{Application: application, Person: person}); err != nil {
			return err
		}
		id, err := tx.ProfileOf(application, person)
		if err != nil {
			return err
		}
		p, err = tx.Profile(id)
		return err
	}))
	return p
}

// Happen commits events.
func (i *Inside) Happen(events ...*gateway.Event) {
	i.T.Helper()
	i.must(i.Store.Write(i.T.Context(), func(tx *store.Tx) error {
		for _, e := range events {
			tx.AppendEvent(e)
		}
		return nil
	}))
}

// Events returns the whole log, in order.
func (i *Inside) Events() []*gateway.Event {
	i.T.Helper()
	events, _, err := i.Store.ReadEvents(i.T.Context(), 0, 10_000)
	i.must(err)
	return events
}

// Read waits until a reader has dealt with the whole log.
func (i *Inside) Read(reader string) {
	i.T.Helper()
	deadline := time.After(time.Minute)
	for i.Store.Reader(reader).Position() < i.Store.Head() {
		select {
		case <-time.After(2 * time.Millisecond):
		case <-deadline:
			i.T.Fatalf("%s has come to %d of %d", reader, i.Store.Reader(reader).Position(), i.Store.Head())
		}
	}
}

func (i *Inside) must(err error) {
	i.T.Helper()
	if err != nil {
		i.T.Fatal(err)
	}
}
