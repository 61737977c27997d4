package graphemu

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// JournalFilter selects entries of the journal. An empty field matches everything.
type JournalFilter struct {
	Kind   string    // call, webhook or event
	PageID string    //
	PSID   string    //
	Field  string    // of webhooks and events
	Path   string    // a part of a call's path or of a webhook's address
	Text   string    // a part of what was sent or answered
	Status int       // of the answer
	Failed bool      // only what was not answered with 2xx
	Since  time.Time //
}

// JournalEntry is one entry of the journal. Exactly one of Call, Webhook and Event is set.
type JournalEntry struct {
	Kind    string          `json:"kind"`
	Time    time.Time       `json:"time"`
	Call    *APICall        `json:"call,omitempty"`
	Webhook *WebhookAttempt `json:"webhook,omitempty"`
	Event   *EventRecord    `json:"event,omitempty"`
}

// Journal returns the calls, webhooks and events that match the filter, oldest first. The
// newest 2,000 of each are kept.
func (s *Server) Journal(f JournalFilter) []JournalEntry {
	out := []JournalEntry{}
	for _, c := range s.Calls(0) {
		e := JournalEntry{Kind: "call", Time: c.Time, Call: &c}
		ok := c.Status >= 200 && c.Status <= 299
		if f.fits(e, c.PageID, c.PSID, "", c.Path, c.Status, ok, c.Query+c.Body+c.Answer) {
			out = append(out, e)
		}
	}
	for _, a := range s.Webhooks(0) {
		e := JournalEntry{Kind: "webhook", Time: a.Time, Webhook: &a}
		status, answer := 0, ""
		if a.Answer != nil {
			status, answer = a.Answer.Status, a.Answer.Body
		}
		if f.fits(e, a.PageID, a.PSID, a.Field, a.Request.URL, status, a.OK, a.Request.Body+answer) {
			out = append(out, e)
		}
	}
	for _, ev := range s.Events(0) {
		e := JournalEntry{Kind: "event", Time: ev.Time, Event: &ev}
		if f.Path == "" && f.Text == "" && f.Status == 0 && f.fits(e, ev.PageID, ev.PSID, ev.Field, "", 0, !f.Failed, "") {
			out = append(out, e)
		}
	}
	slices.SortStableFunc(out, func(a, b JournalEntry) int { return a.Time.Compare(b.Time) })
	return out
}

func (f JournalFilter) fits(e JournalEntry, page, psid, field, path string, status int, ok bool, text string) bool {
	return (f.Kind == "" || f.Kind == e.Kind) && (f.PageID == "" || f.PageID == page) && (f.PSID == "" || f.PSID == psid) &&
		(f.Field == "" || f.Field == field) && strings.Contains(path, f.Path) && strings.Contains(text, f.Text) &&
		(f.Status == 0 || f.Status == status) && (!f.Failed || !ok) && !e.Time.Before(f.Since)
}

// HAR returns the calls and webhooks of the journal as an HTTP archive, version 1.2, which
// browsers' developer tools and proxies can read. base is the address of the emulator.
func (s *Server) HAR(f JournalFilter, base string) any {
	entries := []any{}
	for _, e := range s.Journal(f) {
		switch {
		case e.Call != nil:
			entries = append(entries, harCall(*e.Call, base))
		case e.Webhook != nil:
			entries = append(entries, harWebhook(*e.Webhook))
		}
	}
	return map[string]any{"log": map[string]any{
		"version": "1.2", "creator": map[string]string{"name": "graphemu", "version": "1"}, "entries": entries,
	}}
}

type harHeader struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

func harCall(c APICall, base string) any {
	address := base + c.Path
	if c.Query != "" {
		address += "?" + c.Query
	}
	return harEntry(c.Time, c.DurationMS, c.Method, address, nil, c.Body, c.Status, c.Answer)
}

func harWebhook(a WebhookAttempt) any {
	method, status, answer := http.MethodPost, 0, ""
	if a.Field == "verification" {
		method = http.MethodGet
	}
	if a.Answer != nil {
		status, answer = a.Answer.Status, a.Answer.Body
	}
	return harEntry(a.Time, a.DurationMS, method, a.Request.URL, a.Request.Headers, a.Request.Body, status, answer)
}

func harEntry(at time.Time, took float64, method, address string, headers map[string]string, body string, status int, answer string) any {
	request := map[string]any{
		"method": method, "url": address, "httpVersion": "HTTP/1.1", "cookies": []any{}, "headers": harHeaders(headers),
		"queryString": harQuery(address), "headersSize": -1, "bodySize": len(body),
	}
	if body != "" {
		request["postData"] = map[string]string{"mimeType": mimeOf(body), "text": body}
	}
	return map[string]any{
		"startedDateTime": at.Format(time.RFC3339Nano), "time": took, "request": request, "cache": map[string]any{},
		"response": map[string]any{
			"status": status, "statusText": http.StatusText(status), "httpVersion": "HTTP/1.1", "cookies": []any{}, "headers": []any{}, "redirectURL": "",
			"content": map[string]any{"size": len(answer), "mimeType": mimeOf(answer), "text": answer}, "headersSize": -1, "bodySize": len(answer),
		},
		"timings": map[string]float64{"send": 0, "wait": took, "receive": 0},
	}
}

func harHeaders(headers map[string]string) []harHeader {
	out := []harHeader{}
	for name, value := range headers {
		out = append(out, harHeader{name, value})
	}
	slices.SortFunc(out, func(a, b harHeader) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func harQuery(address string) []harHeader {
	out := []harHeader{}
	u, err := url.Parse(address)
	if err != nil {
		return out
	}
	for name, values := range u.Query() {
		for _, v := range values {
			out = append(out, harHeader{name, v})
		}
	}
	slices.SortFunc(out, func(a, b harHeader) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func mimeOf(text string) string {
	if json.Valid([]byte(text)) {
		return "application/json"
	}
	return "text/plain"
}
