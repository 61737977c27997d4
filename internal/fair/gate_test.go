package fair_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/chasqui/chasqui/internal/fair"
)

func TestOneKeyHoldsOnlyItsShare(t *testing.T) {
	t.Parallel()
	g := fair.New(3, 2)
	ctx := context.Background()
	for range 2 {
		if err := g.Enter(ctx, "greedy"); err != nil {
			t.Fatal(err)
		}
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if err := g.Enter(gone, "greedy"); !errors.Is(err, context.Canceled) {
		t.Errorf("a third place: %v", err)
	}
	if err := g.Enter(gone, "other"); err != nil {
		t.Errorf("the other has no place: %v", err)
	}
	if err := g.Enter(gone, "third"); !errors.Is(err, context.Canceled) {
		t.Errorf("a fourth place of three: %v", err)
	}
	g.Leave("greedy")
	if err := g.Enter(gone, "third"); err != nil {
		t.Error(err)
	}
}

// Who wants many waits behind those who want one.
func TestByTurns(t *testing.T) {
	t.Parallel()
	g := fair.New(1, 1)
	ctx := context.Background()
	g.Enter(ctx, "first")
	var mu sync.Mutex
	var served []string
	var all sync.WaitGroup
	for _, key := range []string{"greedy", "greedy", "greedy", "greedy", "modest"} {
		before := g.Waiting(key)
		all.Go(func() {
			if g.Enter(ctx, key) == nil {
				mu.Lock()
				served = append(served, key)
				mu.Unlock()
				g.Leave(key)
			}
		})
		for g.Waiting(key) == before { // until it stands in the queue
			runtime.Gosched()
		}
	}
	g.Leave("first")
	all.Wait()
	if i := slices.Index(served, "modest"); i > 1 {
		t.Errorf("served %v", served)
	}
}

func TestNothingIsLeftOfThoseWhoGoAway(t *testing.T) {
	t.Parallel()
	g := fair.New(2, 1)
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			ctx, cancel := context.WithCancel(context.Background())
			if i%3 == 0 {
				cancel()
			}
			defer cancel()
			if g.Enter(ctx, string(rune('a'+i%5))) == nil {
				g.Leave(string(rune('a' + i%5)))
			}
		})
	}
	all.Wait()
	for _, key := range []string{"x", "y"} {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if err := g.Enter(ctx, key); err != nil {
			t.Errorf("a place is lost: %v", err)
		}
	}
}
