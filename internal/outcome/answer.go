package outcome

import (
	"errors"
	"time"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/messenger"
)

// Pauses between tries of one message: the first, doubled each time up to the longest, each
// shortened at random by up to a half.
const (
	firstPause   = time.Second
	longestPause = 5 * time.Minute
	keptAttempts = 50 // of a message; the oldest are forgotten first
)

// Answer is the platform's answer to a send. The attempt says when it began and ended.
type Answer struct {
	Attempt gateway.Attempt
	Result  messenger.SendResult
	Err     error
}

func (a Answer) decide(r Rules, d *Decision, now time.Time) {
	var refused *messenger.Error
	switch {
	case a.Err == nil:
		a.Attempt.PlatformMessageID = string(a.Result.MessageID)
		d.Message.MarkAt = a.Attempt.StartedAt.Time
		d.sent(a.Attempt)
	case messenger.OutcomeUnknown(a.Err):
		a.Attempt.Failure = &gateway.Failure{Code: gateway.FailureUnknownOutcome, Message: "the platform's answer was lost: " + a.Err.Error()}
		d.uncertain(r, a.Attempt, now)
	case errors.As(a.Err, &refused):
		a.refused(r, d, refused, now)
	default:
		a.Attempt.Failure = &gateway.Failure{Code: gateway.FailurePlatformUnavailable, Message: a.Err.Error()}
		d.again(r.pause(d.Message, 0), a.Attempt, now)
	}
}

// refused follows the verdict of the table of errors.
func (a Answer) refused(r Rules, d *Decision, refused *messenger.Error, now time.Time) {
	m, verdict := d.Message, refused.Verdict()
	a.Attempt.Failure = failure(refused, verdict)
	switch {
	case verdict.Action == messenger.Retry && (verdict.Limit == 0 || tries(m, refused.Code) < verdict.Limit):
		d.again(r.pause(m, verdict.After), a.Attempt, now)
	case verdict.Action == messenger.WaitUntil:
		d.Hold = r.pause(m, verdict.After)
		d.again(d.Hold, a.Attempt, now)
	case verdict.Action == messenger.PageBroken:
		d.Broken = a.Attempt.Failure
		d.again(0, a.Attempt, now)
	default:
		d.note(a.Attempt, gatewayapi.AttemptFailed)
		if verdict.Action == messenger.OutsideWindow {
			d.Closed = ClosedStandard
			in, _, err := m.Content()
			if err == nil && in.ChannelOptions.FBMessenger.MessageTag == messenger.TagHumanAgent {
				d.Closed = ClosedHuman
			}
		} else if errors.Is(refused, messenger.ErrThreadControl) {
			d.Closed = ClosedByAnother
		}
		d.leaveStep(gateway.StepFailed, a.Attempt.Failure, now)
	}
}

// ChannelAnswer is the answer of the account of a channel beside Messenger.
type ChannelAnswer struct {
	Attempt gateway.Attempt
	Account string // by which it went
	Sent    gateway.ChannelSent
	Err     error // a *gateway.ChannelError where it is known what follows
}

func (a ChannelAnswer) decide(r Rules, d *Decision, now time.Time) {
	m := d.Message
	s := m.Current()
	s.Account = a.Account
	var refused *gateway.ChannelError
	if a.Err != nil && !errors.As(a.Err, &refused) {
		refused = &gateway.ChannelError{Kind: gateway.ChannelRetry, Failure: gateway.Failure{Code: gateway.FailureProviderUnavailable, Message: a.Err.Error()}}
	}
	if refused == nil {
		a.Attempt.PlatformMessageID = a.Sent.Ref
		if !a.Sent.Accepted {
			s.SentAt = a.Attempt.EndedAt.Time
		}
		d.sent(a.Attempt)
		return
	}
	why := refused.Failure
	a.Attempt.Failure = &why
	switch refused.Kind {
	case gateway.ChannelUnknown:
		d.uncertain(r, a.Attempt, now)
	case gateway.ChannelRefused:
		d.note(a.Attempt, gatewayapi.AttemptFailed)
		d.leaveStep(gateway.StepFailed, a.Attempt.Failure, now)
	default:
		d.again(r.pause(m, refused.After), a.Attempt, now)
	}
}

