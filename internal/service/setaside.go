package service

import (
	"context"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
)

// SetAsides lists the events that a reader of the log went on without, newest first: those of the
// applications that the key may see.
func (e *Events) SetAsides(ctx context.Context, key *gateway.APIKey, f store.SetAsideFilter) ([]store.SetAside, error) {
	var err error
	if f.Applications, err = narrowed(key, f.Applications); err != nil {
		return nil, err
	}
	return e.Store.SetAsides(ctx, f)
}

// RetrySetAside gives a reader an event anew. An error says that it failed again, and the event
// stays set aside.
func (e *Events) RetrySetAside(ctx context.Context, key *gateway.APIKey, id, reader string) error {
	pos, ok := gateway.EventPos(id)
	if !ok {
		return gateway.NotFound("event", id)
	}
	event, err := e.Store.Event(ctx, pos)
	if err != nil {
		return err
	}
	if key.Limited() && !key.AllowsApplication(event.Application) {
		return gateway.NotFound("event", id)
	}
	err = e.Store.RetrySetAside(ctx, reader, pos)
	if gateway.CodeOf(err) == gateway.CodeInternal {
		return gateway.Errorf(gateway.CodeConflict, "the event failed again; it stays set aside").WithCause(err)
	}
	return err
}
