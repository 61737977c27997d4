package gatewayapi

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// script answers calls with what stands in it, one after the other: a status, or an error of the
// network.
type script struct {
	answers []any
	header  http.Header
	calls   int
	keys    []string
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return nil, err
		}
	}
	answer := s.answers[min(s.calls, len(s.answers)-1)]
	s.calls++
	s.keys = append(s.keys, r.Header.Get("Idempotency-Key"))
	status, ok := answer.(int)
	if !ok {
		return nil, answer.(error)
	}
	body := `{}`
	if status >= 400 {
		body = `{"error":{"code":"` + map[int]string{404: "not_found", 429: "rate_limited", 503: "overloaded", 500: "internal"}[status] + `","message":"no"}}`
	}
	header := http.Header{}
	if status >= 400 && s.header != nil {
		header = s.header
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

// TestRetries holds which calls are made again, and how often.
func TestRetries(t *testing.T) {
	t.Parallel()
	lost := errors.New("connection reset")
	refused := &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	get := func(c *Client, ctx context.Context) error { _, err := c.GetMessage(ctx, "msg_1"); return err }
	sendWith := func(key string) func(*Client, context.Context) error {
		return func(c *Client, ctx context.Context) error {
			_, err := c.SendMessage(ctx, SendMessageRequest{Body: "x", IdempotencyKey: key})
			return err
		}
	}
	remove := func(c *Client, ctx context.Context) error { return c.DeleteRoute(ctx, "r") }
	forget := func(c *Client, ctx context.Context) error {
		_, err := c.ForgetProfile(ctx, DeleteProfileRequest{ID: "p"})
		return err
	}
	ack := func(c *Client, ctx context.Context) error {
		_, err := c.Ack(ctx, "sub_1", AckRequest{Cursor: "c"})
		return err
	}
	for name, c := range map[string]struct {
		do      func(*Client, context.Context) error
		answers []any
		calls   int
		code    ErrorCode
	}{
		"a read":                                {get, []any{503, lost, 200}, 3, ""},
		"a read that stays without answer":      {get, []any{lost}, 3, CodeNoAnswer},
		"a read that is refused":                {get, []any{404}, 1, CodeNotFound},
		"a fault of the gateway":                {get, []any{500}, 1, CodeInternal},
		"a send with a key":                     {sendWith("k"), []any{lost, 503, 202}, 3, ""},
		"a send without a key":                  {sendWith(""), []any{lost}, 1, CodeNoAnswer},
		"a send without a key, not taken":       {sendWith(""), []any{503}, 1, CodeOverloaded},
		"a send without a key, too many":        {sendWith(""), []any{429, 202}, 2, ""},
		"a send without a key, never left":      {sendWith(""), []any{refused, 202}, 2, ""},
		"a deletion whose answer was lost":      {remove, []any{lost, 404}, 2, ""},
		"a deletion of nothing":                 {remove, []any{404}, 1, CodeNotFound},
		"an erasure, whose answer is not there": {forget, []any{lost}, 1, CodeNoAnswer},
		"an acknowledgement":                    {ack, []any{lost, 200}, 2, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &script{answers: c.answers}
				client, err := New("http://gateway", "k", WithHTTPClient(&http.Client{Transport: s}))
				if err != nil {
					t.Fatal(err)
				}
				err = c.do(client, t.Context())
				if CodeOf(err) != c.code || (err == nil) != (c.code == "") || s.calls != c.calls {
					t.Errorf("%d calls: %v, want %d and %q", s.calls, err, c.calls, c.code)
				}
				if name == "a send with a key" && strings.Join(s.keys, "") != "kkk" {
					t.Errorf("keys %q", s.keys)
				}
			})
		})
	}
}

// TestPauses holds how long a client waits: as Retry-After says, and never beyond the context or
// half a minute.
func TestPauses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		after  string
		within time.Duration // of the context
		calls  int
		least  time.Duration
		most   time.Duration
	}{
		"of its own":                {"", time.Hour, 3, 300 * time.Millisecond, 600 * time.Millisecond},
		"as asked":                  {"7", time.Hour, 3, 14 * time.Second, 14 * time.Second},
		"longer than it is patient": {"31", time.Hour, 1, 0, 0},
		"longer than it may":        {"7", 5 * time.Second, 1, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &script{answers: []any{503}, header: http.Header{"Retry-After": {c.after}}}
				client, err := New("http://gateway", "k", WithHTTPClient(&http.Client{Transport: s}))
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), c.within)
				defer cancel()
				began := time.Now()
				if _, err := client.GetMessage(ctx, "m"); !errors.Is(err, CodeOverloaded) {
					t.Errorf("err = %v", err)
				}
				if took := time.Since(began); s.calls != c.calls || took < c.least || took > c.most {
					t.Errorf("%d calls in %s, want %d in %s to %s", s.calls, took, c.calls, c.least, c.most)
				}
			})
		})
	}
}

// A client that is told to stop stops, and its error says why.
func TestRetriesEndWithTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		client, err := New("http://gateway", "k", WithHTTPClient(&http.Client{Transport: &script{answers: []any{context.Canceled}}}))
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		if _, err = client.GetMessage(ctx, "m"); !errors.Is(err, context.Canceled) || !errors.Is(err, CodeNoAnswer) {
			t.Errorf("err = %v", err)
		}
	})
}
