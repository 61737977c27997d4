package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"unicode/utf8"

	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/internal/store"
)

// nasty is text that a database, an index or a parser of somebody's cannot hold.
func nasty() map[string]string {
	letters := make([]byte, 5000)
	for i := range letters {
		letters[i] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"[(i*i*31+i*17+i/7)%62]
	}
	return map[string]string{
		"U+0000": `a\u0000b`, "half a pair": `a\ud800b`, "the other half": `\udc00`, "no UTF-8": "a\xff\xfeb", "5,000 letters": string(letters), "control characters": `a\u0001\u001f\u007fb`,
		"3,000 letters of two bytes": strings.Repeat("ж", 3000), "a quote and a percent": `a'%\"_b`,
	}
}

// inURL is nasty text for a path or a parameter, percent-encoded.
func inURL() map[string]string {
	return map[string]string{"U+0000": "a%00b", "no UTF-8": "a%ff%feb", "a surrogate": "%ed%a0%80", "3,000 letters": strings.Repeat("x", 3000), "control characters": "a%01%1fb", "a quote": "%27%22%25"}
}

// inEachPlace calls check with a JSON value each of whose texts and names of members is replaced in
// turn by text that is JSON already, and with texts where other values stood.
func inEachPlace(t *testing.T, sample, replacement string, check func(body string)) {
	t.Helper()
	const mark = "@@nasty@@"
	var whole any
	if err := json.Unmarshal([]byte(sample), &whole); err != nil {
		t.Fatalf("%s: %v", sample, err)
	}
	try := func() {
		body, err := json.Marshal(whole)
		if err != nil {
			t.Fatal(err)
		}
		check(string(bytes.ReplaceAll(body, []byte(mark), []byte(replacement))))
	}
	var change func(v any, set func(any))
	change = func(v any, set func(any)) {
		set(mark)
		try()
		set(v)
		switch x := v.(type) {
		case map[string]any:
			x[mark] = "x"
			try()
			delete(x, mark)
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

// fullSamples are bodies with as many members as a call takes, beside those of the table of
// attempts.
func fullSamples() map[string]string {
	message := `{"application":"{A}","to":{"fbMessengerId":"1","profileId":"{profile}","phoneNumber":"4915100001","email":"a@example.com","firstName":"F","lastName":"L"},"title":"t","body":"b {{profile.firstName}}",
"rules":[{"channel":"fbMessenger","until":"delivered","within":"1m"},{"channel":"webhook"}],"metadata":{"k":"v"},"channelOptions":{"fbMessenger":{"messagingType":"RESPONSE","personaId":"1","notificationType":"REGULAR"},"sms":{"from":"x"},"email":{"subject":"s"}}}`
	return map[string]string{
		"POST /v1/messages":                            message,
		"POST /v1/messages/check":                      message,
		"POST /v1/messages/batch":                      `{"messages":[` + message + `,{"to":{"fbMessengerId":"1"},"messageParts":[{"name":"n","type":"text/plain","data":"d"},{"type":"image/png","url":"https://example.com/a.png"}],"application":"{A}"},{"to":{"fbMessengerId":"1"},"application":"{A}","customBody":{"fbMessenger":{"text":"x","metadata":"m","quick_replies":[{"content_type":"text","title":"T","payload":"P"}]}}}]}`,
		"POST /v1/profiles":                            `{"id":"new-1","firstName":"F","lastName":"L","email":"e@example.com","phoneNumber":"+4915100001","fbMessengerIds":{"{A}":"77"},"optInChannels":["sms"],"free":{"deep":["x"]}}`,
		"PATCH /v1/profiles/{id}":                      `{"firstName":"F","lastName":"L","email":"e@example.com","phoneNumber":"+4915100001","fbMessengerIds":{"{A}":"77"},"free":{"deep":["x"]}}`,
		"POST /v1/subscriptions":                       `{"kind":"forward","url":"http://127.0.0.1:1/hook","name":"n","eventTypes":["message.inbound"],"applications":["{A}"],"order":"conversation","from":"earliest"}`,
		"PATCH /v1/subscriptions/{id}":                 `{"name":"n","url":"http://127.0.0.1:1/","eventTypes":["message.inbound"],"applications":["{B}"]}`,
		"POST /v1/entry-points":                        `{"application":"{A}","kind":"code","ref":"r1","name":"n","campaign":"c","tags":["t"],"text":"hello"}`,
		"PATCH /v1/entry-points/{id}":                  `{"name":"n","campaign":"c","tags":["t"],"expiresAt":"2099-01-01T00:00:00Z"}`,
		"POST /v1/entry-point-batches":                 `{"application":"{A}","kind":"link","ref":"r{n}","name":"n{n}","campaign":"c","from":1,"to":2}`,
		"POST /v1/goals":                               `{"application":"{A}","to":{"fbMessengerId":"1"},"name":"g","value":1.5,"at":"2026-01-01T00:00:00Z"}`,
		"POST /v1/opt-in-states":                       `{"application":"{A}","profileId":"opt-1","data":{"a":["b"]},"expiresIn":"1h","singleUse":true}`,
		"POST /v1/routes":                              `{"application":"{A}","name":"r","rules":[{"channel":"fbMessenger","until":"delivered","within":"1m"},"webhook"],"default":false}`,
		"POST /v1/scripts":                             `{"application":"{A}","dialect":"rivescript","note":"n","files":[{"name":"a.rive","text":"+ x\n- y\n"}]}`,
		"POST /v1/script-checks":                       `{"dialect":"rivescript","files":[{"name":"a.rive","text":"+ x\n- y\n> object o javascript\nreturn \"x\";\n< object\n"}]}`,
		"POST /v1/scripts/{id}/try":                    `{"text":"xyzzy","variables":{"a":"b"}}`,
		"PATCH /v1/conversations/{id}/variables":       `{"variables":{"note":"x"},"human":true}`,
		"POST /v1/channels":                            `{"application":"{A}","provider":"webhook","channel":"webhook","name":"n","webhook":{"url":"http://127.0.0.1:1/x"}}`,
		"POST /v1/applications":                        `{"page":{"accessToken":"EAAx"},"application":{"id":"1","secret":"s"},"verifyToken":"v","graphVersion":"v26.0"}`,
		"PUT /v1/applications/{key}/messenger-profile": `{"get_started":{"payload":"GS"},"greeting":[{"locale":"default","text":"hi"}],"whitelisted_domains":["https://example.com"]}`,
		"POST /v1/subscriptions/{id}/replay":           `{"from":"earliest"}`,
		"POST /v1/subscriptions/{id}/secrets":          `{"overlap":"1h"}`,
		"POST /v1/subscriptions/{id}/ack":              `{"cursor":"{event}"}`,
		"POST /facebook/1/single":                      `{"from":"{A}","to":{"userKey":"1"},"text":"x","type":"TEXT","bulkId":"B","callbackData":"c","notifyUrl":"http://127.0.0.1:1/","notifyContentType":"application/json","messagingType":"RESPONSE"}`,
		"POST /omni/1/advanced":                        `{"bulkId":"b","destinations":[{"messageId":"m","to":{"facebookUserKey":"1","phoneNumber":"447700900001","emailAddress":"a@example.com"}}],"facebook":{"text":"x"},"sms":{"text":"x"},"email":{"subject":"s","text":"x"}}`,
		"POST /omni/1/scenarios":                       `{"name":"s","flow":[{"from":"{A}","channel":"FACEBOOK"}],"default":false}`,
	}
}

// sober fails the test unless an answer is a success or the caller's own fault, and can be read by
// anybody.
func sober(t *testing.T, what string, got call) {
	t.Helper()
	kind := got.header.Get("Content-Type")
	switch {
	case got.status >= 500 || got.status < 200:
		t.Errorf("%s: %d %.300s", what, got.status, got.body)
	case strings.HasPrefix(kind, "application/json") && (!json.Valid(got.body) || !utf8.Valid(got.body)):
		t.Errorf("%s: the answer is not JSON of UTF-8: %.300q", what, got.body)
	}
}

// Every route of the three APIs gets text that cannot be held, in every member of its body, every
// part of its path, each parameter and header: none may fail for it.
func TestNonsenseEverywhere(t *testing.T) {
	t.Parallel()
	x := startTenants(t)
	tables := map[string]map[string][]attempt{"Bearer ": v1Attempts(), "App ": infobipAttempts()}
	for route, attempts := range comapiAttempts() {
		method, path, _ := strings.Cut(route, " ")
		for _, a := range attempts {
			if a.path == "" {
				a.path = path
			}
			a.path = "/apispaces/{B}" + a.path
			tables["Bearer "][method+" "+"/apispaces/{B}"+path] = append(tables["Bearer "][method+" "+"/apispaces/{B}"+path], a)
		}
	}
	full := fullSamples()
	var tried atomic.Int64
	var all sync.WaitGroup
	slots := make(chan struct{}, 8)
	ask := func(what, method, path, body, authorization string, headers ...string) {
		if _, err := url.Parse(x.url + path); err != nil {
			return // no client can send it
		}
		if tried.Add(1)%thinned != 0 {
			return
		}
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			got := x.comapi(method, path, body, append([]string{"Authorization", authorization}, headers...)...)
			sober(t, what+" "+method+" "+fmt.Sprintf("%.120q %.300q", path, body), got)
		})
	}
	for scheme, table := range tables {
		authorization := scheme + x.world.key
		for _, route := range slices.Sorted(maps.Keys(table)) {
			method, pattern, _ := strings.Cut(route, " ")
			if method == "DELETE" && !strings.Contains(pattern, "bulk") && !strings.Contains(pattern, "opt-outs") {
				continue // what they name would be gone for the others; their paths are those of GET
			}
			attempts := table[route]
			if body := full[route]; body != "" {
				path := pattern
				if len(attempts) > 0 && attempts[0].path != "" {
					path = attempts[0].path
				}
				attempts = []attempt{{path: path, body: body}}
			}
			for _, a := range attempts {
				path := a.path
				if path == "" {
					path = pattern
				}
				x.nonsense(t, ask, method, path, a.body, authorization)
			}
		}
	}
	all.Wait()
	if tried.Load() < 5000 {
		t.Errorf("there are only %d requests", tried.Load())
	}
	for _, r := range x.app.Store.Readers() {
		if r.Failing() > 0 || r.SetAsideHere() > 0 {
			t.Errorf("after it the reader %s fails for %s and has set %d events aside", r.Name, r.Failing(), r.SetAsideHere())
		}
	}
	x.b.says(x.b.person("After"), "all is well")
	await(t, "what comes afterwards", func() (bool, string) {
		got := x.comapi("GET", "/v1/events?type=message.inbound&limit=1000", "")
		return strings.Contains(string(got.body), "all is well"), ""
	})
}

// nonsense asks one call with nasty text in each place.
func (x *tenants) nonsense(t *testing.T, ask func(what, method, path, body, authorization string, headers ...string), method, path, body, authorization string) {
	for what, text := range nasty() {
		if body != "" {
			inEachPlace(t, x.named(body), text, func(b string) { ask(what, method, x.named(path), b, authorization) })
		}
	}
	plain, query, _ := strings.Cut(path, "?")
	for what, text := range inURL() {
		parts := strings.Split(plain, "/")
		for i, part := range parts {
			if strings.HasPrefix(part, "{") {
				changed := slices.Clone(parts)
				changed[i] = text
				ask(what, method, x.named(strings.Join(changed, "/"))+suffix(x.named(query)), x.named(body), authorization)
			}
		}
		for name := range mustQuery(t, x.named(query)) {
			ask(what, method, x.named(plain)+"?"+name+"="+text, x.named(body), authorization)
		}
		for _, name := range []string{"cursor", "after", "limit", "q", "application", "status", "email", "name", text} {
			ask(what, method, x.named(plain)+"?"+name+"="+text, x.named(body), authorization)
		}
	}
	for _, header := range []string{"Idempotency-Key", "If-Match", "X-Request-Id", "Accept", "Content-Type"} {
		for _, value := range []string{"a\xffb", strings.Repeat("k", 3000), "\"", "W/\"\xfe\""} {
			ask(header, method, x.named(path), x.named(body), authorization, header, value)
		}
	}
}

func suffix(query string) string {
	if query == "" {
		return ""
	}
	return "?" + query
}

func mustQuery(t *testing.T, query string) url.Values {
	v, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Every member of every webhook that is known gets text that cannot be held: all are taken, none
// stops a reader, and each can be read by a strict client.
func TestNonsenseInWebhooks(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	files, err := filepath.Glob("../../messenger/testdata/payloads/messages*.json")
	if err != nil {
		t.Fatal(err)
	}
	more, _ := filepath.Glob("../../messenger/testdata/payloads/messaging*.json")
	for _, pattern := range []string{"*optin*.json", "*referral*.json", "*postback*.json", "*echo*.json", "*delivery*.json", "*read*.json", "*reaction*.json", "*handover*.json"} {
		some, _ := filepath.Glob("../../messenger/testdata/payloads/" + pattern)
		more = append(more, some...)
	}
	files = slices.Compact(slices.Sorted(slices.Values(append(files, more...))))
	if len(files) < 20 {
		t.Fatalf("only %d samples", len(files))
	}
	var taken atomic.Int64
	var all sync.WaitGroup
	slots := make(chan struct{}, 16)
	for _, file := range files {
		sample, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		sample = pageIDs(sample, p.id)
		for what, text := range nasty() {
			inEachPlace(t, string(sample), text, func(body string) {
				if taken.Add(1)%thinned != 0 {
					return
				}
				slots <- struct{}{}
				all.Go(func() {
					defer func() { <-slots }()
					if status := w.post(webhook{door: "/webhooks/" + p.key, body: []byte(body)}); status != http.StatusOK {
						t.Errorf("%s %s: %d %.300q", file, what, status, body)
					}
				})
			})
		}
	}
	all.Wait()
	head := w.app.Store.Head()
	await(t, "the readers to have come so far", func() (bool, string) {
		for _, name := range []string{"projector", "receipts", "entrypoints", "reports"} {
			low, err := w.app.Store.CursorLow(t.Context(), name)
			if err != nil || low < head {
				return false, fmt.Sprintf("%s at %d of %d: %v", name, low, head, err)
			}
		}
		return true, ""
	})
	aside, err := w.app.Store.SetAsides(t.Context(), store.SetAsideFilter{Limit: 10})
	if err != nil || len(aside) > 0 {
		t.Errorf("set aside: %v %+v", err, aside)
	}
	for after := ""; ; {
		got := w.comapi("GET", "/v1/events?limit=1000&after="+after, "")
		if got.status != 200 || !utf8.Valid(got.body) || !json.Valid(got.body) {
			t.Fatalf("after %q the events cannot be read by everybody: %d", after, got.status)
		}
		var page struct {
			Events []json.RawMessage
			Cursor string
		}
		json.Unmarshal(got.body, &page) // is valid
		if len(page.Events) == 0 {
			break
		}
		after = page.Cursor
	}
	t.Logf("%d webhooks, of which one in %d was sent", taken.Load(), thinned)
}

// pageIDs puts the id of a page in the place of those of a sample's entries.
func pageIDs(sample []byte, id string) []byte {
	var body struct {
		Entry []struct{ ID any }
	}
	json.Unmarshal(sample, &body) // samples of other shapes stay as they are
	for _, e := range body.Entry {
		if text, ok := e.ID.(string); ok && text != "" {
			sample = bytes.ReplaceAll(sample, []byte(`"`+text+`"`), []byte(`"`+id+`"`))
		}
	}
	return sample
}
