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
	f.Add("POST", "debug_token", "multipart/form-data; boundary=x", "--x\r\n\r\n--x--")
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
		if b := w.Body.String(); !strings.HasPrefix(b, "{") {
			t.Errorf("answer %q", b)
		}
	})
}
