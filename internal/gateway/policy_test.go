package gateway

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

// The platform's rules as a dated table: a message, how long ago the person did something
// (negative: not known), the day, and what comes of it.
func TestPolicy(t *testing.T) {
	t.Parallel()
	const never = -1
	h := time.Hour
	for _, c := range []struct {
		kind    messenger.MessagingType
		tag     messenger.Tag
		ago     time.Duration
		day     string
		human   bool
		allowed bool
		as      messenger.MessagingType
		words   string
	}{
		{"", "", 23 * h, "2026-06-01", false, true, "RESPONSE", ""},
		{"", "", 24 * h, "2026-06-01", false, true, "RESPONSE", ""},
		{"", "", 24*h + time.Millisecond, "2026-06-01", false, false, "", "Allowed now: messageTag HUMAN_AGENT"},
		{"", "", never, "2026-06-01", false, true, "RESPONSE", ""},
		{"RESPONSE", "", 25 * h, "2026-06-01", false, false, "", "more than 24 hours ago"},
		{"UPDATE", "", 25 * h, "2026-06-01", false, false, "", "UPDATE is for within 24 hours"},
		{"UPDATE", "", h, "2026-06-01", false, true, "UPDATE", ""},
		{"UTILITY", "", 300 * h, "2026-06-01", false, true, "UTILITY", ""},
		{"MESSAGE_TAG", "HUMAN_AGENT", 6 * 24 * h, "2026-06-01", true, true, "MESSAGE_TAG", ""},
		{"", "HUMAN_AGENT", 7 * 24 * h, "2026-06-01", true, true, "MESSAGE_TAG", ""},
		{"", "HUMAN_AGENT", 7*24*h + h, "2026-06-01", true, false, "", "7 days"},
		{"", "HUMAN_AGENT", 48 * h, "2026-06-01", false, false, "", "not for programs"},
		{"", "HUMAN_AGENT", h, "2026-06-01", false, true, "RESPONSE", "inside the 24 hours it is sent as RESPONSE"},
		{"", "HUMAN_AGENT", h, "2026-06-01", true, true, "MESSAGE_TAG", ""},
		{"", "ACCOUNT_UPDATE", 48 * h, "2026-04-26", false, true, "MESSAGE_TAG", ""},
		{"", "ACCOUNT_UPDATE", 48 * h, "2026-04-27", false, false, "", "ended on 2026-04-27"},
		{"", "CONFIRMED_EVENT_UPDATE", 48 * h, "2026-04-28", false, false, "", "ended on 2026-04-27"},
		{"", "POST_PURCHASE_UPDATE", h, "2026-04-28", false, true, "RESPONSE", "is sent as RESPONSE"},
		{"MESSAGE_TAG", "NON_PROMOTIONAL_SUBSCRIPTION", 48 * h, "2020-03-03", false, true, "MESSAGE_TAG", ""},
		{"MESSAGE_TAG", "NON_PROMOTIONAL_SUBSCRIPTION", 48 * h, "2020-03-04", false, false, "", "ended on 2020-03-04"},
		{"MESSAGE_TAG", "NON_PROMOTIONAL_SUBSCRIPTION", h, "2026-06-01", false, true, "RESPONSE", "ended on 2020-03-04; inside the 24 hours it is sent as RESPONSE"},
		{"MESSAGE_TAG", "SHIPPING_UPDATE", never, "2026-06-01", false, true, "RESPONSE", "2020-03-04"},
		{"MESSAGE_TAG", "ACCOUNT_UPDATE", 48 * h, "2019-01-01", false, true, "MESSAGE_TAG", ""},
		{"", "CUSTOMER_FEEDBACK", 6 * 24 * h, "2026-06-01", false, true, "MESSAGE_TAG", ""},
		{"", "CUSTOMER_FEEDBACK", 8 * 24 * h, "2026-06-01", false, false, "", "CUSTOMER_FEEDBACK is for 7 days"},
		{"", "CUSTOMER_FEEDBACK", 48 * h, "2022-12-31", false, false, "", "not a tag of the platform"},
		{"MESSAGE_TAG", "NO_SUCH_TAG", 48 * h, "2026-06-01", false, false, "", "not a tag of the platform"},
	} {
		now, err := time.Parse(time.DateOnly, c.day)
		if err != nil {
			t.Fatal(err)
		}
		now = now.Add(12 * h)
		var history History
		if c.ago != never {
			history.LastInbound = now.Add(-c.ago)
		}
		got := Policy(PolicyQuestion{Options: MessengerOptions{MessagingType: c.kind, MessageTag: c.tag}, Human: c.human, Version: "v3.3", Now: now}, history)
		if got.Allowed != c.allowed || c.allowed && got.SendAs.MessagingType != c.as || !strings.Contains(got.Message, c.words) || c.words == "" && got.Message != "" {
			t.Errorf("%s %s %s after %s on %s: %+v", c.kind, c.tag, map[bool]string{true: "by people"}[c.human], c.ago, c.day, got)
		}
		if !c.allowed && (got.Code == "" || got.Field == "" || len(got.Would) == 0) {
			t.Errorf("%s %s: a refusal without code, field or advice: %+v", c.kind, c.tag, got)
		}
	}
}

