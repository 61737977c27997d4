package apisrv

import (
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/service"
)

// eventPage is gatewayapi.EventPage with the domain's publications, which are events as subscribers
// get them.
type eventPage struct {
	Events []gateway.Publication `json:"events"`
	Cursor string                `json:"cursor"`
}

func shownEvents(p service.Page) *eventPage {
	p.Events = orEmpty(p.Events)
	return (*eventPage)(&p)
}

func eventParams() []param {
	return []param{
		number("limit", 1, maxEventSize, eventSize, "Events at most."), text("after", "Cursor of the page before."),
		text("application", "Key of an application; `none` for the events that no application owns."), list("type", "Types of events.", words(gateway.EventTypes())...),
		text("fbMessengerId", "Id of a person."),
	}
}

func (s *server) listEvents(q *request) (*eventPage, error) {
	if err := q.known(eventParams()); err != nil {
		return nil, err
	}
	limit, err := q.limit(eventSize, maxEventSize)
	if err != nil {
		return nil, err
	}
	query := q.URL.Query()
	f := service.EventQuery{Application: query.Get("application"), Person: query.Get("fbMessengerId"), After: query.Get("after"), Limit: limit}
	for _, name := range q.list("type") {
		f.Types = append(f.Types, gateway.EventType(name))
	}
	page, err := s.o.Events.List(q.Context(), q.Key, f)
	if err != nil {
		return nil, err
	}
	return shownEvents(page), nil
}

func pullParams() []param {
	return []param{
		number("limit", 1, maxEventSize, eventSize, "Events at most."), seconds("wait", service.MaxPullWait.Seconds(), "Seconds to wait for the first event."),
		text("after", "Cursor to read on after, ahead of what is acknowledged."),
	}
}

func (s *server) pullEvents(q *request) (*eventPage, error) {
	if err := q.known(pullParams()); err != nil {
		return nil, err
	}
	limit, err := q.limit(eventSize, maxEventSize)
	if err != nil {
		return nil, err
	}
	wait, err := waitOf(q.URL.Query().Get("wait"))
	if err != nil {
		return nil, err
	}
	sub, err := s.o.Subscriptions.Get(q.Context(), q.Key, q.PathValue("id"))
	if err != nil {
		return nil, err
	}
	// The server's write timeout must not end a wait that was asked for.
	page, err := s.o.Events.Pull(q.Context(), sub, q.URL.Query().Get("after"), limit, wait)
	if err != nil {
		return nil, err
	}
	return shownEvents(page), nil
}

// waitOf reads seconds, with or without a unit.
func waitOf(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	wait, err := time.ParseDuration(text)
	if seconds, numberErr := strconv.ParseFloat(text, 64); numberErr == nil && !math.IsNaN(seconds) && math.Abs(seconds) < 1e6 {
		wait, err = time.Duration(seconds*float64(time.Second)), nil
	}
	if err != nil || wait < 0 || wait > service.MaxPullWait {
		return 0, gateway.Invalid("wait", "must be seconds from 0 to %d", int(service.MaxPullWait.Seconds()))
	}
	return wait, nil
}

func (s *server) acknowledge(q *request, in *gatewayapi.AckRequest) (*gatewayapi.AckResult, error) {
	if in.Cursor == "" {
		return nil, gateway.Invalid("cursor", "must be the cursor of a pull")
	}
	sub, err := s.o.Subscriptions.Get(q.Context(), q.Key, q.PathValue("id"))
	if err != nil {
		return nil, err
	}
	acked, err := s.o.Events.Acknowledge(q.Context(), sub, in.Cursor)
	if err != nil {
		return nil, err
	}
	return &gatewayapi.AckResult{Cursor: acked}, nil
}

func deliveryParams() []param {
	return append(pageParams(), choice("status", "State of the deliveries.", words(deliveryStates())...))
}

func deliveryStates() []gateway.DeliveryStatus {
	return []gateway.DeliveryStatus{gateway.DeliveryPending, gateway.DeliveryWaiting, gateway.DeliveryDelivered, gateway.DeliveryDead}
}

func (s *server) listDeliveries(q *request) (*gatewayapi.DeliveryPage, error) {
	if err := q.known(deliveryParams()); err != nil {
		return nil, err
	}
	limit, err := q.limit(pageSize, maxPageSize)
	if err != nil {
		return nil, err
	}
	status, before := gateway.DeliveryStatus(q.URL.Query().Get("status")), q.URL.Query().Get("cursor")
	if status != "" && !slices.Contains(deliveryStates(), status) {
		return nil, gateway.Invalid("status", "%q is not a state of a delivery", status)
	}
	if _, ok := service.ParseCursor(before); before != "" && !ok {
		return nil, gateway.Invalid("cursor", "%q is not a cursor", before)
	}
	sub, err := s.o.Subscriptions.Get(q.Context(), q.Key, q.PathValue("id"))
	if err != nil {
		return nil, err
	}
	deliveries, next, err := s.o.Events.Deliveries(q.Context(), sub, status, before, limit)
	if err != nil {
		return nil, err
	}
	page := gatewayapi.DeliveryPage{Deliveries: []gatewayapi.Delivery{}, Cursor: next}
	for _, d := range deliveries {
		page.Deliveries = append(page.Deliveries, wireDelivery(d))
	}
	return &page, nil
}

func wireDelivery(d *gateway.Delivery) gatewayapi.Delivery {
	out := gatewayapi.Delivery{
		Event: gateway.EventID(d.Pos), Subscription: d.Subscription, Application: d.Lane.Application, Status: d.Status, Tries: len(d.Attempts),
		NextAt: gatewayapi.At(d.DueAt), CreatedAt: gatewayapi.At(d.CreatedAt), UpdatedAt: gatewayapi.At(d.UpdatedAt), Attempts: []gatewayapi.DeliveryAttempt{},
	}
	for _, a := range d.Attempts {
		out.Attempts = append(out.Attempts, gatewayapi.DeliveryAttempt{StartedAt: gatewayapi.At(a.At), DurationMs: a.DurationMS, Status: a.Status, Error: a.Error})
	}
	return out
}

func (s *server) replay(q *request, in *gatewayapi.ReplayRequest) error {
	given := 0
	for _, is := range []bool{in.From != "", in.Event != "", in.Parked} {
		if is {
			given++
		}
	}
	if given != 1 {
		return gateway.Invalid("from", "give one of from, event and parked")
	}
	sub, err := s.o.Subscriptions.Get(q.Context(), q.Key, q.PathValue("id"))
	if err != nil {
		return err
	}
	switch {
	case in.Parked:
		err = s.o.Events.RetryParked(q.Context(), sub)
	case in.Event != "":
		err = s.o.Events.ReplayEvent(q.Context(), sub, in.Event)
	default:
		_, err = s.o.Events.ReplayFrom(q.Context(), sub, in.From)
	}
	if err != nil {
		return err
	}
	return nil
}
