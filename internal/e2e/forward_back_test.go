package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
)

// parked waits until a subscription has n deliveries with at least so many tries each of them has,
// but for those that wait behind others.
func (w *world) parked(sub string, n, tries int) []gatewayapi.Delivery {
	w.t.Helper()
	var list gatewayapi.DeliveryPage
	await(w.t, fmt.Sprintf("%d parked deliveries after %d tries", n, tries), func() (bool, string) {
		var err error
		if list, err = w.client.ListDeliveries(w.t.Context(), gatewayapi.ListDeliveriesRequest{Subscription: sub, Limit: 100}); err != nil {
			return false, err.Error()
		}
		for _, d := range list.Deliveries {
			if d.Status == "pending" && d.Tries < tries {
				return false, fmt.Sprintf("%s after %d tries", d.Event, d.Tries)
			}
		}
		return len(list.Deliveries) >= n, fmt.Sprintf("%d deliveries", len(list.Deliveries))
	})
	return list.Deliveries
}

// A receiver that has been away for long gets what waits as soon as it is back, although nobody
// writes and the next try of each is minutes away.
func TestAReceiverThatIsBackGetsAllThatWaits(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"one by one", "in batches"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := startWorld(t)
			p := w.connect(graphemu.Page{})
			var away atomic.Bool
			away.Store(true)
			var taken atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				if away.Load() {
					rw.WriteHeader(http.StatusInternalServerError)
					return
				}
				taken.Add(1)
			}))
			t.Cleanup(server.Close)
			var sub string
			if name == "one by one" {
				made, err := w.client.CreateSubscription(t.Context(), gatewayapi.CreateSubscriptionRequest{Kind: "forward", URL: server.URL, EventTypes: []gatewayapi.EventType{"message.inbound"}})
				if err != nil {
					t.Fatal(err)
				}
				sub = made.ID
			} else {
				sub = w.webhook(p, server.URL, batchesOnly+`,"maxBatchSize":3,"batchTimeout":1`)
			}
			people := p.people(3)
			for n := range 2 {
				for i, psid := range people {
					p.says(psid, fmt.Sprintf("p%d-%d", i, n))
				}
			}
			pauses := []time.Duration{0, 6 * time.Second, 31 * time.Second, 3 * time.Minute}
			if name == "in batches" { // which have a table of their own
				pauses = []time.Duration{0, 6 * time.Second, 6 * time.Second, 31 * time.Second, 31 * time.Second, 61 * time.Second}
			}
			for tries, pause := range pauses {
				w.clock.advance(pause)
				w.parked(sub, 6, tries+1)
			}
			if seconds := w.metric(`chasqui_subscription_failing_seconds{subscription="` + sub + `"}`); seconds < 120 {
				t.Errorf("it is said to fail for %v seconds", seconds)
			}
			away.Store(false)
			w.clock.advance(20 * time.Second) // and not the ten minutes to the next try
			await(t, "all to be delivered", func() (bool, string) {
				list, err := w.client.ListDeliveries(t.Context(), gatewayapi.ListDeliveriesRequest{Subscription: sub, Status: "delivered", Limit: 100})
				return err == nil && len(list.Deliveries) == 6, fmt.Sprint(err, len(list.Deliveries), taken.Load())
			})
			await(t, "the metric to be well again", func() (bool, string) {
				seconds := w.metric(`chasqui_subscription_failing_seconds{subscription="` + sub + `"}`)
				return seconds == 0, fmt.Sprint(seconds)
			})
		})
	}
}

// A success of somebody else's events does not have one asked for again and again that the receiver
// never takes.
func TestAnEventThatIsNeverTakenKeepsItsPauses(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	customer := startReceiver(t, nil)
	sub := w.forward(customer, inboundOnly)
	ana, ben := p.person("Ana"), p.person("Ben")
	var bad atomic.Value
	customer.answers(func(r *http.Request) int {
		if bad.Load() == nil {
			bad.Store(r.Header.Get("webhook-id"))
		}
		if bad.Load() == r.Header.Get("webhook-id") {
			return http.StatusInternalServerError
		}
		return http.StatusOK
	})
	p.says(ana, "bad")
	w.parked(sub.ID, 1, 1)
	for n := range 20 {
		p.says(ben, fmt.Sprintf("good %d", n))
		customer.arrived(n + 1)
	}
	// On a slow machine its own first pause may be over by now.
	if d := w.parked(sub.ID, 1, 1); len(d) == 0 || d[len(d)-1].Tries > 2 {
		t.Errorf("the bad one was tried %d times", d[len(d)-1].Tries)
	}
}

// What waits is tried at once when somebody asks for it, or enables the subscription again.
func TestParkedDeliveriesAreTriedWhenAsked(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	customer := startReceiver(t, always(500))
	sub := w.forward(customer, inboundOnly)
	p.says(p.person("Ana"), "waits")
	w.parked(sub.ID, 1, 1)
	if err := w.client.Replay(t.Context(), sub.ID, gatewayapi.ReplayRequest{Parked: true}); err != nil {
		t.Fatal(err)
	}
	w.parked(sub.ID, 1, 2)
	wantCode(t, w.client.Replay(t.Context(), sub.ID, gatewayapi.ReplayRequest{Parked: true, From: "earliest"}), 400, "invalid_request")
	for _, state := range []gatewayapi.SubscriptionState{gatewayapi.SubscriptionDisabled, gatewayapi.SubscriptionActive} {
		if state == gatewayapi.SubscriptionActive {
			customer.answers(nil)
		}
		if _, err := w.client.UpdateSubscription(t.Context(), sub.ID, gatewayapi.UpdateSubscriptionRequest{State: &state}); err != nil {
			t.Fatal(err)
		}
	}
	customer.arrived(1)
}

// A receiver that asks for a pause gets it.
func TestAReceiverThatIsBusyIsLeftAlone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ status, header string }{{"429", "12"}, {"503", "12"}, {"429", "date"}} {
		t.Run(c.status+" "+c.header, func(t *testing.T) {
			t.Parallel()
			w := startWorld(t)
			p := w.connect(graphemu.Page{})
			var asked atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				if asked.Add(1) > 1 {
					return
				}
				after := c.header
				if after == "date" {
					after = time.Now().Add(13 * time.Second).UTC().Format(http.TimeFormat)
				}
				rw.Header().Set("Retry-After", after)
				status := http.StatusTooManyRequests
				if c.status == "503" {
					status = http.StatusServiceUnavailable
				}
				rw.WriteHeader(status)
			}))
			t.Cleanup(server.Close)
			sub, err := w.client.CreateSubscription(t.Context(), gatewayapi.CreateSubscriptionRequest{Kind: "forward", URL: server.URL, EventTypes: []gatewayapi.EventType{"message.inbound"}})
			if err != nil {
				t.Fatal(err)
			}
			p.says(p.person("Ana"), "hello")
			d := w.parked(sub.ID, 1, 1)[0]
			if wait := d.NextAt.Sub(d.Attempts[0].StartedAt.Time); wait < 11*time.Second || wait > time.Minute {
				t.Errorf("it is tried again after %s, although the receiver asked for 12 s", wait)
			}
			w.clock.advance(15 * time.Second)
			await(t, "it to be delivered", func() (bool, string) {
				list, err := w.client.ListDeliveries(t.Context(), gatewayapi.ListDeliveriesRequest{Subscription: sub.ID, Status: "delivered", Limit: 100})
				return err == nil && len(list.Deliveries) == 1, fmt.Sprint(err, asked.Load())
			})
		})
	}
}
