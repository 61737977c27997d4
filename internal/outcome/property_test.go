package outcome_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/outcome"
	"github.com/chasqui/chasqui/messenger"
)

// life is a message as the database has it, and what was decided about it and not written down yet.
type life struct {
	t       *rapid.T
	row     *gateway.Message
	now     time.Time
	pending []outcome.Decision
	posted  map[[2]int]bool // step and part
	ended   bool
	rules   outcome.Rules
}

// decide decides about the row as it is now. What is decided is written down at once, or later,
// when the row may be another.
func (l *life) decide(came outcome.Came) {
	d := outcome.Decide(l.row, came, l.now, l.rules)
	if rapid.IntRange(0, 3).Draw(l.t, "delay") == 0 {
		l.pending = append(l.pending, d)
		return
	}
	l.write(d)
}

// write does what the store does with a decision: it counts if the row is still in the state and at
// the step that it was decided about, and under the same lease.
func (l *life) write(d outcome.Decision) {
	if !d.Changed && d.Next == outcome.Again && d.Message.Resent {
		l.row.Resent = true // is written with the mark
	}
	if !d.Changed || d.From != l.row.Status || d.AtStep != l.row.Step || d.Parts != l.row.PartsSent || d.Message.Epoch != l.row.Epoch {
		return
	}
	before := *l.row
	next := *d.Message
	if next.Step == before.Step {
		next.Echoed |= before.Echoed
	}
	next.Forget()
	l.row = &next
	l.check(&before, d)
}

func (l *life) check(before *gateway.Message, d outcome.Decision) {
	m := l.row
	active := 0
	for _, s := range m.Steps {
		if s.Outcome == gateway.StepActive {
			active++
		}
	}
	over := m.Status == gateway.StatusFailed || m.Status == gateway.StatusExpired
	if active > 1 || active == 1 && over {
		l.t.Fatalf("%s with %d active steps", m.Status, active)
	}
	if m.Step < before.Step && !m.Late {
		l.t.Fatalf("step %d comes after step %d", m.Step, before.Step)
	}
	for _, e := range d.Events {
		var data struct{ Late bool }
		if err := json.Unmarshal(e.Data, &data); err != nil {
			l.t.Fatal(err)
		}
		switch e.Type {
		case gateway.EventMessageFailed, gateway.EventMessageExpired:
			if l.ended {
				l.t.Fatalf("%s is a second end", e.Type)
			}
			l.ended = true
		case gateway.EventMessageSent:
			if l.ended && !data.Late {
				l.t.Fatal("it is sent after it has ended, and not marked late")
			}
		}
	}
	if l.ended && m.Status != before.Status && !over && !m.Late {
		l.t.Fatalf("after its end it is %s, and not marked late", m.Status)
	}
	if m.Late && !over {
		l.ended = false // a late receipt has undone its end
	}
	if over != (m.Error != nil) {
		l.t.Fatalf("%s with the error %+v", m.Status, m.Error)
	}
	if (m.Status == gateway.StatusSent || m.Status == gateway.StatusDelivered || m.Status == gateway.StatusRead) && m.PartsSent != m.Parts && !m.Late {
		l.t.Fatalf("%s with %d of %d parts", m.Status, m.PartsSent, m.Parts)
	}
}

// mark makes the POST of the next part begin, as a lane does it. A message never goes out at two
// steps.
func (l *life) mark() {
	m := l.row
	if l.ended && !m.Late {
		l.t.Fatalf("it goes out after its end")
	}
	if s := m.Current(); s != nil && s.Outcome != gateway.StepActive {
		l.t.Fatalf("it goes out at a step that is %s", s.Outcome)
	}
	m.Status, m.SendingAt, m.DueAt = gateway.StatusSending, l.now, time.Time{}
	m.Epoch++
	l.posted[[2]int{m.Step, m.PartsSent + 1}] = true
}

func (l *life) attempt() gateway.Attempt { return attempt(l.row, l.now) }

// answer draws an answer to the POST that is under way.
func (l *life) answer() outcome.Came {
	if l.row.Channel() == gateway.ChannelMessenger {
		err := rapid.SampledFrom([]error{
			nil, nil, &messenger.CallError{}, errors.New("no route"), &messenger.Error{Code: 2, Status: 500}, &messenger.Error{Code: 613, Status: 400}, &messenger.Error{Code: 190, Status: 400},
			&messenger.Error{Code: 551, Status: 400}, &messenger.Error{Code: 10, Subcode: 2018278, Status: 400}, &messenger.Error{Code: 100, Status: 400},
		}).Draw(l.t, "answer")
		return outcome.Answer{Attempt: l.attempt(), Result: messenger.SendResult{MessageID: "mid"}, Err: err}
	}
	a := outcome.ChannelAnswer{Attempt: l.attempt(), Account: "acc", Sent: gateway.ChannelSent{Ref: "ref", Accepted: rapid.Bool().Draw(l.t, "accepted")}}
	kind := rapid.SampledFrom([]gateway.ChannelErrorKind{"", "", gateway.ChannelRetry, gateway.ChannelRefused, gateway.ChannelUnknown}).Draw(l.t, "answer")
	if kind != "" {
		a.Err = &gateway.ChannelError{Kind: kind, Failure: gateway.Failure{Code: gateway.FailureProviderRefused, Message: "no"}}
	}
	return a
}