// Unreadable says that what the message asks for cannot be made.
type Unreadable struct{ Err error }

func (u Unreadable) decide(_ Rules, d *Decision, now time.Time) {
	d.leaveStep(gateway.StepFailed, &gateway.Failure{Code: gateway.FailureInvalidContent, Message: u.Err.Error()}, now)
}

// Refused says why the message must not go out at its step: the platform's rules, or an opt-out.
type Refused struct{ Why *gateway.Failure }

func (r Refused) decide(_ Rules, d *Decision, now time.Time) {
	d.leaveStep(gateway.StepSkipped, r.Why, now)
}

// Unposted says that the message was marked as being sent, and nothing was posted because the lease
// was lost: with the mark taken back, whoever works it next need not call it uncertain.
type Unposted struct{}

func (Unposted) decide(_ Rules, d *Decision, _ time.Time) {
	d.become(gateway.StatusQueued)
	d.Next = Reread
}

// sent goes on after a part went out.
func (d *Decision) sent(attempt gateway.Attempt) {
	d.note(attempt, gatewayapi.AttemptSent)
	m := d.Message
	m.PartsSent++
	m.MID = attempt.PlatformMessageID
	d.partSent(attempt.EndedAt.Time)
}

// uncertain goes on after an answer was lost: the lane waits for proof.
func (d *Decision) uncertain(r Rules, attempt gateway.Attempt, now time.Time) {
	d.note(attempt, gatewayapi.AttemptUncertain)
	d.become(gateway.StatusUncertain)
	d.tell(gateway.EventMessageUncertain, nil)
	d.Next, d.At = Wait, now.Add(r.WaitProof)
}

// again puts the message back, to be tried after a pause, and not after its time is up.
func (d *Decision) again(wait time.Duration, attempt gateway.Attempt, now time.Time) {
	d.note(attempt, gatewayapi.AttemptRetry)
	d.become(gateway.StatusQueued)
	m := d.Message
	m.DueAt = time.Time{}
	if wait > 0 {
		m.DueAt = now.Add(wait)
		if m.DueAt.After(m.ExpiresAt) {
			m.DueAt = m.ExpiresAt
		}
		if !m.StepDue.IsZero() && m.DueAt.After(m.StepDue) {
			m.DueAt = m.StepDue
		}
	}
	d.Next, d.At = Again, m.DueAt
}

// note adds a try to the message's.
func (d *Decision) note(a gateway.Attempt, outcome gatewayapi.AttemptOutcome) {
	a.Outcome = outcome
	m := d.Message
	m.Attempts = append(m.Attempts, a)
	if extra := len(m.Attempts) - keptAttempts; extra > 0 {
		m.Attempts = m.Attempts[extra:]
	}
	d.Attempt = &m.Attempts[len(m.Attempts)-1]
}

// pause is how long to wait after one more try at the current step has failed, and at least so
// long.
func (r Rules) pause(m *gateway.Message, least time.Duration) time.Duration {
	n := 0
	for _, a := range m.Attempts {
		if a.Step == m.Step {
			n++
		}
	}
	pause := min(firstPause<<min(n, 10), longestPause)
	if r.Random != nil {
		pause -= time.Duration(r.Random() * float64(pause/2))
	}
	return max(pause, least)
}

// tries counts the attempts at the current step that failed with a code of the platform.
func tries(m *gateway.Message, code int) int {
	n := 0
	for _, a := range m.Attempts {
		if a.Step == m.Step && a.Failure != nil && a.Failure.PlatformCode == code {
			n++
		}
	}
	return n
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
