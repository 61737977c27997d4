package deliver

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
	"github.com/chasqui/chasqui/messenger"
)

// Pauses between tries of one message: the first, doubled each time up to the longest, each shortened at random by up to a half.
const (
	firstPause   = time.Second
	longestPause = 5 * time.Minute
	keptAttempts = 50 // of a message; the oldest are forgotten first
)

// send makes one attempt at the next part of the head of a lane, and settles the lane.
func (d *Deliverer) send(p *page, l *lane, m *gateway.Message, client *messenger.Client) {
	now := d.now()
	d.mu.Lock()
	l.resend = false
	d.mu.Unlock()
	switch {
	case now.Before(m.ExpiresAt):
	case m.Status == gateway.StatusUncertain:
		d.drop(p, l) // it may have been sent: the sweep or an echo says what it is
		return
	default:
		d.end(p, l, expired(m, m.Status, now))
		return
	}
	if done := d.judge(p, l, m, now); done {
		return
	}
	epoch, sure := d.sure(m.Partition)
	if !sure {
		d.forsake(p, l, m)
		return
	}
	mark := &store.Sending{Seq: m.Seq, Partition: m.Partition, Epoch: epoch, From: m.Status, PartsSent: m.PartsSent, Step: m.Step, At: now, Resent: m.Resent}
	// A stop must not part the mark from its POST: the row would say that one may be under way, and the next start could only call it uncertain.
	if err := d.o.Store.MarkSending(context.WithoutCancel(d.ctx), mark); err != nil {
		l.doubt = mark
		d.pause("mark a message as sending", err)
		d.retryLater(p, l)
		return
	}
	if !mark.Applied {
		if mark = d.markedBefore(l, m, epoch); mark == nil {
			d.forsake(p, l, m)
			return
		}
	}
	l.doubt = nil
	m.Status, m.Epoch, m.SendingAt = gateway.StatusSending, epoch, mark.At
	d.transmit(p, l, m, client)
}

// markedBefore returns the mark that was made when the database's answer to it was lost, if the row bears it and the lease is still the same: nothing was posted
// under it, so that it is as good as a new one. Nil when there is none.
func (d *Deliverer) markedBefore(l *lane, m *gateway.Message, epoch int64) *store.Sending {
	doubt := l.doubt
	l.doubt = nil
	if doubt == nil || doubt.Seq != m.Seq || doubt.Epoch != epoch || doubt.PartsSent != m.PartsSent || doubt.Step != m.Step {
		return nil
	}
	now, err := d.o.Store.Message(context.WithoutCancel(d.ctx), m.ID)
	if err != nil || now.Status != gateway.StatusSending || now.Epoch != epoch || !now.SendingAt.Equal(doubt.At) {
		return nil
	}
	return doubt
}

// transmit makes the POST of a message whose mark is committed, if the lease still holds, and settles the lane.
func (d *Deliverer) transmit(p *page, l *lane, m *gateway.Message, client *messenger.Client) {
	in, parts, err := m.Content()
	if _, held := d.o.Store.Leases().Epoch(m.Partition); !held || err != nil {
		// Nothing was posted: with the mark taken back, whoever works the partition next need not call it uncertain. The mark's own epoch says that it is ours.
		own := *m
		own.Status = gateway.StatusQueued
		d.record(&store.Result{Message: &own, From: gateway.StatusSending, AtStep: m.Step, Epoch: m.Epoch})
		d.forsake(p, l, m)
		return
	}
	attempt := gateway.Attempt{Number: len(m.Attempts) + 1, Channel: m.Channel(), Step: m.Step, Part: m.PartsSent + 1, StartedAt: m.SendingAt}
	if m.Channel() != gateway.ChannelMessenger {
		d.hand(p, l, m, attempt)
		return
	}
	result, err := d.post(client, m, m.Options(in), parts[m.PartsSent])
	attempt.EndedAt = d.now()
	d.conclude(p, l, m, attempt, result, err)
}

