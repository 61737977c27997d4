package forward

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
)

// Sink is where the events of subscriptions of one kind go: URLs, or the topics of a broker. One
// serves all subscriptions of its kind, from many goroutines at once.
//
// Order and back-pressure are the caller's and the sink's together: no two calls are under way for
// the same conversation of a subscription with order, a subscription has at most Options.InFlight
// calls under way, and a sink that has no room blocks until it has, or until ctx ends.
type Sink interface {
	// Batching says how events of a subscription are gathered into lists; the zero value is one by
	// one.
	Batching(s *gateway.Subscription) gateway.Batching
	// Deliver hands over events in their order, of which those of one conversation (Event.Lane)
	// must stay in order, and returns what came of each, in the same order and as many. Once an
	// event was not taken, the later ones of its conversation in the list are not handed over:
	// theirs is ErrBehind. An event may be delivered again after ctx ended or the program did,
	// always with the same id.
	Deliver(ctx context.Context, s *gateway.Subscription, events []*gateway.Event) []Result
	// Close lets go of what the sink holds, after the last call.
	Close()
}

// Result is what came of one event that was handed to a sink.
type Result struct {
	Status int   // of a receiver's answer over HTTP, 0 for none
	Err    error // nil: taken; otherwise one of the errors below, or any other, after which the event is tried again
}

// What a sink's errors may be, or wrap, beside any other.
var (
	// ErrRejected: the receiver is well and does not want this event. It is not tried again.
	ErrRejected = errors.New("it rejects the event")
	// ErrGone: the receiver wants nothing any more. The subscription is disabled.
	ErrGone = errors.New("the receiver answered 410 Gone")
	// ErrBehind: the event was not tried, for one before it in its conversation was not taken.
	ErrBehind = errors.New("an earlier event of the conversation was not taken")
)

// BusyError is a receiver's answer that it wants nothing of the subscription for a while.
type BusyError struct {
	Status int
	After  time.Duration // at most 10 minutes count
}

func (e *BusyError) Error() string {
	return fmt.Sprintf("the receiver answered %d and wants nothing for %s", e.Status, e.After.Round(time.Second))
}

// maxBusy is for how long a receiver may ask for nothing at once.
const maxBusy = 10 * time.Minute

// each gives every event of a list the same result.
func each(events []*gateway.Event, r Result) []Result {
	results := make([]Result, len(events))
	for i := range results {
		results[i] = r
	}
	return results
}
