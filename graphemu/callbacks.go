package graphemu

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

// callbacks makes the requests that the emulator sends: to the callbacks of apps, to links and
// to the addresses of attachments. It never follows redirects.
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

// challenge verifies a callback and records its answer in a. It returns what is wrong with the
// answer, or "".
func (cb *callbacks) challenge(ctx context.Context, target, challenge string, a *WebhookAttempt) string {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return "the URL cannot be called"
	}
	req.Header.Set("User-Agent", "facebookplatform/1.0 (+http://developers.facebook.com)")
	resp, err := cb.client.Do(req)
	if err != nil {
		return "curl_errno = 7; the callback cannot be reached"
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	if err != nil {
		return "the answer cannot be read"
	}
	a.Answer = &WebhookAnswer{Status: resp.StatusCode, Body: string(body)}
	switch {
	case resp.StatusCode != http.StatusOK:
		return "HTTP Status Code = " + strconv.Itoa(resp.StatusCode) + "; HTTP Message = " + http.StatusText(resp.StatusCode)
	case strings.TrimSpace(string(body)) != challenge: // a line break at the end has always been accepted
		return "Response does not match challenge, expected value = \"" + challenge + "\""
	}
	return ""
}

// fetchAttachment fetches an attachment that is given by its address, as the platform does, if
// the address is on this machine. Other addresses are accepted as they are: the emulator sends
// nothing to the outside world.
func (cb *callbacks) fetchAttachment(ctx context.Context, msg outMessage) *messenger.Error {
	if msg.Attachment == nil || msg.Attachment.Type == "template" {
		return nil
	}
	var media struct {
		URL string `json:"url"`
	}
	if json.Unmarshal(msg.Attachment.Payload, &media) != nil || media.URL == "" {
		return nil
	}
	u, err := url.Parse(media.URL)
	if err != nil || !(u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback()) {
		return nil
	}
	failed := refuse(100, 2018008, "(#100) Failed to fetch the file from the url")
	limit := 10 * time.Second
	if msg.Attachment.Type == "video" {
		limit = 75 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, media.URL, nil)
	if err != nil {
		return failed
	}
	resp, err := cb.client.Do(req)
	if err != nil {
		return failed
	}
	defer resp.Body.Close()
	n, err := io.Copy(io.Discard, io.LimitReader(resp.Body, maxUpload+1))
	switch {
	case err != nil || resp.StatusCode != http.StatusOK:
		return failed
	case n > maxUpload:
		return refuse(100, 2018109, "(#100) Attachment size exceeds allowable limit")
	}
	return nil
}

func milliseconds(d time.Duration) float64 {
	return float64(d.Microseconds()) / 1000
}
