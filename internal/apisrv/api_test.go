package apisrv_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/internal/gateway"
)

func TestKeysAndScopes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	reader := b.newKey(nil, gateway.ScopeMessagesRead)
	for name, header := range map[string]string{
		"none": "", "other scheme": "Basic dXNlcjpwYXNz", "no key": "Bearer ", "unknown": "Bearer " + gateway.NewAPIKeySecret().Reveal(), "mangled": "Bearer " + b.key + "x",
	} {
		res := b.call("GET", "/v1/messages", "", "", "Authorization", header)
		if e := res.apiError(t); res.status != 401 || e.Code != "unauthorized" || !strings.HasPrefix(res.header.Get("WWW-Authenticate"), "Bearer") {
			t.Errorf("%s: %d %s", name, res.status, res.body)
		}
	}
	if res := b.call("GET", "/v1/messages", reader, ""); res.status != 200 {
		t.Errorf("a key with the scope: %d %s", res.status, res.body)
	}
	if e := b.call("POST", "/v1/messages", reader, `{}`).apiError(t); e.Code != "forbidden" || !strings.Contains(e.Message, "messages:write") {
		t.Errorf("a key without the scope: %+v", e)
	}
	if res := b.call("GET", "/v1/messages", "", "", "Authorization", "bearer "+reader); res.status != 200 {
		t.Errorf("the scheme in lower case: %d", res.status)
	}
}

func TestRevokedKeyIsRefusedSoon(t *testing.T) {
	t.Parallel()
	b := setup(t)
	key := b.newKey(nil, gateway.ScopeAll)
	if res := b.call("GET", "/v1/messages", key, ""); res.status != 200 {
		t.Fatalf("status %d", res.status)
	}
	keys, err := b.store.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := b.store.RevokeKey(t.Context(), keys[len(keys)-1].ID); err != nil {
		t.Fatal(err)
	}
	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	deadline := time.After(3 * time.Second)
	for b.call("GET", "/v1/messages", key, "").status != 401 {
		select {
		case <-poll.C:
		case <-deadline:
			t.Fatal("the key still opens three seconds after it was revoked")
		}
	}
}

func TestLimitedKey(t *testing.T) {
	t.Parallel()
	b := setup(t)
	mine, other := b.connect(b.platform.AddPage(graphemu.Page{ID: "1000"})), b.connect(b.platform.AddPage(graphemu.Page{ID: "2000"}))
	key := b.newKey([]string{mine.Key}, gateway.ScopeAll)
	profile := func(id, app string) string {
		return `{"id":"` + id + `","fbMessengerIds":{"` + app + `":"` + id + `"}}`
	}
	if res := b.call("POST", "/v1/profiles", b.key, profile("77", other.Key)); res.status != 201 {
		t.Fatalf("%d %s", res.status, res.body)
	}
	for _, c := range []struct {
		method, path, body string
		status             int
	}{
		{"GET", "/v1/applications/" + mine.Key, "", 200},
		{"GET", "/v1/applications/" + other.Key, "", 404},
		{"DELETE", "/v1/applications/" + other.Key, "", 404},
		{"POST", "/v1/applications/" + other.Key + "/check", "", 404},
		{"POST", "/v1/applications", `{"page":{"accessToken":"x"},"application":{"id":"1","secret":"x"}}`, 403},
		{"POST", "/v1/messages", `{"to":{"fbMessengerId":"5"},"body":"hi"}`, 202},
		{"POST", "/v1/messages", `{"to":{"fbMessengerId":"5"},"body":"hi","application":"` + other.Key + `"}`, 400},
		{"GET", "/v1/messages?application=" + other.Key, "", 403},
		{"GET", "/v1/events?application=none", "", 403},
		{"POST", "/v1/profiles", profile("78", mine.Key), 201},
		{"POST", "/v1/profiles", profile("79", other.Key), 403},
		{"POST", "/v1/profiles", `{"id":"80"}`, 403},
		{"GET", "/v1/profiles/77", "", 404},
		{"PATCH", "/v1/profiles/77", `{"a":1}`, 404},
		{"PATCH", "/v1/profiles/78", `{"fbMessengerIds":{"` + other.Key + `":"81"}}`, 403},
		{"POST", "/v1/subscriptions", `{"kind":"pull"}`, 403},
		{"POST", "/v1/subscriptions", `{"kind":"pull","applications":["` + other.Key + `"]}`, 403},
		{"POST", "/v1/subscriptions", `{"kind":"pull","applications":["` + mine.Key + `"]}`, 201},
	} {
		if res := b.call(c.method, c.path, key, c.body); res.status != c.status {
			t.Errorf("%s %s %s: %d %s, want %d", c.method, c.path, c.body, res.status, res.body, c.status)
		} else if res.status >= 400 {
			res.apiError(t)
		}
	}
	if body := b.call("GET", "/v1/applications", key, "").body; strings.Contains(body, other.Key) {
		t.Errorf("the list shows another application: %s", body)
	}
	if body := b.call("GET", "/v1/profiles", key, "").body; strings.Contains(body, `"77"`) {
		t.Errorf("the list shows another's profile: %s", body)
	}
}

