package gateway

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/chasqui/chasqui/gatewayapi"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// stepped makes a message of rules that was accepted at noon and lives for an hour.
func stepped(t interface{ Fatal(...any) }, rules string) *Message {
	in := &MessageInput{To: To{FBMessengerID: "1", PhoneNumber: "4477"}, Body: "hello"}
	if err := json.Unmarshal([]byte(rules), &in.Rules); err != nil {
		t.Fatal(err)
	}
	m := &Message{ID: "msg_1", Application: "A", Person: "1", Status: StatusQueued, Parts: 1, AcceptedAt: noon, ExpiresAt: noon.Add(time.Hour), Request: data(in)}
	for _, r := range in.Rules {
		m.Steps = append(m.Steps, Step{Rule: r, Outcome: StepPending, Address: "4477"})
	}
	m.Begin(noon)
	return m
}

// accept is a provider's answer, and what Messenger's is too.
func (m *Message) accept(at time.Time, sent bool) {
	m.PartsSent, m.Status, m.SentAt, m.MID = m.Parts, StatusSent, at, "mid"
	if m.Channel() == ChannelMessenger {
		m.MarkAt = at
	} else if sent {
		m.Current().SentAt = at
	}
	m.Progress(at)
}

func (m *Message) outcomes() string {
	var all []string
	for _, s := range m.Steps {
		all = append(all, string(s.Outcome))
	}
	return strings.Join(all, " ")
}

func TestRaces(t *testing.T) {
	t.Parallel()
	const rules = `[{"channel":"fbMessenger","until":"delivered","within":"10m"},{"channel":"sms","until":"sent"}]`
	deadline := noon.Add(10 * time.Minute)
	why := &Failure{Code: FailureNotReached, Message: "late"}
	for _, c := range []struct {
		name     string
		do       func(m *Message)
		status   Status
		outcomes string
		late     bool
	}{
		{"sent and delivered in time", func(m *Message) {
			m.accept(noon.Add(time.Second), true)
			m.Status, m.DeliveredAt = StatusDelivered, deadline.Add(-time.Millisecond)
			m.Progress(m.DeliveredAt)
		}, StatusDelivered, "reached not_used", false},
		{"delivered at the last look before it was left", func(m *Message) {
			m.accept(noon.Add(time.Second), true)
			m.Status, m.DeliveredAt = StatusDelivered, deadline.Add(time.Millisecond)
			m.Progress(m.DeliveredAt)
		}, StatusDelivered, "reached not_used", false},
		{"left, then delivered", func(m *Message) {
			m.accept(noon.Add(time.Second), true)
			m.MoveOn(StepPassed, why, deadline)
			m.ArriveLate(0, StatusDelivered, deadline.Add(time.Millisecond))
		}, StatusQueued, "passed active", true},
		{"left, sent by the next, then read on the first", func(m *Message) {
			m.accept(noon.Add(time.Second), true)
			m.MoveOn(StepPassed, why, deadline)
			m.accept(deadline.Add(time.Second), true)
			m.ArriveLate(0, StatusRead, deadline.Add(time.Minute))
		}, StatusSent, "passed reached", true},
		{"both come to nothing, then the first is delivered after all", func(m *Message) {
			m.accept(noon.Add(time.Second), true)
			m.MoveOn(StepPassed, why, deadline)
			m.MoveOn(StepFailed, &Failure{Code: FailureUnreachable, Message: "off"}, deadline.Add(time.Second))
			m.ArriveLate(0, StatusDelivered, deadline.Add(time.Minute))
		}, StatusDelivered, "reached failed", true},
		{"both come to nothing, and a receipt that is not a goal changes nothing", func(m *Message) {
			m.accept(noon.Add(time.Second), true)
			m.MoveOn(StepPassed, why, deadline)
			m.MoveOn(StepFailed, &Failure{Code: FailureUnreachable, Message: "off"}, deadline.Add(time.Second))
			m.ArriveLate(0, StatusSent, deadline.Add(time.Minute))
		}, StatusFailed, "passed failed", false},
		{"accepted and never sent, at the message's end", func(m *Message) {
			m.MoveOn(StepFailed, why, noon)
			m.accept(noon.Add(time.Second), false)
			m.MoveOn(StepPassed, why, m.ExpiresAt)
		}, StatusExpired, "failed passed", false},
		{"the message's time is up before the next step", func(m *Message) {
			m.MoveOn(StepFailed, why, m.ExpiresAt)
		}, StatusExpired, "failed not_used", false},
		{"a millisecond before it is not", func(m *Message) {
			m.MoveOn(StepFailed, why, m.ExpiresAt.Add(-time.Millisecond))
		}, StatusQueued, "failed active", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := stepped(t, rules)
			if m.StepDue != deadline {
				t.Fatalf("the first step is due at %s", m.StepDue)
			}
			c.do(m)
			late := slices.ContainsFunc(m.Steps, func(s Step) bool { return s.Late })
			if m.Status != c.status || m.outcomes() != c.outcomes || late != c.late {
				t.Errorf("%s: %q, late %v; %+v", m.Status, m.outcomes(), late, m.Steps)
			}
			if over := m.Status == StatusFailed || m.Status == StatusExpired; over != (m.Error != nil) || over && !m.StepDue.IsZero() {
				t.Errorf("error %+v, due %s", m.Error, m.StepDue)
			}
		})
	}
}

