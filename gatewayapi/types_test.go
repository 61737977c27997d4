package gatewayapi

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A rule of a newer gateway is read, and says what of it is not known.
func TestRulesInJSON(t *testing.T) {
	t.Parallel()
	var rules []Rule
	text := `["sms",{"channel":"fbMessenger","until":"read","within":"1h30m"},{"channel":"sms","pigeon":{}}]`
	if err := json.Unmarshal([]byte(text), &rules); err != nil {
		t.Fatal(err)
	}
	want := []Rule{{Channel: "sms"}, {Channel: "fbMessenger", Until: UntilRead, Within: Duration(90 * time.Minute)}, {Channel: "sms", Unknown: "pigeon"}}
	if diff := cmp.Diff(want, rules); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if b, err := json.Marshal(rules[:2]); err != nil || string(b) != `["sms",{"channel":"fbMessenger","until":"read","within":"1h30m"}]` {
		t.Errorf("%s, %v", b, err)
	}
	for _, bad := range []string{`[1]`, `[{"channel":7}]`, `[{"channel":"sms","within":"soon"}]`} {
		if err := json.Unmarshal([]byte(bad), new([]Rule)); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
}

// What goes back to its default goes out as null, beside what changes.
func TestResettingSettingsOfAChannel(t *testing.T) {
	t.Parallel()
	for want, req := range map[string]UpdateChannelRequest{
		`{"name":"x"}`:                         {Name: new("x")},
		`{"smpp":{"port":2776,"source":null}}`: {SMPP: &SMPPSettings{Port: 2776}, Reset: []string{"smpp.source"}},
		`{"state":"disabled","twilio":{"from":null,"mediaAsLinks":null}}`:        {State: new(ChannelDisabled), Reset: []string{"twilio.from", "twilio.mediaAsLinks"}},
		`{"smtp":{"host":"mail.example","replyTo":null},"webhook":{"url":null}}`: {SMTP: &SMTPSettings{Host: "mail.example"}, Reset: []string{"smtp.replyTo", "webhook.url"}},
	} {
		if b, err := json.Marshal(req); err != nil || string(b) != want {
			t.Errorf("%s, %v, want %s", b, err, want)
		}
	}
	client, _ := answering(t, 200, `{}`)
	if _, err := client.UpdateChannel(t.Context(), "chn_1", UpdateChannelRequest{Reset: []string{"source"}}); !errors.Is(err, CodeUnreadable) {
		t.Errorf("a setting without its group: %v", err)
	}
}

// Lists are walked page by page, as far as somebody asks for, and end with an error where there is
// one.
func TestWalkingLists(t *testing.T) {
	t.Parallel()
	pages := map[string]string{
		"/v1/profiles": `{"profiles":[{"id":"a"},{"id":"b"}],"cursor":"2"}`, "/v1/profiles?cursor=2": `{"profiles":[{"id":"c"}],"cursor":"3"}`,
		"/v1/profiles?cursor=3": `{"profiles":[]}`,
		"/v1/events":            `{"events":[{"id":"evt_1"}],"cursor":"x"}`, "/v1/events?after=x": `{"events":[],"cursor":"x"}`,
		"/v1/messages": `{"messages":[{"id":"msg_1"}],"cursor":"gone"}`,
		"/v1/routes":   `{"routes":[{"id":"r1"},{"id":"r2"}]}`,
	}
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.RequestURI())
		page, ok := pages[r.URL.RequestURI()]
		if !ok {
			w.WriteHeader(http.StatusBadRequest)
			page = `{"error":{"code":"invalid_request","message":"this is not a cursor of this list","field":"cursor"}}`
		}
		w.Write([]byte(page))
	}))
	t.Cleanup(server.Close)
	client, err := New(server.URL, "k")
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for p, err := range client.AllProfiles(t.Context(), ListProfilesRequest{}) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, p.ID())
	}
	for e, err := range client.AllEvents(t.Context(), ListEventsRequest{}) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, e.ID)
	}
	for r, err := range client.AllRoutes(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, r.ID)
		break
	}
	var last error
	for m, err := range client.AllMessages(t.Context(), ListMessagesRequest{}) {
		if last = err; err == nil {
			ids = append(ids, m.ID)
		}
	}
	if diff := cmp.Diff([]string{"a", "b", "c", "evt_1", "r1", "msg_1"}, ids); diff != "" || !errors.Is(last, CodeInvalidRequest) {
		t.Errorf("%v (-want +got):\n%s", last, diff)
	}
	before := len(asked)
	for range client.AllProfiles(t.Context(), ListProfilesRequest{}) {
		break
	}
	if len(asked) != before+1 {
		t.Errorf("one profile took the pages %q", asked[before:])
	}
}

