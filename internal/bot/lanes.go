package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/lane"
	"github.com/chasqui/chasqui/internal/store"
	"github.com/chasqui/chasqui/rivescript"
)

// How often a turn is tried that fails although the database is well, and how long it waits in
// between, doubled each time.
const (
	maxTries      = 5
	maxEnded      = 2 // when its macros end the process that they run in
	maxRetryPause = 5 * time.Second
)

// noState is what is kept of a person of whom nothing is known.
var noState = json.RawMessage("{}")

// job is an event or a timer.
type job struct {
	event *gateway.Event
	timer *gateway.BotTimer
	trial *trial // nil when there is no need to be careful
	anew  bool   // the event was set aside, and is given to the script once more
	tries tries
}

// tries is how a job has gone so far.
type tries struct {
	failures int           // through its own fault
	ended    int           // the process that its macros run in
	wait     time.Duration // before the last one
}

// order is the position of a job's event in the log; 0 for a timer, which is in none.
func (j *job) order() int64 {
	if j.event == nil {
		return 0
	}
	return j.event.Pos
}

func (j *job) lane() gateway.Lane {
	if j.event != nil {
		return j.event.Lane()
	}
	return j.timer.Lane
}

func (j *job) id() string {
	if j.event != nil {
		return j.event.ID()
	}
	return j.timer.ID
}

func (j *job) partition() int {
	if j.event != nil {
		return gateway.Partition(j.event.Application, j.event.Person)
	}
	return j.timer.Partition
}

// inbox is the source of a session's lanes: the log, from where the session began.
type inbox struct {
	log   *store.Store
	begin *store.Cursor // is only asked
	wants func(*gateway.Event) bool
	job   func(*gateway.Event) *job
}

// Owner reads events of an application.
func (i inbox) Owner(ctx context.Context, app string, from int64, limit int) (jobs []lane.Keyed[gateway.Lane, *job], next int64, err error) {
	next, err = i.read(ctx, from, limit, func(e *gateway.Event) bool { return e.Application == app }, func(e *gateway.Event) {
		jobs = append(jobs, lane.Keyed[gateway.Lane, *job]{Key: e.Lane(), Job: i.job(e)})
	})
	return jobs, next, err
}

// Lane reads events of a conversation.
func (i inbox) Lane(ctx context.Context, key gateway.Lane, from int64, limit int) (jobs []*job, next int64, err error) {
	next, err = i.read(ctx, from, limit, func(e *gateway.Event) bool { return e.Lane() == key }, func(e *gateway.Event) { jobs = append(jobs, i.job(e)) })
	return jobs, next, err
}

// read goes through the log from a position on until it has taken so many events, and returns the
// position to go on from; 0 at the end of the log.
func (i inbox) read(ctx context.Context, from int64, limit int, of func(*gateway.Event) bool, take func(*gateway.Event)) (next int64, err error) {
	for taken := 0; ; {
		events, upto, err := i.log.ReadEvents(ctx, from-1, readBatch)
		if err != nil {
			return 0, err
		}
		for _, e := range events {
			if !of(e) || !i.begin.Has(e) || !i.wants(e) {
				continue
			}
			take(e)
			if taken++; taken == limit {
				return e.Pos + 1, nil
			}
		}
		if upto < from {
			return 0, nil
		}
		from = upto + 1
	}
}

// newLanes makes the lanes of a session: conversations side by side and each in order, and
// applications by turns. An application whose script is slow has so many events in memory, and the
// others wait in the log.
func (r *Runner) newLanes(ctx context.Context, begin *store.Cursor) *lane.Scheduler[gateway.Lane, *job] {
	return lane.New(lane.Options[gateway.Lane, *job]{
		Owner: func(key gateway.Lane) string { return key.Application }, Order: func(j *job) int64 { return j.order() },
		Total: r.o.Turns, Places: (r.o.Turns + 3) / 4, Source: inbox{r.o.Store, begin, r.concerns, r.jobOf}, PerOwner: maxPerScript, PerLane: maxPerScript,
		Failed: func(_ string, err error) {
			r.health.Failed()
			r.log.Warn("read events for bots", "err", err)
		},
		Run: func(_ gateway.Lane, j *job) lane.Next { return r.settle(ctx, j) },
	})
}

// jobOf makes the job of an event.
func (r *Runner) jobOf(e *gateway.Event) *job {
	return &job{event: e, trial: r.trial(r.care.event(e.Partition, e.Pos), e.ID(), e.Partition)}
}