// work is what the lane of the message does next.
func (l *life) work() {
	m := l.row
	switch {
	case m.Status == gateway.StatusSending:
		switch rapid.IntRange(0, 5).Draw(l.t, "lease") {
		case 0:
			l.decide(outcome.Interrupted{})
		case 1:
			l.decide(outcome.Unposted{})
		default:
			l.decide(l.answer())
		}
	case m.Status == gateway.StatusUncertain && outcome.Echoed(m):
		l.decide(outcome.Proof{})
	case m.Status == gateway.StatusUncertain:
		if d := outcome.Decide(m, outcome.NoProof{Waited: true}, l.now, l.rules); d.Next == outcome.Again {
			l.row.Resent = true
			l.mark()
		} else if rapid.Bool().Draw(l.t, "long ago") {
			l.decide(outcome.GivenUp{})
		}
	case m.Status != gateway.StatusQueued:
	case !l.now.Before(m.ExpiresAt):
		l.decide(outcome.Expired{})
	case !m.StepDue.IsZero() && !l.now.Before(m.StepDue):
		l.decide(outcome.StepDue{})
	case m.PartsSent == 0 && rapid.IntRange(0, 7).Draw(l.t, "refused") == 0:
		l.decide(outcome.Refused{Why: &gateway.Failure{Code: gateway.FailureOptedOut, Message: "out"}})
	default:
		l.mark()
	}
}

// hear is what the platform, or a provider, says of something that was posted.
func (l *life) hear() {
	step := rapid.IntRange(0, max(0, len(l.row.Steps)-1)).Draw(l.t, "step")
	part := rapid.IntRange(1, 2).Draw(l.t, "part")
	if !l.posted[[2]int{step, part}] {
		return
	}
	if len(l.row.Steps) > 0 && l.row.Steps[step].Rule.Channel != gateway.ChannelMessenger {
		status := rapid.SampledFrom([]gateway.Status{gateway.StatusSent, gateway.StatusDelivered, gateway.StatusRead, gateway.StatusFailed}).Draw(l.t, "report")
		l.decide(outcome.Report{ChannelReport: gateway.ChannelReport{MessageID: l.row.ID, Step: step, Status: status, Ref: "ref"}})
		return
	}
	marks := outcome.Marks{}
	switch rapid.IntRange(0, 2).Draw(l.t, "receipt") {
	case 0:
		l.decide(outcome.Echo{Step: step, Part: part, MID: "echo", At: l.now})
		return
	case 1:
		marks.Delivered = l.now.UnixMilli()
	case 2:
		marks.Delivered, marks.Read = l.now.UnixMilli(), l.now.UnixMilli()
	}
	if s := l.row.Status; (s == gateway.StatusSent || s == gateway.StatusDelivered) && !l.row.MarkAt.IsZero() {
		l.decide(marks)
		return
	}
	if l.row.LateMark > 0 {
		l.decide(outcome.LateMarks(marks))
	}
}

// Answers, receipts, echoes, reports, deadlines and lost leases, in any order and some of them
// decided about what the message no longer is: it comes to exactly one end, which only a late
// receipt undoes, is never at two steps at once, and is never sent after it has failed without
// being marked late.
func TestOneEndWhateverComes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var steps []gateway.Rule
		for range rapid.IntRange(0, 4).Draw(t, "rules") {
			steps = append(steps, gateway.Rule{
				Channel: rapid.SampledFrom(gateway.Channels()).Draw(t, "channel"), Until: rapid.SampledFrom(append(gatewayapi.StepGoals(), "")).Draw(t, "until"),
				Within: gateway.Duration(rapid.SampledFrom([]time.Duration{0, time.Minute, 2 * time.Hour}).Draw(t, "within")),
			})
		}
		l := &life{t: t, row: message(steps...), now: noon, posted: map[[2]int]bool{}, rules: outcome.Rules{WaitProof: 5 * time.Second, Resend: rapid.Bool().Draw(t, "resend")}}
		if l.row.Current() == nil {
			l.row.Parts = rapid.IntRange(1, 2).Draw(t, "parts")
		}
		for range rapid.IntRange(1, 60).Draw(t, "events") {
			l.now = l.now.Add(time.Duration(rapid.IntRange(0, 200_000).Draw(t, "ms")) * time.Millisecond)
			l.happen(rapid.IntRange(0, 9).Draw(t, "event"))
		}
		l.leaveAlone()
	})
}

func (l *life) happen(event int) {
	switch {
	case event < 5:
		l.work()
	case event < 8:
		l.hear()
	case event == 8 && !l.row.StepDue.IsZero() && !l.now.Before(l.row.StepDue) && l.row.Status != gateway.StatusSending:
		l.decide(outcome.StepDue{})
	case len(l.pending) > 0:
		d := l.pending[0]
		l.pending = l.pending[1:]
		l.write(d)
	}
}

// leaveAlone lets time pass until nothing is due any more: then the message is over.
func (l *life) leaveAlone() {
	l.pending = nil
	for i := 0; l.row.Status.Open() || !l.row.StepDue.IsZero(); i++ {
		if i > 50 {
			l.t.Fatalf("no end: %s, its step is due at %s", l.row.Status, l.row.StepDue)
		}
		l.now = l.now.Add(24 * time.Hour)
		m := l.row
		came := outcome.Came(outcome.StepDue{})
		switch {
		case m.Status == gateway.StatusSending:
			came = outcome.Interrupted{}
		case m.Status == gateway.StatusUncertain:
			came = outcome.GivenUp{}
		case m.Status == gateway.StatusQueued:
			came = outcome.Expired{}
		}
		l.write(outcome.Decide(m, came, l.now, l.rules))
	}
}
