package upkeep_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/service/servicetest"
	"github.com/chasqui/chasqui/internal/store"
	"github.com/chasqui/chasqui/internal/upkeep"
)

// Events of an age go, but none that a reader has not dealt with; what a subscription has not read
// goes and is told.
func TestOldEventsGo(t *testing.T) {
	t.Parallel()
	in := servicetest.Open(t)
	if err := in.Vault.CreateSubscription(t.Context(), &gateway.Subscription{Name: "slow", Kind: gateway.KindPull, Order: gateway.OrderNone, State: gateway.SubscriptionActive}); err != nil {
		t.Fatal(err)
	}
	for n := range 10 {
		in.Happen(&gateway.Event{Application: "A", Person: fmt.Sprint(n % 3), Type: gateway.EventMessageInbound, Channel: "messaging", Data: []byte(`{}`)})
	}
	reader := in.Store.Reader("test")
	cursor := reader.Cursor()
	if err := cursor.Sync(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	dealtWith := func(pos int64) {
		t.Helper()
		if err := in.Store.Write(t.Context(), func(tx *store.Tx) error { _, err := cursor.Save(tx, pos); return err }); err != nil {
			t.Fatal(err)
		}
	}
	dealtWith(4)
	in.Later(48 * time.Hour)
	for _, c := range []struct {
		upto   int64
		unread int64 // 0: the subscription has lost those before already
	}{{4, 4}, {10, 6}} {
		dealtWith(c.upto)
		left, unread := retire(t, in)
		if left != 10-c.upto || unread != c.unread {
			t.Errorf("after %d were dealt with %d are left, %d unread were removed", c.upto, left, unread)
		}
	}
}

// retire runs a keeper once, and returns how many events are left and how many went unread.
func retire(t *testing.T, in *servicetest.Inside) (left, unread int64) {
	t.Helper()
	var mu sync.Mutex
	retired := make(chan struct{}, 1)
	k := upkeep.New(upkeep.Options{
		Store: in.Store, Logger: in.Logger, Retention: store.Retention{Events: 24 * time.Hour}, DataFolder: t.TempDir(),
		Metrics: upkeep.Metrics{
			Retired: func(table string, _ int64) {
				if table == "events" {
					retired <- struct{}{}
				}
			},
			Unread: func(_ string, events int64) { mu.Lock(); defer mu.Unlock(); unread += events },
			Free:   func(uint64) {},
		},
	})
	k.Start(t.Context())
	select {
	case <-retired:
	case <-time.After(time.Minute):
		t.Fatal("nothing was removed")
	}
	k.Stop()
	mu.Lock()
	defer mu.Unlock()
	left, err := in.Store.CountEvents(t.Context(), 0, in.Store.Head())
	if err != nil {
		t.Fatal(err)
	}
	return left, unread
}
