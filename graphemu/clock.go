package graphemu

import (
	"context"
	"slices"
	"sync"
	"time"
)

// clock is the emulator's time, which may be shifted against real time. Timers follow it. It is
// safe for concurrent use.
type clock struct {
	base func() time.Time // the real time; nil means time.Now

	mu     sync.Mutex
	offset time.Duration
	dated  bool // a date was set: the rules of that day hold
	timers []*timer
	made   int
	real   *time.Timer // fires with the earliest timer
	closed bool
}

// timer is a function to be called at a moment of the emulator's time.
type timer struct {
	at    time.Time
	order int
	f     func()
	clock *clock
}

// now returns the emulator's time.
func (c *clock) now() time.Time {
	offset := c.moved()
	if c.base != nil {
		return c.base().Add(offset).UTC()
	}
	return time.Now().Add(offset).UTC()
}

// moved returns how far the emulator's time is ahead of the real time.
func (c *clock) moved() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.offset
}

func (c *clock) isDated() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dated
}

// after calls f once d has passed, in a goroutine of its own.
func (c *clock) after(d time.Duration, f func()) *timer {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.made++
	t := &timer{time.Now().Add(c.offset + d), c.made, f, c}
	i, _ := slices.BinarySearchFunc(c.timers, t, func(a, b *timer) int {
		if n := a.at.Compare(b.at); n != 0 {
			return n
		}
		return a.order - b.order
	})
	c.timers = slices.Insert(c.timers, i, t)
	if i == 0 {
		c.arm()
	}
	return t
}

// stop reports whether the timer was kept from firing.
func (t *timer) stop() bool {
	c := t.clock
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.Index(c.timers, t)
	if i < 0 {
		return false
	}
	c.timers = slices.Delete(c.timers, i, i+1)
	return true
}

// arm sets the real timer to the earliest timer. The lock is held.
func (c *clock) arm() {
	if c.real != nil {
		c.real.Stop()
	}
	if len(c.timers) == 0 || c.closed {
		return
	}
	c.real = time.AfterFunc(time.Until(c.timers[0].at.Add(-c.offset)), c.fire)
}

// fire calls what is due, the earliest first.
func (c *clock) fire() {
	c.mu.Lock()
	now := time.Now().Add(c.offset)
	n := 0
	for n < len(c.timers) && !c.timers[n].at.After(now) {
		n++
	}
	due := slices.Clone(c.timers[:n])
	c.timers = slices.Delete(c.timers, 0, n)
	c.arm()
	c.mu.Unlock()
	for _, t := range due {
		t.f()
	}
}

// move shifts the clock and calls what becomes due.
func (c *clock) move(by time.Duration, dated bool) {
	c.mu.Lock()
	c.offset += by
	c.dated = c.dated || dated
	c.mu.Unlock()
	c.fire()
}

// restore sets the clock as it was when a state was saved. No timer fires because of it.
func (c *clock) restore(offset time.Duration, dated bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset, c.dated = offset, dated
	c.arm()
}

// undate ends the rule of a date.
func (c *clock) undate() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dated = false
}

// close stops all timers.
func (c *clock) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	if c.real != nil {
		c.real.Stop()
	}
}

// sleep waits until d has passed on the emulator's clock. It returns false when the context
// ends first.
func (c *clock) sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	done := make(chan struct{})
	t := c.after(d, func() { close(done) })
	select {
	case <-done:
		return true
	case <-ctx.Done():
		t.stop()
		return false
	}
}

// Time returns the emulator's time. Windows, receipts, retries, schedules and
// expiries all follow it.
func (s *Server) Time() time.Time {
	s.init()
	return s.world.clock.now()
}

// Advance moves the clock forward and does what becomes due.
func (s *Server) Advance(d time.Duration) {
	s.init()
	s.world.advance(d)
}

// SetTime sets the clock, which runs on from there. Until [Server.ResetTime] the rules of that
// date apply to every version of the Graph API, and the rate limits are enforced.
func (s *Server) SetTime(t time.Time) {
	s.init()
	s.world.setTime(t)
}

// ResetTime returns to real time, and to the rules of the version that a call names.
func (s *Server) ResetTime() {
	s.init()
	s.world.resetTime()
}
