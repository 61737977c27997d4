package outcome

import (
	"fmt"
	"slices"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
)

// Expired says that the message's time is up before it was sent.
type Expired struct{}

func (Expired) decide(_ Rules, d *Decision, now time.Time) {
	m := d.Message
	if m.Status == gateway.StatusUncertain {
		return // it may have been sent: an echo says so, or it is given up
	}
	why := &gateway.Failure{Code: gateway.FailureExpired, Message: "it could not be sent before " + m.ExpiresAt.UTC().Format(time.RFC3339)}
	if n := len(m.Attempts); n > 0 && m.Attempts[n-1].Failure != nil {
		why.Message += "; the last attempt: " + m.Attempts[n-1].Failure.Message
	}
	m.Expire(why, now)
	d.Changed = true
	d.tell(gateway.EventMessageExpired, nil)
}

// StepDue says that the time of the message's step is up before it has reached its goal, or that
// its provider has reported that it failed.
type StepDue struct{}

func (StepDue) decide(_ Rules, d *Decision, now time.Time) {
	m := d.Message
	if s := m.Current(); s != nil && s.Why != nil {
		d.leaveStep(gateway.StepFailed, s.Why, now) // as its provider has reported
		return
	}
	d.leaveStep(gateway.StepPassed, notReached(m), now)
}

// notReached says that a step's time is up, and what the last try came to.
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
