package graphemu_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/messenger"
)

// refusal makes the receiver answer the next n deliveries with 500.
func (rec *receiver) refuseNext(n int) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	rec.refuse = n
}

// TestUnsubscribedAfterLongFailure lets webhooks fail by the hour.
func TestUnsubscribedAfterLongFailure(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, day string
		patience  time.Duration
	}{{"today", "", time.Hour}, {"2018", "2018-06-01", 8 * time.Hour}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			if tt.day != "" {
				at, err := time.Parse(time.DateOnly, tt.day)
				if err != nil {
					t.Fatal(err)
				}
				w.emu.SetTime(at)
			}
			w.subscribe()
			w.hook.refuseNext(1 << 30)
			w.act(w.ana, graphemu.Action{Text: "hi"})
			attempts := func(n int) {
				t.Helper()
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				if _, err := w.emu.WaitWebhooks(ctx, func(list []graphemu.WebhookAttempt) bool { return len(list) > n }); err != nil { // one is the verification
					t.Fatal(err)
				}
			}
			attempts(2) // at once and again at once
			w.emu.Advance(16 * time.Minute)
			attempts(3)
			if got := w.alerts(t, 1); got[0].Kind != "failing" {
				t.Errorf("after 16 minutes: %+v", got)
			}
			w.emu.Advance(tt.patience - 20*time.Minute)
			attempts(4)
			if got := w.emu.Alerts(); len(got) != 1 {
				t.Errorf("before %v: %+v", tt.patience, got)
			}
			w.emu.Advance(10 * time.Minute)
			if got := w.alerts(t, 2); got[1].Kind != "disabled" {
				t.Errorf("after %v: %+v", tt.patience, got)
			}
			subscribed, err := w.client.PageSubscriptions(t.Context())
			if err != nil || len(subscribed) != 0 {
				t.Errorf("still subscribed: %v, %v", subscribed, err)
			}
			w.hook.mu.Lock()
			defer w.hook.mu.Unlock()
			if slices.ContainsFunc(w.hook.bodies, func(b string) bool { return b != w.hook.bodies[0] }) {
				t.Error("a repeated delivery has other bytes")
			}
		})
	}
}

// alerts waits for n alerts.
func (w *world) alerts(t *testing.T, n int) []graphemu.Alert {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for len(w.emu.Alerts()) < n && time.Now().Before(deadline) {
		w.emu.Advance(0)
	}
	got := w.emu.Alerts()
	if len(got) < n {
		t.Fatalf("%d alerts, want %d", len(got), n)
	}
	return got
}

