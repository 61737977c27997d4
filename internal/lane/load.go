package lane

import "time"

// readPause is how long a read that failed waits before it is tried again.
const readPause = 200 * time.Millisecond

// Spill notes that jobs of an owner from a position on are in the source, and are to be done.
func (s *Scheduler[K, J]) Spill(owner string, from int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spill(s.owner(owner), from)
}

// SpillAll is Spill for what left returns, by owner. It is called with the scheduler locked, so
// that what it changes for Admit holds from the moment on from which the jobs are left to the
// source.
func (s *Scheduler[K, J]) SpillAll(left func() map[string]int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for owner, from := range left() {
		s.spill(s.owner(owner), from)
	}
}

func (s *Scheduler[K, J]) spill(o *owner[K, J], from int64) {
	o.spilled = lower(o.spilled, from)
	s.refill(o)
}

// refill reads what is left of an owner, once half of its room is free.
func (s *Scheduler[K, J]) refill(o *owner[K, J]) {
	if o.spilled == 0 || o.loading || s.stopped || o.rows >= (s.o.PerOwner+1)/2 {
		return
	}
	o.loading = true
	s.work.Go(func() {
		for s.loadSome(o) {
		}
	})
}

// loadSome reads one batch of an owner; false when there is no more to read, or no room.
func (s *Scheduler[K, J]) loadSome(o *owner[K, J]) (more bool) {
	s.mu.Lock()
	from := o.spilled
	if from == 0 || s.full(o) || s.stopped {
		o.loading = false
		s.mu.Unlock()
		return false
	}
	o.spilled, o.reading = 0, from
	s.mu.Unlock()

	jobs, next, err := s.o.Source.Owner(s.ctx, o.name, from, s.o.Batch)
	s.mu.Lock()
	skipped := o.spilled // a job that came meanwhile, and is or is not among those read
	o.reading = 0
	switch {
	case err != nil:
		o.spilled = lower(skipped, from)
		s.mu.Unlock()
		s.failed("read jobs of "+o.name, err)
		return true
	case skipped != 0 && skipped < from: // older ones go first
		s.mu.Unlock()
		return true
	}
	defer s.mu.Unlock()
	o.spilled = 0
	for _, j := range jobs {
		if s.full(o) {
			next = s.o.Order(j.Job)
			break
		}
		s.admit(j.Key, j.Job, true)
	}
	o.spilled = lower(o.spilled, lower(next, skipped))
	return true
}

// loadLane reads the next jobs of a lane that has none in memory.
func (s *Scheduler[K, J]) loadLane(l *lane[K, J]) {
	from := l.spilled
	l.state, l.spilled, l.reading = busy, 0, from
	limit := min(s.o.PerLane, max(1, s.o.PerOwner-l.owner.rows))
	if s.stopped {
		return
	}
	s.work.Go(func() {
		jobs, next, err := s.o.Source.Lane(s.ctx, l.key, from, limit)
		for err != nil && s.ctx.Err() == nil {
			s.failed("read jobs of a lane", err)
			jobs, next, err = s.o.Source.Lane(s.ctx, l.key, from, limit)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		l.state, l.reading = idle, 0
		if err != nil {
			l.state, l.spilled = halted, lower(l.spilled, from)
			return
		}
		l.spilled = lower(l.spilled, next)
		for _, j := range jobs {
			switch a := s.admission(l.key, j); {
			case a == Elsewhere:
				s.discard(l)
				s.forget(l)
				return
			case a == Take && s.find(l, s.o.Order(j)) < 0:
				s.arrange(l, j)
			}
		}
		s.settle(l)
	})
}

// arrange inserts a job by its order into a lane that stands nowhere.
func (s *Scheduler[K, J]) arrange(l *lane[K, J], job J) {
	at := len(l.queue)
	for at > 0 && s.o.Order(l.queue[at-1]) > s.o.Order(job) {
		at--
	}
	s.insert(l, at, job)
}

// failed tells of an error of the source, and waits a little.
func (s *Scheduler[K, J]) failed(what string, err error) {
	if s.ctx.Err() != nil {
		return
	}
	s.o.Failed(what, err)
	select {
	case <-time.After(readPause):
	case <-s.ctx.Done():
	}
}
