package graphemu

import (
	"context"
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
	Fault      bool      `json:"fault,omitempty"`   // a fault rule had a hand in it
	Batched    bool      `json:"batched,omitempty"` // stood in a batch
	DurationMS float64   `json:"duration_ms"`
}

// EventRecord is one thing that happened and that apps may hear of, whether or
// not any has subscribed to it.
type EventRecord struct {
	Seq     int64     `json:"seq"` // grows by one with each event
	Time    time.Time `json:"time"`
	PageID  string    `json:"page_id"`
	PSID    string    `json:"psid,omitempty"`
	Field   string    `json:"field"`
	EventID string    `json:"event_id"`
	Apps    []string  `json:"apps,omitempty"`    // to whom it goes
	Standby []string  `json:"standby,omitempty"` // those of them that see it in standby
}

// ring keeps the newest items.
type ring[T any] struct {
	items []T
	next  int
	last  int64
}

const ringSize = 2000

func (r *ring[T]) add(item T) {
	if len(r.items) < ringSize {
		r.items = append(r.items, item)
		return
	}
	r.items[r.next] = item
	r.next = (r.next + 1) % ringSize
}

func (r *ring[T]) all() []T {
	out := make([]T, 0, len(r.items))
	out = append(out, r.items[r.next:]...)
	return append(out, r.items[:r.next]...)
}

func (r *ring[T]) clear() { r.items, r.next = nil, 0 }

// Webhooks returns the delivery attempts after the one with the given number,
// oldest first. The newest 2,000 are kept.
func (s *Server) Webhooks(after int64) []WebhookAttempt {
	s.init()
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []WebhookAttempt{}
	for _, a := range s.webhooks.all() {
		if a.Seq > after {
			out = append(out, a)
		}
	}
	return out
}

// Calls returns the Graph API calls after the one with the given number, oldest
// first. The newest 2,000 are kept.
func (s *Server) Calls(after int64) []APICall {
	s.init()
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []APICall{}
	for _, c := range s.calls.all() {
		if c.Seq > after {
			out = append(out, c)
		}
	}
	return out
}

// Events returns what happened after the event with the given number, oldest
// first. The newest 2,000 are kept.
func (s *Server) Events(after int64) []EventRecord {
	s.init()
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []EventRecord{}
	for _, e := range s.events.all() {
		if e.Seq > after {
			out = append(out, e)
		}
	}
	return out
}

// recordWebhook keeps an attempt.
func (s *Server) recordWebhook(ctx context.Context, a WebhookAttempt) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx.Err() != nil {
		return // reset meanwhile
	}
	s.webhooks.last++
	a.Seq = s.webhooks.last
	s.webhooks.add(a)
	s.announce(change{Type: "webhook", Page: a.PageID, Person: a.PSID})
}

func (s *Server) recordCall(c APICall) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls.last++
	c.Seq = s.calls.last
	s.calls.add(c)
	s.announce(change{Type: "call", Page: c.PageID, Person: c.PSID})
}
