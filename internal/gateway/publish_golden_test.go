package gateway

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/messenger"
)

// TestPublications holds what subscribers get to a file, byte for byte: for every sample of the
// platform's payloads, and for every fact of the gateway's own.
func TestPublications(t *testing.T) {
	t.Parallel()
	const golden = "testdata/publications.jsonl"
	var got []string
	seen := map[EventType]bool{}
	for i, e := range publishedEvents(t) {
		e.Pos, e.ReceivedAt = int64(i+1), time.Date(2026, 11, 22, 10, 0, 5, 0, time.UTC)
		line, err := json.Marshal(Publish(e, "prf_1", "1906385232743451"))
		if err != nil {
			t.Fatal(err)
		}
		got, seen[e.Type] = append(got, string(line)), true
	}
	for _, kind := range EventTypes() {
		if !seen[kind] {
			t.Errorf("no event of type %s", kind)
		}
	}
	if *update {
		if err := os.WriteFile(golden, []byte(strings.Join(got, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(strings.TrimSpace(string(want)), "\n"), got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestPublicationsAreReadByTheClient reads what subscribers get as the client does: each type of
// event has a type of its own, nothing is lost, and written again it is the same byte for byte.
func TestPublicationsAreReadByTheClient(t *testing.T) {
	t.Parallel()
	file, err := os.ReadFile("testdata/publications.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	types := map[string]bool{}
	for line := range strings.Lines(string(file)) {
		line = strings.TrimSpace(line)
		var e gatewayapi.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		again, err := json.Marshal(e)
		if r, ok := e.Data.(*gatewayapi.ReferralEvent); ok && r.Via == "" { // of a page that nobody has connected: nothing is known but what the platform says
			again = bytes.Replace(again, []byte(`,"via":"","first":false}`), []byte("}"), 1)
		}
		if err != nil || string(again) != line {
			t.Errorf("%s: %v (-as published +written again):\n%s", e.Type, err, cmp.Diff(line, string(again)))
		}
		if _, raw := e.Data.(gatewayapi.RawData); raw {
			t.Errorf("the data of %s is not read: %s", e.Type, line)
		}
		types[fmt.Sprintf("%T", e.Data)] = true
	}
	want := []any{
		new(gatewayapi.MessageInbound), new(gatewayapi.MessageEdit), new(gatewayapi.MessageEcho), new(gatewayapi.Standby), new(gatewayapi.Postback), new(gatewayapi.ReferralEvent), new(gatewayapi.Optin),
		new(gatewayapi.Reaction), new(gatewayapi.Handover), new(gatewayapi.AccountLinking), new(gatewayapi.Policy), new(gatewayapi.MessageUpdate), new(gatewayapi.ProfileChange),
		new(gatewayapi.Unknown), new(gatewayapi.Erased),
	}
	for _, w := range want {
		if !types[fmt.Sprintf("%T", w)] {
			t.Errorf("no event is read as %T", w)
		}
	}
}

// publishedEvents are the samples of the platform, and each fact of the gateway's own with
// everything that it can hold.
func publishedEvents(t *testing.T) []*Event {
	t.Helper()
	var all []*Event
	files, err := filepath.Glob("../../messenger/testdata/payloads/*.json")
	if err != nil || len(files) < 50 {
		t.Fatalf("%d samples: %v", len(files), err)
	}
	for _, name := range files {
		body, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var compact bytes.Buffer
		if json.Compact(&compact, body) != nil {
			continue
		}
		envelopes, err := messenger.Split(compact.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		for _, envelope := range envelopes {
			keys := envelope.Keys()
			e := &Event{Application: "A1", PageID: string(envelope.PageID), Person: keys.Sender, Type: TypeOf(envelope.Channel, keys.Kind), Channel: envelope.Channel, EntryTime: envelope.Time, Raw: envelope.Raw}
			if e.Internal() {
				continue
			}
			all = append(all, e)
			if r := ReferralOf(e, func(string) *EntryPoint { return &EntryPoint{ID: "ent_1", Kind: EntryCode, RetiredAt: time.Unix(1, 0)} }); r != nil {
				r.First = true
				all = append(all, &Event{Application: "A1", Person: e.Person, PageID: e.PageID, Type: EventReferral, Raw: e.Raw, Data: data(r)})
			}
		}
	}
	return slices.Concat(all, ownEvents())
}

func ownEvents() []*Event {
	at := time.Date(2026, 11, 22, 10, 0, 0, 123_000_000, time.UTC)
	why := &Failure{Code: FailureOutsideWindow, Message: "closed <b>", PlatformCode: 10, PlatformSubcode: 2018278, TraceID: "t"}
	m := &Message{
		ID: "msg_1", Application: "A1", Person: "1504003133884466", ProfileID: "ana", Status: StatusFailed, Parts: 2, PartsSent: 1, MID: "m_1", AcceptedAt: at,
		SentAt: at.Add(time.Second), DeliveredAt: at.Add(2 * time.Second), ReadAt: at.Add(3 * time.Second), MarkAt: at, Late: true, Resent: true, Error: why,
		Request: json.RawMessage(`{"to":{"phoneNumber":"447700900001","email":"a@b.c"},"body":"x","metadata":{"a":[1, "é<"]}}`),
	}
	bare := &Message{ID: "msg_2", Application: "A1", Person: "1504003133884466", Status: StatusUncertain, Parts: 1, AcceptedAt: at, Request: json.RawMessage(`{"to":{},"body":"x"}`)}
	stepped := *m
	stepped.Step = 1
	stepped.Steps = []Step{
		{Rule: Rule{Channel: ChannelMessenger}, Outcome: StepFailed, Ref: "m_1", Why: why, EndedAt: at, DeliveredAt: at, ReadAt: at},
		{Rule: Rule{Channel: ChannelSMS}, Outcome: StepReached, Ref: "SM1", EndedAt: at}, {Rule: Rule{Channel: ChannelEmail}, Outcome: StepUnused},
	}
	var all []*Event
	for _, kind := range []EventType{EventMessageSent, EventMessageDelivered, EventMessageRead, EventMessageFailed, EventMessageExpired, EventMessageUncertain} {
		all = append(all, MessageEvent(kind, m, nil), MessageEvent(kind, bare, &Event{PageID: "2", Raw: json.RawMessage(`{"x": 1}`)}), MessageEvent(kind, &stepped, nil))
	}
	all = append(all, LateEvent(EventMessageRead, &stepped, 0, nil))
	sms := ChannelInbound{Account: "chn_1", Channel: ChannelSMS, Application: "A1", From: "447700900001", To: "447700900002", Ref: "SM1", Text: "STOP", At: at,
		Raw: json.RawMessage(`{"Body":"STOP"}`), Parts: []PartInput{{Type: "image/png", URL: "https://x/y.png"}, {Type: "application/pdf", URL: "https://x/y.pdf"}}}
	all = append(all, ChannelInboundEvent(sms, "ana", KeywordStop), ChannelInboundEvent(ChannelInbound{Channel: ChannelEmail, From: "a@b.c", Text: "hi"}, "", ""))
	profile := &Profile{ID: "ana", Doc: map[string]json.RawMessage{"firstName": json.RawMessage(`"Ana"`)}, Addresses: map[string]string{"A1": "15"}, Version: 3, CreatedAt: at, UpdatedAt: at}
	for _, kind := range []EventType{EventProfileCreated, EventProfileUpdated} {
		all = append(all, &Event{Application: "A1", Person: "15", Type: kind, Data: data(map[string]any{"profile": profile})}, &Event{Type: kind, Data: ErasedData()})
	}
	state := json.RawMessage(`{"kind":"state","state":"bound","via":"referral","profileId":"ana","data":{"order":17}}`)
	return append(all, &Event{Application: "A1", Person: "15", Type: EventOptin, Data: state, Raw: json.RawMessage(`{}`)})
}
