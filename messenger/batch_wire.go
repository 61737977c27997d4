package messenger

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

var (
	reference        = regexp.MustCompile(`\{result=([^:{}]+):[^{}]*\}`)
	escapedReference = regexp.MustCompile(`%7Bresult%3D[^&]*?%7D`)
)

func (i *batchItem) references() []string {
	var names []string
	for _, found := range reference.FindAllStringSubmatch(i.request.relativeURL+string(i.request.body), -1) {
		names = append(names, found[1])
	}
	return names
}

// capturedRequest is the one request that an item's call makes.
type capturedRequest struct {
	method        string
	relativeURL   string
	authorization string
	content       string
	body          []byte
}

// errCaptured ends a call whose request was seen.
var errCaptured = errors.New("the request was captured for a batch")

// capture runs the item's call to see its request. An item without one is
// finished: its call refused by itself.
func (i *batchItem) capture(ctx context.Context, c *Client) {
	var refused error
	err := i.run(ctx, c.over(roundTripper(func(r *http.Request) (*http.Response, error) {
		if i.request != nil {
			return nil, errCaptured
		}
		captured, err := captureRequest(c, r)
		if err != nil {
			refused = &CallError{r.Method, strings.TrimPrefix(r.URL.Path, c.base.Path+"/"), err, true}
			return nil, err
		}
		i.request = captured
		return nil, errCaptured
	})))
	if refused != nil {
		err = refused
	}
	if i.request == nil {
		i.finished, i.err = true, err
	}
}

func captureRequest(c *Client, r *http.Request) (*capturedRequest, error) {
	out := &capturedRequest{
		method: r.Method, authorization: r.Header.Get("Authorization"), content: r.Header.Get("Content-Type"),
		relativeURL: strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, c.base.Path), "/"),
	}
	if r.URL.RawQuery != "" {
		out.relativeURL += "?" + escapedReference.ReplaceAllStringFunc(r.URL.RawQuery, func(s string) string {
			plain, err := url.QueryUnescape(s)
			if err != nil {
				return s
			}
			return plain
		})
	}
	if strings.HasPrefix(out.content, "multipart/") {
		return nil, fmt.Errorf("%w: a batch cannot hold files", ErrInvalid)
	}
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		out.body = body
	}
	return out, nil
}

// finish runs the item's call again over its answer.
func (i *batchItem) finish(ctx context.Context, c *Client, answer json.RawMessage) {
	i.finished = true
	if len(answer) == 0 || string(answer) == "null" {
		if !i.omit {
			i.err = &CallError{i.request.method, strings.SplitN(i.request.relativeURL, "?", 2)[0], ErrUnanswered, false}
		}
		return
	}
	var wire wireAnswer
	if err := json.Unmarshal(answer, &wire); err != nil {
		i.err = &CallError{i.request.method, "batch", fmt.Errorf("%w: %w", ErrUnreadable, err), false}
		return
	}
	i.err = i.run(ctx, c.over(roundTripper(func(r *http.Request) (*http.Response, error) { return wire.response(r), nil })))
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// wireItem is an item as it goes on the wire.
type wireItem struct {
	Method      string   `json:"method"`
	RelativeURL string   `json:"relative_url"`
	Body        string   `json:"body,omitempty"`
	Name        string   `json:"name,omitempty"`
	DependsOn   []string `json:"depends_on,omitempty"`
	Omit        *bool    `json:"omit_response_on_success,omitempty"`
}

// wire is the item as it goes on the wire. A token of its own stands in its
// address, which travels in the body; the proof in it is already of that token.
func (i *batchItem) wire(c *Client) wireItem {
	r := i.request
	out := wireItem{Method: r.method, RelativeURL: r.relativeURL, Name: i.name, DependsOn: i.dependsOn, Body: formBody(r)}
	if i.name != "" || i.omit {
		out.Omit = &i.omit // the platform omits the answers of named items unless told not to
	}
	if r.authorization != c.authorization[0] {
		separator := "?"
		if strings.Contains(out.RelativeURL, "?") {
			separator = "&"
		}
		out.RelativeURL += separator + "access_token=" + url.QueryEscape(strings.TrimPrefix(r.authorization, "Bearer "))
	}
	return out
}

// formBody is a body as a form, as items have it: objects as JSON text.
func formBody(r *capturedRequest) string {
	if r.content == contentForm || len(r.body) == 0 {
		return string(r.body)
	}
	var out strings.Builder
	eachMember(r.body, func(key, value []byte) {
		if out.Len() > 0 {
			out.WriteByte('&')
		}
		text := string(value)
		if value[0] == '"' {
			text = scalarText(value)
		}
		out.WriteString(escape(string(key)))
		out.WriteByte('=')
		out.WriteString(escape(text))
	})
	return out.String()
}

func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// wireAnswer is the answer to an item as it comes from the wire.
type wireAnswer struct {
	Code    int `json:"code"`
	Headers []struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	} `json:"headers"`
	Body json.RawMessage `json:"body"` // JSON text in a string
}

func (a wireAnswer) response(r *http.Request) *http.Response {
	body := []byte(a.Body)
	var text string
	if len(body) > 0 && body[0] == '"' && json.Unmarshal(body, &text) == nil {
		body = []byte(text)
	}
	header := http.Header{}
	for _, h := range a.Headers {
		header.Add(h.Name, h.Value)
	}
	return &http.Response{
		StatusCode: a.Code, Header: header, Request: r, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}
}
