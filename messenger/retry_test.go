package messenger_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

func TestRetryTransport(t *testing.T) {
	t.Parallel()
	graph := func(code, subcode string) string {
		return `{"error":{"message":"(#` + code + `) no","type":"OAuthException","code":` + code + `,"error_subcode":` + subcode + `}}`
	}
	send := func(ctx context.Context, c *messenger.Client) error { _, err := c.Send(ctx, hello); return err }
	read := func(ctx context.Context, c *messenger.Client) error { _, err := c.Persona(ctx, "1"); return err }
	tests := []struct {
		name   string
		do     func(context.Context, *messenger.Client) error
		status int // of the first answers; 0 hangs up
		body   string
		header http.Header
		tries  int32
	}{
		{"send, rate limited", send, 400, graph("613", "0"), nil, 3},
		{"send, temporary failure that says it was not sent", send, 400, graph("1200", "0"), nil, 3},
		{"send, 429 of a machine on the way", send, 429, "<html>", nil, 3},
		{"send, connection lost", send, 0, "", nil, 1},
		{"send, bad gateway", send, 502, "<html>", nil, 1},
		{"send, server error", send, 500, "", nil, 1},
		{"send, unknown error", send, 500, graph("1", "0"), nil, 1},
		{"send, error in which the message was in fact sent", send, 400, graph("1", "1357046"), nil, 1},
		{"send, temporarily unavailable", send, 500, graph("2", "0"), nil, 1},
		{"send, outside the window", send, 400, graph("10", "2018278"), nil, 1},
		{"send, token", send, 400, graph("190", "463"), nil, 1},
		{"send, a longer wait than there is patience for", send, 400, graph("4", "0"), http.Header{"X-Business-Use-Case-Usage": {`{"7":[{"type":"messenger","call_count":101,"estimated_time_to_regain_access":3}]}`}}, 1},
		{"read, connection lost", read, 0, "", nil, 3},
		{"read, bad gateway", read, 502, "<html>", nil, 3},
		{"read, temporarily unavailable", read, 500, graph("2", "0"), nil, 3},
		{"read, once at most", read, 500, graph("1", "0"), nil, 2},
		{"read, not found", read, 404, graph("803", "0"), nil, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var tries atomic.Int32
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err != nil || (r.Method == http.MethodPost) != strings.Contains(string(body), "hello") {
					t.Errorf("body %q, error %v", body, err)
				}
				if tries.Add(1) == 3 {
					io.WriteString(w, `{"message_id":"m","id":"1"}`)
					return
				}
				if tt.status == 0 {
					panic(http.ErrAbortHandler)
				}
				for name, values := range tt.header {
					w.Header()[name] = values
				}
				w.WriteHeader(tt.status)
				io.WriteString(w, tt.body)
			}))
			defer srv.Close()
			transport := &messenger.RetryTransport{Base: &http.Transport{DisableKeepAlives: true}, MinWait: time.Millisecond}
			c := newClient(t, srv.URL, messenger.WithHTTPClient(&http.Client{Transport: transport}))
			err := tt.do(t.Context(), c)
			if got := tries.Load(); got != tt.tries || (got == 3) != (err == nil) {
				t.Errorf("%d tries, want %d; error %v", got, tt.tries, err)
			}
			var refused *messenger.Error
			if tt.status != 0 && tt.tries == 1 && (!errors.As(err, &refused) || refused.Status != tt.status) {
				t.Errorf("the answer is not passed on whole: %v", err)
			}
		})
	}
}

func TestRetryTransportConnects(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, sendAnswer) }))
	defer srv.Close()
	tries := 0
	transport := &messenger.RetryTransport{MinWait: time.Millisecond, Base: roundTrip(func(r *http.Request) (*http.Response, error) {
		if tries++; tries < 3 {
			return new(http.Transport).RoundTrip(redirected(r, "127.0.0.1:1"))
		}
		return http.DefaultTransport.RoundTrip(r)
	})}
	c := newClient(t, srv.URL, messenger.WithHTTPClient(&http.Client{Transport: transport}))
	if _, err := c.Send(t.Context(), hello); err != nil || tries != 3 {
		t.Errorf("%d tries, error %v", tries, err)
	}
}

func TestRetryTransportEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	// The context ends once the refusal was read, which is when the transport makes up its mind to wait.
	base := roundTrip(func(*http.Request) (*http.Response, error) {
		w := httptest.NewRecorder()
		w.WriteHeader(http.StatusTooManyRequests)
		resp := w.Result()
		resp.Body = onClose{resp.Body, cancel}
		return resp, nil
	})
	c := newClient(t, "http://127.0.0.1:1", messenger.WithHTTPClient(&http.Client{Transport: &messenger.RetryTransport{MinWait: time.Hour, MaxWait: 2 * time.Hour, Base: base}}))
	if _, err := c.Send(ctx, hello); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// onClose is a body that tells when it is closed.
type onClose struct {
	io.ReadCloser
	f func()
}

func (b onClose) Close() error {
	b.f()
	return b.ReadCloser.Close()
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func redirected(r *http.Request, host string) *http.Request {
	other := r.Clone(r.Context())
	other.URL.Host = host
	return other
}
