package deliver

import (
	"context"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/lane"
	"github.com/chasqui/chasqui/internal/outcome"
	"github.com/chasqui/chasqui/internal/store"
)

// attempt takes the head of a lane one step further, and returns what its lane does next.
func (d *Deliverer) attempt(_ gateway.Lane, j *job) lane.Next {
	if !j.marked {
		if j.unproven() {
			return d.seekProof(j)
		}
		if next, done := d.judge(j); done {
			return next
		}
		if next, marked := d.mark(j); !marked {
			return next
		}
	}
	j.marked = false
	came := d.post(j.m)
	decision := d.decide(j.m, came)
	return d.finish(j, decision)
}

// judge looks whether the message may go out at its step now. When it may not, that is finished,
// and next says how its lane goes on.
func (d *Deliverer) judge(j *job) (next lane.Next, done bool) {
	m, now := j.m, d.now()
	m.DueAt = time.Time{}
	var came outcome.Came
	_, _, err := m.Content()
	switch {
	case !now.Before(m.ExpiresAt):
		came = outcome.Expired{}
	case err != nil:
		came = outcome.Unreadable{Err: err}
	case !m.StepDue.IsZero() && !now.Before(m.StepDue) && m.Status == gateway.StatusQueued:
		came = outcome.StepDue{}
	case m.PartsSent > 0: // what has begun is ended; the platform has its say
		return next, false
	default:
		why, err := d.refusal(m, now)
		if err != nil {
			return d.later("ask the rules about a message", err), true
		}
		if why == nil {
			return next, false
		}
		came = outcome.Refused{Why: why}
	}
	return d.finish(j, d.decide(m, came)), true
}

// refusal returns why the message must not go out at its step; nil when it may. What the platform's
// rules change about it is noted on the message.
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

// mark commits that the message is being sent. When it could not, next says how its lane goes on.
func (d *Deliverer) mark(j *job) (next lane.Next, marked bool) {
	m := j.m
	epoch, sure := d.sure(m.Partition)
	if !sure {
		return lane.Reread(), false
	}
	mark := &store.Sending{Seq: m.Seq, Partition: m.Partition, Epoch: epoch, From: m.Status, PartsSent: m.PartsSent, Step: m.Step, At: d.now(), Resent: m.Resent}
	// A stop must not part the mark from its POST: the row would say that one may be under way, and
	// the next start could only call it uncertain.
	if err := d.o.Store.MarkSending(context.WithoutCancel(d.ctx), mark); err != nil {
		j.doubt = mark
		return d.later("mark a message as sending", err), false
	}
	if !mark.Applied {
		if mark = d.markedBefore(j, epoch); mark == nil {
			return lane.Reread(), false // canceled, settled by an echo, or worked by another node meanwhile
		}
	}
	j.doubt, j.resend = nil, false
	m.Status, m.Epoch, m.SendingAt = gateway.StatusSending, epoch, mark.At
	return next, true
}

// markedBefore returns the mark that was made when the database's answer to it was lost, if the row
// bears it and the lease is still the same: nothing was posted under it, so that it is as good as a
// new one. Nil when there is none.
func (d *Deliverer) markedBefore(j *job, epoch int64) *store.Sending {
	doubt, m := j.doubt, j.m
	j.doubt = nil
	if doubt == nil || doubt.Seq != m.Seq || doubt.Epoch != epoch || doubt.PartsSent != m.PartsSent || doubt.Step != m.Step {
		return nil
	}
	now, err := d.o.Store.Message(context.WithoutCancel(d.ctx), m.ID)
	if err != nil || now.Status != gateway.StatusSending || now.Epoch != epoch || !now.SendingAt.Equal(doubt.At) {
		return nil
	}
	return doubt
}

// sure returns the epoch of a partition's lease once this node can be sure that it holds it. It
// waits for one that is only late in being renewed; false when it is lost, or the deliverer stops.
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
