package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/chasqui/chasqui/graphemu"
)

// Whatever stands in the place of a member, the answer is a success or an error in the envelope,
// and never a failure of the gateway.
func TestInfobipWrongTypes(t *testing.T) {
	t.Parallel()
	f := startInfobip(t)
	p := f.connect(graphemu.Page{})
	ada := p.person("Ada")
	configurations := "/facebook/1/applications/" + p.key + "/configurations"
	_, made := f.call("POST", configurations, "")
	content := `{"type":"TEXT","text":"x","url":"https://example.com/a.png","validityPeriod":60,"validityPeriodTimeUnit":"MINUTES","buttons":[{"type":"postback","title":"A","payload":"A"}]}`
	requests := map[string]string{
		"/facebook/1/single": `{"from":"` + p.key + `","to":{"userKey":"` + ada + `"},"text":"x","type":"TEXT","bulkId":"B","callbackData":"c","notify":true,"intermediateReport":true,
			"notifyUrl":"http://127.0.0.1:1/","notifyContentType":"application/json","message":{"text":"raw"},"messagingType":"RESPONSE"}`,
		"/facebook/1/multi":        `{"bulkId":"B","messages":[{"destinations":[{"to":"` + ada + `","messageId":"m"}],"text":"x"}]}`,
		"/omni/1/scenarios":        `{"name":"S","flow":[{"from":"` + p.key + `","channel":"FACEBOOK"}],"default":true}`,
		"/omni/1/text":             `{"scenarioKey":"","bulkId":"B","destinations":[{"messageId":"m","to":{"facebookUserKey":"` + ada + `"}}],"text":"x","mailSubject":"s","sendAt":"2017-01-05T12:47:56.221+0000"}`,
		"/omni/1/advanced":         `{"destinations":[{"to":{"facebookUserKey":"` + ada + `","phoneNumber":"447700900001","emailAddress":"a@example.com"}}],"facebook":` + content + `,"sms":` + content + `,"email":{"subject":"s","text":"x","html":"h"}}`,
		"/omnichat/1/applications": `{"name":"Desk","webhookUrl":"http://127.0.0.1:1/","application":"` + p.key + `"}`,
		"/omnichat/1/applications/" + p.key + "/integrations/FACEBOOK/message": `{"to":"` + ada + `","message":` + content + `}`,
		configurations + "/" + member(t, made, "key") + "/actions":             `{"type":"PULL","callbackData":"c","forwardUrl":"http://127.0.0.1:1/"}`,
		"/auth/1/session":          `{"username":"u","password":"p"}`,
		"/facebook/1/applications": `{"facebook":{"page":{"accessToken":"t"},"application":{"id":1,"secret":"s"}}}`,
	}
	wrong := []any{5, -1.5e300, "", "x", true, []any{}, []any{nil}, map[string]any{}, map[string]any{"to": map[string]any{"to": 5}}}
	tried := 0
	for path, request := range requests {
		var whole any
		if err := json.Unmarshal([]byte(request), &whole); err != nil {
			t.Fatal(err)
		}
		check := func() {
			body, err := json.Marshal(whole)
			if err != nil {
				t.Fatal(err)
			}
			tried++
			status, answer := f.call("POST", path, string(body))
			if status >= http.StatusInternalServerError || status != http.StatusOK && !strings.HasPrefix(answer, `{"requestError":{"serviceException":{"messageId":"`) || !json.Valid([]byte(answer)) {
				t.Errorf("%s %s: %d %s", path, body, status, answer)
			}
		}
		var change func(v any, set func(any))
		change = func(v any, set func(any)) {
			for _, w := range wrong {
				set(w)
				check()
			}
			set(v)
			switch x := v.(type) {
			case map[string]any:
				for name, below := range x {
					change(below, func(w any) { x[name] = w })
				}
			case []any:
				for i, below := range x {
					change(below, func(w any) { x[i] = w })
				}
			}
		}
		change(whole, func(w any) { whole = w })
	}
	if tried < 500 {
		t.Errorf("%d requests were made", tried)
	}
}
