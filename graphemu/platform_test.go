package graphemu_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/graphemu"
)

// TestConversations reads threads and messages.
func TestConversations(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.act(w.ana, graphemu.Action{Text: "one"})
	w.act(w.ana, graphemu.Action{Attachment: &graphemu.AttachmentAction{Type: "image", URL: "https://example.com/a.png"}})
	w.graph("POST", "/v26.0/me/messages", w.to(`"message":{"text":"two"}`))
	_, _, list := w.graph("GET", "/v26.0/me/conversations?platform=messenger&fields=message_count,unread_count,can_reply,snippet,participants,messages.limit(2){message,from,attachments}", "")
	b, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`"id":"t_` + w.ana.ID + `"`, `"message_count":3`, `"unread_count":2`, `"can_reply":true`, `"snippet":"two"`, `"message":"two"`, `"email":"` + w.ana.ID + `@facebook.com"`, `"image_data"`} {
		if !strings.Contains(string(b), part) {
			t.Errorf("no %s in %s", part, b)
		}
	}
	if strings.Contains(string(b), `"message":"one"`) {
		t.Errorf("three messages where two were asked for: %s", b)
	}
	_, _, messages := w.graph("GET", "/v26.0/t_"+w.ana.ID+"/messages?fields=message,created_time", "")
	data, ok := messages["data"].([]any)
	if !ok || len(data) != 3 {
		t.Fatalf("messages %v", messages)
	}
	first, _ := data[2].(map[string]any) //nolint:errcheck // nil fails below
	id, _ := first["id"].(string)        //nolint:errcheck // likewise
	if _, _, message := w.graph("GET", "/v26.0/"+id+"?fields=message,from", ""); message["message"] != "one" {
		t.Errorf("message %v", message)
	}
	for _, path := range []string{"/v26.0/t_1/messages", "/v26.0/m_nothing", "/v26.0/me/conversations?fields=nonsense"} {
		if code, _, _ := w.graph("GET", path, ""); code != 100 {
			t.Errorf("%s: %d", path, code)
		}
	}
}

// TestPagesOfLists reads a long list forward.
func TestPagesOfLists(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for range 60 {
		w.graph("POST", "/v26.0/me/custom_labels", `{"name":"a"}`)
	}
	seen, path := map[string]bool{}, "/v26.0/me/custom_labels"
	sizes := []int{}
	for path != "" {
		_, _, answer := w.graph("GET", path, "")
		data, _ := answer["data"].([]any) //nolint:errcheck // nil ends the loop
		sizes = append(sizes, len(data))
		for _, one := range data {
			seen[one.(map[string]any)["id"].(string)] = true
		}
		paging, more := answer["paging"].(map[string]any)
		path = ""
		if more {
			path = strings.TrimPrefix(paging["next"].(string), w.url)
		}
	}
	if diff := cmp.Diff([]int{25, 25, 10}, sizes); diff != "" || len(seen) != 60 {
		t.Errorf("%d labels, pages (-want +got):\n%s", len(seen), diff)
	}
	if code, _, _ := w.graph("GET", "/v26.0/me/custom_labels?after=nonsense", ""); code != 100 {
		t.Errorf("a cursor that is none: %d", code)
	}
}

// TestInsights counts what happened.
func TestInsights(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.act(w.ben, graphemu.Action{Text: "hello"})
	w.act(w.ana, graphemu.Action{Report: "spam"})
	if err := w.emu.SetBlocks(w.page.ID, w.ben.ID, true); err != nil {
		t.Fatal(err)
	}
	w.emu.Advance(24 * time.Hour)
	for metric, want := range map[string]string{
		"page_messages_new_conversations_unique":                     "[1 0]",
		"page_messages_blocked_conversations_unique":                 "[1 0]",
		"page_messages_reported_conversations_unique":                "[1 0]",
		"page_messages_active_threads_unique":                        "[1 0]",
		"page_messages_reported_conversations_by_report_type_unique": "[map[inappropriate:0 other:0 spam:1] map[inappropriate:0 other:0 spam:0]]",
	} {
		_, _, answer := w.graph("GET", "/v26.0/me/insights?metric="+metric, "")
		var got []any
		for _, v := range answer["data"].([]any)[0].(map[string]any)["values"].([]any) {
			got = append(got, v.(map[string]any)["value"])
		}
		if text := strings.TrimSpace(strings.ReplaceAll(sprint(got), "  ", " ")); text != want {
			t.Errorf("%s: %s, want %s", metric, text, want)
		}
	}
}

