package store

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
)

// errLeaseLost undoes a consumer's write when another node has taken one of its partitions.
var errLeaseLost = errors.New("a partition was taken over by another node")

const consumeBatch = 512

// Consumer reads the inbound log in order for the partitions this node works, and writes what follows from it, together with how far it has come.
type Consumer struct {
	Name string
	// Handle looks at events in order and answers what is to be written because of them; nil for nothing. What it answers may run more than once, and after
	// a crash the same events may come again: both must do no harm.
	Handle func(ctx context.Context, events []*gateway.Event) (func(*Tx) error, error)
	// After is called with events whose consequences are committed; nil for no call.
	After func(events []*gateway.Event)

	position atomic.Int64
}

// Position is up to where the consumer has dealt with every event of this node's partitions.
func (c *Consumer) Position() int64 { return c.position.Load() }

// Consume runs the consumer until ctx ends.
func (s *Store) Consume(ctx context.Context, c *Consumer) {
	cursor := s.NewCursor(c.Name)
	for ctx.Err() == nil {
		if err := s.consumeSome(ctx, c, cursor); err != nil && ctx.Err() == nil {
			s.log.Warn("consume events", "consumer", c.Name, "err", err)
			cursor.Reset()
			select {
			case <-time.After(200 * time.Millisecond):
			case <-ctx.Done():
			}
		}
	}
	// What was read since the last save is read again after the next start; saving it is a courtesy.
	final, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	s.Write(final, func(tx *Tx) error { return cursor.saveOrUndo(tx, 0) })
}

func (s *Store) consumeSome(ctx context.Context, c *Consumer, cursor *Cursor) error {
	_, headMoved := s.HeadChanged()
	_, leasesMoved := s.leases.Held()
	if err := cursor.Sync(ctx, 0); err != nil {
		return err
	}
	low := cursor.Low()
	events, upto, err := cursor.Read(ctx, consumeBatch, 0)
	if err != nil {
		return err
	}
	if upto <= low && len(events) == 0 {
		c.position.Store(low)
		unsaved := make(<-chan time.Time) // never, when the database knows the position
		if cursor.Unsaved() {
			unsaved = time.After(cursorInterval)
		}
		select {
		case <-headMoved:
		case <-leasesMoved:
		case <-unsaved:
			return s.Write(ctx, func(tx *Tx) error { return cursor.saveOrUndo(tx, 0) })
		case <-ctx.Done():
		}
		return nil
	}
	write, err := c.Handle(ctx, events)
	if err != nil {
		return fmt.Errorf("handle events after %d: %w", low, err)
	}
	if write != nil || cursor.Due() {
		err := s.Write(ctx, func(tx *Tx) error {
			if write != nil {
				if err := write(tx); err != nil {
					return err
				}
			}
			return cursor.saveOrUndo(tx, upto)
		})
		if err != nil {
			return err
		}
	}
	cursor.Done(upto)
	c.position.Store(cursor.Low())
	if c.After != nil {
		c.After(events)
	}
	return nil
}

func (c *Cursor) saveOrUndo(tx *Tx, upto int64) error {
	ok, err := c.Save(tx, upto)
	if err == nil && !ok {
		err = errLeaseLost
	}
	return err
}
