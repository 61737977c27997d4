package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/chasqui/chasqui/gatewayapi"
)

// hooks are receivers of posts, one at each path.
type hooks struct {
	server *httptest.Server
	mu     sync.Mutex
	got    map[string][]string
	refuse int // so many posts are refused first
	tried  int // posts that have come, also those that were refused
}

func startHooks(t testing.TB) *hooks {
	h := &hooks{got: map[string][]string{}}
	h.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		h.tried++
		if h.refuse > 0 {
			h.refuse--
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		h.got[r.URL.Path] = append(h.got[r.URL.Path], string(body))
	}))
	t.Cleanup(h.server.Close)
	return h
}

// next waits for the next post at a path.
func (h *hooks) next(t testing.TB, path string) string {
	t.Helper()
	var body string
	await(t, "a post to "+path, func() (bool, string) {
		h.mu.Lock()
		defer h.mu.Unlock()
		if len(h.got[path]) == 0 {
			return false, fmt.Sprint(h.got)
		}
		body, h.got[path] = h.got[path][0], h.got[path][1:]
		return true, ""
	})
	return body
}

// awaitEvent waits until a text that a person wrote has come in.
func (f *infobip) awaitEvent(text string) {
	f.t.Helper()
	await(f.t, "the event of "+text, func() (bool, string) {
		list, err := f.client.ListEvents(f.t.Context(), gatewayapi.ListEventsRequest{Limit: 100})
		for _, e := range list.Events {
			if strings.Contains(string(dataText(e)), `"`+text+`"`) {
				return true, ""
			}
		}
		return false, fmt.Sprintf("%d events, %v", len(list.Events), err)
	})
}

// arrives reports the last text message to a number as delivered.
func (x *texter) arrives(t testing.TB, to string) {
	t.Helper()
	x.mu.Lock()
	callback, sid := "", ""
	for i, form := range x.sent {
		if form.Get("To") == to {
			callback, sid = form.Get("StatusCallback"), fmt.Sprintf("SM%d", i+1)
		}
	}
	x.mu.Unlock()
	if status := x.calls(callback, url.Values{"MessageSid": {sid}, "MessageStatus": {"delivered"}}); status != http.StatusNoContent {
		t.Fatalf("the report of a text message was answered with %d", status)
	}
}

// member reads a member of JSON by its path.
func member(t testing.TB, body, path string) string {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	for step := range strings.SplitSeq(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(x) {
				t.Fatalf("no %s in %s", path, body)
			}
			v = x[i]
		}
	}
	s, ok := v.(string)
	if !ok {
		t.Fatalf("no %s in %s", path, body)
	}
	return s
}

// known are the members that requests may have.
var known = []string{
	"from", "applicationKey", "destinations", "bulkId", "notify", "intermediateReport", "notifyUrl", "notifyContentType", "callbackData", "type", "contentType", "text", "url",
	"buttons", "message", "messagingType", "messageTag", "validityPeriod", "validityPeriodTimeUnit", "userKey", "facebookUserKey", "phoneNumber", "messages", "scenarioKey", "mailSubject",
	"facebook", "sms", "email", "viber", "voice", "push", "line", "vKontakte", "parseco", "sendAt", "subject", "html", "messageId", "name", "flow", "default", "defaultScenario", "channel",
	"webhookUrl", "application", "username", "password", "forwardUrl", "page", "accessToken", "id", "secret", "to", "imageUrl", "key",
}

// stuffed puts null for every member that a request leaves out, but in what goes to the platform as
// it is and in addresses that are answered as they were given.
func stuffed(body string) string {
	var v any
	if json.Unmarshal([]byte(body), &v) != nil {
		return body
	}
	var stuff func(v any, name string)
	stuff = func(v any, name string) {
		switch x := v.(type) {
		case []any:
			for _, item := range x {
				stuff(item, name)
			}
		case map[string]any:
			if _, raw := x["quick_replies"]; raw || name == "to" {
				return
			}
			for name, below := range x {
				if name != "buttons" {
					stuff(below, name)
				}
			}
			for _, name := range known {
				if _, there := x[name]; !there {
					x[name] = nil
				}
			}
		}
	}
	stuff(v, "")
	out, err := json.Marshal(v)
	if err != nil {
		return body
	}
	return string(out)
}
