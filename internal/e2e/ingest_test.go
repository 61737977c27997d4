package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/messenger"
)

// webhook is a delivery of the platform, made by hand.
type webhook struct {
	door        string // path
	body        []byte
	signature   string // header; a right one when empty
	contentType string // application/json when empty
}

// post makes the delivery and returns the status.
func (w *world) post(h webhook) int {
	w.t.Helper()
	if h.signature == "" {
		h.signature = messenger.Sign(w.platform.app.Secret, h.body)
	}
	if h.contentType == "" {
		h.contentType = "application/json"
	}
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.url+h.door, bytes.NewReader(h.body))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", h.contentType)
	req.Header.Set(messenger.SignatureHeader, h.signature)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode
}

// entry is one entry of a delivery: events of one page under one channel.
type entry struct {
	page, channel string
	events        []string
}

// batch is the body of a delivery.
func batch(entries ...entry) []byte {
	parts := make([]string, len(entries))
	for i, e := range entries {
		parts[i] = fmt.Sprintf(`{"id":%q,"time":%d,%q:[%s]}`, e.page, 1_700_000_000_000+i, e.channel, strings.Join(e.events, ","))
	}
	return []byte(`{"object":"page","entry":[` + strings.Join(parts, ",") + `]}`)
}

// written is the event of a text that a person wrote to a page.
func written(page, person, mid string) string {
	return fmt.Sprintf(`{"sender":{"id":%q},"recipient":{"id":%q},"timestamp":1700000000000,"message":{"mid":%q,"text":"text %s"}}`, person, page, mid, mid)
}

// mixed makes a body of 1,000 different events and one of them twice. The first 100 are of a page
// that nobody has connected. It returns what is to be found under each application, as counts of
// types; "" is no application.
func mixed(a, b *page) ([]byte, map[string]map[string]int) {
	const unknown = "990000000000001"
	want := map[string]map[string]int{"": {}, a.key: {}, b.key: {}}
	var entries []entry
	add := func(owner, page, channel, kind string, n int, event func(i int) string) {
		e := entry{page: page, channel: channel}
		for i := range n {
			e.events = append(e.events, event(i))
		}
		entries = append(entries, e)
		want[owner][kind] += n
	}
	add("", unknown, "messaging", "message.inbound", 100, func(i int) string { return written(unknown, fmt.Sprint(5000+i), fmt.Sprintf("m_u%d", i)) })
	for turn := range 8 {
		for _, p := range []*page{a, b} {
			add(p.key, p.id, "messaging", "message.inbound", 50, func(i int) string {
				return written(p.id, fmt.Sprint(6000+i), fmt.Sprintf("m_%s_%d_%d", p.id, turn, i))
			})
		}
	}
	add(a.key, a.id, "standby", "standby", 40, func(i int) string { return written(a.id, "6000", fmt.Sprintf("m_standby%d", i)) })
	add(a.key, a.id, "changes", "unknown", 20, func(i int) string {
		return fmt.Sprintf(`{"field":"feed","value":{"item":"comment","comment_id":"%d"}}`, i)
	})
	add(b.key, b.id, "messaging", "unknown", 20, func(i int) string {
		return fmt.Sprintf(`{"sender":{"id":"6001"},"recipient":{"id":%q},"timestamp":%d,"hologram":{"of":"a llama"}}`, b.id, 1_700_000_000_000+i)
	})
	add(b.key, b.id, "messaging", "postback", 20, func(i int) string {
		return fmt.Sprintf(`{"sender":{"id":"6002"},"recipient":{"id":%q},"timestamp":1700000000000,"postback":{"mid":"m_p%d","title":"Yes","payload":"YES"}}`, b.id, i)
	})
	entries = append(entries, entry{a.id, "messaging", []string{written(a.id, "6000", fmt.Sprintf("m_%s_0_0", a.id))}}) // once more
	return batch(entries...), want
}