// Whatever happens in whatever order: at most one step is active, a message whose steps are over
// has ended, and a step that was left is never taken again.
func TestStepsNeverTwoAtOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var rules []Rule
		for range rapid.IntRange(1, 4).Draw(t, "rules") {
			rules = append(rules, Rule{
				Channel: rapid.SampledFrom(Channels()).Draw(t, "channel"), Until: rapid.SampledFrom(append(gatewayapi.StepGoals(), "")).Draw(t, "until"),
				Within: Duration(rapid.SampledFrom([]time.Duration{0, time.Minute, time.Hour * 2}).Draw(t, "within")),
			})
		}
		m := stepped(t, string(data(rules)))
		now, took := noon, map[int]int{m.Step: 1}
		over := func() bool { return m.Status == StatusFailed || m.Status == StatusExpired }
		for range rapid.IntRange(1, 30).Draw(t, "events") {
			now = now.Add(time.Duration(rapid.IntRange(0, 600_000).Draw(t, "ms")) * time.Millisecond)
			step := m.Step
			switch rapid.IntRange(0, 4).Draw(t, "event") {
			case 0:
				if m.Status == StatusQueued {
					m.accept(now, rapid.Bool().Draw(t, "sent"))
				}
			case 1: // its time is up, or its provider failed: only what has not reached its goal is left
				if !over() && m.Steps[m.Step].Outcome == StepActive {
					m.MoveOn(rapid.SampledFrom([]Outcome{StepPassed, StepFailed, StepSkipped}).Draw(t, "outcome"), &Failure{Code: FailureNotReached, Message: "x"}, now)
				}
			case 2:
				if m.Status == StatusSent {
					m.Status, m.DeliveredAt = StatusDelivered, now
					m.Progress(now)
				}
			case 3:
				i := rapid.IntRange(0, len(m.Steps)-1).Draw(t, "late")
				if o := m.Steps[i].Outcome; o == StepPassed || o == StepFailed {
					m.ArriveLate(i, rapid.SampledFrom([]Status{StatusSent, StatusDelivered, StatusRead}).Draw(t, "status"), now)
				}
			case 4:
				steps, err := DecodeSteps(EncodeSteps(m.Steps)) // as after a restart
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(m.Steps, steps); diff != "" {
					t.Fatal(diff)
				}
				m.Steps = steps
			}
			if m.Step > step {
				took[m.Step]++
			}
			active := 0
			for i, s := range m.Steps {
				if s.Outcome == StepActive {
					active++
				}
				if took[i] > 1 {
					t.Fatalf("step %d was taken %d times", i, took[i])
				}
			}
			finished := over() || slices.ContainsFunc(m.Steps, func(s Step) bool { return s.Outcome == StepReached })
			if active > 1 || active == 1 && over() || active == 0 && !finished {
				t.Fatalf("%d active steps, %s: %s", active, m.Status, m.outcomes())
			}
			if finished != m.StepDue.IsZero() && active == 0 {
				t.Fatalf("%s waits until %s: %s", m.Status, m.StepDue, m.outcomes())
			}
		}
		// Left alone, it comes to an end once its time is up.
		for i := 0; m.Steps[m.Step].Outcome == StepActive; i++ {
			if i > len(m.Steps) {
				t.Fatal("no end")
			}
			m.MoveOn(StepPassed, &Failure{Code: FailureNotReached, Message: "x"}, m.ExpiresAt.Add(time.Hour*24))
		}
		if m.Status.Open() {
			t.Fatalf("left alone it is %s: %s", m.Status, m.outcomes())
		}
	})
}

