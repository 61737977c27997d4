package store_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
	"github.com/chasqui/chasqui/internal/store/storetest"
)

// Who follows a kind of change is called for changes of that kind on another node, again while it fails, and not for others.
func TestWatcher(t *testing.T) {
	t.Parallel()
	url := storetest.Postgres(t)
	here, there := storetest.Open(t, url), storetest.Open(t, url)
	var mu sync.Mutex
	calls, changed := map[string]int{}, make(chan struct{}, 100)
	fails := 2
	follow := func(name string) func(context.Context) error {
		return func(context.Context) error {
			mu.Lock()
			defer mu.Unlock()
			calls[name]++
			changed <- struct{}{}
			if name == "points" && calls[name] > 1 && fails > 0 {
				fails--
				return errors.New("not now")
			}
			return nil
		}
	}
	count := func(name string) int { mu.Lock(); defer mu.Unlock(); return calls[name] }
	wait := func(name string, n int) {
		t.Helper()
		deadline := time.After(time.Minute)
		for count(name) < n {
			select {
			case <-changed:
			case <-deadline:
				t.Fatalf("%s was called %d times, wanted %d", name, count(name), n)
			}
		}
	}
	began := time.Now()
	w := store.NewWatcher(here, slog.New(slog.DiscardHandler))
	w.Follow("points", follow("points"), store.ChangeEntryPoints)
	w.Follow("scripts", follow("scripts"), store.ChangeScripts)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { w.Run(ctx) })
	defer running.Wait()
	defer cancel()
	wait("points", 1) // at the start
	wait("scripts", 1)
	if err := there.Write(t.Context(), func(tx *store.Tx) error {
		return tx.AddEntryPoints(&gateway.EntryPoint{ID: "ent_1", Application: "A", Kind: "link", Slug: "s"})
	}); err != nil {
		t.Fatal(err)
	}
	wait("points", 4)                                                     // twice in vain
	if n := count("scripts"); n != 1 && time.Since(began) < time.Minute { // after which everybody reads again
		t.Errorf("who follows scripts was called %d times", n)
	}
}
