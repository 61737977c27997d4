// Package lane schedules jobs in lanes: the jobs of one key are done strictly in order and one at a
// time, while lanes run side by side.
//
// Every lane has an owner, such as the application whose conversation it is. Owners share nothing
// but the places of the whole scheduler, and get those by turns, so that none keeps another
// waiting. The head of a lane stands in one of its owner's lines, which have a pace and places of
// their own.
//
// Only so many jobs are held in memory. What goes beyond stays where it came from, the Source, and
// is read again when there is room. An idle lane costs nothing, and a lane that waits for a time
// costs an entry in a heap: there is one timer for all of them, and a goroutine only for a job that
// is under way.
//
// The package decides when a job is done. What is done, and what follows from it, is its user's.
package lane

import (
	"context"
	"sync"
	"time"
)

// Line says where a lane stands while its head may be done. Lines are told apart by name, and those
// of one owner that name the same pool share its places.
type Line struct {
	Name string
	Pool string
}

// Options says how jobs are scheduled. Owner, Run and Order are required. Functions that are called
// with the scheduler locked must return soon, and must not call it.
type Options[K comparable, J any] struct {
	// Owner returns whose lane it is. It is called with the scheduler locked, as are Order, Due,
	// Line, Admit and Pace.
	Owner func(K) string

	// Order returns the position of a job in the source, which rises within a lane. Two jobs of a
	// lane with the same order are one; 0 is the order of jobs that the source does not have.
	Order func(J) int64

	// Run does the head of a lane, in a goroutine of its own, and returns what follows.
	Run func(K, J) Next

	// Due returns the time before which a job may not be done when it becomes the head; the zero
	// time for at once. Nil means that no job waits.
	Due func(J) time.Time

	// Line returns where the head of a lane stands. Nil means one line for each owner.
	Line func(K, J) Line

	// Admit reports whether a job may be taken into memory now. Nil admits every job.
	Admit func(K, J) Admission

	// Pace reports whether a line may begin one more job: 0 for now, which counts, a time to ask
	// again after, or less than 0 for not before Poke. Nil means that lines have no pace.
	Pace func(owner, line string) time.Duration

	// Source is what holds the jobs that are not in memory. Without one every job is in memory.
	Source Source[K, J]

	// Failed is told of errors of the source; the read is tried again after a pause. May be nil.
	Failed func(what string, err error)

	Now func() time.Time // the clock of Due and Again; default time.Now

	Places   int // jobs of one owner and pool under way at once; 0 for any number
	Total    int // jobs of all owners under way at once; 0 for any number
	PerOwner int // jobs of one owner in memory, with a source; default 2000
	PerLane  int // jobs of one lane in memory, with a source; default 32
	Batch    int // jobs read at once for an owner; default 500
}

// Admission says what is done with a job that has come, or was read from the source.
type Admission int

// The admissions.
const (
	Take      Admission = iota
	LeaveOut            // the job is not to be done; others of its lane are
	Elsewhere           // the lane is not this scheduler's to work: nothing of it is read any more
)

// Source reads jobs again that were left to it. Both methods return jobs in order from a position
// on, limit at most, and the position to go on from; 0 when there is nothing beyond.
type Source[K comparable, J any] interface {
	// Owner returns the jobs of an owner. What belongs to no lane any more is left out.
	Owner(ctx context.Context, owner string, from int64, limit int) (jobs []Keyed[K, J], next int64, err error)

	// Lane returns the jobs of a lane.
	Lane(ctx context.Context, key K, from int64, limit int) (jobs []J, next int64, err error)
}

// Keyed is a job with the lane that it belongs to.
type Keyed[K comparable, J any] struct {
	Key K
	Job J
}

// Next says what follows from a job that was begun.
type Next struct {
	kind nextKind
	at   time.Time
}

type nextKind int

const (
	nextDone nextKind = iota
	nextAgain
	nextWait
	nextReread
	nextHalt
)

// Done lets the job leave its lane, whose next one follows.
func Done() Next { return Next{} }

// Again keeps the job at the head of its lane, to be run once more at a time; the zero time means
// as soon as its line lets it.
func Again(at time.Time) Next { return Next{nextAgain, at} }

// Wait keeps the job at the head of its lane, to be run once more at a time, or as soon as Wake is
// called for the lane. A Wake that came since the job was begun counts.
func Wait(until time.Time) Next { return Next{nextWait, until} }

// Reread drops what is in memory of the lane and reads it from the source again, from the job on.
func Reread() Next { return Next{kind: nextReread} }

// Halt keeps the job, and lets nothing of its lane be run any more.
func Halt() Next { return Next{kind: nextHalt} }

// Scheduler holds lanes and runs their jobs. It is made by New and stopped once, and is safe for
// any number of goroutines.
type Scheduler[K comparable, J any] struct {
	o      Options[K, J]
	ctx    context.Context // of reads; ends when the scheduler is stopped
	cancel context.CancelFunc
	work   sync.WaitGroup // jobs and reads under way

	mu      sync.Mutex
	stopped bool
	lanes   map[K]*lane[K, J]
	owners  map[string]*owner[K, J]
	spare   []*lane[K, J] // empty lanes to be used again
	rows    int           // jobs in memory

	busy  int            // places taken of Total
	short []*owner[K, J] // owners that wait for one of them, by turns
	heirs bool           // a job is being finished by a goroutine that can go on with a lane
	heir  *lane[K, J]    // the lane that it goes on with
	times wakeups[K, J]  // lanes and lines that wait for a time
	timer *time.Timer    // for the first of them
	armed time.Time      // when timer fires; zero when it is not set
}

