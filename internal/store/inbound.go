package store

import (
	"context"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
)

// maxLookBack is how many events of the log LastInbound looks through.
const maxLookBack = 100_000

// LastInbound returns what persons of an application have written or tapped up to a moment, the
// newest first; the zero moment is now. It looks through the last 100,000 events before that
// moment.
func (s *Store) LastInbound(ctx context.Context, application string, persons []string, until time.Time, limit int) ([]*gateway.Event, error) {
	last := s.Head()
	if !until.IsZero() {
		var err error
		if last, err = s.PositionAt(ctx, until.Add(time.Millisecond)); err != nil {
			return nil, err
		}
	}
	args := []any{last, last - maxLookBack, application, string(gateway.EventMessageInbound), string(gateway.EventPostback)}
	for _, p := range persons {
		args = append(args, p)
	}
	rows, err := s.Query(ctx, events.selected+` WHERE pos <= ? AND pos > ? AND app = ? AND type IN (?, ?) AND person IN (`+Holes(len(persons))+`) ORDER BY pos DESC LIMIT ?`,
		append(args, limit)...)
	return Collect(rows, err, scanEvent)
}
