package deliver

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
)

// Pauses of the watcher of steps: at most so long, for another node may have made a step due.
const (
	stepPoll  = time.Second
	stepBatch = 500
)

// judge looks whether the head of a lane may go out at its step now. It answers true when it may not: then the message has left the step, and the lane is settled.
func (d *Deliverer) judge(p *page, l *lane, m *gateway.Message, now time.Time) bool {
	if _, _, err := m.Content(); err != nil {
		d.left(p, l, d.leave(m, gateway.StepFailed, &gateway.Failure{Code: gateway.FailureInvalidContent, Message: err.Error()}))
		return true
	}
	if !m.StepDue.IsZero() && !now.Before(m.StepDue) && m.Status == gateway.StatusQueued {
		d.left(p, l, d.leave(m, gateway.StepPassed, notReached(m)))
		return true
	}
	if m.PartsSent > 0 {
		return false // what has begun is ended; the platform has its say
	}
	why, err := d.refusal(m, now)
	if err != nil {
		d.pause("ask the rules about a message", err)
		d.retryLater(p, l)
		return true
	}
	if why == nil {
		return false
	}
	d.left(p, l, d.leave(m, gateway.StepSkipped, why))
	return true
}

// refusal answers why the message must not go out at its step; nil when it may. What the platform's rules change about it is noted on the message.
func (d *Deliverer) refusal(m *gateway.Message, now time.Time) (*gateway.Failure, error) {
	ctx := context.WithoutCancel(d.ctx)
	if channel := m.Channel(); channel != gateway.ChannelMessenger {
		address, ok := gateway.NormalAddress(channel, m.Current().Address)
		if !ok || gateway.OwnChannel(channel) {
			return nil, nil // whom a webhook reaches only its owner knows
		}
		out, err := d.o.Store.OptedOut(ctx, m.Application, channel, address)
		if err != nil || !out {
			return nil, err
		}
		return &gateway.Failure{Code: gateway.FailureOptedOut, Message: "the person has opted out of the channel"}, nil
	}
	if m.PSID() == "" {
		return nil, nil // nothing is known of whom Customer Matching will find
	}
	a, err := d.o.Policy.Judge(ctx, m)
	switch {
	case err != nil:
		return nil, err
	case a.Allowed && a.Message == "":
		return nil, nil
	case a.Allowed && d.o.Policy.Observe:
		d.log.Warn("the platform's rules would change this message", "message_id", m.ID, "application", m.Application, "change", a.Message)
		return nil, nil
	case a.Allowed:
		m.Change(a.SendAs, a.Message, now)
		return nil, nil
	case d.o.Policy.Observe && a.Code != gateway.FailureOptedOut: // which is the person's own word
		d.log.Warn("the platform's rules would refuse this message", "message_id", m.ID, "application", m.Application, "code", string(a.Code), "reason", a.Message)
		return nil, nil
	}
	return &gateway.Failure{Code: a.Code, Message: a.Message}, nil
}

// notReached says that a step's time is up, or what a provider has reported of it meanwhile.
func notReached(m *gateway.Message) *gateway.Failure {
	s := m.Current()
	if s == nil {
		return &gateway.Failure{Code: gateway.FailureNotReached, Message: "its time is up"}
	}
	words := fmt.Sprintf("not %s before the message's time was up", s.Goal())
	if s.Rule.Within != 0 {
		words = fmt.Sprintf("not %s within %s", s.Goal(), s.Rule.Within)
	}
	for _, a := range slices.Backward(m.Attempts) {
		if a.Step == m.Step && a.Failure != nil {
			words += "; the last attempt: " + a.Failure.Message
			break
		}
	}
	return &gateway.Failure{Code: gateway.FailureNotReached, Message: words}
}

// leave makes the result of a message that leaves its step: for the next, or for its end.
func (d *Deliverer) leave(m *gateway.Message, outcome gateway.Outcome, why *gateway.Failure) *store.Result {
	r := d.result(m, m.Status)
	if m.Status != gateway.StatusSending && m.Status != gateway.StatusUncertain {
		r.Epoch = 0
	}
	if !m.MoveOn(outcome, why, d.now()) {
		kind := gateway.EventMessageFailed
		if m.Status == gateway.StatusExpired {
			kind = gateway.EventMessageExpired
		}
		r.Events = []*gateway.Event{gateway.MessageEvent(kind, m, nil)}
	}
	return r
}

// left records that the head of a lane has left its step, and settles the lane: the head goes on with its next step, or is done.
func (d *Deliverer) left(p *page, l *lane, r *store.Result) {
	if due := r.Message.StepDue; r.Message.Status.Open() {
		d.keep(p, l, r) // from here on the lane may be at work on the message
		d.pokeSteps(due)
		return
	}
	d.end(p, l, r)
}

