package graphemu

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/chasqui/chasqui/messenger"
)

// maxBatch is how many calls a batch may hold.
const maxBatch = 50

// batchItem is one call in a batch.
type batchItem struct {
	Method    string          `json:"method"`
	URL       string          `json:"relative_url"`
	Body      json.RawMessage `json:"body"`
	Name      string          `json:"name"`
	DependsOn json.RawMessage `json:"depends_on"`
	Omit      *bool           `json:"omit_response_on_success"`
	Files     string          `json:"attached_files"`
	Token     string          `json:"access_token"`
}

type batchHeader struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type batchAnswer struct {
	Code    int           `json:"code"`
	Headers []batchHeader `json:"headers,omitempty"`
	Body    string        `json:"body"`
}

// isBatch reports whether the call is a batch. Batches belong at the root but are accepted
// anywhere: there are clients that post them to /me/messages.
func (c *call) isBatch() bool {
	return c.method == http.MethodPost && c.params.has("batch")
}

// batch carries out the calls of a batch in order. Each has its own answer; a failed call fails
// only those that depend on it.
//
// Docs: https://developers.facebook.com/docs/graph-api/batch-requests
func (g *graphAPI) batch(c *call) (any, *messenger.Error) {
	raw := c.params["batch"]
	if text := c.params.text("batch"); text != "" {
		raw = json.RawMessage(text)
	}
	var items []batchItem
	if err := json.Unmarshal(raw, &items); err != nil {
		return nil, refuseBatch("batch parameter must be a JSON array")
	}
	switch {
	case len(items) == 0:
		return nil, refuseBatch("Empty batch")
	case len(items) > maxBatch:
		return nil, refuseBatch(fmt.Sprintf("Too many requests in batch message. Maximum batch size is %d", maxBatch))
	}
	headers := c.params.text("include_headers") != "false"
	run := &batchRun{api: g, outer: c, results: map[string][]byte{}, failed: map[string]bool{}, used: references(items)}
	out := make([]*batchAnswer, len(items))
	for i, it := range items {
		answer := run.item(it)
		if answer != nil && !headers {
			answer.Headers = nil
		}
		out[i] = answer
	}
	return out, nil
}

func refuseBatch(message string) *messenger.Error {
	e := refuse(100, 0, message)
	e.Type = "GraphBatchException"
	return e
}

// batchRun is a batch that is being carried out.
type batchRun struct {
	api     *graphAPI
	outer   *call
	results map[string][]byte // answers by name
	failed  map[string]bool
	used    map[string]bool // names that other items refer to
}

// item carries one call out. It returns nil when the answer is left out.
func (b *batchRun) item(it batchItem) *batchAnswer {
	for _, name := range dependencies(it) {
		if b.failed[name] {
			b.failed[it.Name] = it.Name != ""
			return failedItem(http.StatusFailedDependency, "Dependency "+name+" failed")
		}
	}
	inner, e := b.call(it)
	var answer answerBuffer
	record := APICall{Time: b.api.world.clock.now(), Method: it.Method, Path: "/" + strings.TrimPrefix(it.URL, "/"), Batched: true}
	fault := Fault{}
	if e == nil {
		fault, record.Fault = b.api.answer(&answer, inner)
		record.Path, record.Query = inner.r.URL.Path, inner.r.URL.RawQuery
		record.Status, record.Answer = answer.status, capText(answer.body.String())
		inner.describe(&record, itemBody(it.Body))
		b.api.world.records.addCall(record)
	} else {
		answer.refuse(e)
	}
	ok := answer.status == http.StatusOK
	if it.Name != "" {
		b.failed[it.Name] = !ok
		b.results[it.Name] = bytes.Clone(answer.body.Bytes())
	}
	// The answers of calls that others refer to are left out unless the caller says otherwise.
	omit := b.used[it.Name] && it.Name != ""
	if it.Omit != nil {
		omit = *it.Omit
	}
	if fault.DropResponse || fault.Reset || ok && omit {
		return nil
	}
	out := &batchAnswer{Code: answer.status, Body: answer.body.String()}
	for name := range answer.header {
		out.Headers = append(out.Headers, batchHeader{name, answer.header.Get(name)})
	}
	out.Headers = append(out.Headers, batchHeader{"Facebook-API-Version", inner.versionOr(b.outer)})
	return out
}

func (c *call) versionOr(outer *call) string {
	if c == nil {
		return outer.version()
	}
	return c.version()
}

func failedItem(status int, message string) *batchAnswer {
	e := refuseBatch(message)
	e.Status = status
	var answer answerBuffer
	answer.refuse(e)
	return &batchAnswer{Code: status, Headers: []batchHeader{{"Content-Type", "application/json; charset=UTF-8"}}, Body: answer.body.String()}
}

// call returns the call of an item, with values from earlier answers filled in.
func (b *batchRun) call(it batchItem) (*call, *messenger.Error) {
	if it.Method == "" || it.URL == "" {
		return nil, refuseBatch("Every item of a batch needs method and relative_url")
	}
	target, ok := b.fill(strings.TrimPrefix(it.URL, "/"), true)
	if !ok {
		return nil, refuseBatch("Unresolved reference in relative_url")
	}
	u, err := url.Parse("/" + target)
	if err != nil {
		return nil, refuseBatch("The relative_url of an item cannot be read")
	}
	body, ok := b.fill(string(itemBody(it.Body)), len(it.Body) > 0 && it.Body[0] == '"')
	if !ok {
		return nil, refuseBatch("Unresolved reference in body")
	}
	r := &http.Request{Method: strings.ToUpper(it.Method), URL: u, Header: http.Header{}, Host: b.outer.host}
	r = r.WithContext(b.outer.r.Context())
	c := newCall(r, []byte(body))
	c.inner, c.host = true, b.outer.host
	if c.ver == "" {
		c.ver = b.outer.ver
	}
	if c.token == "" && it.Token != "" {
		c.token = it.Token
	}
	if c.token == "" || c.token == b.outer.token {
		c.token = b.outer.token
		if proof, given := b.outer.params["appsecret_proof"]; given && !c.params.has("appsecret_proof") {
			c.params["appsecret_proof"] = proof
		}
	}
	for i, name := range strings.Split(it.Files, ",") {
		if f := b.outer.files[strings.TrimSpace(name)]; f != nil && i == 0 {
			c.file = f
		}
	}
	return c, nil
}

// itemBody returns the body of an item, which is a form or an object.
func itemBody(raw json.RawMessage) []byte {
	var text string
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	if json.Unmarshal(raw, &text) == nil {
		return []byte(text)
	}
	return raw
}

func dependencies(it batchItem) []string {
	var one string
	var several []string
	if json.Unmarshal(it.DependsOn, &one) == nil && one != "" {
		several = []string{one}
	} else if json.Unmarshal(it.DependsOn, &several) != nil {
		several = nil
	}
	for name := range namesIn(it.URL + " " + string(itemBody(it.Body))) {
		several = append(several, name)
	}
	return several
}
