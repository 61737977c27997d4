package gateway

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestTextsAreNotCutInsideACharacter(t *testing.T) {
	t.Parallel()
	for _, seen := range []string{"👍🏽", "👩‍👩‍👧", "é", "🏴\U000E0067\U000E0062\U000E0065\U000E006E\U000E0067\U000E007F", "कि", "☎️"} {
		for before := 1990; before <= 2001; before++ {
			text := strings.Repeat("あ", before) + seen + strings.Repeat("い", 50)
			pieces := SplitText(text, MaxText)
			if strings.Join(pieces, "") != text {
				t.Fatalf("%q after %d: something is lost", seen, before)
			}
			whole := false
			for _, p := range pieces {
				whole = whole || strings.Contains(p, seen)
				if n := len([]rune(p)); n > MaxText {
					t.Errorf("a piece of %d characters", n)
				}
			}
			if !whole {
				t.Errorf("%q after %d characters is cut in two", seen, before)
			}
		}
	}
	if pieces := SplitText("a"+strings.Repeat("\u0301", 5000), MaxText); len(pieces) != 3 {
		t.Errorf("nothing but accents: %d pieces", len(pieces))
	}
}

func TestBlankTextsAndAddresses(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for _, text := range []string{"   \n", "\t", "\u200b\ufeff", "\u00a0", "\u2800"} {
		for field, in := range map[string]MessageInput{
			"body": {To: To{FBMessengerID: "1"}, Body: text}, "messageParts[0].data": {To: To{FBMessengerID: "1"}, MessageParts: []PartInput{{Type: "text/plain", Data: text}}},
		} {
			if e, ok := in.Check(now).(*Error); !ok || e.Field != field {
				t.Errorf("%q: %v, want an error at %s", text, e, field)
			}
		}
	}
	for given, want := range map[string]string{
		"https://cdn.example/my image.png": "https://cdn.example/my%20image.png", " https://cdn.example/a%20b.png?x=1&y=2#z ": "https://cdn.example/a%20b.png?x=1&y=2#z",
		"https://cdn.example/ñandú.png": "https://cdn.example/%C3%B1and%C3%BA.png", "https://cdn.example/a\"b<c>.png": "https://cdn.example/a%22b%3Cc%3E.png",
	} {
		in := MessageInput{To: To{FBMessengerID: "1"}, MessageParts: []PartInput{{Type: "image/png", URL: given}}}
		if err := in.Check(now); err != nil || in.MessageParts[0].URL != want {
			t.Errorf("%q: %v, %q, want %q", given, err, in.MessageParts[0].URL, want)
		}
	}
}

func TestLimitsAreKnownBeforeTheyAreSent(t *testing.T) {
	t.Parallel()
	for custom, field := range map[string]string{
		`{"text":"x","quick_replies":[{"content_type":"text","title":"` + strings.Repeat("a", 26) + `","payload":"p"}]}`:                                                             "customBody.fbMessenger.quick_replies[0].title",
		`{"text":"` + strings.Repeat("a", 2001) + `"}`:                                                                                                                               "customBody.fbMessenger.text",
		`{"attachment":{"type":"template","payload":{"template_type":"button","text":"x","buttons":[{"type":"postback","title":"` + strings.Repeat("a", 21) + `","payload":"p"}]}}}`: "customBody.fbMessenger.attachment.payload.buttons[0].title",
	} {
		in := MessageInput{CustomBody: map[string]json.RawMessage{ChannelMessenger: json.RawMessage(custom)}}
		if e, ok := in.CheckLimits().(*Error); !ok || e.Field != field {
			t.Errorf("%.60s…: %v, want an error at %s", custom, e, field)
		}
	}
	in := MessageInput{CustomBody: map[string]json.RawMessage{ChannelMessenger: json.RawMessage(`{"text":"x"}`)}}
	if err := in.CheckLimits(); err != nil {
		t.Error(err)
	}
}

// What the platform tells is told on in the gateway's words, however it is written.
func TestWhatSubscribersGet(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, channel, raw string
		kind               EventType
		want               string
	}{
		{"a deletion as text", "messaging", `{"sender":{"id":"1"},"recipient":{"id":"2"},"timestamp":1,"message":{"mid":"m","is_deleted":"true"}}`, EventMessageInbound,
			`{"platformMessageId":"m","isDeleted":true,"sentAt":"1970-01-01T00:00:01.000Z"}`},
		{"a guest", "messaging", `{"sender":{"user_ref":"ref-1"},"recipient":{"id":"2"},"message":{"mid":"m","text":"hi"}}`, EventMessageInbound,
			`{"platformMessageId":"m","text":"hi","userRef":"ref-1"}`},
		{"a sticker beside its picture", "messaging", `{"sender":{"id":"1"},"recipient":{"id":"2"},"message":{"mid":"m","attachments":[{"type":"image","payload":{"url":"https://x/s.png","sticker_id":369239263222822}},{"type":"sticker","payload":{"url":"https://x/s.png","sticker_id":369239263222822}}]}}`,
			EventMessageInbound, `{"platformMessageId":"m","attachments":[{"type":"image","url":"https://x/s.png","stickerId":"369239263222822"}]}`},
		{"two pictures", "messaging", `{"sender":{"id":"1"},"recipient":{"id":"2"},"message":{"mid":"m","attachments":[{"type":"image","payload":{"url":"https://x/a.png"}},{"type":"image","payload":{"url":"https://x/a.png"}}]}}`,
			EventMessageInbound, `{"platformMessageId":"m","attachments":[{"type":"image","url":"https://x/a.png"},{"type":"image","url":"https://x/a.png"}]}`},
		{"a reel", "messaging", `{"sender":{"id":"1"},"recipient":{"id":"2"},"message":{"mid":"m","attachments":[{"type":"ig_reel","payload":{"url":"https://x/r","title":"t","reel_video_id":123}}]}}`,
			EventMessageInbound, `{"platformMessageId":"m","attachments":[{"type":"ig_reel","url":"https://x/r","title":"t","reelVideoId":"123"}]}`},
		{"a lead", "changes", `{"field":"leadgen","value":{"leadgen_id":"1"}}`, EventUnknown, `{"kind":"leadgen"}`},
		{"a comment", "changes", `{"field":"feed","value":{"item":"comment","post_id":"1"}}`, EventUnknown, `{"kind":"feed"}`},
		{"a topic", "messaging", `{"sender":{"id":"1"},"recipient":{"id":"2"},"optin":{"type":"notification_messages","title":"News","notification_messages_token":"tok","notification_messages_frequency":"DAILY","notification_messages_timezone":"UTC","user_token_status":"REFRESHED"}}`,
			EventOptin, `{"kind":"notification_messages","token":"tok","title":"News","frequency":"DAILY","timezone":"UTC","tokenStatus":"REFRESHED"}`},
		{"bytes that are not UTF-8", "messaging", "{\"sender\":{\"id\":\"1\"},\"recipient\":{\"id\":\"2\"},\"message\":{\"mid\":\"m\",\"text\":\"a\xff\xfeb\\u0000\\ud800\"}}", EventMessageInbound,
			`{"platformMessageId":"m","text":"a` + "\uFFFDb\uFFFD\uFFFD" + `"}`},
	} {
		p := Publish(&Event{Pos: 1, Type: c.kind, Channel: c.channel, Raw: json.RawMessage(c.raw)}, "", "")
		if diff := cmp.Diff(c.want, string(p.Data)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		if err := CheckJSON(p.Raw); err != nil {
			t.Errorf("%s: raw is not fit for every parser: %v", c.name, err)
		}
	}
}
