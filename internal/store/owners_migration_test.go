package store

import (
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"

	"github.com/chasqui/chasqui/internal/gateway"
)

// What a database held before opt-outs, routes and profiles had owners is there afterwards: routes
// with the application that their document names, and opt-outs for all.
func TestOwnersOfWhatWasThere(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "chasqui.db")
	old := &Store{log: slog.New(slog.DiscardHandler)}
	if err := old.openSQLite(path, false, false); err != nil {
		t.Fatal(err)
	}
	own, err := ownMigrations()
	if err != nil {
		t.Fatal(err)
	}
	list := migrations(old.dialect, own)
	provider, err := goose.NewProvider(database.DialectSQLite3, old.wdb, nil, goose.WithGoMigrations(list...), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), 12); err != nil {
		t.Fatal(err)
	}
	key := gateway.NewApplicationKey()
	for statement, args := range map[string][]any{
		`INSERT INTO routes (id, name, doc, is_default, created_at, updated_at) VALUES ('r1', 'one', ?, 1, 1, 1)`: {string(data(routeDoc{Application: key, Rules: gateway.Rules("sms")}))},
		`INSERT INTO routes (id, name, doc, is_default, created_at, updated_at) VALUES ('r2', 'two', ?, 0, 2, 2)`: {string(data(routeDoc{Rules: gateway.Rules("sms")}))},
		`INSERT INTO opt_outs (channel, address, at, word) VALUES ('sms', '4915', 5, 'STOP')`:                     nil,
		`INSERT INTO profiles (id, doc, version, created_at, updated_at) VALUES ('p1', '{}', 1, 1, 1)`:            nil,
	} {
		if _, err := old.wdb.ExecContext(t.Context(), statement, args...); err != nil {
			t.Fatal(err)
		}
	}
	old.closeHandles()
	s, err := Open(t.Context(), Options{URL: path, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	routes, err := s.Routes(t.Context())
	if err != nil || len(routes) != 2 || routes[0].Application != key || !routes[0].Default || routes[1].Application != "" {
		t.Errorf("routes %+v, %v", routes, err)
	}
	for id, app := range map[string]string{"r1": key, "r2": ""} {
		var got string
		if err := s.QueryRow(t.Context(), `SELECT app FROM routes WHERE id = ?`, id).Scan(&got); err != nil || got != app {
			t.Errorf("%s is of %q, %v", id, got, err)
		}
	}
	if out, err := s.OptedOut(t.Context(), key, "sms", "4915"); err != nil || !out {
		t.Errorf("the opt-out holds: %v, %v", out, err)
	}
	if p, err := s.Profile(t.Context(), "p1"); err != nil || p.Application != "" {
		t.Errorf("%+v, %v", p, err)
	}
}
