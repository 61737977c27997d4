package graphemu

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

// callbacks calls what other programs run: the callbacks of apps, links and the
// addresses of attachments. It never follows redirects.
type callbacks struct {
	client *http.Client
	clock  *clock
}

func newCallbacks(given *http.Client, c *clock) *callbacks {
	own := http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: defaultInFlight, IdleConnTimeout: 30 * time.Second}}
	if given != nil {
		own = *given
	}
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &callbacks{&own, c}
}

// post posts a delivery once. It is the courier's postFunc.
func (cb *callbacks) post(ctx context.Context, url, secret string, body []byte, timeout time.Duration) (a WebhookAttempt) {
	a = WebhookAttempt{Time: cb.clock.now(), Request: WebhookRequest{URL: url, Body: string(body), Headers: map[string]string{
		"Content-Type":                "application/json",
		"User-Agent":                  "facebookexternalua",
		messenger.SignatureHeader:     messenger.Sign(secret, body),
		messenger.SignatureHeaderSHA1: messenger.SignSHA1(secret, body),
	}}}
	began := time.Now()
	defer func() { a.DurationMS = milliseconds(time.Since(began)) }()
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		a.Error = err.Error()
		return a
	}
	for name, value := range a.Request.Headers {
		req.Header.Set(name, value)
	}
	resp, err := cb.client.Do(req)
	if err != nil {
		a.Error = err.Error()
		return a
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 16<<10))
	if err != nil {
		a.Error = err.Error()
	}
	a.Answer = &WebhookAnswer{Status: resp.StatusCode, Body: string(answer)}
	a.OK = err == nil && resp.StatusCode >= 200 && resp.StatusCode <= 299
	return a
}

func milliseconds(d time.Duration) float64 {
	return float64(d.Microseconds()) / 1000
}
