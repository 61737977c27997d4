package gateway

import "time"

// ComapiStatus is what became of a message on one channel, as Comapi's API shows it.
type ComapiStatus struct {
	Status    string         `json:"status"`
	Details   map[string]any `json:"details"`
	UpdatedOn string         `json:"updatedOn"`
}

// NewComapiStatus makes the status of a channel of a moment.
func NewComapiStatus(status string, at time.Time) ComapiStatus {
	return ComapiStatus{Status: status, Details: map[string]any{}, UpdatedOn: FormatTime(at)}
}

// Failed adds why the channel failed, if there is a reason.
func (c *ComapiStatus) Failed(why *Failure) {
	if why == nil {
		return
	}
	c.Details["failureCode"], c.Details["reason"] = why.Code, why.Message
	if why.PlatformCode != 0 {
		c.Details["platformCode"] = why.PlatformCode
	}
}

// Comapi is what became of a step that the message has left, or reached its goal with.
func (s *Step) Comapi() ComapiStatus {
	c := NewComapiStatus("failed", s.EndedAt)
	switch {
	case s.Outcome == StepSkipped:
		c.Details["skipped"] = true
	case !s.ReadAt.IsZero():
		c.Status = "read"
	case !s.DeliveredAt.IsZero():
		c.Status = "delivered"
	case s.Outcome == StepPassed:
		c.Status = "expired"
	case s.Outcome == StepReached || s.Outcome == StepActive:
		c.Status = "sent"
	}
	if s.Ref != "" {
		c.Details["id"] = s.Ref
	}
	c.Failed(s.Why)
	return c
}
