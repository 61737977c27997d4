package outcome_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/outcome"
	"github.com/chasqui/chasqui/messenger"
)

var (
	noon  = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	rules = outcome.Rules{WaitProof: 5 * time.Second}
)

// message makes a message that was accepted at noon, lives for an hour and goes over Messenger
// alone, or by rules.
func message(steps ...gateway.Rule) *gateway.Message {
	in := &gateway.MessageInput{To: gateway.To{FBMessengerID: "1"}, Body: "hello", Rules: steps}
	request, err := json.Marshal(in)
	if err != nil {
		panic(err)
	}
	m := &gateway.Message{
		Seq: 7, ID: "msg_1", Application: "A", Person: "1", Status: gateway.StatusQueued, Parts: 1, AcceptedAt: noon, ExpiresAt: noon.Add(time.Hour), Request: request,
	}
	for _, r := range steps {
		m.Steps = append(m.Steps, gateway.Step{Rule: r, Outcome: gateway.StepPending, Address: "4477"})
	}
	m.Begin(noon)
	return m
}

// sending is a message while its POST is under way.
func sending(steps ...gateway.Rule) *gateway.Message {
	m := message(steps...)
	m.Status, m.Epoch, m.SendingAt = gateway.StatusSending, 3, noon
	return m
}

func attempt(m *gateway.Message, at time.Time) gateway.Attempt {
	return gateway.Attempt{Number: len(m.Attempts) + 1, Channel: m.Channel(), Step: m.Step, Part: m.PartsSent + 1, StartedAt: gatewayapi.At(at), EndedAt: gatewayapi.At(at.Add(time.Second))}
}

// facts says which events follow.
func facts(d outcome.Decision) string {
	var all []string
	for _, e := range d.Events {
		all = append(all, string(e.Type))
	}
	return strings.Join(all, " ")
}

// said is what a decision says, but for the message.
type said struct {
	Status   gateway.Status
	Next     outcome.Next
	In       time.Duration // until At; 0 for at once
	Facts    string
	Attempt  string
	Code     gateway.FailureCode
	Hold     time.Duration
	Broken   bool
	Closed   outcome.Window
	Recorded bool
}

func says(d outcome.Decision, now time.Time) said {
	s := said{Status: d.Message.Status, Next: d.Next, Facts: facts(d), Hold: d.Hold, Broken: d.Broken != nil, Closed: d.Closed, Recorded: d.Changed}
	if !d.At.IsZero() {
		s.In = d.At.Sub(now)
	}
	if d.Attempt != nil {
		s.Attempt = string(d.Attempt.Outcome)
		if d.Attempt.Failure != nil {
			s.Code = d.Attempt.Failure.Code
		}
	}
	return s
}

