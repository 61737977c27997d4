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

// Client calls a gateway. It is safe for any number of goroutines. It never repeats a call by itself.
type Client struct {
	base string
	key  string
	http *http.Client
}

// Option changes a Client that New makes.
type Option func(*Client) error

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
	c := &Client{base: strings.TrimRight(baseURL, "/"), key: key, http: http.DefaultClient}
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
	body   any // JSON; nil for none
	into   any // where the answer goes; nil for nowhere
}

// do makes a call. An answer that is not a success is an *Error.
func (c *Client) do(ctx context.Context, k call) (http.Header, error) {
	var body io.Reader
	if k.body != nil {
		encoded, err := json.Marshal(k.body)
		if err != nil {
			return nil, fmt.Errorf("encode request: %w", err)
		}
		body = bytes.NewReader(encoded)
	}
	target := c.base + k.path
	if len(k.query) > 0 {
		target += "?" + k.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, k.method, target, body)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
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
		return nil, fmt.Errorf("call the gateway: %w", err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("read the gateway's answer: %w", err)
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return nil, errorOf(res, answer)
	}
	if k.into == nil || len(answer) == 0 {
		return res.Header, nil
	}
	if err := json.Unmarshal(answer, k.into); err != nil {
		return nil, fmt.Errorf("the gateway's answer to %s %s: %w", k.method, k.path, err)
	}
	return res.Header, nil
}

func errorOf(res *http.Response, answer []byte) *Error {
	var body ErrorBody
	if json.Unmarshal(answer, &body) != nil || body.Error.Code == "" {
		// Something between us and the gateway has answered.
		body.Error = Error{Code: "unknown", Message: fmt.Sprintf("status %d without the gateway's error body", res.StatusCode)}
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

// page is the query of a list.
func page(query url.Values, cursor string, limit int) url.Values {
	if query == nil {
		query = url.Values{}
	}
	setUnlessEmpty(query, "cursor", cursor)
	if limit > 0 {
		query.Set("limit", strconv.Itoa(limit))
	}
	return query
}

func setUnlessEmpty(query url.Values, name, value string) {
	if value != "" {
		query.Set(name, value)
	}
}
