package gateway

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

// The platform's rules as a dated table: a message, how long ago the person did something (negative: not known), the day, and what comes of it.
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
		{"", "", 24*h + time.Millisecond, "2026-06-01", false, false, "", "neither was given"},
		{"", "", never, "2026-06-01", false, true, "RESPONSE", ""},
		{"RESPONSE", "", 25 * h, "2026-06-01", false, false, "", "more than 24 hours ago"},
		{"UPDATE", "", 25 * h, "2026-06-01", false, false, "", "UPDATE is for within 24 hours"},
		{"UPDATE", "", h, "2026-06-01", false, true, "UPDATE", ""},
		{"UTILITY", "", 300 * h, "2026-06-01", false, true, "UTILITY", ""},
		{"MESSAGE_TAG", "HUMAN_AGENT", 6 * 24 * h, "2026-06-01", true, true, "MESSAGE_TAG", ""},
		{"", "HUMAN_AGENT", 7 * 24 * h, "2026-06-01", true, true, "MESSAGE_TAG", ""},
		{"", "HUMAN_AGENT", 7*24*h + h, "2026-06-01", true, false, "", "7 days"},
		{"", "HUMAN_AGENT", 48 * h, "2026-06-01", false, false, "", "not for programs"},
		{"", "ACCOUNT_UPDATE", 48 * h, "2026-04-26", false, true, "MESSAGE_TAG", ""},
		{"", "ACCOUNT_UPDATE", 48 * h, "2026-04-27", false, false, "", "ended on 2026-04-27"},
		{"", "CONFIRMED_EVENT_UPDATE", 48 * h, "2026-04-28", false, false, "", "ended on 2026-04-27"},
		{"", "POST_PURCHASE_UPDATE", h, "2026-04-28", false, true, "RESPONSE", "is sent as RESPONSE"},
		{"MESSAGE_TAG", "NON_PROMOTIONAL_SUBSCRIPTION", 48 * h, "2020-03-03", false, true, "MESSAGE_TAG", ""},
		{"MESSAGE_TAG", "NON_PROMOTIONAL_SUBSCRIPTION", 48 * h, "2020-03-04", false, false, "", "ended on 2020-03-04"},
		{"MESSAGE_TAG", "NON_PROMOTIONAL_SUBSCRIPTION", h, "2026-06-01", false, true, "RESPONSE", "ended on 2020-03-04; inside the 24 hours it is sent as RESPONSE"},
		{"MESSAGE_TAG", "SHIPPING_UPDATE", never, "2026-06-01", false, true, "RESPONSE", "2020-03-04"},
		{"MESSAGE_TAG", "ACCOUNT_UPDATE", 48 * h, "2019-01-01", false, true, "MESSAGE_TAG", ""},
		{"MESSAGE_TAG", "NO_SUCH_TAG", 48 * h, "2026-06-01", false, false, "", "no tag of the platform"},
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
	old := History{LastInbound: now.Add(-300 * time.Hour)}
	if a := Policy(PolicyQuestion{Token: true, Now: now, Version: "v26.0"}, old); !a.Allowed {
		t.Errorf("%+v", a)
	}
	fresh := History{LastInbound: now.Add(-time.Hour), RefusedAt: now.Add(-time.Minute)}
	if a := Policy(PolicyQuestion{Now: now, Version: "v26.0"}, fresh); a.Allowed {
		t.Errorf("the platform's own verdict does not count: %+v", a)
	}
	if a := Policy(PolicyQuestion{Now: now, Version: "v26.0"}, History{LastInbound: now.Add(-time.Hour)}); !a.Until.Equal(now.Add(23 * time.Hour)) {
		t.Errorf("%+v", a)
	}
}
