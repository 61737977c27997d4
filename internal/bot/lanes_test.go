package bot

import (
	"context"
	"fmt"
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

// A lane that cannot go on, because its partition is not held, has the session begin anew, and what
// it did not answer is not passed by.
func TestALaneThatCannotGoOn(t *testing.T) {
	t.Parallel()
	s, err := store.Open(t.Context(), store.Options{URL: filepath.Join(t.TempDir(), "chasqui.db"), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() }) // its leases are never taken
	r := New(Options{Store: s, Logger: slog.New(slog.DiscardHandler)})
	r.again, r.care = make(chan struct{}), &care{}
	lanes := r.newLanes(t.Context(), s.Reader(cursorName).Cursor())
	for pos := range int64(3) {
		e := &gateway.Event{Pos: 7 + pos, Application: "a", Person: fmt.Sprint(pos)}
		lanes.Push(e.Lane(), r.jobOf(e))
	}
	if err := lanes.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	select {
	case <-r.again:
	default:
		t.Error("the session goes on")
	}
	if low := answered(lanes, 20); low != 6 {
		t.Errorf("answered up to %d", low)
	}
}

// What an application has no room for in memory is read from the log, in order, and nothing of
// others with it.
func TestWhatIsLeftInTheLog(t *testing.T) {
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
	var mine []int64
	err = s.Write(t.Context(), func(tx *store.Tx) error {
		for n := range 3 * readBatch {
			e := &gateway.Event{Application: []string{"a", "b", "b"}[n%3], Person: fmt.Sprint(n % 5), Type: gateway.EventMessageInbound, Partition: n % 5}
			tx.AppendEvent(e)
			if n%3 == 0 {
				tx.OnCommit(func() { mine = append(mine, e.Pos) })
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	begin := s.Reader(cursorName).Cursor()
	if err := begin.Sync(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	in := inbox{s, begin, func(e *gateway.Event) bool { return e.Pos != mine[1] }, func(e *gateway.Event) *job { return &job{event: e} }}
	first, next, err := in.Owner(t.Context(), "a", mine[0], 2)
	if err != nil || len(first) != 2 || first[0].Job.order() != mine[0] || first[1].Job.order() != mine[2] || next != mine[2]+1 {
		t.Fatalf("%v: %d jobs, next %d", err, len(first), next)
	}
	rest, next, err := in.Owner(t.Context(), "a", next, readBatch)
	if err != nil || len(rest) != len(mine)-3 || rest[0].Job.order() != mine[3] || next != 0 {
		t.Fatalf("%v: %d jobs of %d, next %d", err, len(rest), len(mine), next)
	}
	lane, next, err := in.Lane(t.Context(), first[0].Key, mine[0], readBatch)
	if err != nil || len(lane) == 0 || lane[0].event.Lane() != first[0].Key || next != 0 {
		t.Fatalf("%v: %d jobs, next %d", err, len(lane), next)
	}
}
