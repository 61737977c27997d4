package graphemu

import (
	"context"
	"errors"
	"fmt"
)

// WaitThread waits until the messages of a thread satisfy done, and returns
// them. It looks again after every change, and returns the context's error when
// that ends first.
func (s *Server) WaitThread(ctx context.Context, pageID, psid string, done func([]ThreadMessage) bool) ([]ThreadMessage, error) {
	var messages []ThreadMessage
	s.init()
	err := s.world.await(ctx, func() (bool, error) {
		var err error
		messages, err = s.Thread(pageID, psid)
		return err == nil && done(messages), err
	})
	return messages, err
}

// WaitWebhooks waits until the delivery attempts so far satisfy done, and
// returns them, as [Server.Webhooks] does.
func (s *Server) WaitWebhooks(ctx context.Context, done func([]WebhookAttempt) bool) ([]WebhookAttempt, error) {
	var attempts []WebhookAttempt
	s.init()
	err := s.world.await(ctx, func() (bool, error) {
		attempts = s.Webhooks(0)
		return done(attempts), nil
	})
	return attempts, err
}

// WaitIdle waits until no webhook is under way or waiting to be sent again, and
// no message waits to be delivered to a person who is online.
func (s *Server) WaitIdle(ctx context.Context) error {
	s.init()
	return s.world.await(ctx, func() (bool, error) { return s.world.idle(), nil })
}

// await checks now and after every change, until check returns true or an error.
func (w *world) await(ctx context.Context, check func() (bool, error)) error {
	for {
		ch := w.changes.subscribe()
		if ch == nil {
			return errors.New("wait for the emulator: it is closed")
		}
		for open := true; open; {
			ok, err := check()
			if ok || err != nil {
				w.changes.leave(ch)
				return err
			}
			select {
			case _, open = <-ch:
			case <-ctx.Done():
				w.changes.leave(ch)
				return fmt.Errorf("wait for the emulator: %w", ctx.Err())
			}
		}
	}
}