// TestAnswersOfThePlatform goes through every verdict of package messenger.
func TestAnswersOfThePlatform(t *testing.T) {
	t.Parallel()
	refused := func(code, subcode, status int, header ...string) error {
		h := http.Header{}
		for i := 0; i+1 < len(header); i += 2 {
			h.Set(header[i], header[i+1])
		}
		return &messenger.Error{Code: code, Subcode: subcode, Status: status, Message: "no", Header: h}
	}
	const retry, failed = "retry", "failed"
	queued, ended := gateway.StatusQueued, gateway.StatusFailed
	now := noon.Add(time.Second)
	for _, c := range []struct {
		name    string
		verdict messenger.Action
		err     error
		want    said
	}{
		{"taken", "", nil, said{gateway.StatusSent, outcome.Leave, 0, "message.sent", "sent", "", 0, false, outcome.Open, true}},
		{"no answer", "", fmt.Errorf("%w", &messenger.CallError{}), said{gateway.StatusUncertain, outcome.Wait, 5 * time.Second, "message.uncertain", "uncertain", gateway.FailureUnknownOutcome, 0, false, outcome.Open, true}},
		{"an answer that cannot be read", "", refused(1, 1357046, 500), said{gateway.StatusUncertain, outcome.Wait, 5 * time.Second, "message.uncertain", "uncertain", gateway.FailureUnknownOutcome, 0, false, outcome.Open, true}},
		{"not sent at all", "", errors.New("no route"), said{queued, outcome.Again, time.Second, "", retry, gateway.FailurePlatformUnavailable, 0, false, outcome.Open, true}},
		{"retry", messenger.Retry, refused(2, 0, 500), said{queued, outcome.Again, time.Second, "", retry, gateway.FailurePlatformUnavailable, 0, false, outcome.Open, true}},
		{"wait until", messenger.WaitUntil, refused(0, 0, 429, "Retry-After", "30"), said{queued, outcome.Again, 30 * time.Second, "", retry, gateway.FailureRateLimited, 30 * time.Second, false, outcome.Open, true}},
		{"wait, and nobody says how long", messenger.WaitUntil, refused(4, 0, 400), said{queued, outcome.Again, time.Second, "", retry, gateway.FailureRateLimited, time.Second, false, outcome.Open, true}},
		{"page broken: token", messenger.PageBroken, refused(190, 0, 400), said{queued, outcome.Again, 0, "", retry, gateway.FailureTokenInvalid, 0, true, outcome.Open, true}},
		{"page broken: permission", messenger.PageBroken, refused(10, 0, 403), said{queued, outcome.Again, 0, "", retry, gateway.FailurePermissionMissing, 0, true, outcome.Open, true}},
		{"person unreachable", messenger.PersonUnreachable, refused(551, 0, 400), said{ended, outcome.Leave, 0, "message.failed", failed, gateway.FailurePersonUnreachable, 0, false, outcome.Open, true}},
		{"outside the window", messenger.OutsideWindow, refused(10, 2018278, 400), said{ended, outcome.Leave, 0, "message.failed", failed, gateway.FailureOutsideWindow, 0, false, outcome.ClosedStandard, true}},
		{"never", messenger.Never, refused(100, 0, 400), said{ended, outcome.Leave, 0, "message.failed", failed, gateway.FailurePlatformRefused, 0, false, outcome.Open, true}},
		{"never: another app has the thread", messenger.Never, refused(10, 2018300, 400), said{ended, outcome.Leave, 0, "message.failed", failed, gateway.FailureNoThreadControl, 0, false, outcome.ClosedByAnother, true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var e *messenger.Error
			if errors.As(c.err, &e) && c.verdict != "" && e.Verdict().Action != c.verdict {
				t.Fatalf("the verdict is %s", e.Verdict().Action)
			}
			m := sending()
			before := *m
			d := outcome.Decide(m, outcome.Answer{Attempt: attempt(m, noon), Result: messenger.SendResult{MessageID: "mid"}, Err: c.err}, now, rules)
			if diff := cmp.Diff(c.want, says(d, now)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(&before, m, cmpopts.IgnoreUnexported(gateway.Message{})); diff != "" {
				t.Errorf("the message that was given has changed: %s", diff)
			}
			if d.From != gateway.StatusSending || len(d.Message.Attempts) != 1 || ended == d.Message.Status != (d.Message.Error != nil) {
				t.Errorf("from %s, attempts %+v, error %+v", d.From, d.Message.Attempts, d.Message.Error)
			}
		})
	}
}

// A refusal ends the step, and not the message, when another step follows.
func TestARefusalGoesOnWithTheNextStep(t *testing.T) {
	t.Parallel()
	sms := gateway.Rule{Channel: gateway.ChannelSMS}
	m := sending(gateway.Rule{Channel: gateway.ChannelMessenger}, sms)
	d := outcome.Decide(m, outcome.Answer{Attempt: attempt(m, noon), Err: &messenger.Error{Code: 551, Status: 400, Message: "gone"}}, noon, rules)
	if d.Message.Status != gateway.StatusQueued || d.Next != outcome.Again || d.Message.Step != 1 || d.AtStep != 0 || facts(d) != "" {
		t.Errorf("%s, next %d, step %d after %d, %q", d.Message.Status, d.Next, d.Message.Step, d.AtStep, facts(d))
	}
	d.Message.Status = gateway.StatusSending
	refused := &gateway.ChannelError{Kind: gateway.ChannelRefused, Failure: gateway.Failure{Code: gateway.FailureUnreachable, Message: "off"}}
	end := outcome.Decide(d.Message, outcome.ChannelAnswer{Attempt: attempt(d.Message, noon), Account: "acc", Err: refused}, noon, rules)
	if end.Message.Status != gateway.StatusFailed || facts(end) != "message.failed" || end.Message.Error.Message != "fbMessenger: gone; sms: off" || end.Message.Steps[1].Account != "acc" {
		t.Errorf("%s: %+v", end.Message.Status, end.Message.Error)
	}
}

func TestAnswersOfChannels(t *testing.T) {
	t.Parallel()
	within := gateway.Rule{Channel: gateway.ChannelSMS, Until: gateway.UntilSent, Within: gateway.Duration(time.Minute)}
	failure := gateway.Failure{Code: gateway.FailureProviderRefused, Message: "no"}
	for _, c := range []struct {
		name string
		sent gateway.ChannelSent
		err  error
		want said
	}{
		{"taken is sent", gateway.ChannelSent{Ref: "r"}, nil, said{gateway.StatusSent, outcome.Leave, 0, "message.sent", "sent", "", 0, false, outcome.Open, true}},
		{"taken, to be sent", gateway.ChannelSent{Ref: "r", Accepted: true}, nil, said{gateway.StatusSent, outcome.Leave, 0, "message.sent", "sent", "", 0, false, outcome.Open, true}},
		{"no answer", gateway.ChannelSent{}, &gateway.ChannelError{Kind: gateway.ChannelUnknown, Failure: failure}, said{gateway.StatusUncertain, outcome.Wait, 5 * time.Second, "message.uncertain", "uncertain", failure.Code, 0, false, outcome.Open, true}},
		{"refused", gateway.ChannelSent{}, &gateway.ChannelError{Kind: gateway.ChannelRefused, Failure: failure}, said{gateway.StatusFailed, outcome.Leave, 0, "message.failed", "failed", failure.Code, 0, false, outcome.Open, true}},
		{"later", gateway.ChannelSent{}, &gateway.ChannelError{Kind: gateway.ChannelRetry, Failure: failure, After: 20 * time.Second}, said{gateway.StatusQueued, outcome.Again, 20 * time.Second, "", "retry", failure.Code, 0, false, outcome.Open, true}},
		{"later than the step lives", gateway.ChannelSent{}, &gateway.ChannelError{Kind: gateway.ChannelRetry, Failure: failure, After: time.Hour}, said{gateway.StatusQueued, outcome.Again, time.Minute, "", "retry", failure.Code, 0, false, outcome.Open, true}},
		{"another error", gateway.ChannelSent{}, errors.New("disk"), said{gateway.StatusQueued, outcome.Again, time.Second, "", "retry", gateway.FailureProviderUnavailable, 0, false, outcome.Open, true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := sending(within)
			d := outcome.Decide(m, outcome.ChannelAnswer{Attempt: attempt(m, noon), Account: "acc", Sent: c.sent, Err: c.err}, noon, rules)
			if diff := cmp.Diff(c.want, says(d, noon)); diff != "" {
				t.Error(diff)
			}
			reached := d.Message.Steps[0].Outcome == gateway.StepReached
			if reached != (c.err == nil && !c.sent.Accepted) || d.Message.Steps[0].Account != "acc" {
				t.Errorf("the step: %+v", d.Message.Steps[0])
			}
		})
	}
}

// TestEveryStateAndWhatComes goes through the states of a message and all that is no answer.
func TestEveryStateAndWhatComes(t *testing.T) {
	t.Parallel()
	const echoBit = 1
	in := func(status gateway.Status, change ...func(*gateway.Message)) *gateway.Message {
		m := sending()
		m.Status = status
		switch status {
		case gateway.StatusSent:
			m.PartsSent, m.SentAt, m.MarkAt, m.MID = 1, noon, noon, "mid"
		case gateway.StatusDelivered:
			m.PartsSent, m.SentAt, m.MarkAt, m.DeliveredAt, m.MID = 1, noon, noon, noon, "mid"
		case gateway.StatusFailed:
			m.Error, m.EndedAt = &gateway.Failure{Code: gateway.FailureUnknownOutcome}, noon
		}
		for _, c := range change {
			c(m)
		}
		return m
	}
	echoed := func(m *gateway.Message) { m.Echoed, m.MID = echoBit, "echo" }
	twoParts := func(m *gateway.Message) { m.Parts = 2 }
	refused := func(m *gateway.Message) { m.Error.Code = gateway.FailurePlatformRefused }
	old := func(m *gateway.Message) { m.ExpiresAt = noon }
	resent := func(m *gateway.Message) { m.Resent = true }
	echo := outcome.Echo{Part: 1, MID: "echo", At: noon}
	resend := outcome.Rules{WaitProof: 5 * time.Second, Resend: true}
	queued, uncertain, sent, failed := gateway.StatusQueued, gateway.StatusUncertain, gateway.StatusSent, gateway.StatusFailed
	for _, c := range []struct {
		name  string
		m     *gateway.Message
		came  outcome.Came
		rules outcome.Rules
		want  said
	}{
		{"a lost lease before the POST", in(gateway.StatusSending), outcome.Unposted{}, rules, said{Status: queued, Next: outcome.Reread, Recorded: true}},
		{"a lost lease during the POST", in(gateway.StatusSending), outcome.Interrupted{}, rules, said{Status: uncertain, Next: outcome.Wait, In: 5 * time.Second, Facts: "message.uncertain", Recorded: true}},
		{"the same, and the echo is there", in(gateway.StatusSending, echoed), outcome.Interrupted{}, rules, said{Status: sent, Facts: "message.sent", Recorded: true}},
		{"the same in the first of two parts", in(gateway.StatusSending, echoed, twoParts), outcome.Interrupted{}, rules, said{Status: queued, Next: outcome.Again, Recorded: true}},
		{"content that cannot be made", in(queued), outcome.Unreadable{Err: errors.New("x")}, rules, said{Status: failed, Facts: "message.failed", Recorded: true}},
		{"refused by a rule", in(queued), outcome.Refused{Why: &gateway.Failure{Code: gateway.FailureOptedOut}}, rules, said{Status: failed, Facts: "message.failed", Recorded: true}},
		{"time is up", in(queued), outcome.Expired{}, rules, said{Status: gateway.StatusExpired, Facts: "message.expired", Recorded: true}},
		{"time is up while it is uncertain", in(uncertain), outcome.Expired{}, rules, said{Status: uncertain}},
		{"proof", in(uncertain, echoed), outcome.Proof{}, rules, said{Status: sent, Facts: "message.sent", Recorded: true}},
		{"proof of the first of two parts", in(uncertain, echoed, twoParts), outcome.Proof{}, rules, said{Status: queued, Next: outcome.Again, Recorded: true}},
		{"no proof", in(uncertain), outcome.NoProof{Waited: true}, rules, said{Status: uncertain}},
		{"no proof, and it may be sent again", in(uncertain), outcome.NoProof{Waited: true}, resend, said{Status: uncertain, Next: outcome.Again}},
		{"no proof, and it was sent again", in(uncertain, resent), outcome.NoProof{Waited: true}, resend, said{Status: uncertain}},
		{"no proof, and it was waited for elsewhere", in(uncertain), outcome.NoProof{}, resend, said{Status: uncertain}},
		{"no proof, and its time is up", in(uncertain, old), outcome.NoProof{Waited: true}, resend, said{Status: uncertain}},
		{"given up", in(uncertain), outcome.GivenUp{}, rules, said{Status: failed, Facts: "message.failed", Recorded: true}},
		{"to be given up, and the echo is there", in(uncertain, echoed), outcome.GivenUp{}, rules, said{Status: sent, Facts: "message.sent", Recorded: true}},
		{"echo before the answer", in(gateway.StatusSending), echo, rules, said{Status: gateway.StatusSending, Recorded: true}},
		{"echo instead of the answer", in(uncertain), echo, rules, said{Status: sent, Facts: "message.sent", Recorded: true}},
		{"echo of the first of two parts", in(uncertain, twoParts), echo, rules, said{Status: uncertain, Recorded: true}},
		{"echo after the answer", in(sent), echo, rules, said{Status: sent, Recorded: true}},
		{"echo of one that was given up", in(failed), echo, rules, said{Status: sent, Facts: "message.sent", Recorded: true}},
		{"echo of one that was refused", in(failed, refused), echo, rules, said{Status: failed, Recorded: true}},
		{"echo of a part that there is not", in(uncertain), outcome.Echo{Part: 2}, rules, said{Status: uncertain}},
		{"delivered", in(sent), outcome.Marks{Delivered: noon.UnixMilli()}, rules, said{Status: gateway.StatusDelivered, Facts: "message.delivered", Recorded: true}},
		{"delivered by its name", in(sent), outcome.Marks{MIDs: []string{"x", "mid"}}, rules, said{Status: gateway.StatusDelivered, Facts: "message.delivered", Recorded: true}},
		{"read at once", in(sent), outcome.Marks{Read: noon.UnixMilli()}, rules, said{Status: gateway.StatusRead, Facts: "message.delivered message.read", Recorded: true}},
		{"read after it was delivered", in(gateway.StatusDelivered), outcome.Marks{Read: noon.UnixMilli()}, rules, said{Status: gateway.StatusRead, Facts: "message.read", Recorded: true}},
		{"a mark from before it was sent", in(sent), outcome.Marks{Read: noon.UnixMilli() - 1, Delivered: noon.UnixMilli() - 1}, rules, said{Status: sent}},
		{"delivered twice", in(gateway.StatusDelivered), outcome.Marks{Delivered: noon.UnixMilli()}, rules, said{Status: gateway.StatusDelivered}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := outcome.Decide(c.m, c.came, noon, c.rules)
			if diff := cmp.Diff(c.want, says(d, noon)); diff != "" {
				t.Error(diff)
			}
			if d.Message.Late != (c.m.Status == failed && d.Message.Status == sent) {
				t.Errorf("late: %v", d.Message.Late)
			}
		})
	}
}

