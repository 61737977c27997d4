package messenger_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/messenger"
)

func TestSplit(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body string
		want       []messenger.Envelope
	}{
		{"two entries, three events", `{"object":"page","entry":[{"id":"1","time":5,"messaging":[{"a":1}, {"b":"]}"}]},{"id":2,"time":"6","standby":[{"c":[1]}]}]}`, []messenger.Envelope{
			{Object: "page", PageID: "1", Time: 5, Channel: "messaging", Raw: []byte(`{"a":1}`)},
			{Object: "page", PageID: "1", Time: 5, Channel: "messaging", Raw: []byte(`{"b":"]}"}`)},
			{Object: "page", PageID: "2", Time: 6, Channel: "standby", Raw: []byte(`{"c":[1]}`)},
		}},
		{"object after the entries", `{"entry":[{"messaging":[{}],"id":"1"}],"object":"page"}`, []messenger.Envelope{
			{Object: "page", PageID: "1", Channel: "messaging", Raw: []byte(`{}`)},
		}},
		{"all channels of one entry", `{"object":"page","entry":[{"id":"1","changes":[{"field":"feed"}],"messaging":[1],"standby":[null]}]}`, []messenger.Envelope{
			{Object: "page", PageID: "1", Channel: "messaging", Raw: []byte(`1`)},
			{Object: "page", PageID: "1", Channel: "standby", Raw: []byte(`null`)},
			{Object: "page", PageID: "1", Channel: "changes", Raw: []byte(`{"field":"feed"}`)},
		}},
		{"nothing known in the entry", `{"object":"page","entry":[ {"id":"1","x":[1]} ]}`, []messenger.Envelope{
			{Object: "page", PageID: "1", Raw: []byte(`{"id":"1","x":[1]}`)},
		}},
		{"empty lists", `{"object":"page","entry":[{"id":"1","messaging":[]}]}`, []messenger.Envelope{
			{Object: "page", PageID: "1", Raw: []byte(`{"id":"1","messaging":[]}`)},
		}},
		{"no entries", `{"object":"page","entry":[]}`, nil},
		{"entry is not a list", ` {"object":"page","entry":{"id":"1"}} `, []messenger.Envelope{
			{Object: "page", Raw: []byte(`{"object":"page","entry":{"id":"1"}}`)},
		}},
		{"no object at all", `17`, []messenger.Envelope{{Raw: []byte(`17`)}}},
		{"escaped names", `{"\u006fbject":"page","entry":[{"i\u0064":"1","messaging":[{}]}]}`, []messenger.Envelope{
			{Object: "page", PageID: "1", Channel: "messaging", Raw: []byte(`{}`)},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := messenger.Split([]byte(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("envelopes (-want +got):\n%s", diff)
			}
		})
	}
	for _, bad := range []string{``, `{`, `{"object":"page"} x`, `<html>`} {
		if _, err := messenger.Split([]byte(bad)); !errors.Is(err, messenger.ErrNotJSON) {
			t.Errorf("Split(%q): error %v", bad, err)
		}
	}
}

func TestSplitBatch(t *testing.T) {
	t.Parallel()
	var body bytes.Buffer
	body.WriteString(`{"object":"page","entry":[`)
	for i := range 1000 {
		if i > 0 {
			body.WriteByte(',')
		}
		fmt.Fprintf(&body, `{"id":"%d","messaging":[{"sender":{"id":"p%d"},"recipient":{"id":"%d"},"timestamp":%d,"message":{"mid":"m%d"}}]}`, i%7, i, i%7, 1700000000000+i, i)
	}
	body.WriteString(`]}`)
	envelopes, err := messenger.Split(body.Bytes())
	if err != nil || len(envelopes) != 1000 {
		t.Fatalf("%d events, error %v", len(envelopes), err)
	}
	for i, e := range envelopes {
		want := messenger.Keys{
			Kind: messenger.KindMessage, Page: messenger.PageID(fmt.Sprint(i % 7)), Sender: fmt.Sprintf("p%d", i),
			Recipient: fmt.Sprint(i % 7), MID: fmt.Sprintf("m%d", i), Timestamp: int64(1700000000000 + i),
		}
		if diff := cmp.Diff(want, e.Keys()); diff != "" {
			t.Fatalf("event %d (-want +got):\n%s", i, diff)
		}
	}
}