// lane is what is in memory of a lane. It is guarded by the scheduler's mutex. The head of one that
// is busy belongs to whoever made it so.
type lane[K comparable, J any] struct {
	key      K
	owner    *owner[K, J]
	queue    []J
	state    state
	reserved bool  // busy for a job that is not there yet
	wakeable bool  // waiting, and Wake ends that
	woken    bool  // Wake was called while it was busy
	spilled  int64 // the first job that is left to the source; 0 for none
	reading  int64 // the position from which it is being read; 0 for not

	line       *line[K, J] // in which it is ready
	prev, link *lane[K, J] // its neighbours there
	pool       *pool       // whose place it has taken; nil for none
	wake       wakeup[K, J]
}

// state is what a lane with jobs is doing.
type state int

const (
	idle    state = iota // nothing: it has no job in memory, or is being looked at
	waiting              // for a time
	ready                // in a line
	busy                 // its head is under way, claimed or reserved, or its queue is being read
	halted
)

// owner is what is known of an owner. It stays for as long as the scheduler.
type owner[K comparable, J any] struct {
	name    string
	rows    int   // jobs in memory
	spilled int64 // the first job that is left to the source and to no lane; 0 for none
	reading int64 // the position from which they are being read; 0 for not
	loading bool  // there is a goroutine that reads
	lines   []*line[K, J]
	pools   []*pool
	short   bool // it waits for a place of the scheduler
	turn    int  // the line that is served first when it gets one
}

// pool is the places that lines of an owner share.
type pool struct {
	name string
	busy int
}

// New makes a scheduler.
func New[K comparable, J any](o Options[K, J]) *Scheduler[K, J] {
	setDefault(&o.PerOwner, 2000)
	setDefault(&o.PerLane, 32)
	setDefault(&o.Batch, 500)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Failed == nil {
		o.Failed = func(string, error) {}
	}
	s := &Scheduler[K, J]{o: o, lanes: map[K]*lane[K, J]{}, owners: map[string]*owner[K, J]{}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

func setDefault(v *int, def int) {
	if *v == 0 {
		*v = def
	}
}

// Stop begins nothing any more, ends reads, and waits for the jobs under way until ctx ends.
func (s *Scheduler[K, J]) Stop(ctx context.Context) error {
	s.Close()
	done := make(chan struct{})
	go func() {
		s.work.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Close begins nothing any more and ends reads, and does not wait for what is under way.
func (s *Scheduler[K, J]) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	s.cancel()
	if s.timer != nil {
		s.timer.Stop()
	}
}

// Lanes returns how many lanes have something in memory.
func (s *Scheduler[K, J]) Lanes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.lanes)
}

// Has reports whether a job of a lane is in memory, or on its way there.
func (s *Scheduler[K, J]) Has(key K) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lanes[key] != nil
}

// Jobs returns how many jobs are in memory.
func (s *Scheduler[K, J]) Jobs() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rows
}

// Oldest returns the lowest position of a job that is not done, in memory or left to the source; 0
// when there is none. It looks at all of them.
func (s *Scheduler[K, J]) Oldest() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	low := s.spilled()
	for _, l := range s.lanes {
		for _, j := range l.queue {
			low = lower(low, s.o.Order(j))
		}
	}
	return low
}

// spilled returns the lowest position of those that are left to the source.
func (s *Scheduler[K, J]) spilled() int64 {
	var low int64
	for _, o := range s.owners {
		low = lower(low, lower(o.spilled, o.reading))
	}
	for _, l := range s.lanes {
		low = lower(low, lower(l.spilled, l.reading))
	}
	return low
}

func (s *Scheduler[K, J]) owner(name string) *owner[K, J] {
	o := s.owners[name]
	if o == nil {
		o = &owner[K, J]{name: name}
		s.owners[name] = o
	}
	return o
}

// lane returns the lane of a key, made when there is none.
func (s *Scheduler[K, J]) lane(key K) *lane[K, J] {
	if l := s.lanes[key]; l != nil {
		return l
	}
	var l *lane[K, J]
	if n := len(s.spare); n > 0 {
		l, s.spare = s.spare[n-1], s.spare[:n-1]
	} else {
		l = new(lane[K, J])
	}
	l.key, l.owner, l.wake.lane = key, s.owner(s.o.Owner(key)), l
	s.lanes[key] = l
	return l
}

// maxSpare is how many empty lanes are kept to be used again.
const maxSpare = 1024

// forget lets go of a lane that has nothing left.
func (s *Scheduler[K, J]) forget(l *lane[K, J]) {
	delete(s.lanes, l.key)
	if len(s.spare) < maxSpare {
		*l = lane[K, J]{queue: l.queue[:0]}
		s.spare = append(s.spare, l)
	}
}
