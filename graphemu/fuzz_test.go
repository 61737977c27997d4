package graphemu_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chasqui/chasqui/graphemu"
)

// FuzzCall throws anything at the Graph API: it must answer, and with JSON.
func FuzzCall(f *testing.F) {
	emu := &graphemu.Server{Quiet: true}
	f.Cleanup(func() { emu.Close() })
	page := emu.AddPage(graphemu.Page{ID: "100", AccessToken: "EAAfuzz-token"})
	emu.AddPerson(page.ID, graphemu.Person{ID: "200", Open: true})
	f.Add("POST", "v26.0/me/messages", "application/json", `{"recipient":{"id":"200"},"message":{"text":"a"}}`)
	f.Add("POST", "me/messages/", "application/json", `{"recipient":{"id":"200"},"message":{"attachment":{"type":"template","payload":{"template_type":"generic","elements":[{"title":"a","subtitle":"b"}]}}}}`)
	f.Add("POST", "100/messages", "application/x-www-form-urlencoded", `recipient={"id":"200"}&sender_action=typing_on`)
	f.Add("POST", "me/messenger_profile", "application/json", `{"persistent_menu":[{"locale":"default"}],"get_started":{"payload":"x"},"ice_breakers":[null],"account_linking_url":5}`)
	f.Add("GET", "200", "", "fields=first_name")
	f.Add("DELETE", "me/messenger_profile", "application/json", `{"fields":["get_started"]}`)
	f.Add("POST", "", "application/json", `{"batch":[{"method":"GET","relative_url":"me","name":"a"},{"method":"POST","relative_url":"{result=a:$.id}/messages","body":"recipient=%7B%22id%22%3A%22200%22%7D&message=%7B%7D","depends_on":"a"},null]}`)
	f.Add("POST", "v4.0/me/broadcast_messages", "application/json", `{"message_creative_id":1,"targeting":{"labels":{"operator":"NOT","values":[{"operator":"AND"}]}},"schedule_time":"x"}`)
	f.Add("POST", "v4.0/me/message_creatives", "application/json", `{"messages":[{"dynamic_text":{"text":"a","fallback_text":"b"}}]}`)
	f.Add("POST", "me/personas", "application/json", `{"name":"a","profile_picture_url":"http://127.0.0.1/"}`)
	f.Add("GET", "me/personas", "", "limit=0&after=%")
	f.Add("GET", "me/insights/", "", "metric=page_messages_new_conversations_unique&since=-1&until=99999999999")
	f.Add("POST", "me/nlp_configs", "", "n_best=x")
	f.Add("GET", "me/conversations", "", "fields=messages.limit(1){id,from{name}},participants{")
	f.Add("POST", "me/custom_user_settings", "application/json", `{"psid":"200","persistent_menu":[{"locale":"default","call_to_actions":[{"type":"nested"}]}]}`)
	f.Add("POST", "me/pass_thread_control", "application/json", `{"recipient":{"id":"200"},"target_app_id":263902037430900}`)
	f.Add("POST", "me/messenger_codes", "application/json", `{"type":"standard","image_size":1e9,"data":[]}`)
	f.Add("POST", "1/activities", "application/json", `{"event":"CUSTOM_APP_EVENTS","custom_events":"[{}]"}`)
	f.Add("POST", "act_1/sponsored_message_ads", "application/json", `{"message_creative_id":1}`)
	f.Add("POST", "debug_token", "multipart/form-data; boundary=x", "--x\r\n\r\n--x--")
	const form = "application/x-www-form-urlencoded"
	f.Add("POST", "v23.0/me/messages", form, `recipient={'id':'200'}&message={'text':'hi'}`)
	f.Add("POST", "v14.0/me/messages", form, `recipient={id:200}&message={text:hi,}`)
	f.Add("POST", "me/messages", form, `recipient[id]=200&message[attachment][type]=image&message[attachment][payload][url]=https://x.example/a.png`)
	f.Add("POST", "v2.12/me/messages", form, `batch=[{method:'POST',relative_url:'me/messages',body:'recipient[id]=200&message[text]=a'}]`)
	f.Add("POST", "", form, `batch[0][method]=GET&batch[0][relative_url]=?ids=200,me&batch[1][method]=POST`)
	f.Add("POST", "v3.1/me/thread_settings", form, `setting_type=call_to_actions&thread_state=new_thread&call_to_actions=[{message:{text:'hi'}}]`)
	f.Add("DELETE", "v2.6/me/thread_settings", form, `setting_type=greeting`)
	f.Add("GET", "", "", "ids=200,100,me,,x&fields=id")
	f.Add("GET", "oauth/access_token", "", "client_id=1&client_secret=x&grant_type=client_credentials")
	f.Add("POST", "oauth/access_token", form, "client_id=1&client_secret=x&grant_type=fb_exchange_token&fb_exchange_token=EAAfuzz-token")
	f.Add("GET", "me/accounts", "", "")
	f.Add("POST", "me/subscribed_apps", form, "subscribed_fields[]=messages&subscribed_fields[]=")
	f.Add("POST", "me/extend_thread_control", form, "recipient[id]=200&duration=-1")
	f.Add("POST", "me/messages", "multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"recipient[id]\"\r\n\r\n200\r\n--x\r\nContent-Disposition: form-data; name=\"message\"\r\n\r\n{text:'a'}")
	f.Fuzz(func(t *testing.T, method, path, kind, body string) {
		r, err := http.NewRequest(method, "http://127.0.0.1/"+strings.TrimLeft(path, "/"), strings.NewReader(body))
		if err != nil || strings.HasPrefix(r.URL.Path, "/chat") || strings.HasPrefix(r.URL.Path, "/_emu") || strings.HasPrefix(r.URL.Path, "/m.me") {
			return
		}
		r.Header.Set("Authorization", "Bearer "+page.AccessToken)
		r.Header.Set("Content-Type", kind)
		w := httptest.NewRecorder()
		emu.ServeHTTP(w, r)
		if w.Code != 200 && w.Code != 400 {
			t.Errorf("status %d", w.Code)
		}
		if b := w.Body.String(); !strings.HasPrefix(b, "{") && !strings.HasPrefix(b, "[") {
			t.Errorf("answer %q", b)
		}
	})
}

