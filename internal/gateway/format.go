package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Format is how the deliveries of one subscription look, which events it wants beside what the
// subscription selects, and what its receiver's answers mean.
type Format interface {
	// Wants reports whether an event that the subscription's types and applications select is one
	// for it.
	Wants(e *Event) bool
	// ValidateSecret says what is wrong with a signing secret that a caller brings, or returns nil.
	ValidateSecret(secret Secret) error
	// Batching reports whether events go in lists; the zero value is one by one.
	Batching() Batching
	// Timeout is for how long the receiver may take; zero for as long as any other.
	Timeout() time.Duration
	// Encode makes the body and the headers of a delivery of one event, or of a list where Batching
	// is on.
	Encode(ctx context.Context, s *Subscription, events []*Event, around Around) (Body, error)
	// Judge says what the status of the receiver's answer means.
	Judge(status int) Reception
	// NextTry returns when a delivery that has just failed is tried again; false when it is dead.
	NextTry(d *Delivery, now time.Time) (time.Time, bool)
}

// Batching says how events are gathered into lists.
type Batching struct {
	On   bool
	Size int           // events in a list at the most
	Wait time.Duration // for which the first may wait for more
}

// Body is the content of a delivery.
type Body struct {
	Content []byte
	Header  map[string]string
}

// Reception is what a receiver has done with a delivery.
type Reception string

// Taken: it has it. Refused: it failed, and is tried again. Rejected: it does not want this event,
// and is well otherwise. Gone: it wants nothing any more.
const (
	Taken    Reception = "taken"
	Refused  Reception = "refused"
	Rejected Reception = "rejected"
	Gone     Reception = "gone"
)

// Around is what a format may ask for to tell of an event.
type Around interface {
	Now() time.Time
	// Profile returns the id of the profile that the event's person has now, "" for none.
	Profile(ctx context.Context, e *Event) (string, error)
	// Page returns the id of the page of the event's application, "" for none.
	Page(e *Event) string
	// Newest returns the newest message to the event's person, nil for none.
	Newest(ctx context.Context, e *Event) (*Message, error)
}

// Formats makes formats, by name, of what subscriptions keep for them. The gateway's own has an
// empty name.
type Formats map[string]func(data json.RawMessage) (Format, error)

// Bind gives a subscription its format, after its data has changed too.
func (f Formats) Bind(s *Subscription) error {
	open, ok := f[s.Format]
	if !ok {
		if s.Format == "" {
			return nil // whoever has no formats delivers nothing
		}
		return fmt.Errorf("subscription %s: there is no format %q", s.ID, s.Format)
	}
	format, err := open(s.FormatData)
	if err != nil {
		return fmt.Errorf("subscription %s: format %s: %w", s.ID, s.Format, err)
	}
	s.bound = format
	return nil
}
