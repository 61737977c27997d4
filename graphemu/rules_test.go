package graphemu_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chasqui/chasqui/graphemu"
)

// graph makes a call of the Graph API as any client would and gives the code and
// the subcode of a refusal, 0/0 for none, with the answer.
func (w *world) graph(method, path, body string) (code, subcode int, answer map[string]any) {
	w.t.Helper()
	address := w.url + path
	if !strings.Contains(path, "access_token=") {
		join := "?"
		if strings.Contains(path, "?") {
			join = "&"
		}
		address += join + "access_token=" + w.page.AccessToken
	}
	req, err := http.NewRequestWithContext(w.t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	var raw bytes.Buffer
	if _, err := raw.ReadFrom(resp.Body); err != nil {
		w.t.Fatal(err)
	}
	if err := json.Unmarshal(raw.Bytes(), &answer); err != nil {
		w.t.Fatalf("%s %s: %s", method, path, raw.String())
	}
	refused, ok := answer["error"].(map[string]any)
	if !ok {
		if resp.StatusCode != http.StatusOK {
			w.t.Errorf("%s %s: status %d without an error: %s", method, path, resp.StatusCode, raw.String())
		}
		return 0, 0, answer
	}
	number := func(name string) int {
		n, _ := refused[name].(float64) //nolint:errcheck // 0 when it is absent
		return int(n)
	}
	for _, name := range []string{"message", "type", "fbtrace_id"} {
		if text, ok := refused[name].(string); !ok || text == "" {
			w.t.Errorf("%s %s: the error lacks %s: %s", method, path, name, raw.String())
		}
	}
	if resp.StatusCode == http.StatusOK {
		w.t.Errorf("%s %s: an error with status 200", method, path)
	}
	return number("code"), number("error_subcode"), answer
}

// to is the body of a message to Ana.
func (w *world) to(rest string) string { return `{"recipient":{"id":"` + w.ana.ID + `"},` + rest + `}` }

// TestLimitsOfMessages holds a send to every limit of the platform.
func TestLimitsOfMessages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	long := func(n int) string { return strings.Repeat("ä", n) }
	reply := func(title, payload string) string {
		return fmt.Sprintf(`{"content_type":"text","title":%q,"payload":%q}`, title, payload)
	}
	replies := func(n int) string {
		return "[" + strings.TrimSuffix(strings.Repeat(reply("a", "b")+",", n), ",") + "]"
	}
	button := `{"type":"postback","title":"a","payload":"b"}`
	many := func(one string, n int) string { return "[" + strings.TrimSuffix(strings.Repeat(one+",", n), ",") + "]" }
	template := func(payload string) string {
		return `"message":{"attachment":{"type":"template","payload":` + payload + `}}`
	}
	element := `{"title":"a","subtitle":"b"}`
	tests := []struct {
		name, rest    string
		code, subcode int
	}{
		{"text of 2,000", `"message":{"text":"` + long(2000) + `"}`, 0, 0},
		{"text of 2,001", `"message":{"text":"` + long(2001) + `"}`, 100, 0},
		{"nothing", `"message":{}`, 100, 2018034},
		{"neither message nor action", `"tag":""`, 100, 2018034},
		{"message and action", `"message":{"text":"a"},"sender_action":"typing_on"`, 100, 0},
		{"text and attachment", `"message":{"text":"a","attachment":{"type":"image","payload":{"url":"https://example.com/a.png"}}}`, 100, 0},
		{"message that is not an object", `"message":5`, 100, 2018032},
		{"metadata of 1,001", `"message":{"text":"a","metadata":"` + long(1001) + `"}`, 100, 0},
		{"13 quick replies", `"message":{"text":"a","quick_replies":` + replies(13) + `}`, 0, 0},
		{"14 quick replies", `"message":{"text":"a","quick_replies":` + replies(14) + `}`, 105, 0},
		{"no quick reply", `"message":{"text":"a","quick_replies":[]}`, 194, 0},
		{"quick reply of 21", `"message":{"text":"a","quick_replies":[` + reply(long(21), "b") + `]}`, 100, 0},
		{"quick reply with a payload of 1,001", `"message":{"text":"a","quick_replies":[` + reply("a", long(1001)) + `]}`, 100, 0},
		{"quick reply of an unknown kind", `"message":{"text":"a","quick_replies":[{"content_type":"colour"}]}`, 100, 0},
		{"button template", template(`{"template_type":"button","text":"a","buttons":` + many(button, 3) + `}`), 0, 0},
		{"four buttons", template(`{"template_type":"button","text":"a","buttons":` + many(button, 4) + `}`), 105, 0},
		{"no buttons", template(`{"template_type":"button","text":"a","buttons":[]}`), 194, 0},
		{"button text of 641", template(`{"template_type":"button","text":"` + long(641) + `","buttons":[` + button + `]}`), 100, 0},
		{"button title of 21", template(`{"template_type":"button","text":"a","buttons":[{"type":"postback","title":"` + long(21) + `","payload":"b"}]}`), 100, 0},
		{"ten cards", template(`{"template_type":"generic","elements":` + many(element, 10) + `}`), 0, 0},
		{"eleven cards", template(`{"template_type":"generic","elements":` + many(element, 11) + `}`), 105, 0},
		{"card with a title only", template(`{"template_type":"generic","elements":[{"title":"a"}]}`), 100, 0},
		{"card title of 81", template(`{"template_type":"generic","elements":[{"title":"` + long(81) + `","subtitle":"b"}]}`), 100, 0},
		{"two media", template(`{"template_type":"media","elements":[{},{}]}`), 105, 0},
		{"receipt without a number", template(`{"template_type":"receipt","recipient_name":"a"}`), 100, 0},
		{"notification of 66", template(`{"template_type":"one_time_notif_req","title":"` + long(66) + `","payload":"p"}`), 100, 0},
		{"unknown template", template(`{"template_type":"hologram"}`), 100, 0},
		{"unknown attachment", `"message":{"attachment":{"type":"hologram","payload":{}}}`, 100, 0},
		{"attachment without a source", `"message":{"attachment":{"type":"image","payload":{}}}`, 100, 2018032},
		{"unknown attachment id", `"message":{"attachment":{"type":"image","payload":{"attachment_id":"1"}}}`, 100, 2018074},
		{"address that is none", `"message":{"attachment":{"type":"image","payload":{"url":"picture.png"}}}`, 100, 0},
		{"unreachable address", `"message":{"attachment":{"type":"image","payload":{"url":"` + w.url + `/_emu/files/1.png"}}}`, 100, 2018008},
		{"one picture of a grid", `"message":{"attachments":[{"type":"image","payload":{"url":"https://example.com/a.png"}}]}`, 194, 0},
		{"grid of two", `"message":{"attachments":` + many(`{"type":"image","payload":{"url":"https://example.com/a.png"}}`, 2) + `}`, 0, 0},
		{"unknown persona", `"message":{"text":"a"},"persona_id":"1"`, 100, 0},
		{"unknown messaging type", `"message":{"text":"a"},"messaging_type":"SHOUT"`, 100, 0},
		{"tag missing", `"message":{"text":"a"},"messaging_type":"MESSAGE_TAG"`, 100, 0},
		{"unknown tag", `"message":{"text":"a"},"tag":"NONSENSE"`, 100, 0},
		{"unknown notification type", `"message":{"text":"a"},"notification_type":"LOUD"`, 100, 0},
		{"unknown action", `"sender_action":"dance"`, 100, 0},
		{"reaction to nothing", `"sender_action":"react","payload":{"message_id":"m_1","reaction":"love"}`, 100, 0},
	}
	for _, tt := range tests {
		if code, subcode, answer := w.graph("POST", "/v26.0/me/messages", w.to(tt.rest)); code != tt.code || subcode != tt.subcode {
			t.Errorf("%s: %d/%d, want %d/%d: %v", tt.name, code, subcode, tt.code, tt.subcode, answer)
		}
	}
	for name, body := range map[string]string{"none": `{"message":{"text":"a"}}`, "two": `{"recipient":{"id":"1","user_ref":"2"},"message":{"text":"a"}}`} {
		if code, _, _ := w.graph("POST", "/v26.0/me/messages", body); code != 100 {
			t.Errorf("recipients: %s: %d", name, code)
		}
	}
}