// sure answers the epoch of a partition's lease once this node can be sure that it holds it. It waits for one that is only late in being renewed; false when it is lost,
// or the deliverer stops.
func (d *Deliverer) sure(part int) (int64, bool) {
	for {
		if epoch, held := d.o.Store.Leases().Epoch(part); held {
			return epoch, true
		}
		d.mu.Lock()
		_, taken := d.taken[part]
		d.mu.Unlock()
		if !taken {
			return 0, false
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-d.ctx.Done():
			return 0, false
		}
	}
}

// now is the moment as it is stored.
func (d *Deliverer) now() time.Time { return d.o.Store.Now().UTC().Truncate(time.Millisecond) }

// recipientOf answers whom a message goes to on Messenger: a person of the page, or whoever Customer Matching finds by phone number.
func recipientOf(m *gateway.Message, o gateway.MessengerOptions) messenger.Recipient {
	if o.OneTimeToken != "" || o.NotificationToken != "" {
		return messenger.Recipient{OneTimeNotifToken: o.OneTimeToken, NotificationMessagesToken: o.NotificationToken}
	}
	if s := m.Current(); m.PSID() == "" && s != nil {
		r := messenger.Recipient{PhoneNumber: "+" + s.Address}
		if in, _, err := m.Content(); err == nil && in.To.FirstName+in.To.LastName != "" {
			r.Name = &messenger.HumanName{FirstName: in.To.FirstName, LastName: in.To.LastName}
		}
		return r
	}
	return messenger.Recipient{ID: messenger.PSID(m.Person)}
}

// post is the call itself. It is bounded in time, and is not cut short when the deliverer stops.
func (d *Deliverer) post(client *messenger.Client, m *gateway.Message, o gateway.MessengerOptions, part gateway.Part) (messenger.SendResult, error) {
	req := messenger.SendRequest{
		Recipient: recipientOf(m, o), MessagingType: o.Settled(), Tag: o.MessageTag,
		NotificationType: o.NotificationType, PersonaID: o.PersonaID, Message: messenger.Message{Raw: part.Raw},
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(d.ctx), d.o.SendTimeout)
	defer cancel()
	if part.File != nil {
		return client.SendFile(ctx, req, messenger.File{Name: part.File.Name, ContentType: part.File.Type, Data: part.File.Data})
	}
	return client.Send(ctx, req)
}

// conclude decides what an answer means for the message, its page and its lane.
func (d *Deliverer) conclude(p *page, l *lane, m *gateway.Message, attempt gateway.Attempt, result messenger.SendResult, err error) {
	var refused *messenger.Error
	switch {
	case err == nil:
		attempt.Outcome, attempt.MID = "sent", string(result.MessageID)
		d.sent(p, l, m, attempt)
	case messenger.OutcomeUnknown(err):
		attempt.Outcome = "uncertain"
		attempt.Failure = &gateway.Failure{Code: gateway.FailureUnknownOutcome, Message: "the platform's answer was lost: " + err.Error()}
		d.uncertain(p, l, m, attempt)
	case errors.As(err, &refused):
		d.refused(p, l, m, attempt, refused)
	default:
		attempt.Failure = &gateway.Failure{Code: gateway.FailurePlatformUnavailable, Message: err.Error()}
		d.again(p, l, m, attempt, pauseAfter(stepTries(m)))
	}
}

// sent records that a part went out: the next one follows, or the message is done.
func (d *Deliverer) sent(p *page, l *lane, m *gateway.Message, attempt gateway.Attempt) {
	d.note(m, attempt)
	m.PartsSent++
	m.MID = attempt.MID
	if m.Channel() == gateway.ChannelMessenger {
		m.MarkAt = attempt.StartedAt
	}
	r := d.result(m, gateway.StatusSending)
	if m.PartsSent < m.Parts {
		m.Status = gateway.StatusQueued
		d.keep(p, l, r)
		return
	}
	m.Status, m.SentAt = gateway.StatusSent, attempt.EndedAt
	m.Progress(attempt.EndedAt)
	r.Events = []*gateway.Event{gateway.MessageEvent(gateway.EventMessageSent, m, nil)}
	d.end(p, l, r)
	d.pokeSteps(m.StepDue)
}