func TestReports(t *testing.T) {
	t.Parallel()
	rule := gateway.Rule{Channel: gateway.ChannelSMS, Until: gateway.UntilDelivered, Within: gateway.Duration(time.Minute)}
	for _, c := range []struct {
		name   string
		from   gateway.Status
		until  gateway.StepGoal
		report gateway.Status
		want   said
		step   gateway.Outcome
		due    bool // to be left at once
	}{
		{"before the answer", gateway.StatusSending, "", gateway.StatusDelivered, said{Status: gateway.StatusSending, Next: outcome.Later}, gateway.StepActive, false},
		{"of what was not taken", gateway.StatusQueued, "", gateway.StatusDelivered, said{Status: gateway.StatusQueued}, gateway.StepActive, false},
		{"of what is held", gateway.StatusHeld, "", gateway.StatusFailed, said{Status: gateway.StatusHeld}, gateway.StepActive, false},
		{"sent", gateway.StatusSent, "", gateway.StatusSent, said{Status: gateway.StatusSent, Recorded: true}, gateway.StepActive, false},
		{"delivered", gateway.StatusSent, "", gateway.StatusDelivered, said{Status: gateway.StatusDelivered, Facts: "message.delivered", Recorded: true}, gateway.StepReached, false},
		{"read", gateway.StatusSent, "", gateway.StatusRead, said{Status: gateway.StatusRead, Facts: "message.delivered message.read", Recorded: true}, gateway.StepReached, false},
		{"instead of the answer", gateway.StatusUncertain, "", gateway.StatusDelivered, said{Status: gateway.StatusDelivered, Facts: "message.sent message.delivered", Recorded: true}, gateway.StepReached, false},
		{"failed", gateway.StatusSent, "", gateway.StatusFailed, said{Status: gateway.StatusSent, Recorded: true}, gateway.StepActive, true},
		{"failed after it was delivered", gateway.StatusDelivered, "", gateway.StatusFailed, said{Status: gateway.StatusDelivered}, gateway.StepReached, false},
		{"failed after its goal", gateway.StatusSent, gateway.UntilAccepted, gateway.StatusFailed, said{Status: gateway.StatusFailed, Facts: "message.failed", Recorded: true}, gateway.StepFailed, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := rule
			if c.until != "" {
				r.Until = c.until
			}
			m := sending(r)
			m.Status = c.from
			switch c.from {
			case gateway.StatusSent, gateway.StatusDelivered:
				m.PartsSent, m.SentAt = 1, noon
				if c.from == gateway.StatusDelivered {
					m.DeliveredAt = noon
				}
				m.Progress(noon)
			}
			d := outcome.Decide(m, outcome.Report{ChannelReport: gateway.ChannelReport{MessageID: m.ID, Status: c.report}}, noon, rules)
			if diff := cmp.Diff(c.want, says(d, noon)); diff != "" {
				t.Error(diff)
			}
			if s := d.Message.Steps[0]; s.Outcome != c.step || c.due != d.Message.StepDue.Equal(noon) {
				t.Errorf("the step is %s, due at %s", s.Outcome, d.Message.StepDue)
			}
		})
	}
}