// TestRefusedByThePage holds what the state of the page, the app, the thread and
// the person refuse.
func TestRefusedByThePage(t *testing.T) {
	t.Parallel()
	text := `"message":{"text":"a"}`
	for _, tt := range []struct {
		name          string
		set           func(*world)
		code, subcode int
	}{
		{"nothing", func(*world) {}, 0, 0},
		{"person blocks", func(w *world) { w.emu.SetBlocks(w.page.ID, w.ana.ID, true) }, 551, 1545041},
		{"app in development", func(w *world) { w.app.Development = true; w.emu.AddApp(w.app) }, 200, 2018028},
		{"page unpublished", func(w *world) { w.page.Unpublished = true; w.emu.AddPage(w.page) }, 200, 1545041},
		{"page restricted", func(w *world) { w.emu.EnforcePolicy(w.page.ID, graphemu.PolicyAction{Action: "block"}) }, 10, 1893063},
		{"thread of the inbox", func(w *world) {
			w.emu.AnswerFromInbox(w.page.ID, w.ana.ID, graphemu.InboxMessage{Take: true})
		}, 10, 2018300},
		{"token expired", func(w *world) { w.emu.SetPageToken(w.page.ID, "EAAother") }, 190, 463},
	} {
		w := newWorld(t, nil)
		tt.set(w)
		if code, subcode, answer := w.graph("POST", "/v26.0/me/messages", w.to(text)); code != tt.code || subcode != tt.subcode {
			t.Errorf("%s: %d/%d, want %d/%d: %v", tt.name, code, subcode, tt.code, tt.subcode, answer)
		}
	}
}
