package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
)

// AppendEvents commits the events of one webhook to the inbound log, all or none. Events that are
// there already keep Pos 0; for the others it is set.
func (s *Store) AppendEvents(ctx context.Context, events []*gateway.Event) error {
	return s.submit(ctx, &request{events: events})
}

// events is the inbound log.
var events = newTable("events",
	plain("pos", func(e *gateway.Event) *int64 { return &e.Pos }),
	plain("part", func(e *gateway.Event) *int { return &e.Partition }),
	plain("app", func(e *gateway.Event) *string { return &e.Application }),
	plain("page", func(e *gateway.Event) *string { return &e.PageID }),
	plain("person", func(e *gateway.Event) *string { return &e.Person }),
	plain("object", func(e *gateway.Event) *string { return &e.Object }),
	word("type", func(e *gateway.Event) *gateway.EventType { return &e.Type }),
	plain("channel", func(e *gateway.Event) *string { return &e.Channel }),
	plain("entry_time", func(e *gateway.Event) *int64 { return &e.EntryTime }),
	moment("received_at", func(e *gateway.Event) *time.Time { return &e.ReceivedAt }),
	written("dedup", func(e *gateway.Event) any { return e.Dedup }),
	blob("raw", func(e *gateway.Event) *json.RawMessage { return &e.Raw }),
	blob("data", func(e *gateway.Event) *json.RawMessage { return &e.Data }),
)

func scanEvent(rows *sql.Rows) (*gateway.Event, error) {
	var e gateway.Event
	if err := events.scan(rows, &e); err != nil {
		return nil, fmt.Errorf("read event: %w", err)
	}
	return &e, nil
}

// ReadEvents returns up to limit events after a position in order, and the position up to which
// they are all there is.
func (s *Store) ReadEvents(ctx context.Context, after int64, limit int) (found []*gateway.Event, upto int64, err error) {
	if found, upto, ok := s.events.read(after, limit); ok {
		return found, upto, nil
	}
	head, err := s.readHead(ctx)
	if err != nil {
		return nil, 0, err
	}
	rows, err := s.Query(ctx, events.selected+` WHERE pos > ? AND pos <= ? ORDER BY pos LIMIT ?`, after, head, limit)
	found, err = Collect(rows, err, scanEvent)
	if err != nil {
		return nil, 0, fmt.Errorf("read the log after %d: %w", after, err)
	}
	if len(found) == limit {
		head = found[limit-1].Pos
	}
	return found, head, nil
}

// Event returns one event by its position; a not_found error when it is not there or no longer.
func (s *Store) Event(ctx context.Context, pos int64) (*gateway.Event, error) {
	rows, err := s.Query(ctx, events.selected+` WHERE pos = ?`, pos)
	return One("event", gateway.EventID(pos), rows, err, scanEvent)
}

// EventsAt returns the events of some positions, in order. Those that are no longer kept are left
// out.
func (s *Store) EventsAt(ctx context.Context, positions []int64) ([]*gateway.Event, error) {
	var all []*gateway.Event
	for some := range slices.Chunk(slices.Sorted(slices.Values(positions)), listAtOnce) {
		args := make([]any, len(some))
		for i, pos := range some {
			args[i] = pos
		}
		rows, err := s.Query(ctx, events.selected+` WHERE pos IN (`+Holes(len(some))+`) ORDER BY pos`, args...)
		found, err := Collect(rows, err, scanEvent)
		if err != nil {
			return nil, fmt.Errorf("read events: %w", err)
		}
		all = append(all, found...)
	}
	return all, nil
}

// listAtOnce is how many rows are asked for by name in one statement.
const listAtOnce = 500

// EventFilter selects events for listing. Empty fields select all.
type EventFilter struct {
	Applications []string // keys; "" selects the events that no application owns
	Types        []gateway.EventType
	Person       string
	Internal     bool // the platform's receipts too
	After        int64
	Upto         int64 // 0 means the head
	Limit        int
}

// ListEvents returns events in order after a position.
func (s *Store) ListEvents(ctx context.Context, f EventFilter) ([]*gateway.Event, error) {
	where, args := []string{"pos > ?"}, []any{f.After}
	if f.Upto > 0 {
		where, args = append(where, "pos <= ?"), append(args, f.Upto)
	}
	if len(f.Applications) > 0 {
		where = append(where, "app IN ("+Holes(len(f.Applications))+")")
		for _, a := range f.Applications {
			args = append(args, a)
		}
	}
	if f.Person != "" {
		where, args = append(where, "person = ?"), append(args, f.Person)
	}
	types := f.Types
	if len(types) == 0 && !f.Internal {
		types = gateway.EventTypes()
	}
	if len(types) > 0 {
		where = append(where, "type IN ("+Holes(len(types))+")")
		for _, t := range types {
			args = append(args, string(t))
		}
	}
	args = append(args, f.Limit)
	rows, err := s.Query(ctx, events.selected+` WHERE `+strings.Join(where, " AND ")+` ORDER BY pos LIMIT ?`, args...)
	return Collect(rows, err, scanEvent)
}

// PositionAt returns the last position of the log before a moment: what came at it or later is
// after that position.
func (s *Store) PositionAt(ctx context.Context, at time.Time) (int64, error) {
	// received_at grows with pos but for the skew between nodes' clocks, so bisecting the positions
	// finds it without an index.
	var lo, hi int64
	if err := s.QueryRow(ctx, `SELECT COALESCE(MIN(pos), 0), COALESCE(MAX(pos), 0) FROM events`).Scan(&lo, &hi); err != nil {
		return 0, err
	}
	if hi == 0 {
		return s.readHead(ctx)
	}
	lo--
	for lo < hi {
		mid := lo + (hi-lo)/2
		var pos, received int64
		err := s.QueryRow(ctx, `SELECT pos, received_at FROM events WHERE pos > ? ORDER BY pos LIMIT 1`, mid).Scan(&pos, &received)
		if err == sql.ErrNoRows {
			break
		}
		if err != nil {
			return 0, err
		}
		if received < at.UnixMilli() {
			lo = pos
		} else {
			hi = mid
		}
	}
	return lo, nil
}

// Head is the newest position of the logs that this node knows to be committed.
func (s *Store) Head() int64 {
	head, _ := s.events.position()
	return head
}

// HeadChanged returns the head and a channel that is closed when it moves.
func (s *Store) HeadChanged() (int64, <-chan struct{}) { return s.events.position() }

// followHead learns of commits by other nodes. Only a database that several nodes share needs it.
func (s *Store) followHead(ctx context.Context) {
	tick := time.NewTicker(headInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		asked, cancel := context.WithTimeout(ctx, headPatience)
		head, err := s.readHead(asked)
		cancel()
		if err != nil || head <= s.Head() {
			continue // the next read of the log will say what is wrong
		}
		s.outbox.publish(head, head, nil)
		s.events.publish(head, head, nil)
	}
}

// headPatience is for how long a node waits to learn of it, before it asks over another connection.
const headPatience = time.Second

// headInterval is how soon a node notices what others have committed.
const headInterval = 20 * time.Millisecond

// data is JSON that cannot fail to encode.
func data(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("encode %T: %v", v, err)) // the types are ours and hold nothing that JSON lacks
	}
	return b
}