// What comes for a step that was left is noted, and starts nothing.
func TestLate(t *testing.T) {
	t.Parallel()
	both := []gateway.Rule{{Channel: gateway.ChannelMessenger, Until: gateway.UntilDelivered, Within: gateway.Duration(time.Minute)}, {Channel: gateway.ChannelSMS}}
	m := sending(both...)
	m = outcome.Decide(m, outcome.Answer{Attempt: attempt(m, noon), Result: messenger.SendResult{MessageID: "mid"}}, noon, rules).Message
	d := outcome.Decide(m, outcome.StepDue{}, noon.Add(time.Minute), rules)
	if d.Message.Step != 1 || d.Message.Status != gateway.StatusQueued || d.From != gateway.StatusSent || d.Next != outcome.Again {
		t.Fatalf("after its deadline it is %s at step %d", d.Message.Status, d.Message.Step)
	}
	left := d.Message
	for name, came := range map[string]outcome.Came{
		"message.sent":      outcome.Echo{Step: 0, Part: 1, MID: "mid", At: noon},
		"message.delivered": outcome.LateMarks{Delivered: noon.UnixMilli()},
		"message.read":      outcome.LateMarks{Delivered: noon.UnixMilli(), Read: noon.UnixMilli()},
	} {
		got := outcome.Decide(left, came, noon.Add(2*time.Minute), rules)
		fresh := name != "message.sent" // which the answer has said
		if !got.Late || got.Changed != fresh || fresh && facts(got) != name || got.Message.Status != gateway.StatusQueued || got.Message.Step != 1 {
			t.Errorf("%s: late %v, changed %v, %q; %s", name, got.Late, got.Changed, facts(got), got.Message.Status)
		}
	}
	if got := outcome.Decide(left, outcome.LateMarks{Delivered: noon.UnixMilli() - 1}, noon, rules); got.Changed {
		t.Error("a mark from before it was sent counts")
	}
	lost := sending(gateway.Rule{Channel: gateway.ChannelMessenger, Until: gateway.UntilSent})
	lost.Status = gateway.StatusUncertain
	lost = outcome.Decide(lost, outcome.GivenUp{}, noon, rules).Message
	got := outcome.Decide(lost, outcome.Echo{Part: 1, MID: "mid", At: noon}, noon, rules)
	if !got.Late || !got.Message.Late || got.Message.Status != gateway.StatusSent || facts(got) != "message.sent" || got.Message.Error != nil {
		t.Errorf("an echo of a step that was given up: late %v, %s, %q", got.Late, got.Message.Status, facts(got))
	}
}