func TestRulesInJSON(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`["fbMessenger","sms"]`,
		`[{"channel":"fbMessenger","until":"read","within":"1h30m"},"sms"]`,
		`[{"channel":"email","within":"1m30s","channelOptions":{"subject":"x"},"customBody":{"html":"p"},"body":"y"}]`,
	} {
		var rules []Rule
		if err := json.Unmarshal([]byte(text), &rules); err != nil {
			t.Fatal(err)
		}
		if err := checkRules(rules, false); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if got := string(data(rules)); got != text {
			t.Errorf("%s became %s", text, got)
		}
	}
	for text, field := range map[string]string{
		`[{"channel":"sms","when":"x"}]`: "rules[0]", `["pigeon"]`: "rules[0]", `[{"channel":"sms","until":"seen"}]`: "rules[0].until", `["sms",{"channel":"sms","within":"1ms"}]`: "rules[1].within",
		`[{"channel":"sms","customBody":"x"}]`: "rules[0].customBody", `[{"channel":"fbMessenger","channelOptions":{"messagingType":"X"}}]`: "rules[0].channelOptions.messagingType",
		`["sms","sms","sms","sms","sms","sms","sms","sms","sms","sms","sms"]`: "rules",
	} {
		var rules []Rule
		if err := json.Unmarshal([]byte(text), &rules); err != nil {
			t.Fatal(err)
		}
		if err, ok := checkRules(rules, false).(*Error); !ok || err.Field != field {
			t.Errorf("%s: %v, wanted a word about %s", text, err, field)
		}
	}
	for _, text := range []string{`[1]`, `[{"channel":"sms","within":"soon"}]`} {
		var rules []Rule
		if err := json.Unmarshal([]byte(text), &rules); err == nil {
			t.Errorf("%s was taken", text)
		}
	}
}

func TestMerge(t *testing.T) {
	t.Parallel()
	profile := &Profile{ID: "p1", Doc: map[string]json.RawMessage{
		"firstName": json.RawMessage(`"Ana \"A\""`), "points": json.RawMessage(`12`), "facebook": json.RawMessage(`{"last_name":"Doe","first_name":"no"}`), "list": json.RawMessage(`[1]`),
	}}
	in := &MessageInput{
		To: To{Email: "own@example.com"}, Title: "{{profile.lastName}}", Body: "Hi {{ profile.firstName }}, {{profile.points}} {{profile.none}}{{profile.list}}{{other}} {{profileId}} {{profile.email}}",
		Metadata: json.RawMessage(`{"who":"{{profile.firstName}}"}`), MessageParts: []PartInput{{Type: "image/png", URL: "https://x/{{profileId}}.png"}},
		CustomBody: map[string]json.RawMessage{"email": json.RawMessage(`{"html":"<b>{{title}}</b>{{body}}"}`)}, Rules: []Rule{{Channel: "sms", Body: "{{profile.facebook.last_name}}"}},
	}
	if !in.HasFields() {
		t.Fatal("no fields seen")
	}
	in.Merge(profile)
	want := &MessageInput{
		To: To{Email: "own@example.com"}, Title: "Doe", Body: `Hi Ana "A", 12 {{other}} p1 own@example.com`, Metadata: json.RawMessage(`{"who":"Ana \"A\""}`),
		MessageParts: []PartInput{{Type: "image/png", URL: "https://x/p1.png"}},
		CustomBody:   map[string]json.RawMessage{"email": json.RawMessage(`{"html":"<b>Doe</b>Hi Ana \"A\", 12 {{other}} p1 own@example.com"}`)}, Rules: []Rule{{Channel: "sms", Body: "Doe"}},
	}
	if diff := cmp.Diff(want, in); diff != "" {
		t.Error(diff)
	}
	bare := &MessageInput{Body: "Hi {{profile.firstName}}!"}
	bare.Merge(nil)
	if bare.Body != "Hi !" {
		t.Errorf("without a profile: %q", bare.Body)
	}
}

