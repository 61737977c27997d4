package wire

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/webhook"
)

// format is the format of actions: a list of one inbound message. What is kept with their
// subscriptions is the action.
type format struct{ action *Action }

// OpenFormat makes the format of what is kept with a subscription.
func OpenFormat(data json.RawMessage) (gateway.Format, error) {
	a, err := actionOf(data)
	return format{a}, err
}

func actionOf(data json.RawMessage) (*Action, error) {
	if len(data) == 0 {
		return nil, nil
	}
	a := new(Action)
	return a, json.Unmarshal(data, a)
}

// ActionOf returns the action that a subscription is; nil for any other.
func ActionOf(s *gateway.Subscription) *Action {
	if s.Format != Dialect {
		return nil
	}
	if f, ok := s.Deliveries().(format); ok {
		return f.action
	}
	a, err := actionOf(s.FormatData)
	if err != nil {
		return nil
	}
	return a
}

// Wants leaves out what did not come over Messenger.
func (format) Wants(e *gateway.Event) bool { return gateway.PSIDOf(e.Person) != "" }

// ValidateSecret says what is wrong with a secret, or returns nil. Deliveries are signed as the
// gateway's own are.
func (format) ValidateSecret(secret gateway.Secret) error {
	return gateway.ValidateSigningSecret(secret)
}

// Batching returns the zero value: messages go one by one.
func (format) Batching() gateway.Batching { return gateway.Batching{} }

// Timeout returns zero, for the forwarder's.
func (format) Timeout() time.Duration { return 0 }

// Encode makes what an action gets: a list of the one event.
func (format) Encode(_ context.Context, s *gateway.Subscription, events []*gateway.Event, around gateway.Around) (gateway.Body, error) {
	content, err := json.Marshal(Inbox{Results: []Inbound{PublishInbound(events[0], s)}, MessageCount: 1})
	if err != nil {
		return gateway.Body{}, err
	}
	return webhook.Sign(s, events[0].ID(), around.Now(), content)
}

// Judge says what the status of a receiver's answer means: 410 Gone ends the action.
func (format) Judge(status int) gateway.Reception {
	switch {
	case status >= 200 && status < 300:
		return gateway.Taken
	case status == http.StatusGone:
		return gateway.Gone
	}
	return gateway.Refused
}

// NextTry returns when a delivery that has just failed is tried again; false when it is dead.
func (format) NextTry(d *gateway.Delivery, now time.Time) (time.Time, bool) {
	pause, ok := Retry(len(d.Attempts))
	return now.Add(pause), ok
}