func TestBadInputNamesTheField(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.connect(b.platform.AddPage(graphemu.Page{ID: "1000"}))
	for _, c := range []struct {
		method, path, body string
		status             int
		field              string
	}{
		{"POST", "/v1/messages", ``, 400, ""},
		{"POST", "/v1/messages", `{`, 400, ""},
		{"POST", "/v1/messages", `[]`, 400, ""},
		{"POST", "/v1/messages", `{"to":{"fbMessengerId":"1"},"body":"x"} {}`, 400, ""},
		{"POST", "/v1/messages", "{\"to\":{\"fbMessengerId\":\"1\"},\"body\":\"\xff\"}", 400, ""},
		{"POST", "/v1/messages", `{"to":{"fbMessengerId":"1"},"boddy":"x"}`, 400, "boddy"},
		{"POST", "/v1/messages", `{"to":{"fbMessengerId":"1","page":"x"},"body":"x"}`, 400, "to.page"},
		{"POST", "/v1/messages", `{"to":{"fbMessengerId":1},"body":"x"}`, 400, "to.fbMessengerId"},
		{"POST", "/v1/messages", `{"to":{"fbMessengerId":"1"},"messageParts":[{"type":"text/plain","data":"a"},{"typ":"b"}]}`, 400, "messageParts[1].typ"},
		{"POST", "/v1/messages", `{"to":{"fbMessengerId":"1"},"body":"x","expiresOn":"tomorrow"}`, 400, "expiresOn"},
		{"POST", "/v1/messages", `{"to":{},"body":"x"}`, 400, "to"},
		{"POST", "/v1/messages", `{"to":{"fbMessengerId":"1"}}`, 400, "body"},
		{"POST", "/v1/messages", `{"to":{"fbMessengerId":"1"},"body":"x","rules":["sms"]}`, 400, "rules"},
		{"POST", "/v1/messages", `{"to":{"fbMessengerId":"1"},"body":"x","application":"none"}`, 400, "application"},
		{"POST", "/v1/messages", `{"body":"` + strings.Repeat("x", 1<<20) + `"}`, 413, ""},
		{"POST", "/v1/messages/batch", `{"messages":[]}`, 400, "messages"},
		{"POST", "/v1/messages/batch", `{"messages":{}}`, 400, "messages"},
		{"GET", "/v1/messages?limit=0", ``, 400, "limit"},
		{"GET", "/v1/messages?limit=201", ``, 400, "limit"},
		{"GET", "/v1/messages?aplication=x", ``, 400, "aplication"},
		{"GET", "/v1/messages?status=lost", ``, 400, "status"},
		{"GET", "/v1/messages?cursor=%2B", ``, 400, "cursor"},
		{"GET", "/v1/messages/msg_none", ``, 404, ""},
		{"POST", "/v1/messages/msg_none/cancel", ``, 404, ""},
		{"POST", "/v1/subscriptions", `{"kind":"push"}`, 400, "kind"},
		{"POST", "/v1/subscriptions", `{"kind":"forward"}`, 400, "url"},
		{"POST", "/v1/subscriptions", `{"kind":"pull","eventTypes":["message.inbund"]}`, 400, "eventTypes"},
		{"POST", "/v1/subscriptions", `{"kind":"pull","applications":["none"]}`, 400, "applications"},
		{"POST", "/v1/subscriptions", `{"kind":"pull","from":"yesterday"}`, 400, "from"},
		{"POST", "/v1/subscriptions", `{"kind":"forward","url":"https://example.com","secrets":["hush"]}`, 400, "secrets[0]"},
		{"GET", "/v1/subscriptions/sub_none/events", ``, 404, ""},
		{"GET", "/v1/events?after=zzz!", ``, 400, "after"},
		{"GET", "/v1/events?type=none", ``, 400, "type"},
		{"POST", "/v1/profiles", `{"id":"a/b"}`, 400, "id"},
		{"POST", "/v1/profiles", `{"id":""}`, 400, "id"},
		{"POST", "/v1/profiles", `{"id":"a","facebook":{}}`, 400, "facebook"},
		{"POST", "/v1/profiles", `{"id":"a","fbMessengerIds":{"none":"1"}}`, 400, "fbMessengerIds.none"},
		{"GET", "/v1/profiles/none", ``, 404, ""},
		{"GET", "/v1/nothing", ``, 404, ""},
		{"GET", "/", ``, 404, ""},
		{"DELETE", "/v1/messages", ``, 405, ""},
		{"PUT", "/v1/profiles/a", `{}`, 405, ""},
		{"TRACE", "/v1/messages", ``, 405, ""},
	} {
		name := c.method + " " + c.path + " " + c.body[:min(len(c.body), 90)]
		res := b.call(c.method, c.path, b.key, c.body)
		e := res.apiError(t)
		if res.status != c.status || e.Field != c.field {
			t.Errorf("%s: %d %s, want %d at %q", name, res.status, res.body, c.status, c.field)
		}
		if c.status == 405 && res.header.Get("Allow") == "" {
			t.Errorf("%s: no Allow header", name)
		}
	}
	if page, err := b.client.ListMessages(t.Context(), gatewayapi.ListMessagesRequest{}); err != nil || len(page.Messages) != 0 {
		t.Errorf("bad input left messages behind: %+v, %v", page, err)
	}
}

