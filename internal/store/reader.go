package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
)

// Reader is one kind of reader of the inbound log on this node, such as the projector. Its cursors
// come from here, so that none can read without being in the register: events are kept until every
// reader has passed them, and readiness, metrics and what is set aside ask for all of them.
type Reader struct {
	Name string

	s            *Store
	position     atomic.Int64 // of this node's consumer
	shared       sharedPosition
	failingSince atomic.Int64 // nanoseconds since 1970 by this machine's clock; 0 while it gets on
	setAside     atomic.Int64
	retry        atomic.Pointer[func(context.Context, *gateway.Event) error]
}

// Reader returns the reader of a name, which comes into being when it is first asked for.
func (s *Store) Reader(name string) *Reader {
	s.readersMu.Lock()
	defer s.readersMu.Unlock()
	r := s.readers[name]
	if r == nil {
		r = &Reader{Name: name, s: s}
		s.readers[name] = r
	}
	return r
}

// Names of readers whose position others go by.
const (
	ReaderProjector   = "projector"   // profiles
	ReaderEntryPoints = "entrypoints" // how people come
)

// Position is up to which position of the log the reader has dealt with every event, on whichever
// node it is worked. On a shared database one caller at a time asks, at most every 20 ms; the
// others get what is known.
func (r *Reader) Position() int64 {
	if r.s.Exclusive() {
		return r.position.Load()
	}
	return r.shared.read(r.s, r.Name)
}

// sharedPosition is what is known of a reader's position on all nodes.
type sharedPosition struct {
	asking       sync.Mutex
	known, asked atomic.Int64
}

func (p *sharedPosition) read(s *Store, name string) int64 {
	now := time.Now().UnixNano()
	if now-p.asked.Load() < int64(20*time.Millisecond) || !p.asking.TryLock() {
		return p.known.Load()
	}
	defer p.asking.Unlock()
	p.asked.Store(now)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if low, err := s.CursorLow(ctx, name); err == nil && low > p.known.Load() {
		p.known.Store(low)
	}
	return p.known.Load()
}

// Readers returns all readers of this node, by name.
func (s *Store) Readers() []*Reader {
	s.readersMu.Lock()
	defer s.readersMu.Unlock()
	return slices.SortedFunc(maps.Values(s.readers), func(a, b *Reader) int { return strings.Compare(a.Name, b.Name) })
}

// Failed says that the reader could not go on.
func (r *Reader) Failed() { r.failingSince.CompareAndSwap(0, time.Now().UnixNano()) }

// Went says that the reader has gone on.
func (r *Reader) Went() {
	if r.failingSince.Load() != 0 {
		r.failingSince.Store(0)
	}
}

// Failing returns for how long the reader has not been able to go on; 0 when it gets on.
func (r *Reader) Failing() time.Duration {
	since := r.failingSince.Load()
	if since == 0 {
		return 0
	}
	return max(time.Since(time.Unix(0, since)), time.Nanosecond)
}

// SetAsideHere returns how many events the reader has set aside on this node since it started.
func (r *Reader) SetAsideHere() int64 { return r.setAside.Load() }

// OnRetry says how the reader is given an event anew that it went on without.
func (r *Reader) OnRetry(fn func(context.Context, *gateway.Event) error) { r.retry.Store(&fn) }

// errPanic is what a panic becomes, so that what causes it can be set aside.
var errPanic = errors.New("the program is at fault")

// recovered turns a panic into an error. It is to be deferred.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%w: %v\n%s", errPanic, p, debug.Stack())
	}
}
