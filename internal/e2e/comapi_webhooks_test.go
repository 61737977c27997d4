package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
)

const comapiSecret = "a secret of my own choosing, 40 letters."

// hook takes deliveries in Comapi's format.
type hook struct {
	url    string
	mu     sync.Mutex
	status int // what is answered
	got    []hookPost
}

type hookPost struct {
	body      []byte
	signature string
	envelope  map[string]any
}

func startHook(t *testing.T, status int) *hook {
	h := &hook{status: status}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		post := hookPost{signature: r.Header.Get("X-Comapi-Signature")}
		var err error
		if post.body, err = io.ReadAll(r.Body); err != nil || post.signature == "" {
			http.NotFound(w, r)
			return
		}
		json.Unmarshal(post.body, &post.envelope) // a list has none
		h.mu.Lock()
		defer h.mu.Unlock()
		h.got = append(h.got, post)
		w.WriteHeader(h.status)
	}))
	t.Cleanup(server.Close)
	h.url = server.URL
	return h
}

func (h *hook) posts() []hookPost {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]hookPost(nil), h.got...)
}

func (h *hook) answers(status int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.status = status
}

// named waits for an event by its name and answers it with its payload.
func (h *hook) named(t *testing.T, name string) (hookPost, map[string]any) {
	t.Helper()
	var found hookPost
	await(t, "the event "+name, func() (bool, string) {
		var names []string
		for _, p := range h.posts() {
			if p.envelope["name"] == name {
				found = p
				return true, ""
			}
			names = append(names, fmt.Sprint(p.envelope["name"]))
		}
		return false, strings.Join(names, " ")
	})
	payload, _ := found.envelope["payload"].(map[string]any)
	return found, payload
}

func (w *world) webhook(p *page, url, rest string) string {
	w.t.Helper()
	made := w.comapi("POST", "/apispaces/"+p.key+"/webhooks", `{"name":"n","url":"`+url+`","secret":"`+comapiSecret+`"`+rest+`}`).object(w.t, http.StatusCreated)
	return made["id"].(string)
}

func TestComapiWebhooksAreKept(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	base := "/apispaces/" + p.key + "/webhooks"
	c := w.comapi("POST", base, `{"name":"n","url":"https://example.com/hook","secret":"`+comapiSecret+`","subscriptions":[{"type":"message.inbound","filters":[{"name":"channel","value":"fbMessenger"}]}]}`)
	made := bare(c.object(t, http.StatusCreated))
	id := made["id"].(string)
	want := map[string]any{"id": id, "name": "n", "url": "https://example.com/hook", "secret": comapiSecret, "batch": false, "maxBatchSize": 100.0, "batchTimeout": 10.0,
		"subscriptions": []any{map[string]any{"type": "message.inbound", "filters": []any{map[string]any{"name": "channel", "value": "fbMessenger"}}}}}
	if diff := cmp.Diff(want, made); diff != "" {
		t.Errorf("made (-want +got):\n%s", diff)
	}
	delete(want, "secret") // is shown once
	got := w.comapi("GET", base+"/"+id, "")
	if diff := cmp.Diff(want, bare(got.object(t, http.StatusOK))); diff != "" {
		t.Errorf("read (-want +got):\n%s", diff)
	}
	if list := answered[[]map[string]any](t, w.comapi("GET", "/cpaas/webhooks", ""), http.StatusOK); len(list) != 1 || list[0]["id"] != id {
		t.Errorf("listed %v", list)
	}
	put := `{"name":"m","url":"https://example.com/other","batch":true,"maxBatchSize":5,"batchTimeout":2,"subscriptions":[{"type":"conversation.create"}]}`
	w.comapi("PUT", base+"/"+id, put, "If-Match", `"other"`).wantProblem(t, http.StatusPreconditionFailed, "", "PreconditionFailed", "")
	changed := w.comapi("PUT", base+"/"+id, put, "If-Match", got.header.Get("ETag")).object(t, http.StatusOK)
	if changed["name"] != "m" || changed["maxBatchSize"] != 5.0 || changed["batch"] != true {
		t.Errorf("changed %v", changed)
	}
	for _, c := range []struct{ body, property, words string }{
		{`{"url":"https://example.com"}`, "name", "given"},
		{`{"name":"n"}`, "url", "given"},
		{`{"name":"n","url":"https://example.com","secret":"short"}`, "secrets[0]", "16 to"},
		{`{"name":"n","url":"https://example.com","maxBatchSize":501}`, "maxBatchSize", "500"},
		{`{"name":"n","url":"https://example.com","batchTimeout":61}`, "batchTimeout", "60"},
		{`{"name":"n","url":"https://example.com","subscriptions":[{"type":"x"}]}`, "subscriptions[0].type", "no event"},
		{`{"name":"n","url":"https://example.com","subscriptions":[{"type":"message.sent","filters":[{"name":"x"}]}]}`, "subscriptions[0].filters", "channel can"},
	} {
		code := strings.ToUpper(c.property[:1]) + strings.FieldsFunc(c.property, func(r rune) bool { return r == '[' })[0][1:] + "Invalid"
		w.comapi("POST", base, c.body).wantProblem(t, http.StatusBadRequest, c.property, code, c.words)
	}
	events := answered[[]map[string]any](t, w.comapi("GET", base+"/availableevents", ""), http.StatusOK)
	if len(events) != 9 || events[0]["name"] != "facebook.optin" {
		t.Errorf("events: %v", events)
	}
	// A subscription of /v1 is none of theirs.
	own, err := w.client.CreateSubscription(t.Context(), gatewayapi.CreateSubscriptionRequest{Kind: "pull", Applications: []string{p.key}})
	if err != nil {
		t.Fatal(err)
	}
	w.comapi("DELETE", base+"/"+own.ID, "").wantProblem(t, http.StatusNotFound, "", "NotFound", own.ID)
	if c := w.comapi("DELETE", base+"/"+id, ""); c.status != http.StatusNoContent {
		t.Errorf("delete: %d %s", c.status, c.body)
	}
	w.comapi("GET", base+"/"+id, "").wantProblem(t, http.StatusNotFound, "", "NotFound", id)
}

