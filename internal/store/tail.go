package store

import (
	"context"
	"sync"
)

// tail keeps the newest items of a log in memory, so that readers near its end need not ask the
// database. It knows from which position on it is complete; where another node has committed in
// between, it starts anew from there.
type tail[T any] struct {
	maxItems, maxBytes int

	mu      sync.Mutex
	from    int64 // complete after this position
	head    int64 // up to this position
	items   []entry[T]
	bytes   int
	changed chan struct{} // closed when head moves
}

type entry[T any] struct {
	pos  int64
	size int
	item T
}

func newTail[T any](maxItems, maxBytes int) *tail[T] {
	return &tail[T]{maxItems: maxItems, maxBytes: maxBytes, changed: make(chan struct{})}
}

func (t *tail[T]) start(head int64) { t.from, t.head = head, head }

// publish adds what a commit appended: the positions after before up to head, of which items are
// those of this log.
func (t *tail[T]) publish(before, head int64, items []entry[T]) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if head <= t.head {
		return
	}
	if before != t.head {
		t.from, t.bytes = before, 0
		clear(t.items)
		t.items = t.items[:0]
	}
	for _, e := range items {
		t.items = append(t.items, e)
		t.bytes += e.size
	}
	drop := 0
	for drop < len(t.items) && (len(t.items)-drop > t.maxItems || t.bytes > t.maxBytes) {
		t.from = t.items[drop].pos
		t.bytes -= t.items[drop].size
		drop++
	}
	if drop > 0 {
		clear(t.items[:drop])
		t.items = t.items[drop:]
	}
	t.head = head
	close(t.changed)
	t.changed = make(chan struct{})
}

// read returns up to limit items after a position, and the position up to which they are all there
// is; false when the tail does not reach back that far.
func (t *tail[T]) read(after int64, limit int) (items []T, upto int64, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if after < t.from {
		return nil, 0, false
	}
	lo, hi := 0, len(t.items)
	for lo < hi {
		mid := (lo + hi) / 2
		if t.items[mid].pos <= after {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	upto = max(t.head, after) // the database may have told of a commit that is not published yet
	end := len(t.items)
	if end-lo > limit {
		end = lo + limit
		upto = t.items[end-1].pos
	}
	items = make([]T, 0, end-lo)
	for _, e := range t.items[lo:end] {
		items = append(items, e.item)
	}
	return items, upto, true
}

// forget drops all items: readers find them in the database.
func (t *tail[T]) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.from, t.bytes = t.head, 0
	clear(t.items)
	t.items = t.items[:0]
}

// position is the head, and a channel that is closed when it moves.
func (t *tail[T]) position() (int64, <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.head, t.changed
}

// wait returns once the head is after the position, or with the context's error.
func (t *tail[T]) wait(ctx context.Context, after int64) error {
	for {
		head, changed := t.position()
		if head > after {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// anyAfter reports whether an item after a position fits. A tail that does not reach back that far
// cannot tell, and returns true.
func (t *tail[T]) anyAfter(after int64, fits func(T) bool) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if after < t.from {
		return true
	}
	for i := len(t.items) - 1; i >= 0 && t.items[i].pos > after; i-- {
		if fits(t.items[i].item) {
			return true
		}
	}
	return false
}
