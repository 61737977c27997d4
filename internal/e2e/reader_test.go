package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/chasqui/chasqui/gatewayapi"
)

// reader follows a pull subscription: it reads what comes, and acknowledges it.
type reader struct {
	w      *world
	id     string
	events []gatewayapi.Event // all that were read, in order
}

// pull makes a pull subscription for some types of events, all of them when none is named,
// beginning with the earliest.
func (w *world) pull(types ...gatewayapi.EventType) *reader {
	w.t.Helper()
	sub, err := w.client.CreateSubscription(w.t.Context(), gatewayapi.CreateSubscriptionRequest{Kind: "pull", From: "earliest", EventTypes: types})
	if err != nil {
		w.t.Fatal(err)
	}
	return &reader{w: w, id: sub.ID}
}

// more reads and acknowledges what is there now, after waiting up to a second for something.
func (r *reader) more() {
	r.w.t.Helper()
	page, err := r.w.client.PullEvents(r.w.t.Context(), gatewayapi.PullRequest{Subscription: r.id, Limit: 1000, Wait: time.Second})
	if err != nil {
		r.w.t.Fatalf("pull: %v", err)
	}
	if _, err := r.w.client.Ack(r.w.t.Context(), r.id, gatewayapi.AckRequest{Cursor: page.Cursor}); err != nil {
		r.w.t.Fatalf("ack: %v", err)
	}
	r.events = append(r.events, page.Events...)
}

// await reads until an event fits, and returns the first that does.
func (r *reader) await(what string, fits func(gatewayapi.Event) bool) gatewayapi.Event {
	r.w.t.Helper()
	looked := 0
	var found gatewayapi.Event
	await(r.w.t, what, func() (bool, string) {
		r.w.t.Helper()
		for ; looked < len(r.events); looked++ {
			if fits(r.events[looked]) {
				found = r.events[looked]
				return true, ""
			}
		}
		r.more()
		return false, fmt.Sprintf("%d events, the types %q", len(r.events), types(r.events))
	})
	return found
}

// awaitCount reads until there are n events.
func (r *reader) awaitCount(n int) []gatewayapi.Event {
	r.w.t.Helper()
	await(r.w.t, fmt.Sprintf("%d events", n), func() (bool, string) {
		if len(r.events) >= n {
			return true, ""
		}
		r.more()
		return len(r.events) >= n, fmt.Sprintf("%d have come", len(r.events))
	})
	return r.events
}

// types lists the types of events in order.
func types(events []gatewayapi.Event) []string {
	out := make([]string, len(events))
	for i, e := range events {
		out[i] = string(e.Type)
	}
	return out
}

// checkOnce fails the test when an event is there twice, or out of the order of the log.
func checkOnce(t testing.TB, events []gatewayapi.Event) {
	t.Helper()
	if !slices.IsSortedFunc(events, func(a, b gatewayapi.Event) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	}) {
		t.Error("events are twice or not in the order of the log")
	}
}

func jsonInto(raw []byte, v any) bool { return json.Unmarshal(raw, v) == nil }
