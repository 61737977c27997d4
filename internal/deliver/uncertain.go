package deliver

import (
	"context"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
)

// uncertain records that an answer was lost. The lane waits for proof; then it goes on.
func (d *Deliverer) uncertain(p *page, l *lane, m *gateway.Message, attempt gateway.Attempt) {
	d.note(m, attempt)
	d.markUncertain(p, l, m)
}

func (d *Deliverer) markUncertain(p *page, l *lane, m *gateway.Message) {
	from := m.Status
	m.Status = gateway.StatusUncertain
	r := d.result(m, from)
	r.Events = []*gateway.Event{gateway.MessageEvent(gateway.EventMessageUncertain, m, nil)}
	proof := d.expectProof(l)
	if !d.record(r) {
		return
	}
	if !r.Applied {
		d.forsake(p, l, m)
		return
	}
	d.await(p, l, m, proof, d.o.WaitProof)
}

// recover settles a message that was under way when its worker ended: a row that says sending has lost its answer.
func (d *Deliverer) recover(p *page, l *lane, m *gateway.Message) {
	if m.Status == gateway.StatusSending && gateway.OwnChannel(m.Channel()) {
		// Its receiver knows what it got before by webhook-id: handing it over again is safe.
		m.Status = gateway.StatusQueued
		d.keep(p, l, d.result(m, gateway.StatusSending))
		return
	}
	if m.Status == gateway.StatusSending {
		m.Attempts = append(m.Attempts, gateway.Attempt{
			Number: len(m.Attempts) + 1, Channel: m.Channel(), Step: m.Step, Part: m.PartsSent + 1, StartedAt: m.SendingAt, EndedAt: d.o.Store.Now().UTC(),
			Outcome: "uncertain", Failure: &gateway.Failure{Code: gateway.FailureUnknownOutcome, Message: "the gateway stopped before the platform's answer was recorded"},
		})
		if !echoed(m) {
			d.markUncertain(p, l, m)
			return
		}
		r := settle(m, d.o.Store.Now()) // the echo came while nobody worked the conversation
		r.Fence = d.fence(m)
		if m.Status == gateway.StatusQueued {
			d.keep(p, l, r)
		} else {
			d.end(p, l, r)
		}
		return
	}
	// It was uncertain already: the lane waits for what is left of its time.
	d.await(p, l, m, d.expectProof(l), d.o.WaitProof-d.o.Store.Now().Sub(m.UpdatedAt))
}

func (d *Deliverer) expectProof(l *lane) <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	l.proof = make(chan struct{})
	return l.proof
}

// prove tells a lane that an echo may have settled its head.
func (d *Deliverer) prove(lane gateway.Lane) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if p := d.pages[lane.Application]; p != nil {
		if l := p.lanes[lane.Person]; l != nil && l.proof != nil {
			close(l.proof)
			l.proof = nil
		}
	}
}

// await waits for proof that an uncertain message was sent, and then settles its lane: with proof the message goes on, without it is sent again if the policy
// says so, and else left behind.
func (d *Deliverer) await(p *page, l *lane, m *gateway.Message, proof <-chan struct{}, wait time.Duration) {
	deadline := time.NewTimer(max(0, wait))
	defer deadline.Stop()
	for done := false; !done; {
		now, err := d.o.Store.Message(context.WithoutCancel(d.ctx), m.ID)
		if err != nil {
			d.pause("read an uncertain message", err)
		} else if now.Step == m.Step && now.PartsSent == m.PartsSent && echoed(now) || now.Status != gateway.StatusUncertain {
			d.proven(p, l, m, now)
			return
		}
		select {
		case <-proof:
			proof = d.expectProof(l)
		case <-deadline.C:
			done = true
		case <-d.ctx.Done():
			return
		}
	}
	if d.o.Resend == ResendOnce && wait > 0 && !m.Resent && d.o.Store.Now().Before(m.ExpiresAt) {
		d.mu.Lock()
		defer d.mu.Unlock()
		m.Resent, m.DueAt = true, time.Time{}
		l.busy, l.resend = false, true
		d.settle(p, l)
		return
	}
	d.drop(p, l)
}

// proven goes on with a message that an echo has settled, or whose row somebody else has.
func (d *Deliverer) proven(p *page, l *lane, m *gateway.Message, now *gateway.Message) {
	if now.Status == gateway.StatusUncertain {
		// The echo came before the row said that the answer was lost.
		m.Echoed, m.MID, m.MarkAt = now.Echoed, now.MID, now.MarkAt
		r := settle(m, d.o.Store.Now())
		r.Fence = d.fence(m)
		if !d.record(r) {
			return
		}
		if !r.Applied { // whoever works the partition now has seen the echo too
			d.forsake(p, l, m)
			return
		}
		now = m
	}
	if now.Status != gateway.StatusQueued {
		d.drop(p, l)
		return
	}
	d.mu.Lock()
	*m = *now
	l.busy = false
	d.settle(p, l)
	d.mu.Unlock()
}

// settle makes the result of an uncertain message whose pending part is proven: the next part follows, or it is sent.
func settle(m *gateway.Message, now time.Time) *store.Result {
	from := m.Status
	r := &store.Result{Message: m, From: from, AtStep: m.Step, Epoch: m.Epoch}
	m.PartsSent++
	if n := len(m.Attempts); n > 0 {
		m.Attempts[n-1].Outcome, m.Attempts[n-1].MID = "sent", m.MID
	}
	if m.PartsSent < m.Parts {
		m.Status = gateway.StatusQueued
		return r
	}
	m.Status, m.SentAt = gateway.StatusSent, now.UTC()
	m.Progress(now)
	r.Events = []*gateway.Event{gateway.MessageEvent(gateway.EventMessageSent, m, nil)}
	return r
}

const (
	sweepInterval = 2 * time.Second
	sweepBatch    = 500
)

// sweep ends messages that no lane will: those whose time is up while their page or conversation is held, and those that stayed uncertain.
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
	for _, m := range overdue {
		if _, held := d.o.Store.Leases().Epoch(m.Partition); held {
			results = append(results, expired(m, gateway.StatusQueued, now))
		}
	}
	for _, m := range unresolved {
		if _, held := d.o.Store.Leases().Epoch(m.Partition); held && echoed(m) {
			r := settle(m, now) // whoever waited for the echo was gone when it came
			r.Epoch = 0
			results = append(results, r)
		} else if held {
			r := d.leave(m, gateway.StepFailed, &gateway.Failure{
				Code: gateway.FailureUnknownOutcome, Message: "the answer was lost and nothing proved that the message was sent",
			})
			r.Epoch, r.Fence = 0, 0 // as ever: its lane may be gone, but an echo may have settled it
			results = append(results, r)
		}
	}
	if len(results) == 0 {
		return nil
	}
	if err := d.o.Store.Record(d.ctx, results...); err != nil {
		return err
	}
	for _, r := range results {
		d.count(r)
		if r.Applied && r.Message.Status.Open() {
			d.mu.Lock()
			d.readmit(r.Message)
			d.mu.Unlock()
			d.pokeSteps(r.Message.StepDue)
		}
	}
	return nil
}
