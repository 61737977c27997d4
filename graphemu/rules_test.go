package graphemu_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

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
		{"message that is no object", `"message":5`, 100, 2018032},
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

// TestTagsByEra sends with each tag at versions and on days.
func TestTagsByEra(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	try := func(version, tag string) [2]int {
		code, subcode, _ := w.graph("POST", "/"+version+"/me/messages", w.to(`"message":{"text":"a"},"messaging_type":"MESSAGE_TAG","tag":"`+tag+`"`))
		return [2]int{code, subcode}
	}
	gone, never, fine := [2]int{100, 1893061}, [2]int{100, 0}, [2]int{}
	for _, tt := range []struct {
		version, tag string
		want         [2]int
	}{
		{"v4.0", "SHIPPING_UPDATE", fine}, {"v4.0", "GAME_EVENT", fine}, {"v4.0", "ACCOUNT_UPDATE", fine}, {"v4.0", "NON_PROMOTIONAL_SUBSCRIPTION", fine},
		{"v6.0", "SHIPPING_UPDATE", never}, {"v6.0", "ACCOUNT_UPDATE", fine}, {"v6.0", "POST_PURCHASE_UPDATE", fine}, {"v6.0", "HUMAN_AGENT", fine},
		{"v2.11", "GAME_EVENT", never}, {"v2.11", "SHIPPING_UPDATE", fine},
		{"v26.0", "ACCOUNT_UPDATE", gone}, {"v26.0", "CONFIRMED_EVENT_UPDATE", gone}, {"v26.0", "POST_PURCHASE_UPDATE", gone}, {"v26.0", "HUMAN_AGENT", fine}, {"v26.0", "SHIPPING_UPDATE", never},
	} {
		if got := try(tt.version, tt.tag); got != tt.want {
			t.Errorf("%s at %s: %v, want %v", tt.tag, tt.version, got, tt.want)
		}
	}
	for _, tt := range []struct {
		day, tag string
		want     [2]int
	}{
		{"2019-06-01", "SHIPPING_UPDATE", fine}, {"2020-03-03", "SHIPPING_UPDATE", fine}, {"2020-03-05", "SHIPPING_UPDATE", never},
		{"2026-04-26", "ACCOUNT_UPDATE", fine}, {"2026-04-28", "ACCOUNT_UPDATE", gone}, {"2026-04-28", "HUMAN_AGENT", fine},
	} {
		w.date(tt.day)
		if got := try("v26.0", tt.tag); got != tt.want {
			t.Errorf("%s on %s: %v, want %v", tt.tag, tt.day, got, tt.want)
		}
	}
}

// date sets the clock, and lets Ana write then.
func (w *world) date(day string) {
	w.t.Helper()
	at, err := time.Parse(time.DateOnly, day)
	if err != nil {
		w.t.Fatal(err)
	}
	w.emu.SetTime(at.Add(time.Hour))
	w.act(w.ana, graphemu.Action{Text: "hello on " + day})
}

// TestWindowByEra lets the window close on days with different rules.
func TestWindowByEra(t *testing.T) {
	t.Parallel()
	text := `"message":{"text":"a"}`
	for _, tt := range []struct {
		day  string
		want [][2]int // of messages after 25 hours
	}{
		{"2018-03-01", [][2]int{{}, {10, 2018065}}}, // 24+1
		{"2019-03-01", [][2]int{{10, 2018065}}},
		{"2021-03-01", [][2]int{{10, 2018278}}},
		{"2026-09-01", [][2]int{{10, 2018278}}},
	} {
		w := newWorld(t, nil)
		w.date(tt.day)
		w.emu.Advance(23 * time.Hour)
		if code, _, _ := w.graph("POST", "/v26.0/me/messages", w.to(text)); code != 0 {
			t.Errorf("%s, 23 hours later: %d", tt.day, code)
		}
		w.emu.Advance(2 * time.Hour)
		for i, want := range tt.want {
			if code, subcode, _ := w.graph("POST", "/v26.0/me/messages", w.to(text)); [2]int{code, subcode} != want {
				t.Errorf("%s, message %d after 25 hours: %d/%d, want %v", tt.day, i, code, subcode, want)
			}
		}
	}
	w := newWorld(t, nil)
	human := `"message":{"text":"a"},"tag":"HUMAN_AGENT"`
	w.emu.Advance(6 * 24 * time.Hour)
	if code, _, _ := w.graph("POST", "/v26.0/me/messages", w.to(human)); code != 0 {
		t.Errorf("a human agent after six days: %d", code)
	}
	w.emu.Advance(2 * 24 * time.Hour)
	if code, subcode, _ := w.graph("POST", "/v26.0/me/messages", w.to(human)); code != 10 || subcode != 2018278 {
		t.Errorf("a human agent after eight days: %d/%d", code, subcode)
	}
	w.act(w.ana, graphemu.Action{Referral: &graphemu.Referral{Ref: "x"}})
	if code, _, _ := w.graph("POST", "/v26.0/me/messages", w.to(text)); code != 0 {
		t.Errorf("after a link into the thread: %d", code)
	}
	if code, subcode, _ := w.graph("POST", "/v26.0/me/messages", `{"recipient":{"id":"`+w.ben.ID+`"},`+text+`}`); code != 10 || subcode != 2018278 {
		t.Errorf("to somebody who never wrote: %d/%d", code, subcode)
	}
}

