package store_test

import (
	"log/slog"
	"testing"

	"github.com/chasqui/chasqui/internal/store"
	"github.com/chasqui/chasqui/internal/store/storetest"
)

// A command beside a gateway knows of it, and asking does not keep a gateway from starting.
func TestGatewayRuns(t *testing.T) {
	t.Parallel()
	url := storetest.SQLite(t)
	open := func(shared bool) *store.Store {
		t.Helper()
		s, err := store.Open(t.Context(), store.Options{URL: url, Shared: shared, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	command := open(true)
	t.Cleanup(func() { command.Close() })
	for _, want := range []bool{false, true, false} {
		var gateway *store.Store
		if want {
			gateway = open(false)
		}
		if got, err := command.GatewayRuns(); err != nil || got != want {
			t.Errorf("a gateway runs: %v, %v; wanted %v", got, err, want)
		}
		if gateway != nil {
			if err := gateway.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}
