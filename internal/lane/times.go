package lane

import (
	"container/heap"
	"time"
)

// wakeup is a lane or a line that waits for a time.
type wakeup[K comparable, J any] struct {
	at   time.Time
	pos  int // in the heap, from 1; 0 for not in it
	lane *lane[K, J]
	line *line[K, J]
}

// wakeups is a heap of them, the earliest first.
type wakeups[K comparable, J any] []*wakeup[K, J]

func (w wakeups[K, J]) Len() int           { return len(w) }
func (w wakeups[K, J]) Less(i, j int) bool { return w[i].at.Before(w[j].at) }
func (w wakeups[K, J]) Swap(i, j int) {
	w[i], w[j] = w[j], w[i]
	w[i].pos, w[j].pos = i+1, j+1
}

// Push adds a *wakeup, as container/heap asks for it.
func (w *wakeups[K, J]) Push(x any) {
	u := x.(*wakeup[K, J])
	*w = append(*w, u)
	u.pos = len(*w)
}

// Pop takes the last off, as container/heap asks for it.
func (w *wakeups[K, J]) Pop() any {
	n := len(*w) - 1
	u := (*w)[n]
	(*w)[n], *w = nil, (*w)[:n]
	u.pos = 0
	return u
}

// at sets a wakeup that is not set.
func (s *Scheduler[K, J]) at(u *wakeup[K, J], at time.Time) {
	u.at = at
	heap.Push(&s.times, u)
	s.arm()
}

// unset takes a wakeup back. The timer may fire for nothing then.
func (s *Scheduler[K, J]) unset(u *wakeup[K, J]) {
	if u.pos > 0 {
		heap.Remove(&s.times, u.pos-1)
	}
}

// arm sets the timer for the first wakeup, unless it fires before.
func (s *Scheduler[K, J]) arm() {
	if len(s.times) == 0 || s.stopped {
		return
	}
	first := s.times[0].at
	if !s.armed.IsZero() && !first.Before(s.armed) {
		return
	}
	s.armed = first
	wait := max(0, first.Sub(s.o.Now()))
	if s.timer == nil {
		s.timer = time.AfterFunc(wait, s.fire)
		return
	}
	s.timer.Reset(wait)
}

// fire lets go on whose time has come.
func (s *Scheduler[K, J]) fire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.armed = time.Time{}
	now := s.o.Now()
	for len(s.times) > 0 && !s.stopped && !s.times[0].at.After(now) {
		u := heap.Pop(&s.times).(*wakeup[K, J])
		if u.lane != nil {
			s.enter(u.lane)
		} else {
			s.serve(u.line)
		}
	}
	s.arm()
}