// FuzzControl throws anything at the control API, and then writes to whoever is
// there: it must answer, and with JSON.
func FuzzControl(f *testing.F) {
	f.Add("POST", "pages/100/people/200/actions", `{"text":"a","reply_to":"x"}`)
	f.Add("POST", "pages/100/people/200/actions", `{"event":{"field":"messages","messaging":{"message":null}}}`)
	f.Add("POST", "pages/100/people/200/actions", `{"feedback":{"mid":"x"}}`)
	f.Add("POST", "pages/100/people/200/actions", `{"scan":{"image":"AAAA"}}`)
	f.Add("POST", "pages/100/people", `{"id":"","first_name":""}`)
	f.Add("PUT", "faults", `{"rules":[{"probability":2,"nth":-1,"jitter_ms":-5,"code":1}]}`)
	f.Add("PUT", "clock", `{"now":"2019-08-01"}`)
	f.Add("POST", "clock/advance", `{"by":"-1000h"}`)
	f.Add("PUT", "snapshot", `{"version":1,"pages":[{"page":{"id":"100"},"people":[{"person":{"id":"200"},"messages":[null]}],"labels":[null]}],"apps":[{"app":{"id":"1"}}],"tokens":{"EAAfuzz-token":{"AppID":"1","PageID":"100"}}}`)
	f.Add("GET", "journal?kind=call&status=x", ``)
	f.Add("POST", "pages", `{"id":"100","username":"me"}`)
	f.Add("POST", "apps", `{"id":"1","development":true}`)
	f.Add("PATCH", "pages/100/people/200", `{"tester":true,"blocks":null}`)
	f.Add("POST", "pages/100/people/200/actions", `{"link":{"url":"http://m.me/me?ref=a"}}`)
	f.Add("POST", "pages/100/people/200/data-deletion", `{"url":"x"}`)
	f.Add("PUT", "pages/100/token", `{"token":"","settings":{"type":"USER"}}`)
	f.Add("PUT", "limits", `{"on":true}`)
	f.Add("PUT", "delivery", `{"profile":"2016"}`)
	f.Add("PUT", "pages/100/primary", `{"app_id":"x"}`)
	f.Add("POST", "pages/100/people/200/inbox", `{"take":true,"text":""}`)
	f.Fuzz(func(t *testing.T, method, path, body string) {
		emu := &graphemu.Server{Quiet: true}
		defer emu.Close()
		page := emu.AddPage(graphemu.Page{ID: "100", AccessToken: "EAAfuzz-token"})
		emu.AddPerson(page.ID, graphemu.Person{ID: "200", Open: true})
		r, err := http.NewRequest(method, "http://127.0.0.1/_emu/v1/"+path, strings.NewReader(body))
		if err != nil || strings.Contains(path, "stream") || strings.Contains(r.URL.Path, "..") || strings.Contains(r.URL.Path, "//") {
			return
		}
		emu.ServeHTTP(httptest.NewRecorder(), r)
		emu.SetFaults(nil)
		for _, call := range []string{"me/messages", "me/conversations?fields=messages", "me/custom_labels", "me/personas", "me/insights?metric=page_messages_total_messaging_connections"} {
			method, text := http.MethodGet, ""
			if call == "me/messages" {
				method, text = http.MethodPost, `{"recipient":{"id":"200"},"message":{"text":"a"}}`
			}
			r, err := http.NewRequest(method, "http://127.0.0.1/v26.0/"+call, strings.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", "Bearer EAAfuzz-token")
			r.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			emu.ServeHTTP(w, r)
			if w.Code != 200 && w.Code != 400 || !strings.HasPrefix(w.Body.String(), "{") {
				t.Errorf("%s: status %d, answer %q", call, w.Code, w.Body)
			}
		}
	})
}
