package gateway

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestRender(t *testing.T) {
	t.Parallel()
	const tag = "chq1:msg_1."
	long := strings.Repeat("word ", 500) // 2,500 characters
	for name, c := range map[string]struct {
		in   string
		want []string
		file string
	}{
		"body":              {`{"body":"hi"}`, []string{`{"text":"hi","metadata":"` + tag + `1|"}`}, ""},
		"title and body":    {`{"title":"News","body":"hi"}`, []string{`{"text":"News\nhi","metadata":"` + tag + `1|"}`}, ""},
		"title alone":       {`{"title":"News"}`, []string{`{"text":"News","metadata":"` + tag + `1|"}`}, ""},
		"custom body wins":  {`{"body":"hi","customBody":{"fbMessenger":{"text":"yo","metadata":"m"}}}`, []string{`{"text":"yo","metadata":"` + tag + `1|m"}`}, ""},
		"empty custom body": {`{"body":"hi","customBody":{}}`, []string{`{"text":"hi","metadata":"` + tag + `1|"}`}, ""},
		"parts": {`{"title":"T","messageParts":[{"type":"text/plain","data":"a"},{"type":"text/plain","data":"sms only","channels":["sms"]},{"type":"image/png","url":"https://x.test/a.png"},{"type":"application/pdf","url":"https://x.test/a.pdf"}]}`,
			[]string{`{"text":"T\na","metadata":"` + tag + `1|"}`,
				`{"attachment":{"type":"image","payload":{"url":"https://x.test/a.png"}},"metadata":"` + tag + `2|"}`,
				`{"attachment":{"type":"file","payload":{"url":"https://x.test/a.pdf"}},"metadata":"` + tag + `3|"}`}, ""},
		"title before an image": {`{"title":"T","messageParts":[{"type":"image/png","url":"https://x.test/a.png"}]}`,
			[]string{`{"text":"T","metadata":"` + tag + `1|"}`, `{"attachment":{"type":"image","payload":{"url":"https://x.test/a.png"}},"metadata":"` + tag + `2|"}`}, ""},
		"file in base64": {`{"messageParts":[{"type":"audio/mpeg","data":"aGVsbG8=","name":"a.mp3"}]}`,
			[]string{`{"attachment":{"type":"audio","payload":{}},"metadata":"` + tag + `1|"}`}, "hello"},
		"long text": {`{"body":"` + long + `"}`, []string{
			`{"text":"` + strings.TrimSpace(long[:2000]) + `","metadata":"` + tag + `1|"}`,
			`{"text":"` + strings.TrimLeft(long[2000:], " ") + `","metadata":"` + tag + `2|"}`}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var in MessageInput
			if err := json.Unmarshal([]byte(c.in), &in); err != nil {
				t.Fatal(err)
			}
			parts, err := Render(&in, "msg_1")
			if err != nil {
				t.Fatal(err)
			}
			var got, want []any
			for i, p := range parts {
				got = append(got, decode(t, string(p.Raw)))
				if i < len(c.want) {
					want = append(want, decode(t, c.want[i]))
				}
			}
			if diff := cmp.Diff(want, got); diff != "" || len(parts) != len(c.want) {
				t.Errorf("parts (want -, got +):\n%s", diff)
			}
			if c.file != "" && string(parts[0].File.Data) != c.file {
				t.Errorf("file %+v", parts[0].File)
			}
		})
	}
}

func decode(t *testing.T, s string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(s), &v); err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return v
}

