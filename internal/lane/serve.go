package lane

import "time"

// line is where the lanes of an owner stand whose heads may be done: first come, first served.
type line[K comparable, J any] struct {
	name        string
	owner       *owner[K, J]
	pool        *pool
	first, last *lane[K, J]
	held        bool // its pace said not before Poke
	wake        wakeup[K, J]
}

func (q *line[K, J]) push(l *lane[K, J]) {
	l.line, l.prev = q, q.last
	if q.last != nil {
		q.last.link = l
	} else {
		q.first = l
	}
	q.last = l
}

func (q *line[K, J]) remove(l *lane[K, J]) {
	if l.prev != nil {
		l.prev.link = l.link
	} else {
		q.first = l.link
	}
	if l.link != nil {
		l.link.prev = l.prev
	} else {
		q.last = l.prev
	}
	l.line, l.prev, l.link = nil, nil, nil
}

// line returns a line of an owner, made when it is first needed.
func (o *owner[K, J]) line(name, shared string) *line[K, J] {
	for _, q := range o.lines {
		if q.name == name {
			return q
		}
	}
	q := &line[K, J]{name: name, owner: o}
	q.wake.line = q
	for _, p := range o.pools {
		if p.name == shared {
			q.pool = p
		}
	}
	if q.pool == nil {
		q.pool = &pool{name: shared}
		o.pools = append(o.pools, q.pool)
	}
	o.lines = append(o.lines, q)
	return q
}

// settle lets an idle lane go on: with its head, with what is left to the source, or not at all.
func (s *Scheduler[K, J]) settle(l *lane[K, J]) {
	o := l.owner
	switch {
	case len(l.queue) > 0:
		var due time.Time
		if s.o.Due != nil {
			due = s.o.Due(l.queue[0])
		}
		s.stand(l, due, false)
	case l.spilled != 0:
		s.loadLane(l)
	default:
		s.forget(l)
	}
	s.refill(o)
}

// stand lets an idle lane wait for a time, if that is to come, and enter its line.
func (s *Scheduler[K, J]) stand(l *lane[K, J], until time.Time, wakeable bool) {
	if !until.IsZero() && until.After(s.o.Now()) {
		l.state, l.wakeable = waiting, wakeable
		s.at(&l.wake, until)
		return
	}
	s.enter(l)
}

// enter puts a lane into the line of its head.
func (s *Scheduler[K, J]) enter(l *lane[K, J]) {
	var in Line
	if s.o.Line != nil {
		in = s.o.Line(l.key, l.queue[0])
	}
	q := l.owner.line(in.Name, in.Pool)
	l.state = ready
	q.push(l)
	s.serve(q)
}

// leave takes a lane that waits or is ready out of where it stands.
func (s *Scheduler[K, J]) leave(l *lane[K, J]) {
	switch l.state {
	case waiting:
		s.unset(&l.wake)
	case ready:
		l.line.remove(l)
	}
	l.state = idle
}

// serve begins as much of a line as may be.
func (s *Scheduler[K, J]) serve(q *line[K, J]) {
	if s.o.Total == 0 {
		for s.beginNext(q) {
		}
		return
	}
	if q.first != nil {
		s.queueUp(q.owner)
	}
	s.turns()
}

func (s *Scheduler[K, J]) queueUp(o *owner[K, J]) {
	if !o.short {
		o.short = true
		s.short = append(s.short, o)
	}
}

// turns gives free places of the scheduler to the owners that wait for one, one each at a time. One
// that may not take it, because of its own places or pace, is asked again when that changes.
func (s *Scheduler[K, J]) turns() {
	for s.busy < s.o.Total && len(s.short) > 0 {
		o := s.short[0]
		s.short[0] = nil
		s.short, o.short = s.short[1:], false
		if s.beginOf(o) {
			s.queueUp(o)
		}
	}
}

// beginOf begins one lane of an owner; false when none may begin.
func (s *Scheduler[K, J]) beginOf(o *owner[K, J]) bool {
	for i := range o.lines {
		at := (o.turn + i) % len(o.lines)
		if s.beginNext(o.lines[at]) {
			o.turn = at + 1
			return true
		}
	}
	return false
}

// beginNext begins the first lane of a line; false when there is none or it may not begin.
func (s *Scheduler[K, J]) beginNext(q *line[K, J]) bool {
	if q.first == nil || q.held || q.wake.pos > 0 || !s.hasPlace(q.pool) {
		return false
	}
	if s.o.Pace != nil {
		switch wait := s.o.Pace(q.owner.name, q.name); {
		case wait < 0:
			q.held = true
			return false
		case wait > 0:
			s.at(&q.wake, s.o.Now().Add(wait))
			return false
		}
	}
	l := q.first
	q.remove(l)
	s.takePlace(l, q.pool)
	s.begin(l)
	return true
}

