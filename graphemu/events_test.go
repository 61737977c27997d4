package graphemu_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/messenger"
)

func allFields() []string {
	return []string{
		"messages", "message_deliveries", "message_reads", "message_echoes", "message_edits", "message_reactions", "messaging_postbacks", "messaging_optins",
		"messaging_referrals", "messaging_handovers", "messaging_policy_enforcement", "messaging_account_linking", "messaging_game_plays", "messaging_payments",
		"messaging_pre_checkouts", "messaging_checkout_updates", "messaging_feedback", "response_feedback", "standby", "inbox_labels", "feed",
	}
}

// listen subscribes an app with a version of the Graph API to all fields.
func (w *world) listen(app graphemu.App, token, version string, fields ...string) *receiver {
	w.t.Helper()
	if len(fields) == 0 {
		fields = allFields()
	}
	rec := newReceiver(w.t, app.Secret)
	c, err := messenger.New(token, messenger.WithBaseURL(w.url), messenger.WithVersion(version))
	if err != nil {
		w.t.Fatal(err)
	}
	request := messenger.AppSubscriptionRequest{AppID: app.ID, CallbackURL: rec.URL, VerifyToken: "verify-me", Fields: fields}
	if err := c.As(messenger.AppToken(app.ID, app.Secret)).SubscribeApp(w.t.Context(), request); err != nil {
		w.t.Fatal(err)
	}
	if err := c.SubscribePage(w.t.Context(), fields...); err != nil {
		w.t.Fatal(err)
	}
	return rec
}

// entries are what came, entry by entry, without the parts that vary.
func (rec *receiver) entries(t *testing.T) []string {
	t.Helper()
	rec.mu.Lock()
	defer rec.mu.Unlock()
	out := []string{}
	for _, body := range rec.bodies {
		var loose struct {
			Entry []map[string]json.RawMessage
		}
		if err := json.Unmarshal([]byte(body), &loose); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		for _, e := range loose.Entry {
			for _, kind := range []string{"messaging", "standby", "changes"} {
				var list []map[string]any
				if e[kind] == nil || json.Unmarshal(e[kind], &list) != nil {
					continue
				}
				for _, ev := range list {
					delete(ev, "timestamp")
					delete(ev, "recipient")
					b, err := json.Marshal(ev)
					if err != nil {
						t.Fatal(err)
					}
					out = append(out, kind+" "+string(b))
				}
			}
		}
	}
	return out
}