func TestInputIsRefusedNamingTheField(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct{ in, field string }{
		"no recipient":      {`{"body":"x"}`, "to"},
		"nothing to send":   {`{"to":{"profileId":"p"}}`, "body"},
		"both bodies":       {`{"to":{"profileId":"p"},"body":"x","messageParts":[{"type":"text/plain","data":"y"}]}`, "messageParts"},
		"unknown channel":   {`{"to":{"profileId":"p"},"body":"x","rules":["fbMessenger","pigeon"]}`, "rules[1]"},
		"expired":           {`{"to":{"profileId":"p"},"body":"x","expiresOn":"2020-01-01T00:00:00Z"}`, "expiresOn"},
		"tag and response":  {`{"to":{"profileId":"p"},"body":"x","channelOptions":{"fbMessenger":{"messagingType":"RESPONSE","messageTag":"HUMAN_AGENT"}}}`, "channelOptions.fbMessenger.messageTag"},
		"tag missing":       {`{"to":{"profileId":"p"},"body":"x","channelOptions":{"fbMessenger":{"messagingType":"MESSAGE_TAG"}}}`, "channelOptions.fbMessenger.messageTag"},
		"bad type":          {`{"to":{"profileId":"p"},"body":"x","channelOptions":{"fbMessenger":{"messagingType":"ANSWER"}}}`, "channelOptions.fbMessenger.messagingType"},
		"bad notification":  {`{"to":{"profileId":"p"},"body":"x","channelOptions":{"fbMessenger":{"notificationType":"LOUD"}}}`, "channelOptions.fbMessenger.notificationType"},
		"part without type": {`{"to":{"profileId":"p"},"messageParts":[{"data":"y"}]}`, "messageParts[0].type"},
		"part without data": {`{"to":{"profileId":"p"},"messageParts":[{"type":"text/plain"}]}`, "messageParts[0].data"},
		"part bad url":      {`{"to":{"profileId":"p"},"messageParts":[{"type":"image/png","url":"ftp://x"}]}`, "messageParts[0].url"},
		"part bad base64":   {`{"to":{"profileId":"p"},"messageParts":[{"type":"image/png","data":"%"}]}`, "messageParts[0].data"},
		"custom no object":  {`{"to":{"profileId":"p"},"customBody":{"fbMessenger":"x"}}`, "customBody.fbMessenger"},
		"custom no content": {`{"to":{"profileId":"p"},"customBody":{"fbMessenger":{"metadata":"x"}}}`, "customBody.fbMessenger"},
		"metadata too long": {`{"to":{"profileId":"p"},"customBody":{"fbMessenger":{"text":"x","metadata":"` + strings.Repeat("m", 990) + `"}}}`, "customBody.fbMessenger.metadata"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var in MessageInput
			if err := json.Unmarshal([]byte(c.in), &in); err != nil {
				t.Fatal(err)
			}
			err := in.Check(now)
			if err == nil {
				_, err = Render(&in, "msg_1")
			}
			var e *Error
			if !errors.As(err, &e) || e.Field != c.field || e.Code != CodeInvalidRequest {
				t.Errorf("got %v, want field %s", err, c.field)
			}
		})
	}
}

func TestTagRoundTrip(t *testing.T) {
	t.Parallel()
	for _, want := range []Tagged{{"msg_X", 0, 12, "a|b"}, {"msg_X", 3, 1, ""}} {
		if got, ok := ParseTag(Tag(want.MessageID, want.Step, want.Part) + want.Own); !ok || got != want {
			t.Errorf("%+v became %+v %v", want, got, ok)
		}
	}
	for _, foreign := range []string{"", "hello", "chq1:msg_X", "chq1:msg_X|", "chq1:msg_X.0|", "chq1:msg_X.x|", "chq1:msg_X.1.0|", "chq1:msg_X.1.99|", "chq1:msg_X.1.1.1|"} {
		if tag, ok := ParseTag(foreign); ok || tag.Own != foreign {
			t.Errorf("%q was taken for ours", foreign)
		}
	}
}

func TestSplitTextLosesOnlyWhiteSpace(t *testing.T) {
	t.Parallel()
	squeeze := func(s string) string { return strings.Join(strings.Fields(s), "") }
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.SampledFrom([]rune("abcé😀 \n")), 1, 200, -1).Draw(t, "text")
		limit := rapid.IntRange(1, 40).Draw(t, "limit")
		pieces := SplitText(text, limit)
		if squeeze(strings.Join(pieces, "")) != squeeze(text) {
			t.Fatalf("%q became %q", text, pieces)
		}
		for _, p := range pieces {
			if utf8.RuneCountInString(p) > limit {
				t.Fatalf("%q has more than %d characters", p, limit)
			}
		}
	})
}
