package graphemu

import (
	"context"
	"sync"
	"time"
)

// WebhookAttempt is one attempt to deliver a webhook.
type WebhookAttempt struct {
	Seq        int64          `json:"seq"` // grows by one with each attempt
	Time       time.Time      `json:"time"`
	AppID      string         `json:"app_id"`
	PageID     string         `json:"page_id,omitempty"`
	PSID       string         `json:"psid,omitempty"`
	Field      string         `json:"field"`              // messages, message_reads, ...; "verification" for the GET of a subscription
	EventID    string         `json:"event_id,omitempty"` // of the first event
	Events     int            `json:"events,omitempty"`   // how many the delivery holds, when there are several
	Attempt    int            `json:"attempt"`            // 1 is the first
	Request    WebhookRequest `json:"request"`
	Answer     *WebhookAnswer `json:"answer,omitempty"` // nil when none came
	Error      string         `json:"error,omitempty"`  // why none came
	OK         bool           `json:"ok"`               // answered with 2xx
	RetryInMS  int64          `json:"retry_in_ms,omitempty"`
	Exhausted  bool           `json:"exhausted,omitempty"` // no further attempt
	DurationMS float64        `json:"duration_ms"`
}

// WebhookRequest is what was sent.
type WebhookRequest struct {
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers,omitempty"`
	Body    string            `json:"body,omitempty"`
}

// WebhookAnswer is what came back.
type WebhookAnswer struct {
	Status int    `json:"status"`
	Body   string `json:"body,omitempty"`
}

// APICall is one call of the Graph API. Tokens and proofs are not kept.
type APICall struct {
	Seq        int64     `json:"seq"` // grows by one with each call
	Time       time.Time `json:"time"`
	Method     string    `json:"method"`
	Path       string    `json:"path"`
	Query      string    `json:"query,omitempty"`
	Token      string    `json:"token,omitempty"` // shortened
	AppID      string    `json:"app_id,omitempty"`
	PageID     string    `json:"page_id,omitempty"`
	PSID       string    `json:"psid,omitempty"`
	Body       string    `json:"body,omitempty"`
	Status     int       `json:"status"` // 0 when the answer was dropped
	Answer     string    `json:"answer,omitempty"`
	Fault      bool      `json:"fault,omitempty"`   // a fault rule changed the call or its answer
	Batched    bool      `json:"batched,omitempty"` // stood in a batch
	DurationMS float64   `json:"duration_ms"`
}

// EventRecord is something that happened and that apps may be told of, whether or not any app
// has subscribed to it.
type EventRecord struct {
	Seq     int64     `json:"seq"` // grows by one with each event
	Time    time.Time `json:"time"`
	PageID  string    `json:"page_id"`
	PSID    string    `json:"psid,omitempty"`
	Field   string    `json:"field"`
	EventID string    `json:"event_id"`
	Apps    []string  `json:"apps,omitempty"`    // to which it goes
	Standby []string  `json:"standby,omitempty"` // those of them that see it in standby
}

// Webhooks returns the delivery attempts after the one with the given number,
// oldest first. The newest 2,000 are kept.
func (s *Server) Webhooks(after int64) []WebhookAttempt {
	s.init()
	return s.world.records.webhooksAfter(after)
}

// Calls returns the Graph API calls after the one with the given number, oldest
// first. The newest 2,000 are kept.
func (s *Server) Calls(after int64) []APICall {
	s.init()
	return s.world.records.callsAfter(after)
}

// Events returns what happened after the event with the given number, oldest
// first. The newest 2,000 are kept.
func (s *Server) Events(after int64) []EventRecord {
	s.init()
	return s.world.records.eventsAfter(after)
}

// records keeps the newest calls, delivery attempts and events. It is safe for
// concurrent use.
type records struct {
	changes *hub

	mu       sync.Mutex
	webhooks ring[WebhookAttempt]
	calls    ring[APICall]
	events   ring[EventRecord]
}

// addWebhook adds an attempt, unless the context of its delivery has ended, because the records
// were cleared in the meantime.
func (r *records) addWebhook(ctx context.Context, a WebhookAttempt) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if ctx.Err() != nil {
		return
	}
	a.Seq = r.webhooks.number()
	r.webhooks.add(a)
	r.changes.send(change{Type: "webhook", Page: a.PageID, Person: a.PSID})
}

func (r *records) addCall(c APICall) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c.Seq = r.calls.number()
	r.calls.add(c)
	r.changes.send(change{Type: "call", Page: c.PageID, Person: c.PSID})
}

func (r *records) addEvent(e EventRecord) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e.Seq = r.events.number()
	r.events.add(e)
}

func (r *records) webhooksAfter(n int64) []WebhookAttempt {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.webhooks.after(n, func(a WebhookAttempt) int64 { return a.Seq })
}

func (r *records) callsAfter(n int64) []APICall {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.calls.after(n, func(c APICall) int64 { return c.Seq })
}

func (r *records) eventsAfter(n int64) []EventRecord {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.events.after(n, func(e EventRecord) int64 { return e.Seq })
}

// clear removes all records. Numbering continues.
func (r *records) clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.webhooks.clear()
	r.calls.clear()
	r.events.clear()
}

// ring keeps the newest items.
type ring[T any] struct {
	items []T
	next  int
	last  int64 // number of the newest item
}

const ringSize = 2000

// number returns the number of the next item.
func (r *ring[T]) number() int64 {
	r.last++
	return r.last
}

func (r *ring[T]) add(item T) {
	if len(r.items) < ringSize {
		r.items = append(r.items, item)
		return
	}
	r.items[r.next] = item
	r.next = (r.next + 1) % ringSize
}

// after returns the items whose number is greater than n, oldest first.
func (r *ring[T]) after(n int64, number func(T) int64) []T {
	out := []T{}
	for _, items := range [][]T{r.items[r.next:], r.items[:r.next]} {
		for _, item := range items {
			if number(item) > n {
				out = append(out, item)
			}
		}
	}
	return out
}

func (r *ring[T]) clear() { r.items, r.next = nil, 0 }
