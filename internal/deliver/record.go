package deliver

import (
	"context"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/lane"
	"github.com/chasqui/chasqui/internal/outcome"
	"github.com/chasqui/chasqui/internal/store"
)

// dbPause is how long is waited after a failure of the database.
const dbPause = 200 * time.Millisecond

// now is the moment as it is stored.
func (d *Deliverer) now() time.Time { return d.o.Store.Now().UTC().Truncate(time.Millisecond) }

// decide returns what becomes of a message.
func (d *Deliverer) decide(m *gateway.Message, came outcome.Came) outcome.Decision {
	return outcome.Decide(m, came, d.o.Store.Now(), d.rules)
}

// finish writes down what was decided about the head of a lane, and returns how the lane goes on. A
// message whose row is not what this node took it for is read again: it was canceled, settled by an
// echo, or worked by another node meanwhile.
func (d *Deliverer) finish(j *job, of outcome.Decision) lane.Next {
	if of.Attempt != nil {
		d.o.Metrics.Attempts(of.Message.Application, of.Attempt.Channel, string(of.Attempt.Outcome))
	}
	d.heed(of)
	if of.Changed {
		r := d.result(of)
		switch recorded := d.record(r); {
		case !recorded:
			return lane.Halt()
		case !r.Applied || of.Next == outcome.Reread:
			return lane.Reread()
		}
	}
	j.m = of.Message
	d.pokeSteps(j.m.StepDue)
	switch of.Next {
	case outcome.Again:
		j.resend = j.m.Status == gateway.StatusUncertain
		return lane.Again(of.At)
	case outcome.Wait:
		j.waited, j.proofBy = true, of.At
		return lane.Wait(of.At)
	}
	return lane.Done()
}

// heed holds or stops the page as an answer of the platform has said.
func (d *Deliverer) heed(of outcome.Decision) {
	if of.Hold > 0 {
		d.hold(of.Message.Application, of.Hold)
	}
	if of.Broken != nil {
		d.breakPage(of.Message.Application, of.Broken)
	}
}

// result makes what is written down of a decision. A message that was being sent must still be as
// this node's lease, or that of the node before it, has left it.
func (d *Deliverer) result(of outcome.Decision) *store.Result {
	m := of.Message
	r := &store.Result{Message: m, From: of.From, AtStep: of.AtStep, Events: of.Events}
	if of.From == gateway.StatusSending || of.From == gateway.StatusUncertain {
		r.Epoch = m.Epoch
	}
	if of.Next != outcome.Reread { // else the lease is lost, and the mark's own epoch says that it is ours to take back
		r.Fence = d.fence(m)
	}
	if of.Closed != outcome.Open {
		r.Closed = &store.Closed{At: of.Attempt.EndedAt.Time, Human: of.Closed == outcome.ClosedHuman, Elsewhere: of.Closed == outcome.ClosedByAnother}
	}
	return r
}

// fence is the epoch that a result of the message must be recorded under: this node's lease, and if
// that is lost the one the message was sent under, which the database then refuses.
func (d *Deliverer) fence(m *gateway.Message) int64 {
	if epoch, held := d.o.Store.Leases().Epoch(m.Partition); held {
		return epoch
	}
	return m.Epoch
}

// record commits a result, and tries again for as long as the database cannot: what the platform
// did is not to be forgotten. False when the deliverer stopped first; the row then still says
// `sending`, and the next start treats it as uncertain.
func (d *Deliverer) record(r *store.Result) bool {
	for {
		err := d.o.Store.Record(context.WithoutCancel(d.ctx), r)
		if err == nil {
			if r.Closed != nil {
				d.o.Policy.Forget(r.Message.Lane())
			}
			d.count(r)
			return true
		}
		if d.ctx.Err() != nil {
			d.log.Error("record a result", "message_id", r.Message.ID, "err", err)
			return false
		}
		d.pause("record a result", err)
	}
}

// recordOutside writes down what came for a message outside its lane, if it is still what it was.
func recordOutside(tx *store.Tx, of outcome.Decision) error {
	if !of.Changed {
		return nil
	}
	applied, err := tx.UpdateSteps(of.Message, of.From, of.AtStep)
	if err == nil && applied {
		appendEvents(tx, of)
	}
	return err
}

func appendEvents(tx *store.Tx, of outcome.Decision) {
	for _, e := range of.Events {
		tx.AppendEvent(e)
	}
}

// count tells the metrics of a message that has come to its end, or has left a step.
func (d *Deliverer) count(r *store.Result) {
	m := r.Message
	if r.Applied && r.AtStep < len(m.Steps) {
		if left := &m.Steps[r.AtStep]; left.Outcome != gateway.StepActive && left.Outcome != gateway.StepReached {
			d.o.Metrics.Left(m.Application, left.Rule.Channel, string(left.Outcome))
		}
	}
	switch {
	case !r.Applied:
	case m.Status == gateway.StatusSent:
		d.o.Metrics.Sent(m.Application, m.SentAt.Sub(m.AcceptedAt))
	case m.Error != nil:
		d.o.Metrics.Failed(m.Application, m.Error.Code)
	}
}

// pokeSteps tells the watcher of a step that has a time.
func (d *Deliverer) pokeSteps(due time.Time) {
	if due.IsZero() {
		return
	}
	select {
	case d.steps <- struct{}{}:
	default:
	}
}

// pause logs a failure of the database and waits a little before the next try.
func (d *Deliverer) pause(what string, err error) {
	if d.ctx.Err() != nil {
		return
	}
	d.log.Warn(what, "err", err)
	select {
	case <-time.After(dbPause):
	case <-d.ctx.Done():
	}
}

// later logs a failure of the database, and leaves the head of the lane where it is for a little.
func (d *Deliverer) later(what string, err error) lane.Next {
	if d.ctx.Err() == nil {
		d.log.Warn(what, "err", err)
	}
	return lane.Again(d.o.Store.Now().Add(dbPause))
}