// TestFeaturesByEra asks for what came and went.
func TestFeaturesByEra(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	post := func(path, body string) int {
		code, _, _ := w.graph("POST", path, body)
		return code
	}
	menu := `{"get_started":{"payload":"x"},"persistent_menu":[{"locale":"default","call_to_actions":[{"type":"nested","title":"a","call_to_actions":[{"type":"postback","title":"b","payload":"c"}]}]}]}`
	wide := `{"get_started":{"payload":"x"},"persistent_menu":[{"locale":"default","call_to_actions":[` + strings.TrimSuffix(strings.Repeat(`{"type":"postback","title":"b","payload":"c"},`, 20), ",") + `]}]}`
	home := `{"home_url":{"url":"https://example.com","webview_height_ratio":"tall","in_test":true}}`
	list := w.to(`"message":{"attachment":{"type":"template","payload":{"template_type":"list","elements":[{"title":"a"},{"title":"b"}]}}}`)
	code := `{"type":"standard","data":{"ref":"a"}}`
	long := w.to(`"message":{"text":"` + strings.Repeat("a", 641) + `"}`)
	for _, tt := range []struct {
		name, path, body string
		want             int
	}{
		{"nested menu at 4.0", "/v4.0/me/messenger_profile", menu, 0},
		{"nested menu at 26.0", "/v26.0/me/messenger_profile", menu, 100},
		{"20 rows at 26.0", "/v26.0/me/messenger_profile", wide, 0},
		{"20 rows at 4.0", "/v4.0/me/messenger_profile", wide, 105},
		{"home_url at 4.0", "/v4.0/me/messenger_profile", home, 0},
		{"home_url at 7.0", "/v7.0/me/messenger_profile", home, 100},
		{"list at 4.0", "/v4.0/me/messages", list, 0},
		{"list at 26.0", "/v26.0/me/messages", list, 100},
		{"codes at 2.6", "/v2.6/me/messenger_codes", code, 0},
		{"codes at 26.0", "/v26.0/me/messenger_codes", code, 0},
		{"641 characters at 2.6", "/v2.6/me/messages", long, 100},
		{"641 characters at 4.0", "/v4.0/me/messages", long, 0},
		{"thread settings at 2.6", "/v2.6/me/thread_settings", `{"setting_type":"greeting","greeting":{"text":"Hi"}}`, 0},
		{"thread settings at 26.0", "/v26.0/me/thread_settings", `{"setting_type":"greeting","greeting":{"text":"Hi"}}`, 100},
		{"broadcast estimate at 4.0", "/v4.0/me/broadcast_reach_estimations", `{}`, 0},
		{"broadcast estimate at 6.0", "/v6.0/me/broadcast_reach_estimations", `{}`, 100},
		{"subscription type at 4.0", "/v4.0/me/messages", w.to(`"message":{"text":"a"},"messaging_type":"NON_PROMOTIONAL_SUBSCRIPTION"`), 0},
		{"subscription type at 26.0", "/v26.0/me/messages", w.to(`"message":{"text":"a"},"messaging_type":"NON_PROMOTIONAL_SUBSCRIPTION"`), 100},
	} {
		if got := post(tt.path, tt.body); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
	w.date("2019-11-01")
	if got := post("/v4.0/me/messenger_codes", code); got != 100 {
		t.Errorf("codes on a day after their end: %d", got)
	}
	phone := `{"recipient":{"phone_number":"+15550001"},"message":{"text":"a"}}`
	if got, sub, _ := w.graph("POST", "/v4.0/me/messages", phone); got != 100 || sub != 2018001 {
		t.Errorf("an unknown number: %d/%d", got, sub)
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
