package forward_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chasqui/chasqui/internal/forward"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/reach"
	"github.com/chasqui/chasqui/internal/service"
	"github.com/chasqui/chasqui/internal/store"
)

// receiver is a subscriber that fails when it is told to, and writes down what it has taken.
type receiver struct {
	fails func(person, id string, try int) bool

	mu    sync.Mutex
	tries map[string]int
	under map[string]int // POSTs under way, by person
	taken map[string][]string
	wrong string
	moved chan struct{}
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	id := req.Header.Get("Webhook-Id")
	var event struct{ Person struct{ ID string } }
	if err := json.NewDecoder(req.Body).Decode(&event); err != nil {
		r.fault("an event cannot be read: %v", err)
	}
	person := event.Person.ID
	r.mu.Lock()
	r.tries[id]++
	r.under[person]++
	at, fails := r.under[person], r.fails(person, id, r.tries[id])
	r.mu.Unlock()
	if at > 1 {
		r.fault("%d events of %s are under way", at, person)
	}
	runtime.Gosched()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.under[person]--
	if fails {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	if !slices.Contains(r.taken[person], id) {
		r.taken[person] = append(r.taken[person], id)
	}
	close(r.moved)
	r.moved = make(chan struct{})
}

func (r *receiver) fault(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wrong = fmt.Sprintf(format, args...)
}

// world is a forwarder between a real database, whose clock the test moves, and a receiver.
type world struct {
	t     *testing.T
	store *store.Store
	ahead atomic.Int64 // of the clock
	r     *receiver
}

// start forwards to a receiver over HTTP.
func start(t *testing.T, order gateway.DeliveryOrder, fails func(person, id string, try int) bool) *world {
	t.Helper()
	t.Parallel()
	w := &world{t: t, r: newReceiver(fails)}
	server := httptest.NewServer(w.r)
	t.Cleanup(server.Close)
	poster := forward.NewPoster(new(reach.Allowed).WithLoopback(), 15*time.Second, "test")
	w.forward(&gateway.Subscription{
		Name: "test", Kind: gateway.KindForward, URL: server.URL, Order: order, State: gateway.SubscriptionActive,
		Secrets: []gateway.SigningSecret{{Value: gateway.NewSigningSecret()}},
	}, map[gateway.SubscriptionKind]func(gateway.Around) forward.Sink{gateway.KindForward: forward.Push(poster)})
	return w
}

func newReceiver(fails func(person, id string, try int) bool) *receiver {
	return &receiver{fails: fails, tries: map[string]int{}, under: map[string]int{}, taken: map[string][]string{}, moved: make(chan struct{})}
}

// forward begins to forward to a subscription.
func (w *world) forward(sub *gateway.Subscription, sinks map[gateway.SubscriptionKind]func(gateway.Around) forward.Sink) {
	t := w.t
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	var err error
	w.store, err = store.Open(t.Context(), store.Options{
		URL: filepath.Join(t.TempDir(), "chasqui.db"), Logger: log, Now: func() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.store.Close() })
	if err := w.store.Leases().Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	vault, err := store.OpenVault(t.Context(), w.store, filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	vault.Formats = gateway.Formats{"": forward.OpenOwn}
	if err := vault.CreateSubscription(t.Context(), sub); err != nil {
		t.Fatal(err)
	}
	directory, err := service.NewDirectory(t.Context(), vault, log)
	if err != nil {
		t.Fatal(err)
	}
	f := forward.New(forward.Options{
		Store: w.store, Vault: vault, Directory: directory, Logger: log, InFlight: 4, Sinks: sinks,
		Projected: func(map[int]int64) int64 { return w.store.Head() },
	})
	f.Start(t.Context())
	t.Cleanup(f.Stop)
}

// happen commits events of persons by turns, and returns their ids in order.
func (w *world) happen(persons, each int) map[string][]string {
	w.t.Helper()
	want := map[string][]string{}
	for range each {
		err := w.store.Write(w.t.Context(), func(tx *store.Tx) error {
			for n := range persons {
				person := fmt.Sprint("person", n)
				e := &gateway.Event{Application: "A", Person: person, Type: gateway.EventMessageInbound, Channel: "messaging", Data: []byte(`{}`)}
				tx.AppendEvent(e)
				tx.OnCommit(func() { want[person] = append(want[person], e.ID()) })
			}
			return nil
		})
		if err != nil {
			w.t.Fatal(err)
		}
	}
	return want
}

// gets waits until a person's events are taken, and puts the clock forward when nothing comes for a
// while.
func (w *world) gets(person string, events int, hurry bool) []string {
	w.t.Helper()
	deadline := time.After(60 * time.Second)
	for {
		w.r.mu.Lock()
		got, moved, wrong := slices.Clone(w.r.taken[person]), w.r.moved, w.r.wrong
		w.r.mu.Unlock()
		if wrong != "" {
			w.t.Fatal(wrong)
		}
		if len(got) >= events {
			return got
		}
		var idle <-chan time.Time
		if hurry {
			idle = time.After(time.Second)
		}
		select {
		case <-moved:
		case <-idle:
			w.ahead.Add(int64(time.Minute))
		case <-deadline:
			w.t.Fatalf("%s has %d of %d events", person, len(got), events)
		}
	}
}

// Whatever fails, the events of a conversation come in order and one at a time.
func TestAConversationStaysInOrder(t *testing.T) {
	tried := func(_, id string, try int) bool {
		return try == 1 && (id[len(id)-1]%3 == 0) || try == 2 && id[len(id)-1]%9 == 0
	}
	w := start(t, gateway.OrderConversation, tried)
	want := w.happen(5, 12)
	for person, ids := range want {
		if got := w.gets(person, len(ids), true); !slices.Equal(got, ids) {
			t.Errorf("%s got %v, wanted %v", person, got, ids)
		}
	}
}

// A conversation whose event fails holds up no other, and goes on where it stopped.
func TestOneConversationHoldsUpNoOther(t *testing.T) {
	var well atomic.Bool
	w := start(t, gateway.OrderConversation, func(person, _ string, _ int) bool { return person == "person0" && !well.Load() })
	first := w.happen(1, 1)["person0"]
	want := w.happen(3, 4)
	for _, person := range []string{"person1", "person2"} {
		if got := w.gets(person, 4, false); !slices.Equal(got, want[person]) {
			t.Errorf("%s got %v, wanted %v", person, got, want[person])
		}
	}
	if got := w.gets("person0", 0, false); len(got) > 0 {
		t.Errorf("%v overtook what failed", got)
	}
	well.Store(true)
	if got := w.gets("person0", 5, true); !slices.Equal(got, append(first, want["person0"]...)) {
		t.Errorf("person0 got %v", got)
	}
}

// Without order every event has a try of its own, and one that fails holds up nothing of its
// conversation.
func TestWithoutOrder(t *testing.T) {
	var mu sync.Mutex
	stuck := ""
	w := start(t, gateway.OrderNone, func(_, id string, _ int) bool {
		mu.Lock()
		defer mu.Unlock()
		if stuck == "" {
			stuck = id
		}
		return id == stuck
	})
	w.r.under = map[string]int{"person0": -1000} // any number of a conversation at once
	want := w.happen(1, 10)["person0"]
	got := w.gets("person0", 9, false)
	mu.Lock()
	defer mu.Unlock()
	for _, id := range want {
		if slices.Contains(got, id) == (id == stuck) {
			t.Errorf("taken %v without %s", got, stuck)
		}
	}
}
