package outcome

import (
	"time"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/gateway"
)

// Interrupted says that the message was being sent when whoever sent it ended.
type Interrupted struct{}

func (Interrupted) decide(r Rules, d *Decision, now time.Time) {
	m := d.Message
	if gateway.OwnChannel(m.Channel()) {
		// Its receiver knows what it got before by webhook-id: handing it over again is safe.
		d.become(gateway.StatusQueued)
		d.Next = Again
		return
	}
	attempt := gateway.Attempt{
		Number: len(m.Attempts) + 1, Channel: m.Channel(), Step: m.Step, Part: m.PartsSent + 1, StartedAt: gatewayapi.At(m.SendingAt), EndedAt: gatewayapi.At(now),
		Failure: &gateway.Failure{Code: gateway.FailureUnknownOutcome, Message: "the gateway stopped before the platform's answer was recorded"},
	}
	d.uncertain(r, attempt, now)
	d.Attempt = nil // it was another's
	if Echoed(m) {  // the echo came while nobody worked the conversation
		d.Events, d.Next, d.At = nil, Leave, time.Time{}
		d.prove(now)
	}
}

// Proof says that the echo of the part whose answer was lost is there.
type Proof struct{}

func (Proof) decide(_ Rules, d *Decision, now time.Time) { d.prove(now) }

// prove goes on with an uncertain message whose pending part is proven.
func (d *Decision) prove(now time.Time) {
	m := d.Message
	m.PartsSent++
	if n := len(m.Attempts); n > 0 {
		m.Attempts[n-1].Outcome, m.Attempts[n-1].PlatformMessageID = gatewayapi.AttemptSent, m.MID
	}
	d.partSent(now)
}

// NoProof says that the lane of an uncertain message has waited for proof for long enough.
type NoProof struct {
	Waited bool // it has waited here, and not only on the node before this
}

func (n NoProof) decide(r Rules, d *Decision, now time.Time) {
	m := d.Message
	if r.Resend && n.Waited && !m.Resent && now.Before(m.ExpiresAt) {
		m.Resent, m.DueAt = true, time.Time{}
		d.Next = Again
	}
}

// GivenUp says that a message has been uncertain for so long that it counts as failed, unless its
// proof is there.
type GivenUp struct{}

func (GivenUp) decide(_ Rules, d *Decision, now time.Time) {
	if Echoed(d.Message) { // whoever waited for the echo was gone when it came
		d.prove(now)
		return
	}
	d.leaveStep(gateway.StepFailed, &gateway.Failure{
		Code: gateway.FailureUnknownOutcome, Message: "the answer was lost and nothing proved that the message was sent",
	}, now)
}