// TestEveryEvent does everything a person and the platform can do, and compares
// what an app of a version hears.
func TestEveryEvent(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"v2.12", "v4.0", "v6.0", "v26.0"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(s *graphemu.Server) { s.Batching.InFlight = 1 })
			rec := w.listen(w.app, w.page.AccessToken, version)
			ana := w.ana.ID
			old := version != "v26.0"
			n := 0
			does := func(a graphemu.Action, want string) {
				t.Helper()
				n++
				w.act(w.ana, a)
				w.expectEntry(t, rec, n, want, ana)
			}
			seq := func(n int) string {
				if version == "v2.12" {
					return fmt.Sprintf(`,"seq":%d`, n)
				}
				return ""
			}
			message := func(n int, rest string) string {
				return `messaging {"message":{"mid":"MID"` + rest + seq(n) + `},"sender":{"id":"ANA"}}`
			}
			does(graphemu.Action{Text: "hi"}, `messaging {"message":{"mid":"MID"`+seq(1)+`,"text":"hi"},"sender":{"id":"ANA"}}`)
			if version == "v26.0" {
				does(graphemu.Action{Postback: &graphemu.TapAction{Title: "T", Payload: "P"}}, `messaging {"postback":{"mid":"MID","payload":"P","title":"T"},"sender":{"id":"ANA"}}`)
			} else {
				does(graphemu.Action{Postback: &graphemu.TapAction{Title: "T", Payload: "P"}}, `messaging {"postback":{"payload":"P","title":"T"},"sender":{"id":"ANA"}}`)
			}
			share := `messaging {"message":{"attachments":[{"payload":{"title":"S","url":"https://example.com/"},"type":"fallback"}],"mid":"MID"},"sender":{"id":"ANA"}}`
			if version == "v2.12" || version == "v4.0" {
				share = `messaging {"message":{"attachments":[{"payload":null,"title":"S","type":"fallback","url":"https://example.com/"}],"mid":"MID"` + seq(3) + `},"sender":{"id":"ANA"}}`
			}
			does(graphemu.Action{Share: &graphemu.ShareAction{URL: "https://example.com/", Title: "S"}}, share)
			const thumb = 369239263222822
			url := `"url":"https://scontent.xx.fbcdn.net/t39.1997-6/369239263222822.png"`
			both := `{"payload":{"sticker_id":369239263222822,` + url + `},"type":"sticker"},{"payload":{"sticker_id":369239263222822,` + url + `},"type":"image"}`
			sticker := `messaging {"message":{"attachments":[` + both + `],"mid":"MID"},"sender":{"id":"ANA"}}`
			switch {
			case version == "v6.0":
				sticker = strings.Replace(sticker, `{"payload":{"sticker_id":369239263222822,`+url+`},"type":"sticker"},`, "", 1)
			case old:
				sticker = `messaging {"message":{"attachments":[{"payload":{"sticker_id":369239263222822,` + url + `},"type":"image"}],"mid":"MID"` + seq(4) + `,"sticker_id":369239263222822},"sender":{"id":"ANA"}}`
			}
			does(graphemu.Action{Sticker: thumb}, sticker)
			does(graphemu.Action{Location: &graphemu.LocationAction{Lat: 1.5, Long: 2.5}}, message(5, "")[:len(`messaging {"message":{`)]+`"attachments":[{"payload":{"coordinates":{"lat":1.5,"long":2.5}},"type":"location"}],"mid":"MID"`+seq(5)+`},"sender":{"id":"ANA"}}`)
			does(graphemu.Action{Referral: &graphemu.Referral{Ref: "r", AdID: "6", Ad: &graphemu.AdContext{Title: "Ad", PostID: "7"}}},
				`messaging {"referral":{"ad_id":"6","ads_context_data":{"ad_title":"Ad","post_id":"7"},"ref":"r","source":"ADS","type":"OPEN_THREAD"},"sender":{"id":"ANA"}}`)
			does(graphemu.Action{Referral: &graphemu.Referral{Source: "DISCOVER_TAB"}}, `messaging {"referral":{"source":"DISCOVER_TAB","type":"OPEN_THREAD"},"sender":{"id":"ANA"}}`)
			plugin := `messaging {"referral":{"ref":"r","referer_uri":"https://example.com/","source":"CUSTOMER_CHAT_PLUGIN","type":"OPEN_THREAD"},"sender":{"user_ref":"guest_ANA"}}`
			if version != "v26.0" {
				plugin = strings.Replace(plugin, `"user_ref":"guest_ANA"`, `"id":"ANA"`, 1)
			}
			does(graphemu.Action{Referral: &graphemu.Referral{Ref: "r", Source: "CUSTOMER_CHAT_PLUGIN", Referer: "https://example.com/"}}, plugin)
			does(graphemu.Action{OptIn: &graphemu.OptInAction{Ref: "o"}}, `messaging {"optin":{"ref":"o"},"sender":{"id":"ANA"}}`)
			does(graphemu.Action{OptIn: &graphemu.OptInAction{Ref: "o", UserRef: "u"}}, `messaging {"optin":{"ref":"o","user_ref":"u"}}`)
			does(graphemu.Action{Account: &graphemu.AccountAction{Code: "c"}}, `messaging {"account_linking":{"authorization_code":"c","status":"linked"},"sender":{"id":"ANA"}}`)
			does(graphemu.Action{Account: &graphemu.AccountAction{Unlink: true}}, `messaging {"account_linking":{"status":"unlinked"},"sender":{"id":"ANA"}}`)
			does(graphemu.Action{Game: &graphemu.GameAction{GameID: "1", PlayerID: "2", ContextType: "SOLO", ContextID: "3"}},
				`messaging {"game_play":{"context_id":"3","context_type":"SOLO","game_id":"1","player_id":"2"},"sender":{"id":"ANA"}}`)
			does(graphemu.Action{Event: &graphemu.EventAction{Field: "messages", Messaging: json.RawMessage(`{"message":{"mid":"m_1","is_deleted":true}}`)}}, `messaging {"message":{"is_deleted":true,"mid":"MID"},"sender":{"id":"ANA"}}`)
			does(graphemu.Action{Event: &graphemu.EventAction{Field: "feed", Value: json.RawMessage(`{"item":"like"}`)}}, `changes {"field":"feed","value":{"item":"like"}}`)
			n++
			if err := w.emu.EnforcePolicy(w.page.ID, graphemu.PolicyAction{Action: "warning", Reason: "spam"}); err != nil {
				t.Fatal(err)
			}
			policy := `messaging {"policy-enforcement":{"action":"warning","reason":"spam"}}`
			if version == "v26.0" {
				policy = `messaging {"policy_enforcement":{"action":"warning","reason":"spam"}}`
			}
			w.expectEntry(t, rec, n, policy, ana)
		})
	}
}

