package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
	"github.com/chasqui/chasqui/rivescript"
)

// How often a turn is tried that fails although the database is well, and how long it waits in between, doubled each time.
const (
	maxTries      = 5
	maxEnded      = 2 // when its macros end the process that they run in
	maxRetryPause = 5 * time.Second
)

// noState is what is kept of a person of whom nothing is known.
var noState = json.RawMessage("{}")

// lane is a conversation that is being answered.
type lane struct {
	jobs []job
}

// job is an event or a timer.
type job struct {
	event *gateway.Event
	timer *gateway.BotTimer
	trial *trial // nil when there is no need to be careful
	anew  bool   // the event was set aside, and is given to the script once more
}

func (j job) lane() gateway.Lane {
	if j.event != nil {
		return j.event.Lane()
	}
	return j.timer.Lane
}

func (j job) id() string {
	if j.event != nil {
		return j.event.ID()
	}
	return j.timer.ID
}

func (j job) partition() int {
	if j.event != nil {
		return gateway.Partition(j.event.Application, j.event.Person)
	}
	return j.timer.Partition
}

// enqueue puts a job behind the others of its conversation.
func (r *Runner) enqueue(ctx context.Context, j job, work *sync.WaitGroup) {
	key := j.lane()
	r.mu.Lock()
	defer r.mu.Unlock()
	if j.event != nil {
		r.pending[j.event.Pos] = struct{}{}
	} else {
		if _, under := r.timers[j.timer.ID]; under {
			return
		}
		r.timers[j.timer.ID] = struct{}{}
	}
	if l := r.lanes[key]; l != nil {
		l.jobs = append(l.jobs, j)
		return
	}
	l := &lane{jobs: []job{j}}
	r.lanes[key] = l
	work.Go(func() { r.drain(ctx, key, l) })
}

// drain deals with the jobs of a conversation, one after the other. When it cannot go on, the session begins anew, here or on the node that has taken the partition over: what
// was not answered is read again then.
func (r *Runner) drain(ctx context.Context, key gateway.Lane, l *lane) {
	if r.places.Enter(ctx, key.Application) != nil {
		return
	}
	defer r.places.Leave(key.Application)
	for {
		r.mu.Lock()
		if len(l.jobs) == 0 {
			delete(r.lanes, key)
			r.mu.Unlock()
			return
		}
		j := l.jobs[0]
		l.jobs = l.jobs[1:]
		r.mu.Unlock()
		if !r.settle(ctx, j) {
			r.giveUp(ctx, j)
			if ctx.Err() == nil {
				r.beginAnew()
			}
			return
		}
		r.finished(j)
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

// settle does a job until it is done, or set aside. False says that neither is possible here now.
func (r *Runner) settle(ctx context.Context, j job) bool {
	wait, failures, ended := retryPause, 0, 0
	for {
		err := r.carefully(ctx, j)
		switch {
		case err == nil:
			r.health.Went()
			return true
		case ctx.Err() != nil, errors.Is(err, errLeaseLost):
			return false
		}
		r.log.Warn("bot turn", "application", j.lane().Application, "id", j.id(), "err", err)
		switch {
		case errors.Is(err, rivescript.ErrUnavailable): // no fault of the event's
		case errors.Is(err, rivescript.ErrEnded):
			ended++
		case store.Passing(err):
			r.health.Failed()
		default:
			failures++
		}
		if failures >= maxTries || ended >= maxEnded {
			err := r.setAside(ctx, j, err.Error(), failures+ended)
			if err == nil {
				r.health.Went()
				return true
			}
			if ctx.Err() != nil || errors.Is(err, errLeaseLost) {
				return false
			}
			r.log.Warn("set a bot's event aside", "err", err)
		}
		pause(ctx, wait)
		wait = min(2*wait, maxRetryPause)
	}
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

// setAside goes on without a job. The event stays in the log, and can be given to the bot anew; a timer is gone.
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

func (r *Runner) finished(j job) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if j.timer != nil {
		delete(r.timers, j.timer.ID)
		return
	}
	delete(r.pending, j.event.Pos)
	if len(r.pending) == maxPending-1 {
		close(r.room)
		r.room = make(chan struct{})
	}
}