// found counts the types of all events, by application.
func found(events []gatewayapi.Event) map[string]map[string]int {
	counts := map[string]map[string]int{}
	for _, e := range events {
		if counts[e.Application] == nil {
			counts[e.Application] = map[string]int{}
		}
		counts[e.Application][string(e.Type)]++
	}
	return counts
}

func TestBatchOfAThousandEvents(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	a, b := w.connect(graphemu.Page{}), w.connect(graphemu.Page{})
	body, want := mixed(a, b)
	pulled := w.pull("message.inbound", "standby", "postback", "unknown")
	if status := w.post(webhook{door: "/webhooks/" + a.key, body: body}); status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	events := pulled.awaitCount(1000)
	checkOnce(t, events)
	if diff := cmp.Diff(want, found(events)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, e := range events {
		if !bytes.Contains(body, e.Raw) {
			t.Errorf("event %s is not kept as it came: %s", e.ID, e.Raw)
		}
	}
	orphans, err := w.client.ListEvents(t.Context(), gatewayapi.ListEventsRequest{Application: "none", Limit: 1000})
	if err != nil || len(orphans.Events) != 100 {
		t.Errorf("%d events that nobody owns, %v", len(orphans.Events), err)
	}
	checkNothingNew(t, w, pulled, webhook{door: "/webhooks/" + a.key, body: body}, http.StatusOK)
	// The app has one callback whatever its number of pages: the other page's door leads to the
	// same place.
	checkNothingNew(t, w, pulled, webhook{door: "/facebook/1/applications/" + b.key + "/webhook", body: body}, http.StatusOK)
	if got := w.metric(`chasqui_events_duplicate_total{application="none"}`); got != 200 {
		t.Errorf("%v events that nobody owns were counted as duplicates", got)
	}
}

// checkNothingNew makes a delivery that must leave the log as it is.
func checkNothingNew(t *testing.T, w *world, r *reader, h webhook, status int) {
	t.Helper()
	if got := w.post(h); got != status {
		t.Errorf("status %d, wanted %d", got, status)
	}
	before := len(r.events)
	page := batch(entry{"990000000000001", "messaging", []string{written("990000000000001", "1", fmt.Sprintf("m_mark%d", before))}})
	if got := w.post(webhook{door: h.door, body: page}); got != http.StatusOK && status != http.StatusNotFound {
		t.Fatalf("status %d", got)
	}
	if status == http.StatusNotFound {
		return
	}
	r.awaitCount(before + 1)
	if !strings.Contains(string(r.events[before].Raw), "m_mark") || len(r.events) != before+1 {
		t.Errorf("the log has grown by %d events: %s", len(r.events)-before, r.events[before].Raw)
	}
}

func TestWebhooksThatAreRefused(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	r := w.pull("message.inbound")
	door := "/webhooks/" + p.key
	good := batch(entry{p.id, "messaging", []string{written(p.id, "77", "m_refused")}})
	large := append(bytes.Repeat([]byte(" "), 10<<20), good...)
	sign := func(secret string, body []byte) string { return messenger.Sign(secret, body) }
	refused := []struct {
		name   string
		hook   webhook
		status int
		metric string
	}{
		{"other secret", webhook{door, good, sign("other", good), ""}, 403, `chasqui_webhook_bad_signatures_total{application="` + p.key + `"}`},
		{"other body", webhook{door, good, sign(w.platform.app.Secret, good[1:]), ""}, 403, `chasqui_webhook_bad_signatures_total{application="` + p.key + `"}`},
		{"no signature", webhook{door, good, "-", ""}, 403, `chasqui_webhook_bad_signatures_total{application="` + p.key + `"}`},
		{"not JSON", webhook{door: door, body: []byte(`{"object":"page","entry":[`)}, 400, `chasqui_webhooks_refused_total{reason="not_json"}`},
		{"too large", webhook{door: door, body: large}, 413, `chasqui_webhooks_refused_total{reason="too_large"}`},
		{"unknown key", webhook{door: "/webhooks/0123456789ABCDEF0123456789ABCDEF", body: good}, 404, `chasqui_webhooks_refused_total{reason="unknown_key"}`},
	}
	for _, c := range refused {
		before := w.metric(c.metric)
		checkNothingNew(t, w, r, c.hook, c.status)
		if got := w.metric(c.metric); got <= before {
			t.Errorf("%s: %s stays %v", c.name, c.metric, got)
		}
	}
	atLimit := append(bytes.Repeat([]byte(" "), 10<<20-len(good)), good...)
	if status := w.post(webhook{door: door, body: atLimit, contentType: "text/plain"}); status != 200 {
		t.Errorf("10 MiB as text/plain: status %d", status)
	}
	r.await("the event", func(e gatewayapi.Event) bool { return strings.Contains(string(e.Raw), "m_refused") })
}

// The platform asks whether the callback is meant before it sends anything.
func TestVerificationOfTheCallback(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	asked := w.platform.Webhooks(0)
	if len(asked) == 0 || asked[0].Field != "verification" || !asked[0].OK {
		t.Fatalf("the platform has not verified the callback: %+v", asked)
	}
	for _, path := range []string{"/webhooks/", "/facebook/1/applications/"} {
		tail := map[string]string{"/webhooks/": "", "/facebook/1/applications/": "/webhook"}[path]
		status, body := w.get(path + p.key + tail + "?hub.mode=subscribe&hub.challenge=x%3Cb%3E&hub.verify_token=wrong")
		if status != 403 || strings.Contains(body, "x<b>") {
			t.Errorf("%s: a wrong verify token is answered %d %s", path, status, body)
		}
	}
	check, err := w.client.CheckApplication(t.Context(), p.key)
	if err != nil || !check.CallbackOK || len(check.MissingFields) > 0 {
		encoded, _ := json.Marshal(check)
		t.Errorf("check: %s, %v", encoded, err)
	}
}

// A webhook that is about something else than a page is kept with what it is about, its type and
// its person, as nobody's: a page of the same number has nothing of it.
func TestWebhooksOfAnotherObject(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	body := `{"object":"instagram","entry":[{"id":"` + p.id + `","time":1668022334834,"messaging":[
{"sender":{"id":"5614879045272581"},"recipient":{"id":"` + p.id + `"},"timestamp":1668022333735,"message":{"mid":"ig_1","text":"from a story"}},
{"sender":{"id":"5614879045272581"},"recipient":{"id":"` + p.id + `"},"timestamp":1668022333736,"reaction":{"mid":"ig_0","action":"react","reaction":"love","emoji":"❤"}}]},
{"id":"` + p.id + `","time":1668022334835,"changes":[{"field":"comments","value":{"id":"9","text":"nice"}}]}]}`
	for range 2 { // the platform sends again
		if status := w.post(webhook{door: "/webhooks/" + p.key, body: []byte(body)}); status != 200 {
			t.Fatalf("answered %d", status)
		}
	}
	var got []string
	page, err := w.client.ListEvents(t.Context(), gatewayapi.ListEventsRequest{Application: "none", Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range page.Events {
		person, text := "nobody", ""
		if e.Person != nil {
			person = e.Person.ID
		}
		if m, ok := e.Data.(*gatewayapi.MessageInbound); ok {
			text = m.Text
		}
		got = append(got, fmt.Sprintf("%s %s %s %s %q", e.Object, e.Type, e.PageID, person, text))
	}
	want := []string{"instagram message.inbound " + p.id + ` 5614879045272581 "from a story"`, "instagram reaction " + p.id + ` 5614879045272581 ""`, "instagram unknown " + p.id + ` nobody ""`}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	own, err := w.client.ListEvents(t.Context(), gatewayapi.ListEventsRequest{Application: p.key, Limit: 100})
	if err != nil || len(own.Events) != 0 {
		t.Errorf("the page has %d events, %v", len(own.Events), err)
	}
	if profiles := w.comapi("GET", "/v1/profiles?limit=10", ""); strings.Contains(string(profiles.body), "5614879045272581") {
		t.Errorf("a profile was made: %s", profiles.body)
	}
}
