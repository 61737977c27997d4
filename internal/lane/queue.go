package lane

import "slices"

// lower returns the lower of two positions, of which 0 is none.
func lower(a, b int64) int64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// Push adds a job that has just come, behind the others of its lane. When there is no room for it,
// it is left to the source, and read from there when its turn comes.
func (s *Scheduler[K, J]) Push(key K, job J) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.admit(key, job, false)
}

// Offer adds a job that the source does not have behind the others of its lane. It returns false
// when it is not taken, because others that came before it are left to the source.
func (s *Scheduler[K, J]) Offer(key K, job J) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.admission(key, job) != Take {
		return false
	}
	o := s.owner(s.o.Owner(key))
	if l := s.lanes[key]; s.full(o) || o.left() || l != nil && (l.left() || s.long(l)) {
		return false
	}
	s.add(s.lane(key), job)
	return true
}

// left reports whether jobs are left to the source.
func (o *owner[K, J]) left() bool { return o.spilled != 0 || o.reading != 0 }
func (l *lane[K, J]) left() bool  { return l.spilled != 0 || l.reading != 0 }

func (s *Scheduler[K, J]) full(o *owner[K, J]) bool {
	return s.o.Source != nil && o.rows >= s.o.PerOwner
}

func (s *Scheduler[K, J]) long(l *lane[K, J]) bool {
	return s.o.Source != nil && len(l.queue) >= s.o.PerLane
}

// admission reports whether a job may be taken into memory.
func (s *Scheduler[K, J]) admission(key K, job J) Admission {
	switch {
	case s.stopped:
		return Elsewhere
	case s.o.Admit == nil:
		return Take
	}
	return s.o.Admit(key, job)
}

// admit takes a job into memory if there is room, or else leaves it to the source. With loading, it
// comes from there.
func (s *Scheduler[K, J]) admit(key K, job J, loading bool) {
	if s.admission(key, job) != Take {
		return
	}
	o := s.owner(s.o.Owner(key))
	if o.left() && !loading || s.full(o) {
		s.spill(o, s.o.Order(job))
		return
	}
	l := s.lane(key)
	if l.left() || s.long(l) {
		l.spilled = lower(l.spilled, s.o.Order(job))
		return
	}
	s.add(l, job)
}

// add puts a job behind the others, unless it is there already.
func (s *Scheduler[K, J]) add(l *lane[K, J], job J) {
	order, n, last := s.o.Order(job), len(l.queue), int64(-1)
	if n > 0 {
		last = s.o.Order(l.queue[n-1])
	}
	if order != 0 && (last == 0 || last >= order) {
		if s.find(l, order) < 0 {
			s.place(l, job)
		}
		return
	}
	s.insert(l, n, job)
	if l.state == idle {
		s.settle(l)
	}
}

func (s *Scheduler[K, J]) find(l *lane[K, J], order int64) int {
	return slices.IndexFunc(l.queue, func(j J) bool { return s.o.Order(j) == order })
}

func (s *Scheduler[K, J]) insert(l *lane[K, J], at int, job J) {
	l.queue = slices.Insert(l.queue, at, job)
	s.count(l, 1)
}

func (s *Scheduler[K, J]) count(l *lane[K, J], jobs int) {
	l.owner.rows += jobs
	s.rows += jobs
}

func (s *Scheduler[K, J]) remove(l *lane[K, J], at int) {
	l.queue = slices.Delete(l.queue, at, at+1)
	s.count(l, -1)
}

// pop takes the head off a lane.
func (s *Scheduler[K, J]) pop(l *lane[K, J]) {
	var none J
	l.queue[0] = none
	if len(l.queue) == 1 {
		l.queue = l.queue[:0] // the room can be used again
	} else {
		l.queue = l.queue[1:]
	}
	s.count(l, -1)
}

// discard drops what is in memory of a lane.
func (s *Scheduler[K, J]) discard(l *lane[K, J]) {
	s.count(l, -len(l.queue))
	clear(l.queue)
	l.queue = l.queue[:0]
}

// underWay reports whether the head of a lane belongs to whoever runs or has claimed it.
func (l *lane[K, J]) underWay() bool {
	return l.state == busy && l.reading == 0 && !l.reserved
}

// Put takes a job that is to be done, after all or in another form, to its place in its lane:
// before those of a higher order. It replaces a job of the same order, unless that is under way.
func (s *Scheduler[K, J]) Put(key K, job J) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.admission(key, job) != Take {
		return
	}
	o, order := s.owner(s.o.Owner(key)), s.o.Order(job)
	behind := func(spilled, reading int64) bool {
		return spilled != 0 && order >= spilled || reading != 0 && order >= reading
	}
	if l := s.lanes[key]; l != nil {
		if at := s.find(l, order); at >= 0 {
			s.replace(l, at, job)
			return
		}
		if behind(l.spilled, l.reading) {
			l.spilled = lower(l.spilled, order)
			return
		}
		if n := len(l.queue); n > 0 && s.o.Order(l.queue[n-1]) > order {
			s.place(l, job) // whatever is left to the source: later ones of its lane are not
			return
		}
	}
	if behind(o.spilled, o.reading) || s.full(o) {
		s.spill(o, order)
		return
	}
	s.place(s.lane(key), job)
}

func (s *Scheduler[K, J]) replace(l *lane[K, J], at int, job J) {
	if at == 0 && l.underWay() {
		return
	}
	l.queue[at] = job
	if at == 0 && l.state != busy && l.state != halted {
		s.leave(l)
		s.settle(l)
	}
}

// place inserts a job by its order.
func (s *Scheduler[K, J]) place(l *lane[K, J], job J) {
	at, order := 0, s.o.Order(job)
	for at < len(l.queue) && (s.o.Order(l.queue[at]) < order || at == 0 && l.underWay()) {
		at++
	}
	s.insert(l, at, job)
	if at == 0 && l.state != busy && l.state != halted {
		s.leave(l) // whoever stood there is no longer the head
		s.settle(l)
	}
}

// Drop takes a job out of its lane, unless it is under way.
func (s *Scheduler[K, J]) Drop(key K, order int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lanes[key]
	if l == nil {
		return
	}
	at := s.find(l, order)
	if at < 0 || at == 0 && l.underWay() {
		return
	}
	s.remove(l, at)
	if at == 0 && l.state != busy && l.state != halted {
		s.leave(l)
		s.settle(l)
	}
}

// Behind takes the jobs behind the head of a lane out of it, for a job that is under way and
// settles their fate with its own.
func (s *Scheduler[K, J]) Behind(key K) []J {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lanes[key]
	if l == nil || len(l.queue) < 2 {
		return nil
	}
	behind := slices.Clone(l.queue[1:])
	clear(l.queue[1:])
	l.queue = l.queue[:1]
	s.count(l, -len(behind))
	return behind
}

// Forget drops from memory the lanes that are no longer this scheduler's to work, but for those
// that are under way.
func (s *Scheduler[K, J]) Forget(lost func(K) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, l := range s.lanes {
		if l.state == busy || !lost(key) {
			continue
		}
		s.leave(l)
		s.discard(l)
		s.forget(l)
	}
	for _, o := range s.owners {
		s.refill(o) // there is room now
	}
}