func TestRequestIDs(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if got := b.call("GET", "/healthz", "", "", "X-Request-Id", "caller-1.2_3").header.Get("X-Request-Id"); got != "caller-1.2_3" {
		t.Errorf("the caller's id became %q", got)
	}
	seen := map[string]bool{}
	for _, given := range []string{"", "a b", strings.Repeat("x", 65), "<script>"} {
		got := b.call("GET", "/healthz", "", "", "X-Request-Id", given).header.Get("X-Request-Id")
		if !regexp.MustCompile(`^req_[0-9a-z]+$`).MatchString(got) || seen[got] {
			t.Errorf("given %q: %q", given, got)
		}
		seen[got] = true
	}
}

func TestTheDescriptionFitsTheRoutes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	res := b.call("GET", "/openapi.json", "", "")
	var document struct {
		OpenAPI string                                `json:"openapi"`
		Paths   map[string]map[string]json.RawMessage `json:"paths"`
	}
	if err := json.Unmarshal([]byte(res.body), &document); err != nil || document.OpenAPI != "3.1.0" {
		t.Fatalf("openapi %q, %v", document.OpenAPI, err)
	}
	for _, path := range []string{"/v1/messages", "/v1/messages/batch", "/v1/applications/{key}/messenger-profile", "/v1/subscriptions/{id}/ack", "/v1/events", "/readyz"} {
		if document.Paths[path] == nil {
			t.Errorf("%s is not described", path)
		}
	}
	// Every method of every address is tried without a key: what is described asks for one or
	// answers, all else is refused as no method of it.
	for path, operations := range document.Paths {
		concrete := regexp.MustCompile(`\{\w+\}`).ReplaceAllString(path, "x")
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
			operation, described := operations[strings.ToLower(method)]
			if (path == "/v1/messages/batch" || path == "/v1/messages/check") && method == "GET" {
				continue // is /v1/messages/{id} of a message of that name
			}
			status := b.call(method, concrete, "", "").status
			switch open := !strings.Contains(string(operation), `"apiKey"`); {
			case !described && status != http.StatusMethodNotAllowed:
				t.Errorf("%s %s is not described, yet answers %d", method, path, status)
			case described && !open && status != http.StatusUnauthorized:
				t.Errorf("%s %s without a key: %d", method, path, status)
			case described && open && status != http.StatusOK:
				t.Errorf("%s %s: %d", method, path, status)
			}
			if described && !strings.Contains(b.call("GET", "/docs", "", "").body, "<code>"+path+"</code>") {
				t.Errorf("%s is not on the page", path)
			}
		}
	}
	if refs := regexp.MustCompile(`"#/components/schemas/(\w+)"`).FindAllStringSubmatch(res.body, -1); len(refs) == 0 {
		t.Error("no schemas")
	} else {
		for _, ref := range refs {
			if !strings.Contains(res.body, fmt.Sprintf("%q: {", ref[1])) {
				t.Errorf("schema %s is missing", ref[1])
			}
		}
	}
}

func TestEveryRouteSaysWhoMayCallIt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var document struct {
		Paths map[string]map[string]struct {
			Security []map[string][]string `json:"security"`
		} `json:"paths"`
	}
	if err := json.Unmarshal([]byte(b.call("GET", "/openapi.json", "", "").body), &document); err != nil {
		t.Fatal(err)
	}
	for path, operations := range document.Paths {
		for method, o := range operations {
			if !strings.HasPrefix(path, "/v1/") {
				continue
			}
			if len(o.Security) != 1 || len(o.Security[0]["apiKey"]) != 1 || !slices.Contains(gateway.Scopes(), gateway.Scope(o.Security[0]["apiKey"][0])) {
				t.Errorf("%s %s: security %v", method, path, o.Security)
			}
		}
	}
}

// A person who opens the gateway's address is shown where to go; a program hears that there is
// nothing.
func TestTheGatewaysOwnAddress(t *testing.T) {
	t.Parallel()
	b := setup(t)
	page := b.call("GET", "/", "", "", "Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	if page.status != http.StatusOK || !strings.Contains(page.body, `href="/docs"`) || !strings.Contains(page.body, `href="/console"`) || page.header.Get("Vary") != "Accept" {
		t.Errorf("%d %s", page.status, page.body)
	}
	for _, accept := range []string{"", "*/*", "application/json"} {
		if e := b.call("GET", "/", "", "", "Accept", accept).apiError(t); e.Code != "not_found" {
			t.Errorf("%q: %+v", accept, e)
		}
	}
	if r := b.call("POST", "/", "", "", "Accept", "text/html"); r.status != http.StatusMethodNotAllowed && r.status != http.StatusNotFound {
		t.Errorf("POST: %d", r.status)
	}
}