// expectEntry waits for the nth entry and compares it.
func (w *world) expectEntry(t *testing.T, rec *receiver, n int, want, psid string) {
	t.Helper()
	rec.waitBodies(t, n)
	got := rec.entries(t)[n-1]
	got = strings.ReplaceAll(got, psid, "ANA")
	if i := strings.Index(got, `"mid":"`); i >= 0 && !strings.Contains(want, `"reaction"`) {
		end := strings.Index(got[i+7:], `"`)
		got = got[:i+7] + "MID" + got[i+7+end:]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("entry %d (-want +got):\n%s", n, diff)
	}
}

// waitBodies waits for n deliveries.
func (rec *receiver) waitBodies(t *testing.T, n int) {
	t.Helper()
	rec.waitFor(t, fmt.Sprintf("delivery %d", n), func([]messenger.Event) bool {
		rec.mu.Lock()
		defer rec.mu.Unlock()
		return len(rec.bodies) >= n
	})
}

// TestHandover lets a thread wander between two apps and the page's inbox.
func TestHandover(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(s *graphemu.Server) { s.ReceiptDelay = time.Hour })
	second := w.emu.AddApp(graphemu.App{Name: "Second"})
	token := w.emu.AddToken(w.page.ID, second.ID, "")
	one := w.listen(w.app, w.page.AccessToken, "v26.0", "messages", "messaging_postbacks", "messaging_handovers", "standby")
	two := w.listen(second, token, "v26.0", "messages", "messaging_postbacks", "messaging_handovers", "standby")
	if err := w.emu.SetPrimary(w.page.ID, w.app.ID); err != nil {
		t.Fatal(err)
	}
	w.expectEntry(t, one, 1, `messaging {"app_roles":{"`+w.app.ID+`":["primary_receiver"]}}`, "ANA")
	w.expectEntry(t, two, 1, `messaging {"app_roles":{"`+second.ID+`":["secondary_receiver"]}}`, "ANA")

	w.act(w.ana, graphemu.Action{Text: "hi"})
	w.expectEntry(t, one, 2, `messaging {"message":{"mid":"MID","text":"hi"},"sender":{"id":"ANA"}}`, w.ana.ID)
	w.expectEntry(t, two, 2, `standby {"message":{"mid":"MID","text":"hi"},"sender":{"id":"ANA"}}`, w.ana.ID)

	as := func(token, path, rest string) (int, int) {
		code, subcode, _ := w.graph("POST", "/v26.0/me/"+path+"?access_token="+token, w.to(rest))
		return code, subcode
	}
	if code, subcode := as(token, "messages", `"message":{"text":"a"}`); code != 10 || subcode != 2018300 {
		t.Errorf("the second app wrote without the thread: %d/%d", code, subcode)
	}
	if code, _ := as(token, "take_thread_control", `"metadata":"m"`); code != 10 {
		t.Errorf("the second app took the thread: %d", code)
	}
	if code, _ := as(token, "request_thread_control", `"metadata":"please"`); code != 0 {
		t.Errorf("the second app could not ask: %d", code)
	}
	w.expectEntry(t, one, 3, `messaging {"request_thread_control":{"metadata":"please","requested_owner_app_id":"`+second.ID+`"},"sender":{"id":"ANA"}}`, w.ana.ID)
	if code, _ := as(w.page.AccessToken, "pass_thread_control", `"target_app_id":`+second.ID+`,"metadata":"yours"`); code != 0 {
		t.Errorf("pass: %d", code)
	}
	w.expectEntry(t, two, 3, `messaging {"pass_thread_control":{"metadata":"yours","new_owner_app_id":"`+second.ID+`","previous_owner_app_id":"`+w.app.ID+`"},"sender":{"id":"ANA"}}`, w.ana.ID)
	if code, _ := as(token, "messages", `"message":{"text":"a"}`); code != 0 {
		t.Errorf("the owner could not write: %d", code)
	}
	w.act(w.ana, graphemu.Action{Postback: &graphemu.TapAction{Title: "T", Payload: "P"}})
	w.expectEntry(t, two, 4, `messaging {"postback":{"mid":"MID","payload":"P","title":"T"},"sender":{"id":"ANA"}}`, w.ana.ID)
	w.expectEntry(t, one, 5, `standby {"postback":{"mid":"MID","title":"T"},"sender":{"id":"ANA"}}`, w.ana.ID)
	if _, _, answer := w.graph("GET", "/v26.0/me/thread_owner?recipient="+w.ana.ID, ""); fmt.Sprint(answer) != "map[data:[map[thread_owner:map[app_id:"+second.ID+"]]]]" {
		t.Errorf("owner: %v", answer)
	}
	if code, _ := as(w.page.AccessToken, "take_thread_control", `"metadata":"back"`); code != 0 {
		t.Errorf("take: %d", code)
	}
	w.expectEntry(t, two, 5, `messaging {"sender":{"id":"ANA"},"take_thread_control":{"metadata":"back","new_owner_app_id":"`+w.app.ID+`","previous_owner_app_id":"`+second.ID+`"}}`, w.ana.ID)
}

