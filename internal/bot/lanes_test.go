package bot

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
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

// A lane that cannot go on, because its partition is not held, has the session begin anew, and what it did not answer is not passed by.
func TestALaneThatCannotGoOn(t *testing.T) {
	t.Parallel()
	s, err := store.Open(t.Context(), store.Options{URL: filepath.Join(t.TempDir(), "chasqui.db"), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() }) // its leases are never taken
	r := New(Options{Store: s, Logger: slog.New(slog.DiscardHandler)})
	r.lanes, r.pending, r.again = map[gateway.Lane]*lane{}, map[int64]struct{}{}, make(chan struct{})
	var work sync.WaitGroup
	for pos := range int64(3) {
		r.enqueue(t.Context(), job{event: &gateway.Event{Pos: 7 + pos, Application: "a", Person: fmt.Sprint(pos)}}, &work)
	}
	work.Wait()
	select {
	case <-r.again:
	default:
		t.Error("the session goes on")
	}
	if _, low := r.progress(20); low != 6 {
		t.Errorf("answered up to %d", low)
	}
}
