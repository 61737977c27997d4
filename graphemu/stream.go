package graphemu

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// change tells the chat page that something is worth asking for again.
type change struct {
	Type   string `json:"type"` // pages, thread, webhook, call, idle, reset
	Page   string `json:"page,omitempty"`
	Person string `json:"person,omitempty"`
}

// hub hands changes to the chat pages that are open.
type hub struct {
	mu     sync.Mutex
	subs   map[chan change]bool
	closed bool
}

func (h *hub) subscribe() chan change {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil
	}
	if h.subs == nil {
		h.subs = map[chan change]bool{}
	}
	ch := make(chan change, 256)
	h.subs[ch] = true
	return ch
}

func (h *hub) leave(ch chan change) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.subs[ch] {
		delete(h.subs, ch)
		close(ch)
	}
}

// send never waits: a page that cannot follow is cut off and asks for
// everything anew when it connects again.
func (h *hub) send(c change) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for ch := range h.subs {
		select {
		case ch <- c:
		default:
			delete(h.subs, ch)
			close(ch)
		}
	}
}

func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for ch := range h.subs {
		delete(h.subs, ch)
		close(ch)
	}
}

func (s *Server) announce(c change) { s.hub.send(c) }

func (s *Server) announceThread(page *pageState, p *personState) {
	s.announce(change{Type: "thread", Page: page.ID, Person: p.ID})
}

// serveStream is the server-sent events of the chat page.
func (s *Server) serveStream(w http.ResponseWriter, r *http.Request) {
	ch := s.hub.subscribe()
	if ch == nil {
		http.Error(w, "the emulator is closing", http.StatusServiceUnavailable)
		return
	}
	defer s.hub.leave(ch)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	flush := http.NewResponseController(w)
	fmt.Fprint(w, "retry: 1000\n\n")
	ping := time.NewTicker(15 * time.Second)
	defer ping.Stop()
	for {
		if flush.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-ping.C:
			fmt.Fprint(w, ": ping\n\n")
		case c, open := <-ch:
			if !open {
				return
			}
			b, err := json.Marshal(c)
			if err != nil {
				return
			}
			fmt.Fprintf(w, "data: %s\n\n", b)
		}
	}
}

// WaitThread waits until the messages of a thread satisfy done, and returns
// them. It looks again after every change, and returns the context's error when
// that ends first.
func (s *Server) WaitThread(ctx context.Context, pageID, psid string, done func([]ThreadMessage) bool) ([]ThreadMessage, error) {
	var messages []ThreadMessage
	err := s.await(ctx, func() (bool, error) {
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
	err := s.await(ctx, func() (bool, error) {
		attempts = s.Webhooks(0)
		return done(attempts), nil
	})
	return attempts, err
}

// await checks now and after every change.
func (s *Server) await(ctx context.Context, check func() (bool, error)) error {
	s.init()
	for {
		ch := s.hub.subscribe()
		if ch == nil {
			return errors.New("wait for the emulator: it is closed")
		}
		for open := true; open; {
			ok, err := check()
			if ok || err != nil {
				s.hub.leave(ch)
				return err
			}
			select {
			case _, open = <-ch:
			case <-ctx.Done():
				s.hub.leave(ch)
				return fmt.Errorf("wait for the emulator: %w", ctx.Err())
			}
		}
	}
}