func TestPlainText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"text":"Hi","quick_replies":[{"content_type":"text","title":"Yes"},{"content_type":"location"},{"title":"No"}]}`: "Hi\nYes / No",
		`{"attachment":{"type":"image","payload":{"url":"https://x/a.png"}}}`:                                              "https://x/a.png",
		`{"attachment":{"type":"template","payload":{"template_type":"button","text":"Choose","buttons":[{"type":"web_url","title":"Shop","url":"https://x"},{"type":"postback","title":"No","payload":"P"},{"type":"phone_number","title":"Call","payload":"+1"}]}}}`: "Choose\nShop: https://x\nCall: +1",
		`{"attachment":{"type":"template","payload":{"template_type":"generic","elements":[{"title":"A","subtitle":"a","default_action":{"url":"https://a"}},{"title":"B"}]}}}`:                                                                                        "A: a\nhttps://a\nB",
		`{"attachment":{"type":"template","payload":{"template_type":"receipt","order_number":"7","order_url":"https://o","currency":"USD","summary":{"total_cost":56.14},"elements":[{"title":"Shirt"}]}}}`:                                                           "7 56.14 USD\nhttps://o\nShirt",
		`"x"`: "", ``: "",
	} {
		if got := PlainText(json.RawMessage(in)); got != want {
			t.Errorf("%s: %q, wanted %q", in, got, want)
		}
	}
}

func TestChannelMessage(t *testing.T) {
	t.Parallel()
	m := stepped(t, `[{"channel":"sms","within":"5m"}]`)
	in := &MessageInput{Title: "T", MessageParts: []PartInput{
		{Type: "text/plain", Data: "one"}, {Type: "image/png", URL: "https://x/a.png"}, {Type: "text/plain", Data: "no", Channels: []string{"fbMessenger"}},
	}, CustomBody: map[string]json.RawMessage{"sms": json.RawMessage(`{}`)}, ChannelOptions: ChannelOptions{SMS: json.RawMessage(`{"from":"Inca"}`)}}
	m.Request = data(in)
	m.Forget()
	got, err := m.ChannelMessage()
	if err != nil {
		t.Fatal(err)
	}
	want := &ChannelMessage{ID: "msg_1", Channel: "sms", Application: "A", To: To{FBMessengerID: "1"}, Address: "4477", Title: "T", Parts: in.MessageParts[:2], Options: json.RawMessage(`{"from":"Inca"}`),
		AcceptedAt: noon, ExpiresAt: noon.Add(5 * time.Minute)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if text := got.Text(); text != "T\none\nhttps://x/a.png" {
		t.Errorf("in words: %q", text)
	}
	if fmt.Sprint(got.Empty(), (&ChannelMessage{}).Empty()) != "false true" {
		t.Error("emptiness")
	}
}

func TestFill(t *testing.T) {
	t.Parallel()
	p := &Profile{Doc: map[string]json.RawMessage{"phoneNumber": json.RawMessage(`"0044 (7700) 900-000"`), "email": json.RawMessage(`"ana@example.com"`)}}
	var to To
	FillTo(&to, p)
	if want := (To{PhoneNumber: "447700900000", Email: "ana@example.com"}); to != want {
		t.Errorf("%+v", to)
	}
	own := To{PhoneNumber: "4477", Email: "own@example.com"}
	FillTo(&own, p)
	if own != (To{PhoneNumber: "4477", Email: "own@example.com"}) {
		t.Errorf("what the message says itself: %+v", own)
	}
	var none To
	FillTo(&none, &Profile{Doc: map[string]json.RawMessage{"phoneNumber": json.RawMessage(`"call me"`)}})
	if none != (To{}) {
		t.Errorf("what is not a number: %+v", none)
	}
}

// What older versions have stored of attempts and steps is read: times with nanoseconds, and the
// zero time where there was none.
func TestAttemptsAndStepsOfOlderVersions(t *testing.T) {
	t.Parallel()
	var attempts []Attempt
	stored := `[{"number":1,"channel":"fbMessenger","part":1,"startedAt":"2026-11-22T10:00:00.123456789Z","endedAt":"0001-01-01T00:00:00Z","outcome":"retry","error":{"code":"rate_limited","message":"slow","platformCode":613}},
		{"number":2,"channel":"sms","step":1,"part":1,"startedAt":"2026-11-22T10:00:01Z","endedAt":"2026-11-22T10:00:02Z","outcome":"sent","platformMessageId":"SM1"}]`
	if err := json.Unmarshal([]byte(stored), &attempts); err != nil {
		t.Fatal(err)
	}
	first, second := attempts[0], attempts[1]
	if !first.EndedAt.IsZero() || !first.StartedAt.Equal(time.Date(2026, 11, 22, 10, 0, 0, 123456789, time.UTC)) || first.Failure.Code != FailureRateLimited || first.Outcome != gatewayapi.AttemptRetry {
		t.Errorf("%+v", first)
	}
	if second.PlatformMessageID != "SM1" || second.Step != 1 || second.EndedAt.Sub(second.StartedAt.Time) != time.Second {
		t.Errorf("%+v", second)
	}
	steps, err := DecodeSteps(`[{"rule":{"channel":"fbMessenger","until":"read","within":"10m"},"why":{"code":"outside_window","message":"late"},"outcome":"failed","startedAt":"2026-11-22T10:00:00.5Z"},{"rule":"sms","address":"4477","outcome":"active"}]`)
	if err != nil || len(steps) != 2 || time.Duration(steps[0].Rule.Within) != 10*time.Minute || steps[0].Why.Code != FailureOutsideWindow || steps[1].Rule.Channel != ChannelSMS || steps[1].Outcome != StepActive {
		t.Errorf("%+v, %v", steps, err)
	}
}
