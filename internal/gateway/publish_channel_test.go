package gateway

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestInboundOverAnotherChannel(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	in := ChannelInbound{Account: "chn_1", Channel: ChannelSMS, Application: "APP", From: "4477", To: "4470", Text: "stop", Ref: "SM1", At: at, Raw: json.RawMessage(`{"Body":"stop"}`),
		Parts: []PartInput{{Type: "image/png", URL: "https://x.example/a"}, {Type: "application/pdf", URL: "https://x.example/b"}}}
	e := ChannelInboundEvent(in, "ann", KeywordStop)
	e.ReceivedAt = at
	if again := ChannelInboundEvent(in, "", ""); string(again.Dedup) != string(e.Dedup) {
		t.Error("the same message makes two events")
	}
	in.Ref = "SM2"
	if other := ChannelInboundEvent(in, "ann", KeywordStop); string(other.Dedup) == string(e.Dedup) {
		t.Error("another message makes the same event")
	}
	p := Publish(e, "", "100")
	want := `{"channel":"sms","from":"4477","to":"4470","platformMessageId":"SM1","text":"stop","attachments":[{"type":"image","url":"https://x.example/a"},` +
		`{"type":"file","url":"https://x.example/b"}],"sentAt":"2026-05-01T12:00:00.000Z","account":"chn_1","keyword":"stop","profileId":"ann"}`
	if diff := cmp.Diff(want, string(p.Data)); diff != "" || p.ProfileID != "ann" || p.Person.ID != "sms:4477" || string(p.Raw) != `{"Body":"stop"}` {
		t.Errorf("%s %+v", diff, p)
	}
}

func TestKeywords(t *testing.T) {
	t.Parallel()
	own, none := []string{"ende", "Schluss jetzt"}, []string{}
	for _, test := range []struct {
		settings KeywordSettings
		text     string
		want     Keyword
		answer   string
	}{
		{KeywordSettings{StopAnswer: "bye"}, " Stop.\n", KeywordStop, "bye"},
		{KeywordSettings{}, "UNSUBSCRIBE", KeywordStop, ""},
		{KeywordSettings{StartAnswer: "hello"}, "start!", KeywordStart, "hello"},
		{KeywordSettings{HelpAnswer: "call us"}, "help", KeywordHelp, "call us"},
		{KeywordSettings{}, "stop it", "", ""},
		{KeywordSettings{}, "", "", ""},
		{KeywordSettings{}, "...", "", ""},
		{KeywordSettings{Stop: &own}, "ENDE", KeywordStop, ""},
		{KeywordSettings{Stop: &own}, "schluss jetzt", KeywordStop, ""},
		{KeywordSettings{Stop: &own}, "stop", "", ""},
		{KeywordSettings{Stop: &none}, "stop", "", ""},
	} {
		if got, _, answer := MatchKeyword(test.settings, test.text); got != test.want || answer != test.answer {
			t.Errorf("%q: %q %q", test.text, got, answer)
		}
	}
}

func TestNormalAddresses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ channel, address, want string }{
		{ChannelSMS, "+44 7700 900-001", "447700900001"}, {ChannelSMS, "00447700900001", "447700900001"}, {ChannelSMS, "(44) 7700.900001", "447700900001"},
		{ChannelSMS, "12", ""}, {ChannelSMS, "Shop", ""}, {ChannelSMS, "123456789012345678901", ""},
		{ChannelEmail, "Ann <Ann@Shop.Example>", "ann@shop.example"}, {ChannelEmail, "ann", ""}, {ChannelWebhook, "anything", "anything"}, {"pigeon", "x", ""},
	} {
		if got, ok := NormalAddress(test.channel, test.address); got != test.want || ok != (test.want != "") {
			t.Errorf("%s %q: %q %v", test.channel, test.address, got, ok)
		}
	}
}