// TestTokensOfOptIns writes to people who asked for it.
func TestTokensOfOptIns(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	rec := w.listen(w.app, w.page.AccessToken, "v14.0", "messaging_optins", "messages", "feed")
	ask := func(kind string) string {
		_, _, answer := w.graph("POST", "/v14.0/me/messages", w.to(`"message":{"attachment":{"type":"template","payload":{"template_type":"`+kind+`","title":"T","payload":"P"}}}`))
		mid, _ := answer["message_id"].(string) //nolint:errcheck // "" fails below
		return mid
	}
	w.act(w.ana, graphemu.Action{Notify: &graphemu.NotifyAction{MID: ask("one_time_notif_req")}})
	once := rec.waitCount(t, 1)[0].Optin
	w.act(w.ana, graphemu.Action{Notify: &graphemu.NotifyAction{MID: ask("notification_messages")}})
	always := rec.waitCount(t, 2)[1].Optin
	w.emu.Advance(30 * 24 * time.Hour)
	send := func(recipient string) [2]int {
		code, subcode, _ := w.graph("POST", "/v14.0/me/messages", `{"recipient":`+recipient+`,"message":{"text":"a"}}`)
		return [2]int{code, subcode}
	}
	one := `{"one_time_notif_token":"` + fmt.Sprint(once.OneTimeNotifToken) + `"}`
	many := `{"notification_messages_token":"` + fmt.Sprint(always.NotificationMessagesToken) + `"}`
	for _, tt := range []struct {
		name, to string
		want     [2]int
	}{
		{"once", one, [2]int{}}, {"twice", one, [2]int{100, 0}}, {"marketing", many, [2]int{}}, {"too soon", many, [2]int{4, 2018354}}, {"unknown", `{"one_time_notif_token":"1"}`, [2]int{100, 0}},
	} {
		if got := send(tt.to); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}

	comment := w.act(w.ben, graphemu.Action{Comment: &graphemu.CommentAction{Text: "nice"}})
	private := `{"post_id":"` + comment.ID + `"}`
	if got := send(private); got != [2]int{} {
		t.Errorf("private reply: %v", got)
	}
	if got := send(private); got[0] != 10900 {
		t.Errorf("second private reply: %v", got)
	}
	w.act(w.ana, graphemu.Action{OptIn: &graphemu.OptInAction{UserRef: "box-1", Ref: "r"}})
	if got := send(`{"user_ref":"box-1"}`); got != [2]int{} {
		t.Errorf("user_ref: %v", got)
	}
	w.act(w.ana, graphemu.Action{Text: "now you know me"})
	events := rec.waitFor(t, "prior message", func(events []messenger.Event) bool {
		return len(events) > 0 && events[len(events)-1].Message != nil
	})
	if prior := events[len(events)-1].PriorMessage; prior == nil || prior.Identifier != "box-1" || prior.Source != "checkbox_plugin" {
		t.Errorf("prior message %+v", prior)
	}
}

// TestLanguage sends a text with entities.
func TestLanguage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	rec := w.listen(w.app, w.page.AccessToken, "v26.0", "messages")
	if code, _, answer := w.graph("POST", "/v26.0/me/nlp_configs?nlp_enabled=true&n_best=3", ""); code != 0 {
		t.Fatal(answer)
	}
	for _, bad := range []string{"n_best=9", "nlp_enabled=maybe", "model=KLINGON"} {
		if code, _, _ := w.graph("POST", "/v26.0/me/nlp_configs?"+bad, ""); code != 100 {
			t.Errorf("%s was taken: %d", bad, code)
		}
	}
	w.act(w.ana, graphemu.Action{Text: "Hello, I owe you $20 tomorrow: ana@example.com, thanks"})
	rec.waitBodies(t, 1)
	got := rec.entries(t)[0]
	for _, part := range []string{`"greetings"`, `"amount_of_money"`, `"value":20`, `"datetime"`, `"value":"ana@example.com"`, `"thanks"`, `"sentiment"`} {
		if !strings.Contains(got, part) {
			t.Errorf("no %s in %s", part, got)
		}
	}
}

// TestSample triggers a test delivery.
func TestSample(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	rec := w.listen(w.app, w.page.AccessToken, "v26.0", "messages")
	resp, err := http.Post(w.url+"/v26.0/"+w.app.ID+"/subscriptions_sample?object=page&field=messages&access_token="+w.app.ID+"|"+w.app.Secret, "application/json", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	rec.waitBodies(t, 1)
	if got := rec.entries(t)[0]; got != `changes {"field":"messages","value":{"page_id":"`+w.page.ID+`"}}` {
		t.Errorf("sample %s", got)
	}
}