func TestKeysOfSamples(t *testing.T) {
	t.Parallel()
	tests := []struct {
		sample, mid, person string
		kind                messenger.Kind
	}{
		{"messages__text", "mid.1500550191490:910193eb8f1431e580", "987654321432", messenger.KindMessage},
		{"messages__quick_reply", "mid.1500633031712:a1dc95d18434989cdf", "987654321432", messenger.KindMessage},
		{"message_echoes__text_messenger4j", "mid.1500245721405:6457a3acb44349ab18", "<PSID>", messenger.KindEcho},
		{"message_echoes__text_metadata", "mid.1500403992492:e8b1fa2deaa28d32e0", "987654321432", messenger.KindEcho},
		{"message_deliveries__mids", "", "987654321432", messenger.KindDelivery},
		{"message_reads__watermark", "", "987654321432", messenger.KindRead},
		{"message_edits__edit", "mid.1500749809446:725ce124457777a89c", "987654321432", messenger.KindEdit},
		{"message_reactions__react", "m_UY8bADB7BU9Ov-cvLz19hZ7qHHxjQ4haIDHzwYTvuRuZrJXmuR2fqFW1ZibdfQRTUY8bADB7BU9Ov-cvLz19hZ", "<PSID>", messenger.KindReaction},
		{"messaging_policy_enforcement__block_hyphen", "", "", messenger.KindPolicyEnforcement},
		{"messaging_optins__checkbox_no_sender", "", "", messenger.KindOptin},
		{"messaging_postbacks__changes_shape_docs_2026", "m_RFND9H-f98xhaegeiPMtZrParQyDUy6USUB8LlO7M-7ftmVLRyWvjXGD_EzrfCOdRFND9H-f98xhaegeiPMtZr", "", messenger.KindPostback},
		{"standby__message_echo", "mid.1500973611062:15901b08eaafc89409", "987654321432", messenger.KindEcho},
		{"feed__comment_add", "", "", messenger.KindUnknown},
	}
	for _, tt := range tests {
		t.Run(tt.sample, func(t *testing.T) {
			t.Parallel()
			body, err := os.ReadFile("testdata/payloads/" + tt.sample + ".json")
			if err != nil {
				t.Fatal(err)
			}
			envelopes, err := messenger.Split(body)
			if err != nil || len(envelopes) != 1 {
				t.Fatalf("%d events, error %v", len(envelopes), err)
			}
			k := envelopes[0].Keys()
			if k.Kind != tt.kind || k.MID != tt.mid || string(k.Person()) != tt.person {
				t.Errorf("kind %s, mid %q, person %q", k.Kind, k.MID, k.Person())
			}
		})
	}
}

func TestKeysTolerant(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, raw string
		want      messenger.Keys
	}{
		{"not an object", `7`, messenger.Keys{Kind: messenger.KindUnknown}},
		{"wrong types", `{"sender":5,"recipient":[],"timestamp":{},"message":{"mid":true}}`, messenger.Keys{Kind: messenger.KindMessage}},
		{"seconds", `{"timestamp":1701599111,"read":{}}`, messenger.Keys{Kind: messenger.KindRead, Timestamp: 1701599111000}},
		{"timestamp in a string", `{"timestamp":"1701599111000"}`, messenger.Keys{Kind: messenger.KindUnknown, Timestamp: 1701599111000}},
		{"message wins over referral", `{"referral":{},"message":{"mid":"m"}}`, messenger.Keys{Kind: messenger.KindMessage, MID: "m"}},
		{"optin wins over message_request", `{"message_request":"accept","optin":{"user_ref":9}}`, messenger.Keys{Kind: messenger.KindOptin, UserRef: "9"}},
		{"NUL in an id", `{"sender":{"id":"a\u0000b"}}`, messenger.Keys{Kind: messenger.KindUnknown, Sender: "a\ufffdb"}},
		{"cut off", `{"sender":{"id":"a"},"message":{"mid":"m`, messenger.Keys{Kind: messenger.KindUnknown, Sender: "a"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := messenger.Envelope{Raw: []byte(tt.raw)}.Keys()
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("keys (-want +got):\n%s", diff)
			}
		})
	}
}

func BenchmarkSplitAndKeys(b *testing.B) {
	event := `{"sender":{"id":"1256217357730577"},"recipient":{"id":"1717527131834678"},"timestamp":1475942721741,"message":{"mid":"m_` + strings.Repeat("x", 86) + `","text":"hello there"}}`
	body := []byte(`{"object":"page","entry":[{"id":"1717527131834678","time":1475942721780,"messaging":[` + event + `]}]}`)
	b.ReportAllocs()
	for b.Loop() {
		envelopes, err := messenger.Split(body)
		if err != nil || envelopes[0].Keys().MID == "" {
			b.Fatal("not split", err)
		}
	}
}
