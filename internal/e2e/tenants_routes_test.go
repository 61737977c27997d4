package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/chasqui/chasqui/internal/comapi"
	infobipface "github.com/chasqui/chasqui/internal/infobip"
)

// Every call of /v1, with a key of A at what is B's: a new route fails the test until it is said
// here what it returns.
func TestRoutesForAnotherApplication(t *testing.T) {
	t.Parallel()
	x := startTenants(t)
	var described struct {
		Paths map[string]map[string]struct{ Security []any }
	}
	if err := json.Unmarshal(x.comapi("GET", "/openapi.json", "").body, &described); err != nil {
		t.Fatal(err)
	}
	var routes []string
	for path, methods := range described.Paths {
		for method, operation := range methods {
			if len(operation.Security) > 0 {
				routes = append(routes, strings.ToUpper(method)+" "+path)
			}
		}
	}
	if len(routes) < 60 {
		t.Fatalf("only %d routes are described", len(routes))
	}
	x.run(t, routes, v1Attempts(), "Bearer "+x.secret)
	x.told(t)
}

func v1Attempts() map[string][]attempt {
	one := func(path, body, want string) []attempt { return []attempt{{path, body, want}} }
	const merge = `"body":"{{profile.firstName}} {{profile.iban}} {{profile.email}}"`
	return map[string][]attempt{
		"POST /v1/messages": {
			{"", `{"to":{"profileId":"{profile}"},` + merge + `,"rules":["webhook"]}`, "400"},
			{"", `{"application":"{A}","to":{"profileId":"{profile}","fbMessengerId":"1"},` + merge + `,"rules":["webhook"]}`, "400"},
			{"", `{"application":"{B}","to":{"profileId":"{profile}"},"body":"x"}`, "400"},
			{"", `{"application":"{A}","to":{"phoneNumber":"4915100001"},` + merge + `,"rules":["webhook"]}`, "202"},
			{"", `{"application":"{A}","to":{"fbMessengerId":"{psid}"},` + merge + `,"rules":["webhook"]}`, "202"},
			{"", `{"application":"{A}","to":{"phoneNumber":"4915100001"},"body":"x","route":"{route}"}`, "400"},
			{"", `{"application":"{A}","to":{"phoneNumber":"4915100001"},"body":"x","route":"victim-route"}`, "400"},
		},
		"POST /v1/messages/batch": one("", `{"messages":[{"to":{"profileId":"{profile}"},`+merge+`,"rules":["webhook"]},{"application":"{B}","to":{"fbMessengerId":"1"},"body":"x"}]}`, "202"),
		"POST /v1/messages/check": one("", `{"to":{"profileId":"{profile}"},`+merge+`,"rules":["webhook"]}`, "400"),
		"GET /v1/messages":        {{"/v1/messages?application={B}", "", "403"}, {"/v1/messages?profileId={profile}", "", "200"}, {"/v1/messages?fbMessengerId={psid}", "", "200"}, {"", "", "200"}},
		"GET /v1/messages/{id}":   one("/v1/messages/{msg}", "", "404"), "POST /v1/messages/{id}/cancel": one("/v1/messages/{msg}/cancel", "", "404"), "POST /v1/messages/{id}/release": one("/v1/messages/{msg}/release", "", "404"),

		"POST /v1/subscriptions": {{"", `{"kind":"pull"}`, "403"}, {"", `{"kind":"pull","applications":["{B}"]}`, "403"}, {"", `{"kind":"pull","applications":["{A}","{B}"]}`, "403"}},
		"GET /v1/subscriptions":  one("", "", "200"), "GET /v1/subscriptions/{id}": {{"/v1/subscriptions/{sub}", "", "404"}, {"/v1/subscriptions/{pull}", "", "404"}},
		"PATCH /v1/subscriptions/{id}":                   one("/v1/subscriptions/{sub}", `{"applications":["{A}"]}`, "404"),
		"DELETE /v1/subscriptions/{id}":                  one("/v1/subscriptions/{sub}", "", "404"),
		"POST /v1/subscriptions/{id}/secrets":            one("/v1/subscriptions/{sub}/secrets", `{}`, "404"),
		"DELETE /v1/subscriptions/{id}/secrets/{secret}": one("/v1/subscriptions/{sub}/secrets/x", "", "404"),
		"GET /v1/subscriptions/{id}/events":              one("/v1/subscriptions/{pull}/events", "", "404"),
		"POST /v1/subscriptions/{id}/ack":                one("/v1/subscriptions/{pull}/ack", `{"cursor":"{event}"}`, "404"),
		"GET /v1/subscriptions/{id}/deliveries":          one("/v1/subscriptions/{sub}/deliveries", "", "404"),
		"POST /v1/subscriptions/{id}/replay":             {{"/v1/subscriptions/{sub}/replay", `{"from":"earliest"}`, "404"}, {"/v1/subscriptions/{sub}/replay", `{"event":"{event}"}`, "404"}},
		"GET /v1/events":                                 {{"", "", "200"}, {"/v1/events?application={B}", "", "403"}, {"/v1/events?application=none", "", "403"}, {"/v1/events?fbMessengerId={psid}", "", "200"}},
		"GET /v1/set-aside":                              one("", "", "200"), "POST /v1/set-aside/{id}/{reader}/retry": one("/v1/set-aside/{event}/entrypoints/retry", "", "404"),

		"POST /v1/profiles": {{"", `{"id":"x1","fbMessengerIds":{"{B}":"1"}}`, "403"}, {"", `{"id":"x2"}`, "403"}, {"", `{"id":"{profile}","fbMessengerIds":{"{A}":"1"}}`, "409"}}, // ids are everybody's: that one is taken is told
		"GET /v1/profiles": {{"", "", "200"}, {"/v1/profiles?application={B}", "", "403"}, {"/v1/profiles?email=victoria@victim.example", "", "200"}, {"/v1/profiles?fbMessengerId={psid}", "", "200"},
			{"/v1/profiles?idPrefix=cust", "", "200 400"}},
		"GET /v1/profiles/{id}":    one("/v1/profiles/{profile}", "", "404"),
		"PATCH /v1/profiles/{id}":  {{"/v1/profiles/{profile}", `{"email":"evil@evil.example"}`, "404"}, {"/v1/profiles/{profile}", `{"fbMessengerIds":{"{A}":"1"}}`, "404"}},
		"DELETE /v1/profiles/{id}": {{"/v1/profiles/{profile}", "", "404"}, {"/v1/profiles/{profile}?forget=true", "", "404"}},
		"GET /v1/erasures/{id}":    one("/v1/erasures/{erasure}", "", "404"),

		"POST /v1/applications": one("", `{"page":{"accessToken":"x"},"application":{"id":"1","secret":"x"}}`, "403"), "GET /v1/applications": one("", "", "200"),
		"GET /v1/applications/{key}": one("/v1/applications/{B}", "", "404"), "PATCH /v1/applications/{key}": one("/v1/applications/{B}", `{"limits":{"textPerSecond":1}}`, "404"),
		"DELETE /v1/applications/{key}": one("/v1/applications/{B}", "", "404"), "PUT /v1/applications/{key}/messenger-profile": one("/v1/applications/{B}/messenger-profile", `{}`, "404"),
		"POST /v1/applications/{key}/check": one("/v1/applications/{B}/check", "", "404"), "GET /v1/applications/{key}/check": one("/v1/applications/{B}/check", "", "404"),
		"PUT /v1/applications/{key}":                   one("/v1/applications/{B}", `{"page":{"accessToken":"x"}}`, "404"),
		"POST /v1/applications/{key}/scripts/rollback": one("/v1/applications/{B}/scripts/rollback", "", "400 404"),

		"POST /v1/channels": {{"", `{"provider":"webhook","webhook":{"url":"https://x.example"}}`, "403"}, {"", `{"application":"{B}","provider":"webhook","webhook":{"url":"https://x.example"}}`, "403"}},
		"GET /v1/channels":  one("", "", "200"), "GET /v1/channels/{id}": one("/v1/channels/{channel}", "", "404"), "DELETE /v1/channels/{id}": one("/v1/channels/{channel}", "", "404"),
		"PATCH /v1/channels/{id}":                 {{"/v1/channels/{channel}", `{"application":"{A}"}`, "404"}, {"/v1/channels/{ours}", `{"application":"{B}"}`, "403"}, {"/v1/channels/{ours}", `{"application":""}`, "403"}},
		"POST /v1/channels/{id}/check":            one("/v1/channels/{channel}/check", "", "404"),
		"GET /v1/opt-outs":                        {{"", "", "200"}, {"/v1/opt-outs?application={B}", "", "403"}, {"/v1/opt-outs?channel=sms&address=49151888888", "", "200"}},
		"PUT /v1/opt-outs/{channel}/{address}":    {{"/v1/opt-outs/sms/49151777777", "", "403"}, {"/v1/opt-outs/sms/49151777777?application={B}", "", "400"}},
		"DELETE /v1/opt-outs/{channel}/{address}": {{"/v1/opt-outs/sms/49151999999", "", "403"}, {"/v1/opt-outs/sms/49151888888?application={B}", "", "400"}, {"/v1/opt-outs/sms/49151888888?application={A}", "", "404"}},
		"POST /v1/routes":                         {{"", `{"name":"r1","rules":["webhook"]}`, "400"}, {"", `{"application":"{B}","name":"r2","rules":["webhook"]}`, "400"}, {"", `{"application":"{A}","name":"victim-route","rules":["webhook"],"default":true}`, "201"}},
		"GET /v1/routes":                          one("", "", "200"),
		"GET /v1/routes/{id}":                     one("/v1/routes/{route}", "", "404"),
		"PUT /v1/routes/{id}":                     one("/v1/routes/{route}", `{"application":"{A}","name":"mine","rules":["webhook"]}`, "404"),
		"DELETE /v1/routes/{id}":                  one("/v1/routes/{route}", "", "404"),
		"POST /v1/scripts":                        one("", `{"application":"{B}","files":[{"name":"a.rive","text":"+ x\n- y\n"}]}`, "400"),
		"POST /v1/script-checks":                  one("", `{"files":[{"name":"a.rive","text":"+ x\n- y\n"}]}`, "200"),
		"GET /v1/scripts":                         {{"", "", "200"}, {"/v1/scripts?application={B}", "", "200 403"}},
		"GET /v1/scripts/{id}":                    one("/v1/scripts/{script}", "", "404"),
		"DELETE /v1/scripts/{id}":                 one("/v1/scripts/{older}", "", "404"),
		"POST /v1/scripts/{id}/activate":          one("/v1/scripts/{older}/activate", "", "404"),
		"POST /v1/scripts/{id}/deactivate":        one("/v1/scripts/{script}/deactivate", "", "404"),
		"POST /v1/scripts/{id}/try":               one("/v1/scripts/{script}/try", `{"text":"xyzzy"}`, "404"),
		"GET /v1/conversations/{id}/variables":    one("/v1/conversations/{B}:{psid}/variables", "", "404"),
		"PATCH /v1/conversations/{id}/variables":  one("/v1/conversations/{B}:{psid}/variables", `{"human":true}`, "404"),
		"POST /v1/entry-points":                   one("", `{"application":"{B}","kind":"link","ref":"x"}`, "400"),
		"POST /v1/entry-point-batches":            one("", `{"application":"{B}","kind":"link","ref":"x{n}","from":1,"to":2}`, "400"),
		"GET /v1/entry-points":                    {{"", "", "200"}, {"/v1/entry-points?application={B}", "", "403"}},
		"GET /v1/entry-points/{id}":               one("/v1/entry-points/{entry}", "", "404"),
		"PATCH /v1/entry-points/{id}":             one("/v1/entry-points/{entry}", `{"name":"x"}`, "404"),
		"DELETE /v1/entry-points/{id}":            one("/v1/entry-points/{entry}", "", "404"),
		"GET /v1/entry-points/{id}/{image}":       one("/v1/entry-points/{entry}/image.svg", "", "404"),
		"GET /v1/entry-point-images":              one("/v1/entry-point-images?application={B}", "", "403"),
		"GET /v1/entry-point-sheet":               one("/v1/entry-point-sheet?application={B}", "", "403"),
		"POST /v1/opt-in-states":                  {{"", `{"application":"{A}","profileId":"{profile}"}`, "409"}, {"", `{"application":"{B}","profileId":"x"}`, "400"}},
		"POST /v1/goals":                          {{"", `{"application":"{A}","to":{"profileId":"{profile}"},"name":"g"}`, "400"}, {"", `{"application":"{B}","to":{"fbMessengerId":"{psid}"},"name":"g"}`, "400"}},
		"GET /v1/reports/entry-points":            one("/v1/reports/entry-points?application={B}&from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z", "", "403"),
	}
}

