package gatewayapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// maxAnswer bounds the answers that the client reads, in bytes.
const maxAnswer = 64 << 20

// DefaultRetries is how often a client repeats a safe call unless told otherwise.
const DefaultRetries = 2

// Client calls a gateway. It is safe for any number of goroutines.
//
// It repeats by itself what may be repeated: reads, replacements and deletions, Ack, and sends with
// an idempotency key, when there was no answer or one that says so; any call that was refused for
// there being too many, or never left. It follows Retry-After, and gives up with the context. A
// send without a key is never made twice.
type Client struct {
	base    string
	key     string
	http    *http.Client
	retries int
}

// Option changes a Client that New makes.
type Option func(*Client) error

// WithRetries has safe calls repeated n times at most; 0 for never.
func WithRetries(n int) Option {
	return func(c *Client) error {
		if n < 0 {
			return errors.New("the number of retries must not be negative")
		}
		c.retries = n
		return nil
	}
}

// WithHTTPClient makes calls through h instead of http.DefaultClient.
func WithHTTPClient(h *http.Client) Option {
	return func(c *Client) error {
		if h == nil {
			return errors.New("the HTTP client is nil")
		}
		c.http = h
		return nil
	}
}

// New makes a client of the gateway at an address such as http://127.0.0.1:8080, with an API key.
func New(baseURL, key string, options ...Option) (*Client, error) {
	u, err := url.Parse(baseURL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.RawQuery != "" || u.User != nil {
		return nil, errors.New("the gateway's address must be http://… or https://…, without query and password")
	}
	c := &Client{base: strings.TrimRight(baseURL, "/"), key: key, http: http.DefaultClient, retries: DefaultRetries}
	for _, option := range options {
		if err := option(c); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// call is one request.
type call struct {
	method string
	path   string
	query  url.Values
	header http.Header
	body   any  // JSON; nil for none
	into   any  // where the answer goes; nil for nowhere
	safe   bool // it may be repeated, though its method does not say so
}

// do makes a call, as often as it takes. Its error is an *Error.
func (c *Client) do(ctx context.Context, k call) (http.Header, error) {
	var body []byte
	if k.body != nil {
		var err error
		if body, err = json.Marshal(k.body); err != nil {
			return nil, &Error{Code: CodeUnreadable, Message: "encode the request", cause: err}
		}
	}
	var lost bool // an answer, so that the call may have been carried out
	for try := 0; ; try++ {
		header, err := c.try(ctx, k, body)
		var e *Error
		if !errors.As(err, &e) {
			return header, nil
		}
		if lost && k.method == http.MethodDelete && k.into == nil && e.Code == CodeNotFound {
			return nil, nil // the first try has deleted it
		}
		if try >= c.retries || !k.repeatable(e) || !pause(ctx, try, e.RetryAfter) {
			return nil, e
		}
		lost = lost || e.Code == CodeNoAnswer || e.Status >= 500
	}
}

// try makes a call once.
func (c *Client) try(ctx context.Context, k call, body []byte) (http.Header, error) {
	target := c.base + k.path
	if len(k.query) > 0 {
		target += "?" + k.query.Encode()
	}
	var reader io.Reader
	if body != nil {
		reader = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, k.method, target, reader)
	if err != nil {
		return nil, &Error{Code: CodeUnreadable, Message: "make the request", cause: err}
	}
	for name, values := range k.header {
		req.Header[name] = values
	}
	req.Header.Set("Authorization", "Bearer "+c.key)
	if body != nil && req.Header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, &Error{Code: CodeNoAnswer, Message: "call the gateway", cause: err}
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return nil, &Error{Code: CodeNoAnswer, Message: "read the gateway's answer", Status: res.StatusCode, cause: err}
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return nil, errorOf(res, answer)
	}
	if k.into == nil || len(answer) == 0 {
		return res.Header, nil
	}
	if err := json.Unmarshal(answer, k.into); err != nil {
		return nil, &Error{Code: CodeUnreadable, Message: "the gateway's answer to " + k.method + " " + k.path, Status: res.StatusCode, cause: err}
	}
	return res.Header, nil
}

func errorOf(res *http.Response, answer []byte) *Error {
	var body ErrorBody
	if json.Unmarshal(answer, &body) != nil || body.Error.Code == "" {
		// Something between us and the gateway has answered.
		body.Error = Error{Code: CodeUnknown, Message: fmt.Sprintf("status %d without the gateway's error body", res.StatusCode)}
	}
	e := body.Error
	e.Status = res.StatusCode
	if e.RequestID == "" {
		e.RequestID = res.Header.Get("X-Request-Id")
	}
	if seconds, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil && seconds > 0 {
		e.RetryAfter = time.Duration(seconds) * time.Second
	}
	return &e
}

func get[T any](ctx context.Context, c *Client, path string, query url.Values) (T, error) {
	var result T
	_, err := c.do(ctx, call{method: http.MethodGet, path: path, query: query, into: &result})
	return result, err
}

func send[T any](ctx context.Context, c *Client, method, path string, body any) (T, error) {
	var result T
	_, err := c.do(ctx, call{method: method, path: path, body: body, into: &result})
	return result, err
}

func (c *Client) remove(ctx context.Context, path string) error {
	_, err := c.do(ctx, call{method: http.MethodDelete, path: path})
	return err
}

// query makes the query of a call of names and values; what is empty is left out.
func query(pairs ...string) url.Values {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	return q
}

// number is a number of a query; empty for none.
func number(n int) string {
	if n <= 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// moment is a time of a query; empty for none.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
