package graphemu

import "sync"

// change tells the chat page what to ask for again.
type change struct {
	Type   string `json:"type"` // pages, thread, webhook, call, idle, reset
	Page   string `json:"page,omitempty"`
	Person string `json:"person,omitempty"`
}

// hub passes changes on to the chat pages that are open. It is safe for concurrent use.
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

// send never blocks: a page that cannot keep up is cut off, and asks for everything again when
// it reconnects.
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