func TestComapiEnvelopes(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	h := startHook(t, http.StatusOK)
	w.webhook(p, h.url, "")
	sms := startHook(t, http.StatusOK)
	w.webhook(p, sms.url, `,"subscriptions":[{"type":"message.inbound","filters":[{"name":"channel","value":"sms"}]}]`)
	ana := p.person("Ana")
	sent := w.comapi("POST", "/cpaas/messages", `{"to":{"fbMessengerId":"`+ana+`"},"body":"Hi","metadata":{"ref":"abc"},"rules":["fbMessenger"]}`).object(t, http.StatusCreated)
	id := sent["messageId"].(string)
	for _, name := range []string{"message.sent", "message.delivered"} {
		post, payload := h.named(t, name)
		if post.envelope["apiSpaceId"] != p.key || post.envelope["eventId"] == "" || post.envelope["timestamp"] == "" {
			t.Errorf("%s: %s", name, post.body)
		}
		details, _ := payload["details"].(map[string]any)
		channel, _ := details["channelStatus"].(map[string]any)["fbMessenger"].(map[string]any)
		if payload["id"] != id || channel["status"] != strings.TrimPrefix(name, "message.") || payload["metadata"].(map[string]any)["ref"] != "abc" || details["channel"] != "fbMessenger" {
			t.Errorf("%s: %s", name, post.body)
		}
	}
	p.says(ana, "hello there")
	post, payload := h.named(t, "message.inbound")
	from, _ := payload["from"].(map[string]any)
	raw, _ := payload["channelData"].(map[string]any)["body"].(map[string]any)
	if payload["channel"] != "fbMessenger" || payload["body"] != "hello there" || payload["status"] != "received" || payload["to"].(map[string]any)["pageId"] != p.id ||
		from["fbMessengerId"] != ana || from["profileId"] == nil || raw["message"] == nil {
		t.Errorf("inbound: %s", post.body)
	}
	if diff := cmp.Diff(map[string]any{"messageId": id, "metadata": map[string]any{"ref": "abc"}}, payload["correlation"]); diff != "" {
		t.Errorf("correlation (-want +got):\n%s", diff)
	}
	post, payload = h.named(t, "profile.create")
	if payload["fbMessengerId"] != ana || payload["id"] == nil || payload["_createdOn"] == nil || payload["fbMessengerIds"] != nil {
		t.Errorf("profile.create: %s", post.body)
	}
	if got := sms.posts(); len(got) > 0 {
		t.Errorf("filtered for sms: %s", got[0].body)
	}
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("openssl, which recomputes the signatures, is not installed")
	}
	for _, p := range h.posts() {
		cmd := exec.CommandContext(t.Context(), "openssl", "dgst", "-sha1", "-hmac", comapiSecret)
		cmd.Stdin = strings.NewReader(string(p.body))
		out, err := cmd.Output()
		if fields := strings.Fields(string(out)); err != nil || len(fields) == 0 || fields[len(fields)-1] != p.signature {
			t.Errorf("signature %s, openssl says %s %v", p.signature, out, err)
		}
	}
}

