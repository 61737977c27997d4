package comapi

import (
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
)

// channelStatus is what became of a message on one channel.
type channelStatus struct {
	Status    string         `json:"status"`
	Details   map[string]any `json:"details"`
	UpdatedOn string         `json:"updatedOn"`
}

func newChannelStatus(status string, at time.Time) channelStatus {
	return channelStatus{Status: status, Details: map[string]any{}, UpdatedOn: gateway.FormatTime(at)}
}

// failed adds why the channel failed, if there is a reason.
func (c *channelStatus) failed(why *gateway.Failure) {
	if why == nil {
		return
	}
	c.Details["failureCode"], c.Details["reason"] = why.Code, why.Message
	if why.PlatformCode != 0 {
		c.Details["platformCode"] = why.PlatformCode
	}
}

// stepStatus is what became of a step that the message has left, or reached its goal with.
func stepStatus(s *gateway.Step) channelStatus {
	c := newChannelStatus("failed", s.EndedAt)
	switch {
	case s.Outcome == gateway.StepSkipped:
		c.Details["skipped"] = true
	case !s.ReadAt.IsZero():
		c.Status = "read"
	case !s.DeliveredAt.IsZero():
		c.Status = "delivered"
	case s.Outcome == gateway.StepPassed:
		c.Status = "expired"
	case s.Outcome == gateway.StepReached || s.Outcome == gateway.StepActive:
		c.Status = "sent"
	}
	if s.Ref != "" {
		c.Details["id"] = s.Ref
	}
	c.failed(s.Why)
	return c
}