func TestPolicyOfTemplatesAndTokens(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	list := json.RawMessage(`{"attachment":{"type":"template","payload":{"template_type":"list"}}}`)
	if a := Policy(PolicyQuestion{Message: list, Version: "v26.0", Now: now}, History{}); a.Allowed || !strings.HasSuffix(a.Field, "template_type") {
		t.Errorf("%+v", a)
	}
	for _, c := range []struct {
		options MessengerOptions
		day     string
		words   string // of the refusal; empty when it is allowed
	}{
		{MessengerOptions{OneTimeToken: "t"}, "2026-06-01", ""},
		{MessengerOptions{OneTimeToken: "t"}, "2020-03-03", "tokens"},
		{MessengerOptions{NotificationToken: "t"}, "2026-02-09", ""},
		{MessengerOptions{NotificationToken: "t"}, "2026-02-10", "ended messages to such tokens on 2026-02-10"},
	} {
		at, _ := time.Parse(time.DateOnly, c.day)
		if a := Policy(PolicyQuestion{Options: c.options, Now: at, Version: "v26.0"}, History{LastInbound: at.Add(-300 * time.Hour)}); a.Allowed != (c.words == "") || !strings.Contains(a.Message, c.words) {
			t.Errorf("%+v on %s: %+v", c.options, c.day, a)
		}
	}
	for message, field := range map[string]string{
		`{"text":"` + strings.Repeat("x", 2001) + `"}`: "customBody.fbMessenger.text",
		`{"text":"x","quick_replies":[` + strings.Repeat(`{"content_type":"text","title":"a","payload":"b"},`, 13) + `{"content_type":"text","title":"a","payload":"b"}]}`:            "customBody.fbMessenger.quick_replies",
		`{"attachment":{"type":"template","payload":{"template_type":"button","text":"` + strings.Repeat("y", 641) + `","buttons":[{"type":"postback","title":"a","payload":"b"}]}}}`: "customBody.fbMessenger.attachment.payload.text",
		`{"text":"hello","something_new":{"x":1}}`: "",
	} {
		if a := Policy(PolicyQuestion{Message: json.RawMessage(message), Now: now, Version: "v26.0"}, History{}); a.Allowed != (field == "") || a.Field != field {
			t.Errorf("%.60s: %+v", message, a)
		}
	}
	feedback := PolicyQuestion{Options: MessengerOptions{MessageTag: messenger.TagCustomerFeedback}, Now: now, Version: "v26.0"}
	for message, allowed := range map[string]bool{`{"attachment":{"type":"template","payload":{"template_type":"customer_feedback"}}}`: true, `{"text":"How was it?"}`: false} {
		feedback.Message = json.RawMessage(message)
		if a := Policy(feedback, History{LastInbound: now.Add(-48 * time.Hour)}); a.Allowed != allowed || !allowed && !strings.Contains(a.Message, "template customer_feedback only") {
			t.Errorf("CUSTOMER_FEEDBACK with %s: %+v", message, a)
		}
	}
	people := PolicyQuestion{Options: MessengerOptions{MessageTag: "HUMAN_AGENT"}, Human: true, Now: now, Version: "v26.0"}
	for words, h := range map[string]History{
		"":                                 {LastInbound: now.Add(-48 * time.Hour), RefusedAt: now.Add(-time.Hour)}, // of the shorter window only
		"the platform refused HUMAN_AGENT": {LastInbound: now.Add(-48 * time.Hour), HumanRefusedAt: now.Add(-time.Hour)},
	} {
		if a := Policy(people, h); a.Allowed != (words == "") || !strings.Contains(a.Message, words) {
			t.Errorf("%+v: %+v", h, a)
		}
	}
	if a := Policy(PolicyQuestion{Now: now, Version: "v26.0"}, History{RefusedAt: now.Add(-time.Hour)}); a.Allowed || !strings.Contains(a.Message, "the platform said") {
		t.Errorf("refused, and nothing known of the person: %+v", a)
	}
	fresh := History{LastInbound: now.Add(-time.Hour), RefusedAt: now.Add(-time.Minute)}
	if a := Policy(PolicyQuestion{Now: now, Version: "v26.0"}, fresh); a.Allowed {
		t.Errorf("the platform's own verdict does not count: %+v", a)
	}
	if a := Policy(PolicyQuestion{Now: now, Version: "v26.0"}, History{LastInbound: now.Add(-time.Hour)}); !a.Until.Equal(now.Add(23 * time.Hour)) {
		t.Errorf("%+v", a)
	}
}

// TestPolicyByTheCalendar walks the platform's calendar: each tag on the days on which it comes and
// goes, and on those before.
func TestPolicyByTheCalendar(t *testing.T) {
	t.Parallel()
	for r := range messenger.Rules() {
		for _, tag := range r.Tags {
			for _, day := range []time.Time{r.Since.AddDate(0, 0, -1), r.Since, r.Until.AddDate(0, 0, -1), r.Until} {
				if day.Year() < 2016 {
					continue // no such day
				}
				taken, window := false, time.Duration(0)
				for _, other := range messenger.RulesOfTag(tag) {
					if other.Takes("v26.0", day) {
						taken, window = true, other.Window
					}
				}
				ask := func(ago time.Duration) PolicyAnswer {
					q := PolicyQuestion{Options: MessengerOptions{MessageTag: tag}, Human: true, Version: "v26.0", Now: day}
					return Policy(q, History{LastInbound: day.Add(-ago)})
				}
				if a := ask(25 * time.Hour); a.Allowed != taken {
					t.Errorf("%s on %s: %+v, by the calendar: %v", tag, day.Format(time.DateOnly), a, taken)
				}
				if a := ask(window + time.Hour); taken && window > 0 && a.Allowed {
					t.Errorf("%s an hour after its window of %s: %+v", tag, window, a)
				}
			}
		}
	}
}