func TestComapiOptInEvent(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	h := startHook(t, http.StatusOK)
	w.webhook(p, h.url, `,"subscriptions":[{"type":"facebook.optin"}]`)
	state := answered[string](t, w.comapi("POST", "/apispaces/"+p.key+"/channels/facebook/state", `{"profileId":"dave@acme.com","plan":"x"}`), http.StatusOK)
	ana := p.person("Ana")
	p.act(ana, graphemu.Action{OptIn: &graphemu.OptInAction{Ref: state}})
	post, payload := h.named(t, "facebook.optin")
	want := map[string]any{"profileId": "dave@acme.com", "plan": "x"}
	if diff := cmp.Diff(want, payload["stateData"]); diff != "" || payload["fbMessengerId"] != ana || payload["pageId"] != p.id || payload["profileId"] != "dave@acme.com" || payload["ref"] != state {
		t.Errorf("%s: %s", diff, post.body)
	}
	req, err := http.NewRequestWithContext(t.Context(), "GET", w.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth("anybody", w.key)
	again := answered[string](t, w.comapi("POST", "/cpaas/channels/facebook/state", `{"profileId":"dave@acme.com"}`, "Authorization", req.Header.Get("Authorization")), http.StatusOK)
	if again == state || strings.ContainsAny(again, `"\`) {
		t.Errorf("states %q and %q", state, again)
	}
	w.comapi("POST", "/cpaas/channels/facebook/state", `{}`).wantProblem(t, http.StatusBadRequest, "profileId", "ProfileIdInvalid", "")
	p.act(ana, graphemu.Action{OptIn: &graphemu.OptInAction{Ref: "own words"}})
	await(t, "the second opt-in", func() (bool, string) { return len(h.posts()) >= 2, "" })
	if got := h.posts(); len(got) != 2 || got[1].envelope["payload"].(map[string]any)["ref"] != "own words" {
		t.Errorf("%d events, the last %s", len(got), got[len(got)-1].body)
	}
}

func TestComapiRejectionsAndRetries(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	rejecting, failing, batching := startHook(t, http.StatusBadRequest), startHook(t, http.StatusUnauthorized), startHook(t, http.StatusOK)
	only := `,"subscriptions":[{"type":"message.inbound"}]`
	first := w.webhook(p, rejecting.url, only)
	second := w.webhook(p, failing.url, only)
	w.webhook(p, batching.url, only+`,"batch":true,"maxBatchSize":500,"batchTimeout":1`)
	ana := p.person("Ana")
	p.says(ana, "one")
	state := func(id, status string) gatewayapi.Delivery {
		t.Helper()
		var d gatewayapi.Delivery
		await(t, "a delivery that is "+status, func() (bool, string) {
			page, err := w.client.ListDeliveries(t.Context(), gatewayapi.ListDeliveriesRequest{Subscription: id})
			if err != nil {
				t.Fatal(err)
			}
			if len(page.Deliveries) > 0 {
				d = page.Deliveries[0]
			}
			return string(d.Status) == status, fmt.Sprintf("%+v", d)
		})
		return d
	}
	if d := state(first, "dead"); len(d.Attempts) != 1 || d.Attempts[0].Status != http.StatusBadRequest {
		t.Errorf("rejected: %+v", d)
	}
	if d := state(second, "pending"); len(d.Attempts) != 1 || d.NextAt.Sub(d.Attempts[0].StartedAt.Time) < 5*time.Second || d.NextAt.Sub(d.Attempts[0].StartedAt.Time) > 8*time.Second {
		t.Errorf("failed: %+v", d)
	}
	failing.answers(http.StatusOK)
	w.clock.advance(6 * time.Second)
	state(second, "delivered")
	if got := failing.posts(); len(got) != 2 || string(got[0].body) != string(got[1].body) {
		t.Errorf("%d tries, or not the same", len(got))
	}
	// What follows a rejected event is delivered.
	rejecting.answers(http.StatusOK)
	p.says(ana, "two")
	state(first, "delivered")
	await(t, "both in lists", func() (bool, string) { return len(slices.Concat(batching.lists(t)...)) == 2, "" })
	if diff := cmp.Diff([]string{"one", "two"}, bodies(slices.Concat(batching.lists(t)...))); diff != "" {
		t.Errorf("batches (-want +got):\n%s", diff)
	}
}
