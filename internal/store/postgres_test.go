package store_test

import (
	"testing"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
	"github.com/chasqui/chasqui/internal/store/storetest"
)

// A node that stops inside a transaction, as one that is suspended does, must not keep what it has
// locked: neither the head of the logs nor its leases.
func TestANodeStoppedInATransactionHoldsUpNobody(t *testing.T) {
	t.Parallel()
	url := storetest.Postgres(t)
	stopped, other := storetest.Open(t, url), storetest.Open(t, url)
	inside, wake, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- stopped.Write(t.Context(), func(tx *store.Tx) error {
			for _, query := range []string{`UPDATE log_head SET pos = pos WHERE one = 1`, `SELECT part FROM leases FOR SHARE`} {
				if _, err := tx.Exec(query); err != nil {
					return err
				}
			}
			close(inside)
			<-wake // the writer of this node stands still
			return nil
		})
	}()
	<-inside
	event := &gateway.Event{Application: "APP", Person: "1", Partition: gateway.Partition("APP", "1"), PageID: "1", Type: gateway.EventUnknown, ReceivedAt: time.Now()}
	var err error
	for range 30 { // a commit that waits for the lock fails in time, and the next one succeeds
		if err = other.AppendEvents(t.Context(), []*gateway.Event{event}); err == nil {
			break
		}
	}
	if err != nil {
		t.Errorf("nothing could be committed beside the node that stopped: %v", err)
	}
	awaitAll(t, other)
	close(wake)
	if err := <-ended; err == nil {
		t.Error("the node that stopped committed what it had begun long before")
	}
	// Awake it works again, with its share.
	for held := 0; held == 0; {
		now, moved := stopped.Leases().Held()
		if held = len(now); held == 0 {
			select {
			case <-moved:
			case <-time.After(time.Minute):
				t.Fatal("awake it gets no lease")
			}
		}
	}
}

// A node whose wire to the database goes silent must notice by itself, and the others must get its
// share meanwhile.
func TestASilentWireIsNoticedOnBothSides(t *testing.T) {
	t.Parallel()
	url := storetest.Postgres(t)
	over, wire := storetest.NewWire(t, url)
	cut := storetest.Open(t, over)
	other := storetest.Open(t, url)
	if err := cut.Ready(t.Context()); err != nil {
		t.Fatalf("before: %v", err)
	}
	wire.Silence()
	if err := cut.AppendEvents(t.Context(), []*gateway.Event{{Application: "APP", Person: "1", Type: gateway.EventUnknown, ReceivedAt: time.Now()}}); gateway.CodeOf(err) != gateway.CodeStoreUnavailable {
		t.Errorf("a commit over a silent wire: %v", err)
	}
	awaitAll(t, other)
	if err := cut.Ready(t.Context()); err == nil {
		t.Error("a node that cannot commit says that it is ready")
	}
	if _, sure := cut.Leases().Epoch(0); sure {
		t.Error("it believes that it holds a lease still")
	}
	wire.Restore()
	for deadline := time.Now().Add(time.Minute); cut.Ready(t.Context()) != nil; {
		if time.Now().After(deadline) {
			t.Fatal("it does not come back")
		}
	}
}

// awaitAll waits until a node holds every partition.
func awaitAll(t *testing.T, s *store.Store) {
	t.Helper()
	deadline := time.After(time.Minute)
	for {
		held, moved := s.Leases().Held()
		if len(held) == gateway.Partitions+1 {
			return
		}
		select {
		case <-moved:
		case <-deadline:
			t.Fatalf("the other node holds %d partitions", len(held))
		}
	}
}
