package graphemu_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/messenger"
)

// ask makes a call of the control API and gives status and answer.
func (w *world) ask(method, path, body string) (int, map[string]any) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.url+"/_emu/v1"+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		w.t.Fatalf("%s %s: %v", method, path, err)
	}
	return resp.StatusCode, answer
}

func TestControlAPI(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.subscribe()
	ana := "/pages/" + w.page.ID + "/people/" + w.ana.ID
	tests := []struct {
		name, method, path, body string
		status                   int
		has                      string
	}{
		{"text", "POST", ana + "/actions", `{"text":"hello"}`, 200, "mid"},
		{"quick reply", "POST", ana + "/actions", `{"quick_reply":{"title":"A","payload":"a"}}`, 200, "mid"},
		{"postback", "POST", ana + "/actions", `{"postback":{"title":"A","payload":"a"}}`, 200, "event_id"},
		{"referral", "POST", ana + "/actions", `{"referral":{"source":"SHORTLINK","ref":"r","ad_id":""}}`, 200, "event_id"},
		{"attachment", "POST", ana + "/actions", `{"attachment":{"type":"image","url":"https://example.com/a.png"}}`, 200, "mid"},
		{"read", "POST", ana + "/actions", `{"read":true}`, 200, "event_id"},
		{"reaction to nothing", "POST", ana + "/actions", `{"reaction":{"mid":"x","emoji":"👍"}}`, 400, "error"},
		{"no action", "POST", ana + "/actions", `{}`, 400, "error"},
		{"unknown action", "POST", ana + "/actions", `{"dance":true}`, 400, "error"},
		{"not JSON", "POST", ana + "/actions", `text`, 400, "error"},
		{"unknown person", "POST", "/pages/" + w.page.ID + "/people/1/actions", `{"text":"a"}`, 404, "error"},
		{"unknown page", "GET", "/pages/1/people/1/thread", ``, 404, "error"},
		{"thread", "GET", ana + "/thread", ``, 200, "messages"},
		{"new person", "POST", "/pages/" + w.page.ID + "/people", `{"first_name":"Dina","open":true}`, 201, "id"},
		{"person of an unknown page", "POST", "/pages/1/people", `{}`, 404, "error"},
		{"webhooks", "GET", "/webhooks?after=0", ``, 200, "webhooks"},
		{"calls", "GET", "/calls", ``, 200, "calls"},
		{"pages", "GET", "/pages", ``, 200, "pages"},
		{"page", "GET", "/pages/" + w.page.ID, ``, 200, "people"},
		{"unknown path", "GET", "/nothing", ``, 404, "error"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, answer := w.ask(tt.method, tt.path, tt.body)
			if _, ok := answer[tt.has]; !ok || status != tt.status {
				t.Errorf("status %d, answer %v", status, answer)
			}
		})
	}
	w.hook.waitFor(t, "the six actions", func(events []messenger.Event) bool { return len(events) >= 6 })
	status, answer := w.ask("POST", "/reset", "")
	if _, thread := w.ask("GET", ana+"/thread", ""); status != 200 || len(thread["messages"].([]any)) != 0 {
		t.Errorf("reset: %v, thread %v", answer, thread)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	status, answer := w.ask("PUT", "/faults", `{"rules":[
		{"endpoint":"messages","times":2,"status":400,"code":613,"subcode":0,"headers":{"X-Business-Use-Case-Usage":"{\"1\":[{\"type\":\"messenger\",\"call_count\":101,\"estimated_time_to_regain_access\":2}]}"}},
		{"endpoint":"/me/messages","times":1,"drop_response":true,"psid":"`+w.ana.ID+`"},
		{"endpoint":"page","times":1,"status":500}]}`)
	if status != 200 || len(answer["rules"].([]any)) != 3 {
		t.Fatalf("status %d, answer %v", status, answer)
	}
	try := func() error {
		_, err := w.client.Send(t.Context(), messenger.SendRequest{Recipient: messenger.Recipient{ID: messenger.PSID(w.ana.ID)}, Message: messenger.TextMessage("a")})
		return err
	}
	for range 2 {
		var refused *messenger.Error
		if err := try(); !errors.As(err, &refused) || refused.Verdict() != (messenger.Verdict{Action: messenger.WaitUntil, After: 2 * time.Minute}) {
			t.Errorf("613: %v", err)
		}
	}
	if err := try(); !messenger.OutcomeUnknown(err) {
		t.Errorf("dropped answer: %v", err)
	}
	if err := try(); err != nil {
		t.Errorf("after the faults: %v", err)
	}
	if thread, err := w.emu.Thread(w.page.ID, w.ana.ID); err != nil || len(thread) != 2 {
		t.Errorf("the message with the dropped answer and the last one are in the thread: %d, error %v", len(thread), err)
	}
	if _, err := w.client.Page(t.Context()); !errors.Is(err, messenger.ErrTemporary) {
		t.Errorf("500: %v", err)
	}
	if left := w.emu.Faults(); len(left) != 0 {
		t.Errorf("rules left: %v", left)
	}
}

