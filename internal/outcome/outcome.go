// Package outcome decides what becomes of a message: what its new state is, which events tell of it
// and what is to be done next, once an answer, a receipt, a report or a deadline has come.
//
// Decide is a pure function. It reads no clock and no database, and leaves the message that it is
// given as it is; whoever calls it writes down what it returns, if the message is still what it
// was.
package outcome

import (
	"slices"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
)

// Rules are what is set about deciding.
type Rules struct {
	WaitProof time.Duration  // how long a lane waits for proof of an uncertain message
	Resend    bool           // send an uncertain message once more when no proof has come
	Random    func() float64 // from 0 to 1, to spread pauses; nil leaves them at their longest
}

// Came is something that has come for a message. Decide lists the types that there are.
type Came interface {
	decide(r Rules, d *Decision, now time.Time)
}

// Next says what is to be done with a message.
type Next int

// What is to be done next.
const (
	// Leave lets its lane go on without it. It has ended, or waits for receipts, for proof or for
	// the deadline of its step; or nothing has changed.
	Leave Next = iota
	// Again sends its next part or step, or the same once more, at Decision.At; the zero time
	// means at once.
	Again
	// Wait lets its lane wait for proof, until Decision.At at the latest.
	Wait
	// Reread says that the lease under which it was to be sent is lost: whoever works it takes it
	// as its row is.
	Reread
	// Later says that what came cannot be judged yet: it has to come once more.
	Later
)

// Decision is what becomes of a message.
type Decision struct {
	Message *gateway.Message // with its new state
	From    gateway.Status   // the state that it was in
	AtStep  int              // and the step that it was at
	Parts   int              // and how many parts of it were known to be sent
	Changed bool             // there is something to write down
	Late    bool             // what came was for a step that the message had left
	Events  []*gateway.Event // the facts that follow, once that is written
	Attempt *gateway.Attempt // the try that is over; nil when none is

	Next Next
	At   time.Time

	Hold   time.Duration    // the page sends nothing for so long
	Broken *gateway.Failure // the page sends nothing until somebody mends it; nil when it may
	Closed Window           // what the platform said to be closed
}

// Window is what a refusal says about a conversation.
type Window int

// The windows.
const (
	Open            Window = iota // nothing was said
	ClosedStandard                // the 24 hours for answers are over
	ClosedHuman                   // the 7 days for answers by people are over
	ClosedByAnother               // another app controls the thread
)

// Decide returns what becomes of a message now that something has come for it: Answer,
// ChannelAnswer, Unposted, Interrupted, Unreadable, Refused, Expired, StepDue, Proof, NoProof,
// GivenUp, Echo, Marks, LateMarks or Report.
func Decide(m *gateway.Message, came Came, now time.Time, r Rules) Decision {
	own := *m
	own.Steps, own.Attempts = slices.Clone(m.Steps), slices.Clone(m.Attempts)
	d := Decision{Message: &own, From: m.Status, AtStep: m.Step, Parts: m.PartsSent}
	came.decide(r, &d, now.UTC())
	return d
}

// become changes the state of the message.
func (d *Decision) become(s gateway.Status) {
	d.Message.Status, d.Changed = s, true
}

// tell adds the fact of the message as it is now.
func (d *Decision) tell(kind gateway.EventType, cause *gateway.Event) {
	d.Events = append(d.Events, gateway.MessageEvent(kind, d.Message, cause))
}

// leaveStep moves the message on from its step: to the next, or to its end.
func (d *Decision) leaveStep(o gateway.Outcome, why *gateway.Failure, now time.Time) {
	d.Changed = true
	if d.Message.MoveOn(o, why, now) {
		d.Next = Again
		return
	}
	kind := gateway.EventMessageFailed
	if d.Message.Status == gateway.StatusExpired {
		kind = gateway.EventMessageExpired
	}
	d.tell(kind, nil)
}

// partSent goes on after a part is known to be sent: with the next one, or the message is sent.
func (d *Decision) partSent(at time.Time) {
	m := d.Message
	if m.PartsSent < m.Parts {
		d.become(gateway.StatusQueued)
		d.Next = Again
		return
	}
	m.SentAt = at
	d.become(gateway.StatusSent)
	m.Progress(at)
	d.tell(gateway.EventMessageSent, nil)
}

// Echoed reports whether the echo of the part that comes next is there: it was sent, whatever
// became of the answer.
func Echoed(m *gateway.Message) bool { return m.Echoed>>m.PartsSent&1 == 1 }