// Every call of Comapi's face, below both of its addresses.
func TestComapiRoutesForAnotherApplication(t *testing.T) {
	t.Parallel()
	x := startTenants(t)
	inner := comapiAttempts()
	for _, base := range []string{"/apispaces/{A}", "/cpaas"} {
		var routes []string
		table := map[string][]attempt{}
		for _, route := range comapi.Routes() {
			method, path, _ := strings.Cut(route, " ")
			routes = append(routes, method+" "+base+path)
			for _, a := range inner[route] {
				if a.path == "" {
					a.path = path
				}
				here, elsewhere := a, a
				here.path = base + a.path
				elsewhere.path, elsewhere.want = "/apispaces/{B}"+a.path, "404"
				if base == "/cpaas" {
					space := "?apiSpaceId={B}"
					if strings.Contains(a.path, "?") {
						space = "&apiSpaceId={B}"
					}
					elsewhere.path = base + a.path + space
				}
				table[method+" "+base+path] = append(table[method+" "+base+path], here)
				if !strings.Contains(path, "/sessions") { // where nobody has to have a key
					table[method+" "+base+path] = append(table[method+" "+base+path], elsewhere)
				}
			}
		}
		if base == "/cpaas" { // without a key the space has to be named
			for _, route := range []string{"GET /cpaas/sessions/start", "POST /cpaas/sessions"} {
				table[route][0].want = "400 200 401"
			}
		}
		x.run(t, routes, table, "Bearer "+x.secret)
	}
	x.told(t)
}

