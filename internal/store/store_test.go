package store

import (
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/chasqui/chasqui/internal/gateway"
)

func openTest(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.Context(), Options{URL: filepath.Join(t.TempDir(), "chasqui.db"), Logger: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if err := s.Leases().Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAppendAndRead(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	ev := func(person, dedup string) *gateway.Event {
		return &gateway.Event{Application: "A", Person: person, Partition: gateway.Partition("A", person), Type: gateway.EventMessageInbound,
			ReceivedAt: s.Now(), Dedup: []byte(dedup), Raw: []byte(`{"a":1}`)}
	}
	first, second, again := ev("1", "0123456789abcdef"), ev("2", "fedcba9876543210"), ev("1", "0123456789abcdef")
	if err := s.AppendEvents(t.Context(), []*gateway.Event{first, second, again}); err != nil {
		t.Fatal(err)
	}
	if first.Pos != 1 || second.Pos != 2 || again.Pos != 0 {
		t.Fatalf("positions %d %d %d", first.Pos, second.Pos, again.Pos)
	}
	got, upto, err := s.ReadEvents(t.Context(), 0, 10)
	if err != nil || len(got) != 2 || upto != 3 {
		t.Fatalf("%v %d %v", got, upto, err)
	}
	s.events.from = 99 // as if the tail did not reach back
	got, upto, err = s.ReadEvents(t.Context(), 0, 10)
	if err != nil || len(got) != 2 || upto != 3 || string(got[1].Raw) != `{"a":1}` {
		t.Fatalf("%v %d %v", got, upto, err)
	}
}
