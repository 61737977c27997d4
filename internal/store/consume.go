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

const (
	consumeBatch = 512
	consumePause = 200 * time.Millisecond // after a failure
	// consumeTries is how often an event is tried by itself before the consumer goes on without it.
	// What the database refuses it refuses again: that is tried twice.
	consumeTries = 5
)

// Consumer reads the inbound log in order for the partitions this node works, and writes what
// follows from it, together with how far it has come.
//
// An event that it fails on again and again, although the database is well, is set aside: the
// others go on.
type Consumer struct {
	Name string
	// Handle looks at events in order and returns what is to be written because of them; nil for
	// nothing. What it returns may run more than once, and after a crash the same events may come
	// again: both must do no harm.
	Handle func(ctx context.Context, events []*gateway.Event) (func(*Tx) error, error)
	// After is called with events whose consequences are committed; nil for no call.
	After func(events []*gateway.Event)

	reader  *Reader
	place   atomic.Pointer[consumePlace]
	retries chan *consumeRetry
}

// consumePlace is how far a consumer has come in the partitions that it works under these epochs.
type consumePlace struct {
	epochs map[int]int64 // never changed
	pos    int64
}

// consumeRetry is an event that was set aside and is to be dealt with now.
type consumeRetry struct {
	event *gateway.Event
	done  chan error
}

// Covers returns up to where the consumer has dealt with every event of partitions that this node
// holds under the epochs given; 0 when it does not work one of them yet.
func (c *Consumer) Covers(epochs map[int]int64) int64 {
	place := c.place.Load()
	if place == nil {
		return 0
	}
	for part, epoch := range epochs {
		if place.epochs[part] != epoch {
			return 0
		}
	}
	return place.pos
}

func (c *Consumer) moved(cursor *Cursor) {
	low := cursor.Low()
	c.reader.position.Store(low)
	c.place.Store(&consumePlace{cursor.epoch, low})
}

// Consume runs the consumer until ctx ends.
func (s *Store) Consume(ctx context.Context, c *Consumer) {
	health := s.Reader(c.Name)
	cursor := health.Cursor()
	c.reader, c.retries = health, make(chan *consumeRetry)
	health.OnRetry(func(asked context.Context, e *gateway.Event) error { return c.again(asked, ctx, e) })
	for ctx.Err() == nil {
		err := s.consumeSome(ctx, c, cursor)
		if err != nil && !Passing(err) && ctx.Err() == nil {
			s.log.Warn("consume events", "consumer", c.Name, "err", err)
			err = s.consumeEach(ctx, c, cursor)
		}
		if err == nil {
			health.Went()
			continue
		}
		if ctx.Err() != nil {
			break
		}
		health.Failed()
		s.log.Warn("consume events", "consumer", c.Name, "err", err)
		cursor.Reset()
		wait(ctx, consumePause)
	}
	// What was read since the last save is read again after the next start; saving it is a
	// courtesy.
	final, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	s.Write(final, func(tx *Tx) error { return cursor.saveOrUndo(tx, 0) })
}

func (s *Store) consumeSome(ctx context.Context, c *Consumer, cursor *Cursor) error {
	select {
	case r := <-c.retries:
		r.done <- s.consumeRetried(ctx, c, r.event)
	default:
	}
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
		c.moved(cursor)
		unsaved := make(<-chan time.Time) // never, when the database knows the position
		if cursor.Unsaved() {
			unsaved = time.After(cursorInterval)
		}
		select {
		case <-headMoved:
		case <-leasesMoved:
		case r := <-c.retries:
			r.done <- s.consumeRetried(ctx, c, r.event)
		case <-unsaved:
			return s.Write(ctx, func(tx *Tx) error { return cursor.saveOrUndo(tx, 0) })
		case <-ctx.Done():
		}
		return nil
	}
	return s.consumeEvents(ctx, c, cursor, events, upto)
}

// consumeEvents deals with events, and moves the cursor to upto in the same commit.
func (s *Store) consumeEvents(ctx context.Context, c *Consumer, cursor *Cursor, events []*gateway.Event, upto int64) error {
	write, err := c.handle(ctx, events)
	if err != nil {
		return fmt.Errorf("handle events up to %d: %w", upto, err)
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
	c.moved(cursor)
	if c.After != nil {
		c.After(events)
	}
	return nil
}

func (c *Consumer) handle(ctx context.Context, events []*gateway.Event) (write func(*Tx) error, err error) {
	defer recovered(&err)
	return c.Handle(ctx, events)
}

// consumeEach deals with the next batch event by event, after it failed as a whole, and sets aside
// what fails by itself.
func (s *Store) consumeEach(ctx context.Context, c *Consumer, cursor *Cursor) error {
	cursor.Reset()
	if err := cursor.Sync(ctx, 0); err != nil {
		return err
	}
	events, upto, err := cursor.Read(ctx, consumeBatch, 0)
	if err != nil {
		return err
	}
	for _, e := range events {
		if err := s.consumeOne(ctx, c, cursor, e); err != nil {
			return err
		}
	}
	cursor.Done(upto)
	c.moved(cursor)
	return nil
}

// consumeOne deals with one event, or sets it aside. It fails only for what has nothing to do with
// the event.
func (s *Store) consumeOne(ctx context.Context, c *Consumer, cursor *Cursor, e *gateway.Event) error {
	for failures := 1; ; failures++ {
		err := s.consumeEvents(ctx, c, cursor, []*gateway.Event{e}, e.Pos)
		switch {
		case err == nil, Passing(err):
			return err
		case failures >= consumeTries || failures > 1 && ofData(err):
			err = s.Write(ctx, func(tx *Tx) error {
				if err := tx.SetAside(c.Name, e, err.Error(), failures); err != nil {
					return err
				}
				return cursor.saveOrUndo(tx, e.Pos)
			})
			if err == nil {
				cursor.Done(e.Pos)
			}
			return err
		case !ofData(err):
			wait(ctx, consumePause)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// again has the consumer deal with an event that it had set aside, in the goroutine in which it
// deals with all.
func (c *Consumer) again(asked, running context.Context, e *gateway.Event) error {
	r := &consumeRetry{event: e, done: make(chan error, 1)}
	select {
	case c.retries <- r:
	case <-asked.Done():
		return context.Cause(asked)
	case <-running.Done():
		return gateway.Errorf(gateway.CodeShuttingDown, "the gateway is stopping")
	}
	return <-r.done
}

func (s *Store) consumeRetried(ctx context.Context, c *Consumer, e *gateway.Event) error {
	events := []*gateway.Event{e}
	write, err := c.handle(ctx, events)
	if err == nil && write != nil {
		err = s.Write(ctx, write)
	}
	if err == nil && c.After != nil {
		c.After(events)
	}
	return err
}

func (c *Cursor) saveOrUndo(tx *Tx, upto int64) error {
	ok, err := c.Save(tx, upto)
	if err == nil && !ok {
		err = errLeaseLost
	}
	return err
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