// comapiAttempts are those of Comapi's face, by method and path below its address.
func comapiAttempts() map[string][]attempt {
	const send = `{"to":{"profileId":"{profile}","email":"evil@evil.example","phoneNumber":"+15005550006","firstName":"Pwn"},"body":"{{profile.iban}}","rules":["webhook","email"]}`
	const bring = `{"channel":"webhook","from":{"profileId":"{profile}"},"to":{},"body":"x"}`
	return map[string][]attempt{
		"POST /messages": {{"", send, "400"}}, "POST /messages/batch": {{"", "[" + send + "]", "400"}}, "GET /messages/{id}": {{"/messages/{msg}", "", "404"}},
		"POST /messages/{id}/statuses/{status}": {{"/messages/{msg}/statuses/read", `{"channel":"webhook"}`, "404"}},
		"POST /messages/inbounds":               {{"", bring, "400"}}, "POST /messages/inbounds/{id}/statuses/{status}": {{"/messages/inbounds/{event}/statuses/read", `{"timestamp":"2026-01-01T00:00:00Z"}`, "404"}},
		"GET /profiles/{id}/messages": {{"/profiles/{profile}/messages", "", "404"}},
		"GET /webhooks":               {{"", "", "200"}}, "POST /webhooks": {{"", `{"name":"w","url":"https://x.example","subscriptions":[{"type":"message.inbound"}]}`, "201"}},
		"GET /webhooks/availableevents": {{"", "", "200"}}, "GET /webhooks/availabletemplates": {{"", "", "200"}},
		"GET /webhooks/{id}": {{"/webhooks/{webhook}", "", "404"}}, "PUT /webhooks/{id}": {{"/webhooks/{webhook}", `{"name":"w","url":"https://x.example"}`, "404"}}, "DELETE /webhooks/{id}": {{"/webhooks/{webhook}", "", "404"}},
		"GET /profiles": {{"", "", "200"}, {"/profiles?email=victoria@victim.example", "", "200 400"}}, "POST /profiles": {{"", `{"id":"{profile}","fbMessengerId":"1"}`, "409"}},
		"PATCH /profiles/bulk":  {{"", `[{"id":"{profile}","email":"evil@evil.example","fbMessengerId":"1"}]`, "409"}},
		"DELETE /profiles/bulk": {{"/profiles/bulk?id={profile}", "", "200"}},
		"GET /profiles/optin":   {{"", "", "200"}}, "PUT /profiles/optin": {{"", `{}`, "200"}},
		"GET /profiles/{id}": {{"/profiles/{profile}", "", "404"}}, "PUT /profiles/{id}": {{"/profiles/{profile}", `{"email":"evil@evil.example"}`, "404"}},
		"PATCH /profiles/{id}":          {{"/profiles/{profile}", `{"email":"evil@evil.example"}`, "404"}, {"/profiles/{profile}?allowcreate=true", `{"email":"evil@evil.example","fbMessengerId":"1"}`, "409"}},
		"DELETE /profiles/{id}":         {{"/profiles/{profile}", "", "404"}, {"/profiles/{profile}?forget=true", "", "404"}},
		"PUT /profiles/{id}/optin":      {{"/profiles/{profile}/optin", `{"channels":["sms"]}`, "404"}},
		"DELETE /profiles/{id}/optin":   {{"/profiles/{profile}/optin", "", "404"}},
		"POST /channels/facebook/state": {{"", `{"profileId":"{profile}"}`, "409"}},
		"GET /sessions/start":           {{"", "", "200"}}, "POST /sessions": {{"", `{"authenticationId":"x","authenticationToken":"y"}`, "401"}},
		"GET /sessions/{id}": {{"/sessions/x", "", "404"}}, "DELETE /sessions/{id}": {{"/sessions/x", "", "404"}},
	}
}

