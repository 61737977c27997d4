package service

import (
	"context"
	"slices"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
)

// Limits of reading events.
const (
	MaxPull     = 1000             // events in one answer
	MaxPullWait = 30 * time.Second // for which an empty answer may be held back
	scanBatch   = 2000             // positions looked through at once for events that fit
)

// Events gives subscribers what is in the log.
type Events struct {
	Store     *store.Store
	Vault     *store.Vault
	Directory *Directory
	// Projected is up to which position of the log every event has its profile; nothing after it is
	// given out.
	Projected func() int64
}

// Page is a run of events, and the cursor after it.
type Page struct {
	Events []gateway.Publication
	Cursor string
}

// Pull returns the events of a pull subscription after a cursor (empty: after the acknowledged
// one), and moves nothing. With none there yet it waits up to `wait` for some.
func (e *Events) Pull(ctx context.Context, sub *gateway.Subscription, after string, limit int, wait time.Duration) (Page, error) {
	if sub.Pushed() {
		return Page{}, gateway.Invalid("id", "subscription %s is not a pull subscription", sub.ID)
	}
	pos := sub.AckedPos
	if after != "" {
		var ok bool
		if pos, ok = ParseCursor(after); !ok {
			return Page{}, gateway.Invalid("after", "%q is not a cursor", after)
		}
	}
	deadline := time.NewTimer(min(wait, MaxPullWait))
	defer deadline.Stop()
	for {
		_, moved := e.Store.HeadChanged()
		found, upto, err := e.Scan(ctx, sub, pos, limit)
		if err != nil {
			return Page{}, err
		}
		if len(found) > 0 || wait <= 0 {
			page, err := e.publish(ctx, found)
			return Page{page, Cursor(upto)}, err
		}
		pos = max(pos, upto)
		retry := time.NewTimer(10 * time.Millisecond) // the projection may be a moment behind the head
		if e.Projected() >= e.Store.Head() {
			retry.Reset(time.Second)
		}
		select {
		case <-moved:
		case <-retry.C:
		case <-deadline.C:
			wait = 0
		case <-ctx.Done():
			retry.Stop()
			return Page{}, context.Cause(ctx)
		}
		retry.Stop()
	}
}

// Scan looks through the log after a position until enough events fit or there are no more. It
// returns them, and the position up to which it has looked.
func (e *Events) Scan(ctx context.Context, sub *gateway.Subscription, pos int64, limit int) ([]*gateway.Event, int64, error) {
	var found []*gateway.Event
	bound := e.Projected()
	for pos < bound && len(found) < limit {
		events, upto, err := e.Store.ReadEvents(ctx, pos, min(scanBatch, max(limit, 100)))
		if err != nil {
			return nil, 0, err
		}
		upto = min(upto, bound)
		for _, event := range events {
			if event.Pos > upto {
				break
			}
			if !sub.Wants(event) {
				continue
			}
			found = append(found, event)
			if len(found) == limit {
				upto = event.Pos
				break
			}
		}
		pos = upto
	}
	return found, pos, nil
}

// publish makes of events what subscribers get.
func (e *Events) publish(ctx context.Context, events []*gateway.Event) ([]gateway.Publication, error) {
	profiles, err := e.Store.ProfilesOf(ctx, events)
	if err != nil {
		return nil, err
	}
	out := make([]gateway.Publication, len(events))
	for i, event := range events {
		page := ""
		if app := e.Directory.Application(event.Application); app != nil {
			page = app.PageID
		}
		out[i] = gateway.Publish(event, profiles[event.Lane()], page)
	}
	return out, nil
}

// Acknowledge moves a pull subscription's cursor forward to one that Pull answered; an older one
// changes nothing. It returns where the cursor stands.
func (e *Events) Acknowledge(ctx context.Context, sub *gateway.Subscription, cursor string) (string, error) {
	pos, ok := ParseCursor(cursor)
	if !ok || pos > e.Store.Head() {
		return "", gateway.Invalid("cursor", "%q is not a cursor of this subscription", cursor)
	}
	acked, err := e.Vault.Acknowledge(ctx, sub.ID, pos)
	return Cursor(acked), err
}

// Cursor writes a position of the log as callers get it.
func Cursor(pos int64) string { return gateway.EventID(pos)[len("evt_"):] }

// ParseCursor reads a cursor; an event's id is one too.
func ParseCursor(cursor string) (int64, bool) {
	if pos, ok := gateway.EventPos(cursor); ok {
		return pos, true
	}
	if cursor == Cursor(0) {
		return 0, true
	}
	return gateway.EventPos("evt_" + cursor)
}

// EventQuery selects events for listing.
type EventQuery struct {
	Application string // key, or ApplicationNone
	Types       []gateway.EventType
	Person      string
	After       string // cursor
	Limit       int
}

// ApplicationNone selects the events that no application owns.
const ApplicationNone = "none"

