package forward_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chasqui/chasqui/internal/forward"
	"github.com/chasqui/chasqui/internal/gateway"
)

// kindTopic is the kind of subscriptions whose events go to a topic of the test.
const kindTopic gateway.SubscriptionKind = "topic"

// topic is a sink as a broker's would be: it takes lists, acknowledges event by event, keeps what
// shares a key in order, and has only so much room.
type topic struct {
	r     *receiver
	size  int
	room  chan struct{} // nil: any
	calls atomic.Int64  // begun
	short atomic.Bool   // it tells of too few events
	shut  atomic.Bool
}

func (k *topic) Batching(*gateway.Subscription) gateway.Batching {
	return gateway.Batching{On: k.size > 1, Size: k.size, Wait: 10 * time.Millisecond}
}

func (k *topic) Close() { k.shut.Store(true) }

func (k *topic) Deliver(ctx context.Context, _ *gateway.Subscription, events []*gateway.Event) []forward.Result {
	k.calls.Add(1)
	if k.room != nil {
		select {
		case <-k.room:
		case <-ctx.Done():
			return every(events, forward.Result{Err: ctx.Err()})
		}
	}
	if k.short.CompareAndSwap(true, false) {
		return nil
	}
	results := make([]forward.Result, len(events))
	k.r.mu.Lock()
	defer k.r.mu.Unlock()
	stopped := map[gateway.Lane]bool{}
	for i, e := range events {
		k.r.tries[e.ID()]++
		switch {
		case stopped[e.Lane()]:
			results[i].Err = forward.ErrBehind
		case k.r.fails(e.Person, e.ID(), k.r.tries[e.ID()]):
			stopped[e.Lane()] = true
			results[i].Err = errors.New("the partition has no leader")
		default:
			if slices.Contains(k.r.taken[e.Person], e.ID()) {
				k.r.wrong = e.ID() + " was taken twice"
			}
			k.r.taken[e.Person] = append(k.r.taken[e.Person], e.ID())
		}
	}
	close(k.r.moved)
	k.r.moved = make(chan struct{})
	return results
}

func every(events []*gateway.Event, r forward.Result) []forward.Result {
	results := make([]forward.Result, len(events))
	for i := range results {
		results[i] = r
	}
	return results
}

func startTopic(t *testing.T, k *topic) *world {
	t.Helper()
	t.Parallel()
	w := &world{t: t, r: k.r}
	w.forward(&gateway.Subscription{Name: "test", Kind: kindTopic, Order: gateway.OrderConversation, State: gateway.SubscriptionActive},
		map[gateway.SubscriptionKind]func(gateway.Around) forward.Sink{kindTopic: func(gateway.Around) forward.Sink { return k }})
	return w
}

// Every event of a list is acknowledged by itself: what is taken is never handed over again, and
// what is not keeps its place in its conversation.
func TestAcknowledgedEventByEvent(t *testing.T) {
	for _, size := range []int{1, 7} {
		t.Run(fmt.Sprint("lists of ", size), func(t *testing.T) {
			n := 0 // under the receiver's lock
			w := startTopic(t, &topic{size: size, r: newReceiver(func(_, id string, try int) bool {
				n++
				return try == 1 && n%5 == 0
			})})
			want := w.happen(6, 20)
			for person, ids := range want {
				if got := w.gets(person, len(ids), true); !slices.Equal(got, ids) {
					t.Errorf("%s got %v, wanted %v", person, got, ids)
				}
			}
			w.r.mu.Lock()
			defer w.r.mu.Unlock()
			if w.r.wrong != "" {
				t.Error(w.r.wrong)
			}
		})
	}
}

// A sink that has no room is asked for no more than may be under way, and gets everything in order
// once it has some.
func TestSinkWithoutRoom(t *testing.T) {
	k := &topic{size: 10, r: newReceiver(func(string, string, int) bool { return false }), room: make(chan struct{})}
	w := startTopic(t, k)
	want := w.happen(5, 300) // more than a worker keeps in memory
	k.room <- struct{}{}
	if calls := k.calls.Load(); calls > 2 {
		t.Errorf("%d calls were begun", calls)
	}
	close(k.room)
	for person, ids := range want {
		if got := w.gets(person, len(ids), false); !slices.Equal(got, ids) {
			t.Errorf("%s got %d events, wanted %d in order", person, len(got), len(ids))
		}
	}
}

// A sink that does not tell of every event has taken none.
func TestSinkThatTellsOfTooFew(t *testing.T) {
	k := &topic{size: 3, r: newReceiver(func(string, string, int) bool { return false })}
	k.short.Store(true)
	w := startTopic(t, k)
	want := w.happen(2, 5)
	for person, ids := range want {
		if got := w.gets(person, len(ids), true); !slices.Equal(got, ids) {
			t.Errorf("%s got %v, wanted %v", person, got, ids)
		}
	}
}