// hand gives the current step to the account of its channel, and settles the lane.
func (d *Deliverer) hand(p *page, l *lane, m *gateway.Message, attempt gateway.Attempt) {
	var account string
	var sent gateway.ChannelSent
	out, err := m.ChannelMessage()
	if err == nil && d.o.Channels == nil {
		err = &gateway.ChannelError{Kind: gateway.ChannelRefused, Failure: gateway.Failure{Code: gateway.FailureNoAccount, Message: "the channel has no account here"}}
	}
	if err == nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(d.ctx), d.o.SendTimeout)
		account, sent, err = d.o.Channels.Send(ctx, m.Channel(), out)
		cancel()
	}
	attempt.EndedAt = d.now()
	s := m.Current()
	s.Account = account
	var refused *gateway.ChannelError
	if err != nil && !errors.As(err, &refused) {
		refused = &gateway.ChannelError{Kind: gateway.ChannelRetry, Failure: gateway.Failure{Code: gateway.FailureProviderUnavailable, Message: err.Error()}}
	}
	switch {
	case refused == nil:
		attempt.Outcome, attempt.MID = "sent", sent.Ref
		if !sent.Accepted {
			s.SentAt = attempt.EndedAt
		}
		d.sent(p, l, m, attempt)
	case refused.Kind == gateway.ChannelUnknown:
		attempt.Outcome, attempt.Failure = "uncertain", &refused.Failure
		d.uncertain(p, l, m, attempt)
	case refused.Kind == gateway.ChannelRefused:
		attempt.Outcome, attempt.Failure = "failed", &refused.Failure
		d.note(m, attempt)
		d.left(p, l, d.leave(m, gateway.StepFailed, &refused.Failure))
	default:
		attempt.Failure = &refused.Failure
		d.again(p, l, m, attempt, max(pauseAfter(stepTries(m)), refused.After))
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

// watchSteps leaves steps whose time is up before they have reached their goal, or of which their provider has reported a failure.
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

// leaveDue leaves the steps that are due, and answers how long nothing more will be.
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

// leaveStep leaves the step of one message, unless a lane is working on it: then the lane sees to it.
func (d *Deliverer) leaveStep(m *gateway.Message) bool {
	_, held := d.o.Store.Leases().Epoch(m.Partition)
	if !held {
		return false
	}
	free, claimed := d.claim(m)
	if !free {
		return false
	}
	from := m.Status
	outcome, why := gateway.StepPassed, notReached(m)
	if s := m.Current(); s != nil && s.Why != nil {
		outcome, why = gateway.StepFailed, s.Why // as its provider has reported
	}
	r := d.leave(m, outcome, why)
	if from == gateway.StatusUncertain {
		r.Epoch = 0
	}
	recorded := d.record(r)
	d.unclaim(m, claimed, recorded && r.Applied)
	if from == gateway.StatusUncertain {
		d.prove(m.Lane())
	}
	return recorded && r.Applied
}

// claim keeps the lane of a message from working on it, if the message is its head; free is false when that is what the lane is doing.
func (d *Deliverer) claim(m *gateway.Message) (free, claimed bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.laneOf(m)
	switch {
	case l == nil || len(l.queue) == 0 || l.head().Seq != m.Seq || m.Status == gateway.StatusUncertain:
		return true, false // the row itself says whether somebody was faster
	case l.busy:
		return false, false
	}
	l.busy = true
	return true, true
}

// unclaim puts a message that has left its step back into its lane, or takes it out, and lets the lane go on.
func (d *Deliverer) unclaim(m *gateway.Message, claimed, applied bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	p, l := d.pages[m.Application], d.laneOf(m)
	at := -1
	if l != nil {
		at = slices.IndexFunc(l.queue, func(q *gateway.Message) bool { return q.Seq == m.Seq })
	}
	if claimed && l != nil {
		l.busy = false
		l.queued = false // it may stand in the line of another channel
	}
	switch {
	case at < 0 && applied && m.Status.Open():
		d.readmit(m)
	case at < 0:
	case at == 0 && l.busy: // it waits for proof: its own goroutine reads what it is now
	case applied && m.Status.Open():
		*l.queue[at] = *m
		d.settle(p, l)
	case applied:
		l.queue = slices.Delete(l.queue, at, at+1)
		p.rows--
		d.settle(p, l)
	default:
		d.settle(p, l)
	}
	d.pokeSteps(m.StepDue)
}

func (d *Deliverer) laneOf(m *gateway.Message) *lane {
	p := d.pages[m.Application]
	if p == nil {
		return nil
	}
	return p.lanes[m.Person]
}

// readmit takes a message that had left its lane back into it, before those that were accepted later.
func (d *Deliverer) readmit(m *gateway.Message) {
	if !d.ours(m) {
		return
	}
	p := d.page(m.Application)
	if p.rows >= maxPageRows {
		d.spill(p, m.Seq)
		return
	}
	l := p.lanes[m.Person]
	if l == nil {
		l = &lane{key: m.Lane(), part: m.Partition}
		p.lanes[m.Person] = l
	}
	at := 0
	for at < len(l.queue) && (l.queue[at].Seq < m.Seq || at == 0 && l.busy) {
		at++
	}
	if at < len(l.queue) && l.queue[at].Seq == m.Seq {
		return
	}
	own := *m
	l.queue = slices.Insert(l.queue, at, &own)
	p.rows++
	if at == 0 {
		l.queued = false // whoever stood in line is no longer the head
		d.ready(p, l)
	}
}