// refused follows the verdict of the error table.
func (d *Deliverer) refused(p *page, l *lane, m *gateway.Message, attempt gateway.Attempt, refused *messenger.Error) {
	verdict := refused.Verdict()
	attempt.Failure = failure(refused, verdict)
	switch {
	case verdict.Action == messenger.Retry && (verdict.Limit == 0 || tries(m, refused.Code) < verdict.Limit):
		d.again(p, l, m, attempt, max(pauseAfter(stepTries(m)), verdict.After))
	case verdict.Action == messenger.WaitUntil:
		wait := max(pauseAfter(stepTries(m)), verdict.After)
		d.mu.Lock()
		d.hold(p, wait)
		d.mu.Unlock()
		d.again(p, l, m, attempt, wait)
	case verdict.Action == messenger.PageBroken:
		d.breakPage(p, attempt.Failure)
		d.again(p, l, m, attempt, 0)
	default:
		attempt.Outcome = "failed"
		d.note(m, attempt)
		r := d.leave(m, gateway.StepFailed, attempt.Failure)
		if verdict.Action == messenger.OutsideWindow {
			in, _, err := m.Content()
			r.Closed = &store.Closed{At: attempt.EndedAt, Human: err == nil && in.ChannelOptions.FBMessenger.MessageTag == messenger.TagHumanAgent}
		} else if errors.Is(refused, messenger.ErrThreadControl) {
			r.Closed = &store.Closed{At: attempt.EndedAt, Elsewhere: true}
		}
		d.left(p, l, r)
	}
}

// stepTries counts the attempts at the current step.
func stepTries(m *gateway.Message) int {
	n := 0
	for _, a := range m.Attempts {
		if a.Step == m.Step {
			n++
		}
	}
	return n
}

// tries counts the attempts that failed with the same code of the platform.
func tries(m *gateway.Message, code int) int {
	n := 0
	for _, a := range m.Attempts {
		if a.Step == m.Step && a.Failure != nil && a.Failure.PlatformCode == code {
			n++
		}
	}
	return n
}

// breakPage stops a page whose token or permissions are refused. Its queue is kept until somebody mends it.
func (d *Deliverer) breakPage(p *page, why *gateway.Failure) {
	d.mu.Lock()
	first, app := !p.stopped, p.app
	p.stopped = true
	d.mu.Unlock()
	if !first {
		return
	}
	if err := d.o.Applications.Pause(context.WithoutCancel(d.ctx), p.key, app.AccessToken, *why); err != nil {
		d.log.Error("pause application", "application", p.key, "err", err)
	}
	d.refreshPages()
}

// again puts the message back, to be tried after a pause.
func (d *Deliverer) again(p *page, l *lane, m *gateway.Message, attempt gateway.Attempt, wait time.Duration) {
	attempt.Outcome = "retry"
	d.note(m, attempt)
	m.Status, m.DueAt = gateway.StatusQueued, time.Time{}
	if wait > 0 {
		m.DueAt = d.o.Store.Now().Add(wait).UTC()
		if m.DueAt.After(m.ExpiresAt) {
			m.DueAt = m.ExpiresAt
		}
		if !m.StepDue.IsZero() && m.DueAt.After(m.StepDue) {
			m.DueAt = m.StepDue
		}
	}
	d.keep(p, l, d.result(m, gateway.StatusSending))
}

func (d *Deliverer) note(m *gateway.Message, attempt gateway.Attempt) {
	d.o.Metrics.Attempts(m.Application, attempt.Channel, attempt.Outcome)
	m.Attempts = append(m.Attempts, attempt)
	if len(m.Attempts) > keptAttempts {
		m.Attempts = append([]gateway.Attempt(nil), m.Attempts[len(m.Attempts)-keptAttempts:]...)
	}
}

func pauseAfter(attempts int) time.Duration {
	pause := firstPause << min(attempts, 10)
	pause = min(pause, longestPause)
	return pause - time.Duration(rand.Int64N(int64(pause/2)))
}

