package forward

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/chasqui/chasqui/internal/gateway"
)

// try is one call of the sink: what came of each event, and the attempt that its delivery keeps.
type try struct {
	results  []Result
	attempts []gateway.DeliveryAttempt
}

// hand gives events to the sink, and notes how it went.
func (w *worker) hand(ctx context.Context, events ...*gateway.Event) try {
	started := w.f.o.Store.Now()
	results := w.sink.Deliver(ctx, w.sub.Load(), events)
	if len(results) != len(events) {
		results = each(events, Result{Err: fmt.Errorf("the sink told of %d of %d events", len(results), len(events))})
	}
	took := w.f.o.Store.Now().Sub(started).Milliseconds()
	t := try{results, make([]gateway.DeliveryAttempt, len(events))}
	var stopped map[gateway.Lane]bool // nil while everything is taken, as it mostly is
	for i, e := range events {
		r := &t.results[i]
		if errors.Is(r.Err, ErrBehind) && !stopped[e.Lane()] {
			r.Err = errors.New("the sink left it out, although nothing before it had failed")
		}
		t.attempts[i] = gateway.DeliveryAttempt{At: started.UTC(), DurationMS: took, Status: r.Status}
		if r.Err == nil {
			continue
		}
		t.attempts[i].Error = r.Err.Error()
		if !errors.Is(r.Err, ErrRejected) {
			if stopped == nil {
				stopped = map[gateway.Lane]bool{}
			}
			stopped[e.Lane()] = true
		}
	}
	return t
}

// attempt returns the attempt that an event's delivery keeps: none when the event was not tried.
func (t try) attempt(i int) []gateway.DeliveryAttempt {
	if errors.Is(t.results[i].Err, ErrBehind) {
		return nil
	}
	return t.attempts[i : i+1]
}

// name gives the attempts the name of the batch that they were made in.
func (t try) name(batch string) {
	for i := range t.attempts {
		t.attempts[i].Batch = batch
	}
}

// unfinished reports whether any event was not taken.
func (t try) unfinished() bool {
	return slices.ContainsFunc(t.results, func(r Result) bool { return r.Err != nil })
}

// verdict is what a call says of the receiver: ErrGone when it wants nothing any more, nil when it
// is well, which it is when it has taken or rejected any event, otherwise what went wrong first.
func (t try) verdict() error {
	var first error
	well := false
	for _, r := range t.results {
		switch {
		case errors.Is(r.Err, ErrGone):
			return r.Err
		case r.Err == nil || errors.Is(r.Err, ErrRejected):
			well = true
		case first == nil && !errors.Is(r.Err, ErrBehind):
			first = r.Err
		}
	}
	if well {
		return nil
	}
	return first
}
