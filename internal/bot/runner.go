// Package bot lets scripts answer people: it reads the log, gives what people write and do to the
// active script of their page, and puts what the script says into the outbox.
//
// A turn is one commit: what the bot knows afterwards, what it says, and up to where it has
// answered. So each turn happens once, whatever crashes. Conversations run side by side, and each
// in order: one whose script waits for somebody else's server holds up nobody.
package bot

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/lane"
	"github.com/chasqui/chasqui/internal/service"
	"github.com/chasqui/chasqui/internal/store"
)

// Options says what the bot works with. Zero values mean the defaults named.
type Options struct {
	Store     *store.Store
	Directory *service.Directory
	Scripts   *service.Scripts
	Messages  *service.Messages
	Platform  service.Platform
	Logger    *slog.Logger
	Turns     int                      // that may be under way at once, a quarter of them of one application; 128
	Accepted  func(application string) // counts a message of the bot; may be nil
	// Code reports whether a ref belongs to a code of the application, which a link then came from;
	// nil for never.
	Code func(application, ref string) bool
}

const (
	readBatch    = 512
	maxPending   = 16384       // events in memory that are not yet answered
	maxPerScript = 512         // of them, of one application
	saveInterval = time.Second // what is read again after a crash is known by the people's own positions
	timerBatch   = 256
	timerBatches = 8 // read at one look
	timerPoll    = time.Second
	retryPause   = 200 * time.Millisecond
)

// Runner runs the bots. It is made by New, started once and stopped once.
type Runner struct {
	o   Options
	log *slog.Logger

	mu       sync.Mutex
	timers   map[string]struct{} // ids of timers that are under way
	again    chan struct{}       // closed when a lane could not go on: the session begins anew
	anew     bool                // again is closed
	room     chan struct{}       // poked when a job is over
	kick     chan struct{}       // a timer was made
	care     *care               // of the session
	cautions map[int]caution     // of the session before, by partition
	health   *store.Reader
	unread   bool // the last session could not read; only the goroutine of the sessions uses it

	ctx    context.Context // of the runner's life
	cancel context.CancelFunc
	work   sync.WaitGroup
}

// New makes a runner.
func New(o Options) *Runner {
	if o.Turns == 0 {
		o.Turns = 128
	}
	if o.Accepted == nil {
		o.Accepted = func(string) {}
	}
	if o.Code == nil {
		o.Code = func(string, string) bool { return false }
	}
	return &Runner{o: o, log: o.Logger, room: make(chan struct{}, 1), kick: make(chan struct{}, 1), health: o.Store.Reader(cursorName)}
}

// cursorName is the name of the reader.
const cursorName = "bot"

// Start begins to answer. The leases must have been started. What the log holds before the first
// start ever is not answered.
func (r *Runner) Start(ctx context.Context) error {
	if err := r.o.Scripts.Refresh(ctx); err != nil {
		return err
	}
	if err := r.begin(ctx); err != nil {
		return err
	}
	ctx, r.cancel = context.WithCancel(context.WithoutCancel(ctx))
	r.ctx = ctx
	r.health.OnRetry(r.retry)
	r.work.Go(func() {
		for ctx.Err() == nil {
			r.session(ctx)
		}
	})
	return nil
}