func (s *Scheduler[K, J]) hasPlace(p *pool) bool {
	return !s.stopped && (s.o.Places == 0 || p.busy < s.o.Places) && (s.o.Total == 0 || s.busy < s.o.Total)
}

func (s *Scheduler[K, J]) takePlace(l *lane[K, J], p *pool) {
	l.pool = p
	p.busy++
	s.busy++
	s.work.Add(1)
}

// begin runs the head of a lane that has its place: in the goroutine that has just finished another
// one, if there is one, or else in a new one.
func (s *Scheduler[K, J]) begin(l *lane[K, J]) {
	l.state, l.woken = busy, false
	if s.heirs && s.heir == nil {
		s.heir = l
		return
	}
	go s.run(l, l.key, l.queue[0])
}

func (s *Scheduler[K, J]) run(l *lane[K, J], key K, job J) {
	for l != nil {
		next := s.o.Run(key, job)
		s.mu.Lock()
		s.heirs = true
		s.finish(l, next)
		l, s.heir, s.heirs = s.heir, nil, false
		if l != nil {
			key, job = l.key, l.queue[0]
		}
		s.mu.Unlock()
		s.work.Done()
	}
}

// finish does what follows from a job.
func (s *Scheduler[K, J]) finish(l *lane[K, J], next Next) {
	p := l.pool
	l.state, l.pool = idle, nil
	if p != nil {
		p.busy--
		s.busy--
	}
	o := l.owner
	s.follow(l, next)
	if p == nil {
		return
	}
	if s.o.Total > 0 {
		s.queueUp(o)
		s.turns()
		return
	}
	for _, q := range o.lines {
		if q.pool == p {
			s.serve(q)
		}
	}
}

func (s *Scheduler[K, J]) follow(l *lane[K, J], next Next) {
	reserved := l.reserved
	l.reserved = false
	switch {
	case next.kind == nextHalt:
		l.state = halted
	case reserved || next.kind == nextDone:
		if !reserved {
			s.pop(l)
		}
		s.settle(l)
	case next.kind == nextReread:
		from := s.o.Order(l.queue[0])
		s.discard(l)
		l.spilled = lower(l.spilled, from)
		s.settle(l)
	case next.kind == nextWait && !l.woken:
		s.stand(l, next.at, true)
	case next.kind == nextWait:
		s.enter(l)
	default:
		s.stand(l, next.at, false)
	}
}

// Wake ends the wait of a lane whose job asked for it by Wait.
func (s *Scheduler[K, J]) Wake(key K) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lanes[key]
	switch {
	case l == nil:
	case l.state == busy:
		l.woken = true
	case l.state == waiting && l.wakeable:
		s.leave(l)
		s.enter(l)
	}
}

// Poke asks the pace of an owner's lines again.
func (s *Scheduler[K, J]) Poke(owner string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.owners[owner]
	if o == nil {
		return
	}
	for _, q := range o.lines {
		q.held = false
		s.unset(&q.wake)
		s.serve(q)
	}
}

// Reserve makes the lane of a key busy for a job that is about to come, if nothing is in its way:
// its lane has no job, nothing of its owner is left to the source, and its line would begin it at
// once. After true, Begin or Finish must follow.
func (s *Scheduler[K, J]) Reserve(key K, in Line) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped || s.lanes[key] != nil {
		return false
	}
	o := s.owner(s.o.Owner(key))
	q := o.line(in.Name, in.Pool)
	if o.spilled != 0 || o.reading != 0 || q.first != nil || !s.hasPlace(q.pool) || s.o.Pace != nil && s.o.Pace(o.name, q.name) != 0 {
		return false
	}
	l := s.lane(key)
	s.takePlace(l, q.pool)
	l.state, l.reserved = busy, true
	return true
}

// Begin runs the job for which a lane was reserved.
func (s *Scheduler[K, J]) Begin(key K, job J) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lanes[key]
	l.reserved = false
	if at := s.find(l, s.o.Order(job)); at >= 0 { // read from the source meanwhile
		s.remove(l, at)
	}
	s.insert(l, 0, job)
	s.begin(l)
}

// Claim keeps a lane from running a job that is its head, until Finish is called for it. free is
// false when the job is under way, or the scheduler is stopped. When it is no head, free is true
// and claimed false: then nothing keeps the job from being run.
func (s *Scheduler[K, J]) Claim(key K, order int64) (free, claimed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lanes[key]
	switch {
	case s.stopped:
		return false, false
	case l == nil || len(l.queue) == 0 || l.reserved || s.o.Order(l.queue[0]) != order:
		return true, false
	case l.state == busy || l.state == halted:
		return false, false
	}
	s.leave(l)
	l.state = busy
	s.work.Add(1)
	return true, true
}

// Finish ends a reservation or a claim. A reservation that no job came for lets its lane go on,
// whatever next says.
func (s *Scheduler[K, J]) Finish(key K, next Next) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.finish(s.lanes[key], next)
	s.work.Done()
}