// offerTimer takes a timer that is due into its lane. One that cannot be taken now is looked for
// again.
func (r *Runner) offerTimer(lanes *lane.Scheduler[gateway.Lane, *job], t *gateway.BotTimer) {
	r.mu.Lock()
	_, under := r.timers[t.ID]
	r.timers[t.ID] = struct{}{}
	r.mu.Unlock()
	if !under && !lanes.Offer(t.Lane, &job{timer: t, trial: r.trial(r.care.timer(t.Partition, t.DueAt), t.ID, t.Partition)}) {
		r.finished(&job{timer: t})
	}
}

// beginAnew ends the session.
func (r *Runner) beginAnew() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.anew {
		r.anew = true
		close(r.again)
	}
}

// settle makes one try at a job, and returns how its lane goes on. When it cannot, the session
// begins anew, here or on the node that has taken the partition over: what was not answered is read
// again then.
func (r *Runner) settle(ctx context.Context, j *job) lane.Next {
	err := r.carefully(ctx, j)
	if err == nil {
		r.health.Went()
		r.finished(j)
		return lane.Done()
	}
	if ctx.Err() == nil && !errors.Is(err, errLeaseLost) {
		r.log.Warn("bot turn", "application", j.lane().Application, "id", j.id(), "err", err)
		switch {
		case errors.Is(err, rivescript.ErrUnavailable): // no fault of the event's
		case errors.Is(err, rivescript.ErrEnded):
			j.tries.ended++
		case store.Passing(err):
			r.health.Failed()
		default:
			j.tries.failures++
		}
		if j.tries.failures >= maxTries || j.tries.ended >= maxEnded {
			if err = r.setAside(ctx, *j, err.Error(), j.tries.failures+j.tries.ended); err == nil {
				r.health.Went()
				r.finished(j)
				return lane.Done()
			}
			r.log.Warn("set a bot's event aside", "err", err)
		}
	}
	if ctx.Err() != nil || errors.Is(err, errLeaseLost) {
		r.giveUp(ctx, *j)
		if ctx.Err() == nil {
			r.beginAnew()
		}
		return lane.Halt()
	}
	j.tries.wait = min(max(retryPause, 2*j.tries.wait), maxRetryPause)
	return lane.Again(time.Now().Add(j.tries.wait))
}

// attempt does a job. What goes wrong in the program itself is an error too.
func (r *Runner) attempt(ctx context.Context, j job) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the program is at fault: %v\n%s", p, debug.Stack())
		}
	}()
	return r.do(ctx, j)
}

// setAside goes on without a job. The event stays in the log, and can be given to the bot anew; a
// timer is gone.
func (r *Runner) setAside(ctx context.Context, j job, reason string, failures int) error {
	part := j.partition()
	epoch, held := r.o.Store.Leases().Epoch(part)
	if !held {
		return errLeaseLost
	}
	lane := j.lane()
	return r.o.Store.Write(ctx, func(tx *store.Tx) error {
		if ok, err := tx.Holds(part, epoch); err != nil || !ok {
			return orElse(err, errLeaseLost)
		}
		if err := tx.ForgetBotTrial(j.id()); err != nil {
			return err
		}
		if j.timer != nil {
			_, err := tx.TakeTimer(j.timer.ID)
			tx.OnCommit(func() {
				r.log.Error("what a script was to say later is left out", "application", lane.Application, "timer", j.timer.ID, "kind", j.timer.Kind, "failures", failures, "reason", reason)
			})
			return err
		}
		if err := tx.SetAside(cursorName, j.event, reason, failures); err != nil {
			return err
		}
		person, err := tx.BotPerson(lane)
		if err != nil || person.Pos >= j.event.Pos {
			return err
		}
		person.Pos = j.event.Pos
		if person.State == nil {
			person.State = noState
		}
		ok, err := tx.SaveBotPerson(person)
		if err == nil && !ok {
			err = errAgain
		}
		return err
	})
}

// retry gives the bot an event anew that was set aside.
func (r *Runner) retry(ctx context.Context, e *gateway.Event) error {
	if _, held := r.o.Store.Leases().Epoch(e.Partition); !held {
		return gateway.Errorf(gateway.CodeConflict, "another node works this conversation: ask that one")
	}
	return r.attempt(ctx, job{event: e, anew: true})
}

// finished notes that a job is under way no more.
func (r *Runner) finished(j *job) {
	if j.timer != nil {
		r.mu.Lock()
		delete(r.timers, j.timer.ID)
		r.mu.Unlock()
	}
	select {
	case r.room <- struct{}{}:
	default:
	}
}
