package bot

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
)

// A panic in a turn is an error of that turn.
func TestPanicsAreErrors(t *testing.T) {
	t.Parallel()
	s, err := store.Open(t.Context(), store.Options{URL: filepath.Join(t.TempDir(), "chasqui.db"), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if err := s.Leases().Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Leases().Release(context.Background()) })
	r := New(Options{Store: s, Logger: slog.New(slog.DiscardHandler)}) // without a directory, which a turn asks first
	err = r.attempt(t.Context(), job{event: &gateway.Event{Pos: 1, Application: "a", Person: "1"}})
	if err == nil || !strings.Contains(err.Error(), "the program is at fault") || store.Passing(err) {
		t.Error(err)
	}
}