// expired makes the result of a message whose time is up.
func expired(m *gateway.Message, from gateway.Status, now time.Time) *store.Result {
	why := &gateway.Failure{Code: gateway.FailureExpired, Message: "it could not be sent before " + m.ExpiresAt.UTC().Format(time.RFC3339)}
	if n := len(m.Attempts); n > 0 && m.Attempts[n-1].Failure != nil {
		why.Message += "; the last attempt: " + m.Attempts[n-1].Failure.Message
	}
	r := &store.Result{Message: m, From: from, AtStep: m.Step}
	m.Expire(why, now)
	r.Events = []*gateway.Event{gateway.MessageEvent(gateway.EventMessageExpired, m, nil)}
	return r
}

// record commits a result, and tries again for as long as the database cannot: what the platform did is not to be forgotten. False when the deliverer
// stopped first; the row then still says `sending`, and the next start treats it as uncertain.
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

// result makes the result of a message that was sent under this node's lease, or under that of the node before it.
func (d *Deliverer) result(m *gateway.Message, from gateway.Status) *store.Result {
	return &store.Result{Message: m, From: from, AtStep: m.Step, Epoch: m.Epoch, Fence: d.fence(m)}
}

// fence is the epoch that a result of the message must be recorded under: this node's lease, and if that is lost the one the message was sent under, which the
// database then refuses.
func (d *Deliverer) fence(m *gateway.Message) int64 {
	if epoch, held := d.o.Store.Leases().Epoch(m.Partition); held {
		return epoch
	}
	return m.Epoch
}

// count tells the metrics of a message that has come to its end.
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

// keep records a result after which the message is still the head of its lane.
func (d *Deliverer) keep(p *page, l *lane, r *store.Result) {
	if !d.record(r) {
		return
	}
	if !r.Applied {
		d.forsake(p, l, r.Message)
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	l.busy = false
	d.settle(p, l)
}

// end records a result after which the message leaves its lane.
func (d *Deliverer) end(p *page, l *lane, r *store.Result) {
	switch {
	case !d.record(r):
	case r.Applied:
		d.drop(p, l)
	default:
		d.forsake(p, l, r.Message)
	}
}

// forsake drops a message whose row is not what this node took it for: canceled, settled by an echo, or worked by another node meanwhile. What the row is now
// is read again, for a lease that came back meanwhile would otherwise leave it to nobody.
func (d *Deliverer) forsake(p *page, l *lane, m *gateway.Message) {
	d.mu.Lock()
	defer d.mu.Unlock()
	l.busy = false
	d.discard(p, l) // those behind it come back with it, in order
	d.spill(p, m.Seq)
	d.settle(p, l)
}

// drop takes the head off its lane: it is done with, or not this node's any more.
func (d *Deliverer) drop(p *page, l *lane) {
	d.mu.Lock()
	defer d.mu.Unlock()
	l.busy = false
	if len(l.queue) > 0 {
		d.pop(p, l)
	}
	d.settle(p, l)
}

// retryLater leaves the head where it is, for the database was not there to mark it.
func (d *Deliverer) retryLater(p *page, l *lane) {
	d.mu.Lock()
	defer d.mu.Unlock()
	l.busy = false
	d.settle(p, l)
}

// failure says what a refusal means, for programs and for people.
func failure(e *messenger.Error, v messenger.Verdict) *gateway.Failure {
	f := &gateway.Failure{Message: e.Message, PlatformCode: e.Code, PlatformSubcode: e.Subcode, TraceID: e.TraceID, Code: gateway.FailurePlatformRefused}
	if f.Message == "" {
		f.Message = e.Error()
	}
	switch {
	case errors.Is(e, messenger.ErrTokenInvalid):
		f.Code = gateway.FailureTokenInvalid
	case errors.Is(e, messenger.ErrThreadControl):
		f.Code = gateway.FailureNoThreadControl
	case v.Action == messenger.PageBroken:
		f.Code = gateway.FailurePermissionMissing
	case v.Action == messenger.WaitUntil:
		f.Code = gateway.FailureRateLimited
	case v.Action == messenger.OutsideWindow:
		f.Code = gateway.FailureOutsideWindow
	case v.Action == messenger.PersonUnreachable:
		f.Code = gateway.FailurePersonUnreachable
	case v.Action == messenger.Retry:
		f.Code = gateway.FailurePlatformUnavailable
	}
	return f
}
