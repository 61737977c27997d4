package graphemu

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

// RetrySchedule says when a webhook that was not answered with 2xx is sent
// again, and when the platform loses patience. The zero value is the platform's:
// at once, then every 20 s for 15 minutes, then with growing pauses of up to an
// hour until 36 hours have passed; an app whose webhooks fail for a page without
// a break is warned after 15 minutes and unsubscribed after one hour, or eight by
// the rules until 2022. The bytes and the signature stay the same.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/webhooks
type RetrySchedule struct {
	Timeout time.Duration   // for one answer; 0 means 20 s
	Delays  []time.Duration // before the second, third, ... attempt; nil means the platform's
	GiveUp  time.Duration   // since the first attempt; 0 means 36 h, with Delays given until these are used up
	Disable time.Duration   // of unbroken failure until the page is unsubscribed; 0 is by the day's rules, negative is never
}

// DeliveryProfile is one of the ways in which the platform has delivered
// webhooks: "2016" (20 s, again every 20 s, disabled after 8 h), "2017" (every 20
// s until it is taken, never disabled), "2022" (5 s, disabled after 1 h), "graph"
// (what the Graph API does for other objects: with decreasing frequency over 36
// hours, never disabled). Any other name is an error.
func DeliveryProfile(name string) (RetrySchedule, error) {
	every := slices.Repeat([]time.Duration{20 * time.Second}, 6480) // 36 hours
	every[0] = 0
	switch name {
	case "2016":
		return RetrySchedule{Delays: every, Disable: 8 * time.Hour}, nil
	case "2017":
		return RetrySchedule{Delays: every, Disable: -1}, nil
	case "2022":
		return RetrySchedule{Timeout: 5 * time.Second, Disable: time.Hour}, nil
	case "graph":
		return RetrySchedule{Disable: -1}, nil
	}
	return RetrySchedule{}, fmt.Errorf("delivery profile %.40q is not known: 2016, 2017, 2022 and graph are", name)
}

// SetRetry changes when webhooks are sent again. It holds from the next attempt on.
func (s *Server) SetRetry(r RetrySchedule) {
	s.init()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.retry = r
}

func (s *Server) schedule() RetrySchedule {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.retry
}

func (r RetrySchedule) timeout() time.Duration {
	if r.Timeout > 0 {
		return r.Timeout
	}
	return 20 * time.Second
}

// next is the pause after attempt n, which began at since; false means that
// there is no further attempt.
func (r RetrySchedule) next(n int, since time.Duration) (time.Duration, bool) {
	var delay time.Duration
	switch {
	case r.Delays != nil && n > len(r.Delays):
		return 0, false
	case r.Delays != nil:
		delay = r.Delays[n-1]
	case n == 1:
		delay = 0
	case n <= 45:
		delay = 20 * time.Second
	default:
		delay = min(20*time.Second<<min(n-45, 10), time.Hour)
	}
	giveUp := r.GiveUp
	if giveUp == 0 && r.Delays == nil {
		giveUp = 36 * time.Hour
	}
	return delay, giveUp == 0 || since+delay <= giveUp
}

func (s *Server) logAttempt(a WebhookAttempt) {
	level := slog.LevelDebug
	if a.Exhausted {
		level = slog.LevelWarn
	}
	status := 0
	if a.Answer != nil {
		status = a.Answer.Status
	}
	s.log().Log(s.ctx, level, "webhook", "app", a.AppID, "page", a.PageID, "field", a.Field, "attempt", a.Attempt,
		"status", status, "ok", a.OK, "exhausted", a.Exhausted, "error", a.Error, "ms", a.DurationMS)
}

// attempt posts a delivery once.
func (s *Server) attempt(ctx context.Context, url, secret string, body []byte) (a WebhookAttempt) {
	a = WebhookAttempt{Time: s.now(), Request: WebhookRequest{URL: url, Body: string(body), Headers: map[string]string{
		"Content-Type":                "application/json",
		"User-Agent":                  "facebookexternalua",
		messenger.SignatureHeader:     messenger.Sign(secret, body),
		messenger.SignatureHeaderSHA1: messenger.SignSHA1(secret, body),
	}}}
	began := time.Now()
	defer func() { a.DurationMS = milliseconds(time.Since(began)) }()
	ctx, cancel := context.WithTimeout(ctx, s.schedule().timeout())
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		a.Error = err.Error()
		return a
	}
	for name, value := range a.Request.Headers {
		req.Header.Set(name, value)
	}
	resp, err := s.client.Do(req)
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

func (s *Server) webhookClient() *http.Client {
	own := http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: defaultInFlight, IdleConnTimeout: 30 * time.Second}}
	if s.HTTPClient != nil {
		own = *s.HTTPClient
	}
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &own
}

func milliseconds(d time.Duration) float64 {
	return float64(d.Microseconds()) / 1000
}

// WaitIdle waits until no webhook is under way or waiting to be sent again, and
// no message waits to be delivered to a person who is online.
func (s *Server) WaitIdle(ctx context.Context) error {
	s.init()
	return s.await(ctx, func() (bool, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, page := range s.pages {
			for _, p := range page.people {
				if p.receipts != nil {
					return false, nil
				}
			}
		}
		for _, o := range s.outlets {
			if len(o.lanes) > 0 {
				return false, nil
			}
		}
		return true, nil
	})
}