// An answer goes to the person, on the channel on which they wrote, once for each event.
func TestReplies(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		event Event
		want  SendMessageRequest
	}{
		"Messenger": {Event{Person: &Party{"15"}, Data: &MessageInbound{}}, SendMessageRequest{To: To{FBMessengerID: "15"}}},
		"a tap":     {Event{Person: &Party{"15"}, Data: &Postback{}}, SendMessageRequest{To: To{FBMessengerID: "15"}}},
		"sms":       {Event{Person: &Party{"sms:4477"}, Data: &MessageInbound{Channel: "sms", From: "4477"}}, SendMessageRequest{To: To{PhoneNumber: "4477"}, Rules: Rules("sms")}},
		"email":     {Event{Data: &MessageInbound{Channel: "email", From: "a@b.c"}}, SendMessageRequest{To: To{Email: "a@b.c"}, Rules: Rules("email")}},
		"another":   {Event{ProfileID: "ana", Data: &MessageInbound{Channel: "line"}}, SendMessageRequest{To: To{ProfileID: "ana"}, Rules: Rules("line")}},
		"nobody":    {Event{Data: &ProfileChange{}}, SendMessageRequest{}},
	} {
		c.event.ID, c.event.Application = "evt_1", "A1"
		c.want.Body, c.want.Application, c.want.IdempotencyKey = "hi", "A1", "evt_1"
		if diff := cmp.Diff(c.want, c.event.Reply("hi")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// What a newer gateway says is read and kept, and never an error.
func TestEventsOfTomorrow(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]EventData{
		`{"id":"evt_1","type":"message.recalled","createdAt":"2026-01-31T12:00:00.000Z","application":null,"person":null,"data":{"why":[1]}}`:                   RawData(`{"why":[1]}`),
		`{"id":"evt_1","type":"message.inbound","createdAt":"2026-01-31T12:00:00.000Z","application":null,"person":null,"data":{"text":"x","mood":"!"}}`:        &MessageInbound{Content: Content{Text: "x"}},
		`{"id":"evt_1","type":"message.inbound","createdAt":"2026-01-31T12:00:00.000Z","application":null,"person":null,"data":{"text":{"rich":1}}}`:            RawData(`{"text":{"rich":1}}`),
		`{"id":"evt_1","type":"message.inbound","createdAt":"2026-01-31T12:00:00.000Z","application":null,"person":null,"data":[1]}`:                            RawData(`[1]`),
		`{"id":"evt_1","type":"message.sent","createdAt":"2026-01-31T12:00:00.000Z","application":null,"person":null,"data":{"erased":true}}`:                   &Erased{true},
		`{"id":"evt_1","type":"standby","createdAt":"2026-01-31T12:00:00.000Z","application":null,"person":null,"data":{"kind":"referral","data":{"ref":"r"}}}`: &Standby{Kind: "referral", Data: &Referral{Ref: "r"}},
	} {
		var e Event
		if err := json.Unmarshal([]byte(text), &e); err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if diff := cmp.Diff(want, e.Data); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
		if raw, ok := want.(RawData); ok && string(e.DataJSON) != string(raw) {
			t.Errorf("kept %s", e.DataJSON)
		}
	}
}