// The pauses grow, are spread, and end with the message.
func TestPauses(t *testing.T) {
	t.Parallel()
	m := sending()
	now, spread := noon, outcome.Rules{Random: func() float64 { return 0.5 }}
	var pauses []time.Duration
	for range 60 {
		d := outcome.Decide(m, outcome.Answer{Attempt: attempt(m, now), Err: &messenger.Error{Code: 2, Status: 500}}, now, spread)
		pauses = append(pauses, d.At.Sub(now))
		m = d.Message
		m.Status = gateway.StatusSending
	}
	want := []time.Duration{750 * time.Millisecond, 1500 * time.Millisecond, 3 * time.Second, 6 * time.Second, 12 * time.Second, 24 * time.Second, 48 * time.Second, 96 * time.Second, 192 * time.Second, 225 * time.Second}
	if diff := cmp.Diff(want, pauses[:10]); diff != "" {
		t.Error(diff)
	}
	if pauses[59] != 225*time.Second || len(m.Attempts) != 50 {
		t.Errorf("the last pause is %s, %d attempts are kept", pauses[59], len(m.Attempts))
	}
	m.ExpiresAt = now.Add(time.Second)
	if d := outcome.Decide(m, outcome.Answer{Attempt: attempt(m, now), Err: errors.New("away")}, now, spread); !d.At.Equal(m.ExpiresAt) {
		t.Errorf("it waits until %s", d.At)
	}
	once := sending() // a code that makes sense to try again once
	refusal := outcome.Answer{Attempt: attempt(once, now), Err: &messenger.Error{Code: 1, Status: 500}}
	first := outcome.Decide(once, refusal, now, rules)
	first.Message.Status = gateway.StatusSending
	if second := outcome.Decide(first.Message, refusal, now, rules); first.Next != outcome.Again || second.Message.Status != gateway.StatusFailed {
		t.Errorf("first %d, then %s", first.Next, second.Message.Status)
	}
}
