package forward

import (
	"context"
	"fmt"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/service"
	"github.com/chasqui/chasqui/internal/store"
)

// around is what formats and sinks may ask for.
type around struct {
	store     *store.Store
	directory *service.Directory
}

func (a around) Now() time.Time { return a.store.Now() }

func (a around) Profile(ctx context.Context, e *gateway.Event) (string, error) {
	profile, err := a.store.ProfileOf(ctx, e.Application, e.Person)
	if err != nil {
		return "", fmt.Errorf("find profile: %w", err)
	}
	return profile, nil
}

func (a around) Page(e *gateway.Event) string {
	if app := a.directory.Application(e.Application); app != nil {
		return app.PageID
	}
	return ""
}

func (a around) Newest(ctx context.Context, e *gateway.Event) (*gateway.Message, error) {
	newest, err := a.store.ListMessages(ctx, store.MessageFilter{Applications: []string{e.Application}, Person: e.Person, Limit: 1})
	if err != nil {
		return nil, fmt.Errorf("find the newest message: %w", err)
	}
	if len(newest) == 0 {
		return nil, nil
	}
	return newest[0], nil
}
