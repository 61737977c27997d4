package channel

import (
	"context"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/chasqui/chasqui/internal/gateway"
)

// Answer is what a provider's API answered.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte // at most 1 MiB
}

// OK reports whether the status is one of success.
func (a Answer) OK() bool { return a.Status >= 200 && a.Status < 300 }

// Call makes a request of a provider's API, with a form as the body of a POST, after prepare has
// signed it or added who asks. Whatever goes wrong after the request was written leaves its outcome
// unknown.
func (h *Host) Call(ctx context.Context, method, target string, form url.Values, prepare func(*http.Request)) (Answer, *gateway.ChannelError) {
	var wrote atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { wrote.Store(true) }})
	req, err := http.NewRequestWithContext(ctx, method, target, strings.NewReader(form.Encode()))
	if err != nil {
		return Answer{}, Refused(gateway.FailureAccountRefused, "the account's base URL cannot be used")
	}
	req.Header.Set("User-Agent", h.UserAgent)
	req.Header.Set("Accept", "application/json")
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	prepare(req)
	resp, err := h.HTTP.Do(req)
	if err != nil {
		if wrote.Load() {
			return Answer{}, Unknown("the provider's answer was lost: %s", Plain(err))
		}
		return Answer{}, Unreached(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil && resp.StatusCode >= 200 && resp.StatusCode < 300 {
		return Answer{}, Unknown("the provider's answer was lost: %s", Plain(err))
	}
	return Answer{resp.StatusCode, resp.Header, body}, nil
}