// Every call of Infobip's face.
func TestInfobipRoutesForAnotherApplication(t *testing.T) {
	t.Parallel()
	x := startTenants(t)
	table := infobipAttempts()
	x.run(t, infobipface.Patterns(), table, "App "+x.secret)
	x.told(t)
	if got := x.comapi(http.MethodGet, "/v1/routes/"+x.names["route"], ""); !strings.Contains(string(got.body), `"default":true`) {
		t.Errorf("B's default is gone: %s", got.body)
	}
}

// infobipAttempts are those of Infobip's face, by method and path.
func infobipAttempts() map[string][]attempt {
	one := func(path, body, want string) []attempt { return []attempt{{path, body, want}} }
	const application, configuration = "/facebook/1/applications/{key}", "/facebook/1/applications/{key}/configurations/{configuration}"
	table := map[string][]attempt{
		"POST /auth/1/session": one("", `{"username":"x","password":"y"}`, "401"), "DELETE /auth/1/session": one("", "", "401"),
		"POST /facebook/1/applications": one("", `{"facebook":{"page":{"accessToken":"x"},"application":{"id":1,"secret":"x"}}}`, "403"), "GET /facebook/1/applications": one("", "", "200"),
		"GET " + application: one("/facebook/1/applications/{B}", "", "404"), "PUT " + application: one("/facebook/1/applications/{B}", `{"facebook":{"page":{"accessToken":"x"},"application":{}}}`, "404"), "DELETE " + application: one("/facebook/1/applications/{B}", "", "404"),
		"POST /facebook/1/single":   {{"", `{"to":"{profile}","text":"{{profile.iban}}"}`, "200"}, {"", `{"from":"{B}","to":"{psid}","text":"x"}`, "200"}, {"", `{"from":"{A}","to":{"userKey":"{profile}"},"text":"{{profile.email}}"}`, "200"}},
		"POST /facebook/1/multi":    one("", `{"messages":[{"from":"{A}","to":"{profile}","text":"{{profile.iban}}"},{"from":"{B}","to":"{psid}","text":"x"}]}`, "200"),
		"POST /facebook/1/advanced": one("", `{"messages":[{"from":"{A}","to":"{profile}","text":"{{profile.iban}}"},{"from":"{B}","to":"{psid}","text":"x"}]}`, "200"),
		"GET /facebook/1/reports":   one("", "", "200"), "GET /facebook/1/logs": {{"", "", "200"}, {"/facebook/1/logs?from={B}", "", "403"}},
		"POST " + application + "/configurations": one("/facebook/1/applications/{B}/configurations", "", "404"), "GET " + application + "/configurations": one("/facebook/1/applications/{B}/configurations", "", "404"),
		"GET " + configuration:                          {{"/facebook/1/applications/{B}/configurations/{configuration}", "", "404"}, {"/facebook/1/applications/{A}/configurations/{configuration}", "", "404"}},
		"DELETE " + configuration:                       {{"/facebook/1/applications/{B}/configurations/{configuration}", "", "404"}, {"/facebook/1/applications/{A}/configurations/{configuration}", "", "404"}},
		"POST " + configuration + "/actions":            {{"/facebook/1/applications/{B}/configurations/{configuration}/actions", `{"type":"PULL"}`, "404"}, {"/facebook/1/applications/{A}/configurations/{configuration}/actions", `{"type":"PULL"}`, "404"}},
		"GET " + configuration + "/actions":             one("/facebook/1/applications/{A}/configurations/{configuration}/actions", "", "404"),
		"DELETE " + configuration + "/actions/{action}": one("/facebook/1/applications/{A}/configurations/{configuration}/actions/{sub}", "", "404"),
		"GET /facebook/1/inbox/reports":                 one("", "", "200"), "GET " + application + "/inbox/reports": one("/facebook/1/applications/{B}/inbox/reports", "", "404"),
		"POST /omni/1/scenarios":      {{"", `{"name":"s","flow":[{"from":"{B}","channel":"FACEBOOK"}]}`, "400"}, {"", `{"name":"victim-route","default":true,"flow":[{"from":"{A}","channel":"FACEBOOK"}]}`, "200"}},
		"GET /omni/1/scenarios":       one("?isDefault=true", "", "200"),
		"GET /omni/1/scenarios/{key}": one("/omni/1/scenarios/{route}", "", "404"), "PUT /omni/1/scenarios/{key}": one("/omni/1/scenarios/{route}", `{"default":false}`, "404"),
		"POST /omni/1/text":     {{"", `{"scenarioKey":"{route}","destinations":[{"to":{"facebookUserKey":"{psid}"}}],"text":"x"}`, "400"}, {"", `{"destinations":[{"to":{"facebookUserKey":"{profile}","phoneNumber":"4915100001"}}],"text":"{{profile.iban}}"}`, "400"}, {"", `{"destinations":[{"to":{"facebookUserKey":"{profile}"}}],"text":"{{profile.iban}}"}`, "200"}},
		"POST /omni/1/advanced": one("", `{"destinations":[{"to":{"facebookUserKey":"{profile}","emailAddress":"a@b.example"}}],"facebook":{"text":"{{profile.iban}}"},"email":{"text":"{{profile.email}}","subject":"{{profile.firstName}}"}}`, "200"),
		"GET /omni/1/reports":   one("", "", "200"), "GET /omni/1/logs": one("", "", "200"),
		"POST /omnichat/1/applications":                                     one("", `{"name":"c","application":"{B}"}`, "400"),
		"POST /omnichat/1/applications/{key}/integrations/FACEBOOK/message": {{"/omnichat/1/applications/{chat}/integrations/FACEBOOK/message", `{"to":"{psid}","message":{"text":"x"}}`, "404"}, {"/omnichat/1/applications/{B}/integrations/FACEBOOK/message", `{"to":"{psid}","message":{"text":"x"}}`, "404"}},
	}
	for route, attempts := range table {
		for i, a := range attempts {
			if strings.HasPrefix(a.path, "?") {
				_, path, _ := strings.Cut(route, " ")
				table[route][i].path = path + a.path
			}
		}
	}
	return table
}
