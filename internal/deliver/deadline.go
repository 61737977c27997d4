package deliver

import (
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/lane"
	"github.com/chasqui/chasqui/internal/outcome"
	"github.com/chasqui/chasqui/internal/store"
)

// Pauses of the watcher of steps: at most so long, for another node may have made a step due.
const (
	stepPoll  = time.Second
	stepBatch = 500
)

// watchSteps leaves steps whose time is up before they have reached their goal, or of which their
// provider has reported a failure.
func (d *Deliverer) watchSteps() {
	for {
		wait := d.leaveDue()
		select {
		case <-time.After(wait):
		case <-d.steps:
		case <-d.ctx.Done():
			return
		}
	}
}

// leaveDue leaves the steps that are due, and returns how long nothing more will be.
func (d *Deliverer) leaveDue() time.Duration {
	now := d.now()
	due, err := d.o.Store.StepsDue(d.ctx, now, stepBatch)
	if err != nil {
		d.pause("read steps that are due", err)
		return stepPoll
	}
	moved := false
	for _, m := range due {
		moved = d.leaveStep(m) || moved
	}
	if moved && len(due) == stepBatch {
		return 0
	}
	next, err := d.o.Store.NextStepDue(d.ctx, now)
	switch {
	case err != nil || next.IsZero():
		return stepPoll
	case len(due) > 0:
		return min(stepPoll, max(20*time.Millisecond, next.Sub(d.o.Store.Now()))) // one of them is being worked on
	}
	return min(stepPoll, max(0, next.Sub(d.o.Store.Now())))
}

// leaveStep leaves the step of one message, unless a lane is working on it: then the lane sees to
// it.
func (d *Deliverer) leaveStep(m *gateway.Message) bool {
	if _, held := d.o.Store.Leases().Epoch(m.Partition); !held {
		return false
	}
	free, claimed := d.lanes.Claim(m.Lane(), m.Seq)
	if !free {
		return false
	}
	r := d.result(d.decide(m, outcome.StepDue{}))
	recorded := d.record(r)
	switch {
	case !claimed:
		d.comeBack(r)
	case !recorded:
		d.lanes.Finish(m.Lane(), lane.Halt())
	case r.Applied && !r.Message.Status.Open():
		d.lanes.Finish(m.Lane(), lane.Done())
	default: // at its next step, or as somebody else has made it
		d.lanes.Finish(m.Lane(), lane.Reread())
	}
	d.pokeSteps(r.Message.StepDue)
	return recorded && r.Applied
}

// comeBack takes a message about which something was decided outside its lane back into the lane,
// or out of it.
func (d *Deliverer) comeBack(r *store.Result) {
	switch {
	case !r.Applied:
	case r.Message.Status.Open():
		d.lanes.Put(r.Message.Lane(), newJob(r.Message))
	default:
		d.lanes.Drop(r.Message.Lane(), r.Message.Seq)
	}
}

const (
	sweepInterval = 2 * time.Second
	sweepBatch    = 500
)

// sweep ends messages that no lane will: those whose time is up while their page or conversation is
// held, and those that stayed uncertain.
func (d *Deliverer) sweep() {
	tick := time.NewTicker(sweepInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := d.sweepOnce(); err != nil && d.ctx.Err() == nil {
				d.log.Warn("sweep the outbox", "err", err)
			}
		case <-d.ctx.Done():
			return
		}
	}
}

func (d *Deliverer) sweepOnce() error {
	now := d.o.Store.Now()
	overdue, err := d.o.Store.Overdue(d.ctx, now, sweepBatch)
	if err != nil {
		return err
	}
	unresolved, err := d.o.Store.Unresolved(d.ctx, now.Add(-d.o.GiveUp), sweepBatch)
	if err != nil {
		return err
	}
	var results []*store.Result
	add := func(messages []*gateway.Message, came outcome.Came) {
		for _, m := range messages {
			if _, held := d.o.Store.Leases().Epoch(m.Partition); held {
				results = append(results, d.result(d.decide(m, came)))
			}
		}
	}
	add(overdue, outcome.Expired{})
	add(unresolved, outcome.GivenUp{})
	if len(results) == 0 {
		return nil
	}
	if err := d.o.Store.Record(d.ctx, results...); err != nil {
		return err
	}
	for _, r := range results {
		d.count(r)
		d.comeBack(r)
		d.pokeSteps(r.Message.StepDue)
	}
	return nil
}