// begin notes where the partitions that this node holds begin. Leases may move meanwhile, as when
// nodes start together: then it looks again at which those are.
func (r *Runner) begin(ctx context.Context) error {
	for {
		first := r.health.Cursor()
		err := first.Sync(ctx, r.o.Store.Head())
		if err == nil {
			err = r.save(ctx, first, 0)
		}
		if !errors.Is(err, errLeaseLost) {
			return err
		}
		if pause(ctx, retryPause); ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// Stop begins no new turn and waits for those under way.
func (r *Runner) Stop() {
	r.cancel()
	r.work.Wait()
}

// session works the partitions that this node holds, until they change.
func (r *Runner) session(ctx context.Context) {
	run, cancel := context.WithCancel(ctx)
	var work sync.WaitGroup
	defer work.Wait()
	defer cancel()
	r.mu.Lock()
	r.timers, r.again, r.anew = map[string]struct{}{}, make(chan struct{}), false
	r.mu.Unlock()
	_, leasesMoved := r.o.Store.Leases().Held()
	// What is left in the log is read from there by other goroutines than this one, with a cursor
	// that nobody moves.
	head, cursor, begin := r.o.Store.Head(), r.health.Cursor(), r.health.Cursor()
	err := errors.Join(cursor.Sync(run, head), begin.Sync(run, head))
	if err == nil {
		err = r.beCareful(run)
	}
	if err == nil {
		lanes := r.newLanes(run, begin)
		defer lanes.Stop(context.WithoutCancel(ctx))
		defer cancel()
		work.Go(func() { r.runTimers(run, lanes) })
		err = r.read(run, cursor, lanes, leasesMoved)
	}
	if err != nil && run.Err() == nil {
		r.unread = true
		r.health.Failed()
		r.log.Warn("read events for bots", "err", err)
		pause(run, retryPause)
	}
}

// read hands out events until the leases move or a lane cannot go on, which is no error.
func (r *Runner) read(ctx context.Context, cursor *store.Cursor, lanes *lane.Scheduler[gateway.Lane, *job], leasesMoved <-chan struct{}) error {
	at, saved := cursor.Low(), time.Now()
	defer func() {
		// What was read since the last save is read again after the next start; saving it is a
		// courtesy, also to retention.
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if low := answered(lanes, at); low > cursor.Low() {
			r.save(last, cursor, low)
		}
	}()
	for {
		_, headMoved := r.o.Store.HeadChanged()
		more, full := false, lanes.Jobs() >= maxPending
		if !full {
			events, upto, err := r.o.Store.ReadEvents(ctx, at, readBatch)
			if err != nil {
				return err
			}
			if r.unread { // the session before ended because it could not read
				r.unread = false
				r.health.Went()
			}
			for _, e := range events {
				if cursor.Has(e) && r.concerns(e) {
					lanes.Push(e.Lane(), r.jobOf(e))
				}
			}
			more, at = upto > at, max(at, upto)
		}
		if at > cursor.Low() && time.Since(saved) >= saveInterval {
			if low := answered(lanes, at); low > cursor.Low() {
				if err := r.save(ctx, cursor, low); err != nil {
					return err
				}
			}
			saved = time.Now()
		}
		if more {
			if r.over(ctx, leasesMoved) {
				return ctx.Err()
			}
			continue
		}
		if ended, err := r.idle(ctx, full, at > cursor.Low(), headMoved, leasesMoved); ended {
			return err
		}
	}
}

// idle waits until there is something to read, or to save. It returns true when the session is
// over.
func (r *Runner) idle(ctx context.Context, full, unsaved bool, headMoved, leasesMoved <-chan struct{}) (ended bool, err error) {
	var room <-chan struct{}
	var wait <-chan time.Time
	if full {
		headMoved, room = nil, r.room
	}
	if unsaved {
		wait = time.After(saveInterval)
	}
	select {
	case <-leasesMoved:
		return true, nil
	case <-r.again:
		pause(ctx, retryPause)
		return true, nil
	case <-ctx.Done():
		return true, ctx.Err()
	case <-headMoved:
	case <-room:
	case <-wait:
	}
	return false, nil
}

// over reports whether a session that is busy is to end.
func (r *Runner) over(ctx context.Context, leasesMoved <-chan struct{}) bool {
	select {
	case <-leasesMoved:
	case <-r.again:
		pause(ctx, retryPause)
	case <-ctx.Done():
	default:
		return false
	}
	return true
}

// answered returns up to where everything that was read is answered.
func answered(lanes *lane.Scheduler[gateway.Lane, *job], read int64) int64 {
	if oldest := lanes.Oldest(); oldest != 0 {
		return min(read, oldest-1)
	}
	return read
}

func (r *Runner) save(ctx context.Context, cursor *store.Cursor, low int64) error {
	cursor.Done(low)
	return r.o.Store.Write(ctx, func(tx *store.Tx) error {
		if ok, err := cursor.Save(tx, 0); err != nil || !ok {
			return errors.Join(err, errMoved(ok))
		}
		return nil
	})
}

func errMoved(held bool) error {
	if held {
		return nil
	}
	return errLeaseLost
}

var errLeaseLost = errors.New("a partition was taken over by another node")

// concerns reports whether an event is one that bots look at.
func (r *Runner) concerns(e *gateway.Event) bool {
	if e.Application == "" || e.Person == "" || e.Channel != "messaging" {
		return false
	}
	switch e.Type {
	case gateway.EventMessageInbound, gateway.EventPostback, gateway.EventReferral, gateway.EventOptin, gateway.EventHandover:
		return r.o.Scripts.Active(e.Application) != nil
	}
	return false
}

// runTimers hands out what falls due.
func (r *Runner) runTimers(ctx context.Context, lanes *lane.Scheduler[gateway.Lane, *job]) {
	tick := time.NewTicker(timerPoll)
	defer tick.Stop()
	var after *gateway.BotTimer
	for {
		after = r.offerTimers(ctx, lanes, after)
		select {
		case <-tick.C:
		case <-r.kick:
		case <-ctx.Done():
			return
		}
	}
}

// offerTimers offers timers that are due, a few batches at a time, and returns where the next look
// goes on: nil from the first. So those that cannot go for long, such as many of one application,
// hold up no others.
func (r *Runner) offerTimers(ctx context.Context, lanes *lane.Scheduler[gateway.Lane, *job], after *gateway.BotTimer) *gateway.BotTimer {
	for range timerBatches {
		due, err := r.o.Store.DueTimers(ctx, after, timerBatch)
		if err != nil {
			if ctx.Err() == nil {
				r.log.Warn("read timers of bots", "err", err)
			}
			return after
		}
		for _, t := range due {
			if _, held := r.o.Store.Leases().Epoch(t.Partition); held {
				r.offerTimer(lanes, t)
			}
		}
		if len(due) < timerBatch {
			return nil
		}
		after = due[len(due)-1]
	}
	return after
}

// wake lets timers be looked at when one falls due that was just made.
func (r *Runner) wake(in time.Duration) {
	time.AfterFunc(max(in, 0), func() {
		select {
		case r.kick <- struct{}{}:
		default:
		}
	})
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