func sprint(v any) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err.Error()
	}
	return strings.NewReplacer(",", " ", "{", "map[", "}", "]", `"`, "").Replace(b.String())
}

// TestSnapshot saves everything and goes on with it elsewhere.
func TestSnapshot(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.emu.SetTime(time.Date(2019, 8, 1, 12, 0, 0, 0, time.UTC))
	w.act(w.ana, graphemu.Action{Text: "hi"})
	_, _, label := w.graph("POST", "/v4.0/me/custom_labels", `{"name":"gold"}`)
	_, _, persona := w.graph("POST", "/v4.0/me/personas", `{"name":"P","profile_picture_url":"http://127.0.0.1/p.png"}`)
	_, _, creative := w.graph("POST", "/v4.0/me/message_creatives", `{"messages":[{"text":"news"}]}`)
	_, _, planned := w.graph("POST", "/v4.0/me/broadcast_messages", `{"message_creative_id":"`+creative["message_creative_id"].(string)+`","schedule_time":"2019-08-02T12:00:00+0000"}`)
	var state bytes.Buffer
	if err := w.emu.SaveTo(&state); err != nil {
		t.Fatal(err)
	}
	again := newWorld(t, nil)
	status, _ := again.ask("PUT", "/snapshot", state.String())
	if status != http.StatusOK {
		t.Fatal(status)
	}
	again.page.AccessToken = w.page.AccessToken
	if now := again.emu.Time(); now.Year() != 2019 {
		t.Errorf("the clock says %v", now)
	}
	for _, id := range []any{label["id"], persona["id"], planned["broadcast_id"]} {
		if code, _, answer := again.graph("GET", "/v4.0/"+id.(string), ""); code != 0 {
			t.Errorf("%v is gone: %v", id, answer)
		}
	}
	again.emu.Advance(23 * time.Hour)
	again.act(w.ana, graphemu.Action{Read: true})
	again.emu.Advance(2 * time.Hour)
	thread, err := again.emu.Thread(w.page.ID, w.ana.ID)
	if err != nil || len(thread) != 2 || thread[1].Text != "news" {
		t.Errorf("the broadcast that was planned: %+v, %v", thread, err)
	}
}

// TestJournal filters and exports.
func TestJournal(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.subscribe()
	w.act(w.ana, graphemu.Action{Text: "hi"})
	w.hook.waitCount(t, 1)
	w.graph("POST", "/v26.0/me/messages", w.to(`"message":{}`))
	if err := w.emu.WaitIdle(t.Context()); err != nil {
		t.Fatal(err)
	}
	count := func(f graphemu.JournalFilter) int { return len(w.emu.Journal(f)) }
	for name, got := range map[string]int{
		"refused calls":        count(graphemu.JournalFilter{Kind: "call", Failed: true}),
		"by status":            count(graphemu.JournalFilter{Kind: "call", Status: 400, Path: "messages", Text: "2018034"}),
		"webhooks of messages": count(graphemu.JournalFilter{Kind: "webhook", Field: "messages", PSID: w.ana.ID}),
		"events":               count(graphemu.JournalFilter{Kind: "event", Field: "messages"}),
	} {
		if got != 1 {
			t.Errorf("%s: %d, want 1", name, got)
		}
	}
	if n := count(graphemu.JournalFilter{Since: time.Now().Add(time.Hour)}); n != 0 {
		t.Errorf("%d entries of the future", n)
	}
	resp, err := http.Get(w.url + "/_emu/v1/journal.har")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var har struct {
		Log struct {
			Version string
			Entries []struct {
				Request  struct{ Method, URL string }
				Response struct{ Status int }
				Time     float64
			}
		}
	}
	if err := json.Unmarshal(body, &har); err != nil || har.Log.Version != "1.2" || len(har.Log.Entries) < 4 || har.Log.Entries[0].Request.URL == "" {
		t.Errorf("archive %s, %v", body, err)
	}
	if bytes.Contains(body, []byte(w.page.AccessToken)) || bytes.Contains(body, []byte("verify-me")) {
		t.Error("the archive holds a secret")
	}
}