// TestBatchesUnderLoad holds a receiver back: what waits comes together, each
// person's events in order.
func TestBatchesUnderLoad(t *testing.T) {
	t.Parallel()
	gate := make(chan struct{})
	transport := roundTrip(func(r *http.Request) (*http.Response, error) {
		if r.Method == http.MethodPost {
			<-gate
		}
		return http.DefaultTransport.RoundTrip(r)
	})
	w := newWorld(t, func(s *graphemu.Server) {
		s.HTTPClient = &http.Client{Transport: transport}
		s.Batching = graphemu.Batching{InFlight: 2}
	})
	w.subscribe()
	const people, each = 150, 3
	var all []graphemu.Person
	for range people {
		all = append(all, w.emu.AddPerson(w.page.ID, graphemu.Person{Open: true}))
	}
	for i := range each {
		for _, p := range all {
			w.act(p, graphemu.Action{Text: fmt.Sprint(i)})
		}
	}
	close(gate)
	events := w.hook.waitCount(t, people*each)
	next := map[messenger.PSID]int{}
	for _, e := range events {
		if e.Message.Text != fmt.Sprint(next[e.Sender.ID]) {
			t.Fatalf("%s of %s came after %d", e.Message.Text, e.Sender.ID, next[e.Sender.ID])
		}
		next[e.Sender.ID]++
	}
	w.hook.mu.Lock()
	defer w.hook.mu.Unlock()
	if n := len(w.hook.bodies); n > people*each/2 {
		t.Errorf("%d events came in %d deliveries", people*each, n)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestWebhookFaults duplicates, delays and swaps.
func TestWebhookFaults(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	rec := w.listen(w.app, w.page.AccessToken, "v26.0", "messages")
	said := func(n int) []string {
		t.Helper()
		rec.waitCount(t, n)
		rec.mu.Lock()
		defer rec.mu.Unlock()
		out := []string{}
		for _, e := range rec.events {
			out = append(out, e.Message.Text)
		}
		return out
	}
	w.emu.SetFaults([]graphemu.Fault{{Endpoint: "webhooks", Field: "messages", WebhookDuplicate: true, Times: 1}})
	w.act(w.ana, graphemu.Action{Text: "twice"})
	w.act(w.ana, graphemu.Action{Text: "once"})
	if got := said(3); !slices.Equal(got, []string{"twice", "twice", "once"}) {
		t.Errorf("duplicated: %q", got)
	}
	w.emu.SetFaults([]graphemu.Fault{{Endpoint: "webhooks", WebhookSwap: true, Times: 1}})
	w.act(w.ana, graphemu.Action{Text: "second"})
	w.act(w.ana, graphemu.Action{Text: "first"})
	if got := said(5); !slices.Equal(got[3:], []string{"first", "second"}) {
		t.Errorf("swapped: %q", got)
	}
	w.emu.SetFaults([]graphemu.Fault{{Endpoint: "webhooks", WebhookSwap: true, Times: 1}})
	w.act(w.ana, graphemu.Action{Text: "alone"})
	w.emu.Advance(time.Minute)
	if got := said(6); got[5] != "alone" {
		t.Errorf("with nothing to change places with: %q", got)
	}
	w.emu.SetFaults([]graphemu.Fault{{Endpoint: "webhooks", WebhookDelayMS: 3_600_000, Times: 1}})
	w.act(w.ana, graphemu.Action{Text: "late"})
	w.act(w.ana, graphemu.Action{Text: "soon"})
	if got := said(7); got[6] != "soon" {
		t.Errorf("delayed: %q", got)
	}
	w.emu.Advance(time.Hour)
	if got := said(8); got[7] != "late" {
		t.Errorf("an hour later: %q", got)
	}
	w.act(w.ana, graphemu.Action{Text: "magic [[fault webhook_duplicate]]"})
	if got := said(10); got[8] != got[9] {
		t.Errorf("by magic words: %q", got)
	}
}

// TestCallFaults holds every kind of fault of calls.
func TestCallFaults(t *testing.T) {
	t.Parallel()
	text := `"message":{"text":"a"}`
	send := func(w *world) int {
		code, _, _ := w.graph("POST", "/v26.0/me/messages", w.to(text))
		return code
	}
	w := newWorld(t, nil)
	w.emu.SetFaults([]graphemu.Fault{{Endpoint: "messages", Nth: 3, Times: 2, Code: 613}})
	var got []int
	for range 6 {
		got = append(got, send(w))
	}
	if !slices.Equal(got, []int{0, 0, 613, 613, 0, 0}) {
		t.Errorf("from the third call on, twice: %v", got)
	}
	rows := map[string]int{}
	for range 2 {
		w.emu.SetFaults([]graphemu.Fault{{Endpoint: "messages", Probability: 0.3, Seed: 5, Code: 2, Status: 500}})
		row, failed := "", 0
		for range 60 {
			if send(w) == 2 {
				row, failed = row+"x", failed+1
			} else {
				row += "."
			}
		}
		rows[row]++
		if failed < 6 || failed > 35 {
			t.Errorf("a probability of 0.3 failed %d of 60", failed)
		}
	}
	if len(rows) != 1 {
		t.Errorf("the same seed gave %v", rows)
	}
	w.emu.SetFaults([]graphemu.Fault{{Endpoint: "messages", PersonBlocks: true, Times: 1}})
	if code := send(w); code != 551 {
		t.Errorf("the person blocks: %d", code)
	}
	w = newWorld(t, nil)
	w.emu.SetFaults([]graphemu.Fault{{Endpoint: "messages", Unpublish: true, Times: 1}})
	if code := send(w); code != 200 {
		t.Errorf("unpublished: %d", code)
	}
	w = newWorld(t, nil)
	w.emu.SetFaults([]graphemu.Fault{{Endpoint: "messages", ExpireToken: true, Times: 1}})
	if a, b := send(w), send(w); a != 190 || b != 190 {
		t.Errorf("expired: %d, %d", a, b)
	}
	w = newWorld(t, nil)
	if code, _, _ := w.graph("POST", "/v26.0/me/messages", w.to(`"message":{"text":"please [[fault code=613 status=429]]"}`)); code != 613 {
		t.Errorf("by magic words: %d", code)
	}
	w.emu.SetFaults([]graphemu.Fault{{Endpoint: "messages", Reset: true, Times: 1}})
	if _, err := http.Post(w.url+"/v26.0/me/messages?access_token="+w.page.AccessToken, "application/json", strings.NewReader(w.to(text))); err == nil {
		t.Error("the connection was not reset")
	}
	if thread, err := w.emu.Thread(w.page.ID, w.ana.ID); err != nil || len(thread) != 0 {
		t.Errorf("a reset left %d messages", len(thread))
	}
	w.emu.SetFaults([]graphemu.Fault{{Endpoint: "messages", SlowBodyMS: 30, DelayMS: 20, JitterMS: 10, Times: 1}})
	began := time.Now()
	if code := send(w); code != 0 || time.Since(began) < 40*time.Millisecond {
		t.Errorf("a slow answer: %d after %v", code, time.Since(began))
	}
	req, err := http.NewRequest(http.MethodPost, w.url+"/v26.0/me/messages?access_token="+w.page.AccessToken, strings.NewReader(w.to(text)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Emulator-Fault", `{"code":10,"subcode":2018278,"status":400}`)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusBadRequest {
		t.Errorf("by header: %d", resp.StatusCode)
	}
}

// TestRateLimits sends as fast as it can.
func TestRateLimits(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)
	w := newWorld(t, func(s *graphemu.Server) { s.Now = func() time.Time { return now } })
	times := func(n int, method, path, body string) (ok int, code int) {
		for range n {
			c, _, _ := w.graph(method, path, body)
			if c == 0 {
				ok++
			} else {
				code = c
			}
		}
		return ok, code
	}
	text, film := w.to(`"message":{"text":"a"}`), w.to(`"message":{"attachment":{"type":"video","payload":{"url":"https://example.com/a.mp4"}}}`)
	if ok, _ := times(350, "POST", "/v26.0/me/messages", text); ok != 350 {
		t.Errorf("without limits %d of 350 were taken", ok)
	}
	w.emu.SetLimits(graphemu.Limits{On: true, PerPerson: 100_000})
	for _, tt := range []struct {
		name, method, path, body string
		n, ok, code              int
	}{
		{"text", "POST", "/v26.0/me/messages", text, 320, 300, 613},
		{"video", "POST", "/v26.0/me/messages", film, 15, 10, 613},
		{"conversations", "GET", "/v26.0/me/conversations", "", 5, 2, 613},
		{"profile", "POST", "/v26.0/me/messenger_profile", `{"get_started":{"payload":"x"}}`, 12, 10, 613},
	} {
		if ok, code := times(tt.n, tt.method, tt.path, tt.body); ok != tt.ok || code != tt.code {
			t.Errorf("%s: %d of %d were taken, code %d", tt.name, ok, tt.n, code)
		}
	}
	w.emu.Advance(time.Second)
	if ok, _ := times(5, "POST", "/v26.0/me/messages", text); ok != 5 {
		t.Errorf("a second later %d of 5 were taken", ok)
	}
	w.emu.SetLimits(graphemu.Limits{On: true, PerPerson: 20})
	if ok, code := times(25, "POST", "/v26.0/me/messages", text); ok != 20 || code != 80006 {
		t.Errorf("20 calls for each person and day: %d were taken, code %d", ok, code)
	}
	req, err := http.NewRequest(http.MethodPost, w.url+"/v26.0/me/messages?access_token="+w.page.AccessToken, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if usage := resp.Header.Get("X-Business-Use-Case-Usage"); !strings.Contains(usage, `"type":"messenger"`) || !strings.Contains(usage, `"estimated_time_to_regain_access":1440`) {
		t.Errorf("usage %q", usage)
	}
}

// TestDeliveryProfiles holds what the ways of delivery differ in.
func TestDeliveryProfiles(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		after    time.Duration // of failure
		disabled bool
	}{{"2016", 7 * time.Hour, false}, {"2016", 9 * time.Hour, true}, {"2017", 30 * time.Hour, false}, {"2022", 2 * time.Hour, true}, {"graph", 30 * time.Hour, false}} {
		w := newWorld(t, nil)
		profile, err := graphemu.DeliveryProfile(tt.name)
		if err != nil {
			t.Fatal(err)
		}
		w.emu.SetRetry(profile)
		w.subscribe()
		w.hook.refuseNext(1 << 30)
		w.act(w.ana, graphemu.Action{Text: "hi"})
		seen := 2 // the verification and the first attempt; the first repetition comes at once
		for _, step := range []time.Duration{0, 20 * time.Minute, tt.after} {
			w.emu.Advance(step)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			list, err := w.emu.WaitWebhooks(ctx, func(list []graphemu.WebhookAttempt) bool { return len(list) > seen })
			cancel()
			if err != nil {
				t.Fatalf("%s: no further attempt: %v", tt.name, err)
			}
			seen = len(list)
		}
		got := false
		for _, a := range w.alerts(t, 1) {
			got = got || a.Kind == "disabled"
		}
		if tt.disabled && !got {
			got = w.alerts(t, 2)[1].Kind == "disabled"
		}
		if got != tt.disabled {
			t.Errorf("%s: disabled after %v: %v", tt.name, tt.after, got)
		}
	}
	if _, err := graphemu.DeliveryProfile("1999"); err == nil {
		t.Error("a profile that never was is taken")
	}
}