func TestBlocksAndOffline(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.subscribe()
	if status, _ := w.ask("PATCH", "/pages/"+w.page.ID+"/people/"+w.ana.ID, `{"offline":true}`); status != 200 {
		t.Fatal(status)
	}
	sent := w.send(w.ana, messenger.TextMessage("wait"))
	w.hook.waitCount(t, 1) // the echo
	if err := w.emu.SetOffline(w.page.ID, w.ana.ID, false); err != nil {
		t.Fatal(err)
	}
	if e := w.hook.waitCount(t, 2)[1]; e.Delivery == nil || e.Delivery.MIDs[0] != sent.MessageID {
		t.Errorf("after coming back: %s", e.Raw)
	}
	if err := w.emu.SetBlocks(w.page.ID, w.ana.ID, true); err != nil {
		t.Fatal(err)
	}
	_, err := w.client.Send(t.Context(), messenger.SendRequest{Recipient: messenger.Recipient{ID: messenger.PSID(w.ana.ID)}, Message: messenger.TextMessage("a")})
	if !errors.Is(err, messenger.ErrUnreachable) {
		t.Errorf("blocked: %v", err)
	}
}

func TestForeignRequestsAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(s *graphemu.Server) { s.AllowedHosts = []string{"emu.test"} })
	tests := []struct {
		host, origin, path string
		want               int
	}{
		{"evil.example", "", "/_emu/v1/pages", 403},
		{"evil.example", "", "/v26.0/me", 403},
		{"localhost.evil.example", "", "/chat", 403},
		{"emu.test:8081", "", "/_emu/v1/pages", 200},
		{"localhost:1", "", "/_emu/v1/pages", 200},
		{"[::1]:1", "", "/_emu/v1/pages", 200},
		{"localhost:1", "http://localhost:1", "/_emu/v1/pages", 200},
		{"localhost:1", "https://evil.example", "/_emu/v1/pages", 403},
		{"localhost:1", "null", "/_emu/v1/pages", 403},
	}
	for _, tt := range tests {
		req, err := http.NewRequestWithContext(t.Context(), "GET", w.url+tt.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = tt.host
		if tt.origin != "" {
			req.Header.Set("Origin", tt.origin)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != tt.want {
			t.Errorf("host %s, origin %q, path %s: status %d", tt.host, tt.origin, tt.path, resp.StatusCode)
		}
	}
}

func TestLatency(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(s *graphemu.Server) {
		s.Latency = graphemu.Latency{Min: 30 * time.Millisecond, Max: 40 * time.Millisecond, Seed: 1}
	})
	began := time.Now()
	w.send(w.ana, messenger.TextMessage("slow"))
	if took := time.Since(began); took < 30*time.Millisecond {
		t.Errorf("took %v", took)
	}
}

func TestCloseWithDeliveriesUnderWay(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	arrived := make(chan struct{}, 1)
	w := newWorld(t, nil)
	w.subscribe()
	w.hook.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		arrived <- struct{}{}
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	w.act(w.ana, graphemu.Action{Text: "never answered"})
	<-arrived
	if err := w.emu.Close(); err != nil {
		t.Error(err)
	}
	close(release)
	w.act(w.ana, graphemu.Action{Text: "after the end"})
	var state bytes.Buffer
	if err := w.emu.SaveTo(&state); err != nil || state.Len() == 0 {
		t.Errorf("state of %d bytes, error %v", state.Len(), err)
	}
}

func BenchmarkSend(b *testing.B) {
	s := &graphemu.Server{Quiet: true}
	defer s.Close()
	page := s.AddPage(graphemu.Page{})
	p := s.AddPerson(page.ID, graphemu.Person{Open: true})
	body := []byte(`{"recipient":{"id":"` + p.ID + `"},"messaging_type":"RESPONSE","message":{"text":"hello there, this is a message","metadata":"chq1:01J0000000000000000000.0|"}}`)
	b.ReportAllocs()
	for b.Loop() {
		r, err := http.NewRequest("POST", "http://127.0.0.1/v26.0/me/messages", bytes.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+page.AccessToken)
		r.Header.Set("Content-Type", "application/json")
		w := &discard{header: http.Header{}}
		s.ServeHTTP(w, r)
		if w.status != 200 {
			b.Fatal(w.status)
		}
	}
}

type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(status int)      { d.status = status }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