// TestPageScript serves the script and its plugins.
func TestPageScript(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	get := func(path string) (int, string) {
		req, err := http.NewRequest(http.MethodGet, w.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Origin", "http://localhost:3000")
		if strings.HasPrefix(path, "/plugins/") {
			req.Header.Del("Origin")
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(b)
	}
	for _, path := range []string{"/sdk.js", "/en_US/sdk.js"} {
		if status, body := get(path); status != 200 || !strings.Contains(body, "fb-send-to-messenger") {
			t.Errorf("%s: %d", path, status)
		}
	}
	at := "/plugins/send_to_messenger?page_id=" + w.page.ID + "&ref=abc"
	for _, app := range []string{"", "336037380081042", w.emu.AddApp(graphemu.App{}).ID} {
		if _, body := get(at + "&origin=http://localhost&app_id=" + app); !strings.Contains(body, "messenger_app_id") || strings.Contains(body, "Ana Quispe") {
			t.Errorf("plugin with the app %q: %s", app, body)
		}
	}
	plugin := at + "&app_id=" + w.app.ID + "&origin="
	if _, body := get(plugin + "http://localhost:3000"); !strings.Contains(body, `data-ref="abc"`) || !strings.Contains(body, "Ana Quispe") {
		t.Errorf("plugin %s", body)
	}
	if _, body := get(plugin + "https://shop.example"); !strings.Contains(body, "whitelisted_domains") {
		t.Errorf("a website that is not whitelisted: %s", body)
	}
	w.graph("POST", "/v26.0/me/messenger_profile", `{"whitelisted_domains":["https://shop.example/"]}`)
	if _, body := get(plugin + "https://shop.example"); strings.Contains(body, "whitelisted_domains") {
		t.Errorf("a website that is whitelisted: %s", body)
	}
}

// TestInbox is a human agent.
func TestInbox(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	rec := w.listen(w.app, w.page.AccessToken, "v26.0", "message_echoes")
	w.emu.Advance(3 * 24 * time.Hour)
	status, answer := w.ask("POST", "/pages/"+w.page.ID+"/people/"+w.ana.ID+"/inbox", `{"text":"a human writes"}`)
	if status != 200 || answer["mid"] == "" {
		t.Fatalf("%d %v", status, answer)
	}
	if echo := rec.waitCount(t, 1)[0]; echo.Message.AppID != "" || echo.Message.Text != "a human writes" {
		t.Errorf("echo %s", echo.Raw)
	}
	w.emu.Advance(8 * 24 * time.Hour)
	if status, _ := w.ask("POST", "/pages/"+w.page.ID+"/people/"+w.ana.ID+"/inbox", `{"text":"too late"}`); status != 400 {
		t.Errorf("after eleven days: %d", status)
	}
}

// TestControlOfThePlatform sets clock, limits, delivery and roles.
func TestControlOfThePlatform(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for _, tt := range []struct {
		name, method, path, body string
		status                   int
		has                      string
	}{
		{"clock", "PUT", "/clock", `{"now":"2019-08-01"}`, 200, "now"},
		{"advance", "POST", "/clock/advance", `{"by":"25h"}`, 200, "now"},
		{"no time", "PUT", "/clock", `{"now":"soon"}`, 400, "error"},
		{"no duration", "POST", "/clock/advance", `{"by":"long"}`, 400, "error"},
		{"real time", "DELETE", "/clock", "", 200, "now"},
		{"limits", "PUT", "/limits", `{"on":true,"text":5}`, 200, "text"},
		{"delivery", "PUT", "/delivery", `{"profile":"2022"}`, 200, "timeout_ms"},
		{"unknown delivery", "PUT", "/delivery", `{"profile":"1999"}`, 400, "error"},
		{"primary", "PUT", "/pages/" + w.page.ID + "/primary", `{"app_id":"` + w.app.ID + `"}`, 200, "success"},
		{"unknown primary", "PUT", "/pages/" + w.page.ID + "/primary", `{"app_id":"1"}`, 400, "error"},
		{"policy", "POST", "/pages/" + w.page.ID + "/policy", `{"action":"warning"}`, 200, "success"},
		{"unknown policy", "POST", "/pages/" + w.page.ID + "/policy", `{"action":"praise"}`, 400, "error"},
		{"alerts", "GET", "/alerts", "", 200, "alerts"},
		{"events", "GET", "/events", "", 200, "events"},
		{"journal", "GET", "/journal?kind=call", "", 200, "entries"},
		{"bad snapshot", "PUT", "/snapshot", `{"version":9}`, 400, "error"},
	} {
		if status, answer := w.ask(tt.method, tt.path, tt.body); status != tt.status || answer[tt.has] == nil {
			t.Errorf("%s: %d %v", tt.name, status, answer)
		}
	}
}

// TestAttachmentIDs holds how long, for which page and for which kind an id is good.
func TestAttachmentIDs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	_, _, made := w.graph("POST", "/v26.0/me/message_attachments", `{"message":{"attachment":{"type":"image","payload":{"url":"https://example.com/a.png","is_reusable":true}}}}`)
	id, _ := made["attachment_id"].(string) //nolint:errcheck // "" fails below
	send := func(kind string) int {
		_, subcode, _ := w.graph("POST", "/v26.0/me/messages", w.to(`"message":{"attachment":{"type":"`+kind+`","payload":{"attachment_id":"`+id+`"}}}`))
		return subcode
	}
	if image, video := send("image"), send("video"); image != 0 || video != 2018074 {
		t.Errorf("as an image %d, as a video %d", image, video)
	}
	w.emu.Advance(91 * 24 * time.Hour)
	w.act(w.ana, graphemu.Action{Text: "long time no see"})
	if got := send("image"); got != 2018074 {
		t.Errorf("after 91 days: %d", got)
	}
}

// TestDevelopment sends the events of people without a role to no app that is in
// development.
func TestDevelopment(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.app.Development = true
	w.emu.AddApp(w.app)
	rec := w.listen(w.app, w.page.AccessToken, "v26.0", "messages")
	cleo := w.emu.AddPerson(w.page.ID, graphemu.Person{FirstName: "Cleo", Tester: true})
	w.act(w.ana, graphemu.Action{Text: "nobody hears"})
	w.act(cleo, graphemu.Action{Text: "a tester"})
	if got := rec.waitCount(t, 1); got[0].Message.Text != "a tester" {
		t.Errorf("heard %q", got[0].Message.Text)
	}
}

// TestSubscribedFields holds what a page is subscribed with, then and now.
func TestSubscribedFields(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	if code, _, _ := w.graph("POST", "/v26.0/me/subscribed_apps", ""); code != 100 {
		t.Errorf("without fields at 26.0: %d", code)
	}
	if code, _, _ := w.graph("POST", "/v2.11/me/subscribed_apps", ""); code != 0 {
		t.Errorf("without fields at 2.11: %d", code)
	}
}

// TestLinking goes the way of a log-in button.
func TestLinking(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	rec := w.listen(w.app, w.page.AccessToken, "v26.0", "messaging_account_linking")
	shop := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		token := r.URL.Query().Get("account_linking_token")
		if _, _, answer := w.graph("GET", "/v26.0/me?fields=recipient&account_linking_token="+token, ""); answer["recipient"] != w.ana.ID {
			t.Errorf("recipient %v", answer)
		}
		http.Redirect(rw, r, r.URL.Query().Get("redirect_uri")+"?authorization_code=code-1", http.StatusSeeOther)
	}))
	defer shop.Close()
	resp, err := http.Get(w.url + "/_emu/login/" + w.page.ID + "/" + w.ana.ID + "?url=" + url.QueryEscape(shop.URL))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if got := rec.waitCount(t, 1)[0].AccountLinking; got == nil || got.Status != "linked" || got.AuthorizationCode != "code-1" {
		t.Errorf("event %+v", got)
	}
	if code, _, _ := w.graph("GET", "/v26.0/me?fields=recipient&account_linking_token=nonsense", ""); code != 10303 {
		t.Errorf("a token that is none: %d", code)
	}
}