// List returns events in the order of the log.
func (e *Events) List(ctx context.Context, key *gateway.APIKey, q EventQuery) (Page, error) {
	f := store.EventFilter{Types: q.Types, Person: q.Person, Upto: e.Projected(), Limit: q.Limit}
	if q.After != "" {
		var ok bool
		if f.After, ok = ParseCursor(q.After); !ok {
			return Page{}, gateway.Invalid("after", "%q is not a cursor", q.After)
		}
	}
	for _, t := range q.Types {
		if !slices.Contains(gateway.EventTypes(), t) {
			return Page{}, gateway.Invalid("type", "%q is not a type of event", t)
		}
	}
	switch {
	case q.Application == ApplicationNone:
		if key.Limited() {
			return Page{}, gateway.Errorf(gateway.CodeForbidden, "this key is limited to some applications").WithField("application")
		}
		f.Applications, f.Internal = []string{""}, true
	case q.Application != "":
		if !key.AllowsApplication(q.Application) {
			return Page{}, gateway.Errorf(gateway.CodeForbidden, "this key may not see application %s", q.Application).WithField("application")
		}
		f.Applications = []string{q.Application}
	default:
		var err error
		if f.Applications, err = narrowed(key, nil); err != nil {
			return Page{}, err
		}
	}
	events, err := e.Store.ListEvents(ctx, f)
	if err != nil {
		return Page{}, err
	}
	after := f.After
	if n := len(events); n > 0 {
		after = events[n-1].Pos
	}
	page, err := e.publish(ctx, events)
	return Page{page, Cursor(after)}, err
}

// RetryParked has the deliveries of a forward subscription that wait for their next try tried now.
func (e *Events) RetryParked(ctx context.Context, sub *gateway.Subscription) error {
	if !sub.Pushed() {
		return gateway.Invalid("id", "subscription %s is not a forward subscription", sub.ID)
	}
	_, err := e.Store.RetryDeliveries(ctx, sub.ID)
	return err
}

// Deliveries returns the deliveries of a forward subscription, the newest event first, and the
// cursor of the next page, empty after the last.
func (e *Events) Deliveries(ctx context.Context, sub *gateway.Subscription, status gateway.DeliveryStatus, before string, limit int) ([]*gateway.Delivery, string, error) {
	f := store.DeliveryFilter{Subscription: sub.ID, Status: status, Limit: limit}
	if before != "" {
		var ok bool
		if f.Before, ok = ParseCursor(before); !ok {
			return nil, "", gateway.Invalid("before", "%q is not a cursor", before)
		}
	}
	list, err := e.Store.ListDeliveries(ctx, f)
	if err != nil || len(list) < limit {
		return list, "", err
	}
	return list, Cursor(list[len(list)-1].Pos), nil
}

// ReplayFrom delivers again everything from a moment (RFC 3339), an event's id, or "earliest".
func (e *Events) ReplayFrom(ctx context.Context, sub *gateway.Subscription, from string) (*gateway.Subscription, error) {
	var pos int64
	if event, ok := gateway.EventPos(from); ok {
		pos = event - 1
	} else if from != "earliest" {
		at, err := time.Parse(time.RFC3339, from)
		if err != nil {
			return nil, gateway.Invalid("from", "must be earliest, an event's id, or a time such as 2026-01-31T12:00:00Z")
		}
		if pos, err = e.Store.PositionAt(ctx, at); err != nil {
			return nil, err
		}
	}
	replayed, err := e.Vault.ReplayFrom(ctx, sub.ID, pos)
	if err != nil {
		return nil, err
	}
	return replayed, e.Directory.Refresh(ctx)
}

// ReplayEvent delivers one event again.
func (e *Events) ReplayEvent(ctx context.Context, sub *gateway.Subscription, id string) error {
	if !sub.Pushed() {
		return gateway.Invalid("event", "only a forward subscription delivers single events again; replay a pull subscription with from")
	}
	pos, ok := gateway.EventPos(id)
	if !ok {
		return gateway.Invalid("event", "%q is not an event's id", id)
	}
	event, err := e.Store.Event(ctx, pos)
	if gateway.CodeOf(err) == gateway.CodeNotFound || err == nil && !sub.Wants(event) {
		return gateway.Invalid("event", "there is no event %q for this subscription", id)
	}
	if err != nil {
		return err
	}
	return e.Store.ReplayEvent(ctx, sub.ID, event)
}

// Inbound returns a message or a tap from a person of an application, and the profile that the
// person has now; a not_found error when it is none that the key may see.
func (e *Events) Inbound(ctx context.Context, key *gateway.APIKey, application, id string) (event *gateway.Event, profile string, err error) {
	pos, ok := gateway.EventPos(id)
	if !ok || !key.AllowsApplication(application) {
		return nil, "", gateway.NotFound("inbound message", id)
	}
	event, err = e.Store.Event(ctx, pos)
	if gateway.CodeOf(err) == gateway.CodeNotFound || err == nil && (event.Application != application || !inbound(event)) {
		return nil, "", gateway.NotFound("inbound message", id)
	}
	if err != nil {
		return nil, "", err
	}
	profile, err = e.Store.ProfileOf(ctx, event.Application, event.Person)
	return event, profile, err
}

func inbound(e *gateway.Event) bool {
	return e.Type == gateway.EventMessageInbound || e.Type == gateway.EventPostback
}

// LastInbound returns the newest messages and taps from people of an application, newest first, up
// to a moment.
func (e *Events) LastInbound(ctx context.Context, key *gateway.APIKey, application string, persons []string, until time.Time, limit int) ([]*gateway.Event, error) {
	if !key.AllowsApplication(application) {
		return nil, gateway.NotFound("application", application)
	}
	return e.Store.LastInbound(ctx, application, persons, until, limit)
}
