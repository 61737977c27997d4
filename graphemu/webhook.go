package graphemu

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

// RetrySchedule says when a webhook that was not answered with 2xx is sent
// again. The zero value is the platform's: at once, then every 20 s for 15
// minutes, then with growing pauses of up to an hour until 36 hours have
// passed. The bytes and the signature stay the same.
type RetrySchedule struct {
	Timeout time.Duration   // for one answer; 0 means 20 s
	Delays  []time.Duration // before the second, third, ... attempt; nil means the platform's
	GiveUp  time.Duration   // since the first attempt; 0 means 36 h, with Delays given until these are used up
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

// A lane is the deliveries to one app about one person: one at a time, strictly
// in order.
type laneKey struct{ app, page, person string }

type lane struct {
	key   laneKey
	queue []delivery
	ctx   context.Context
}

type delivery struct {
	event event
	body  []byte
}

// emit queues an event for every app that has subscribed to its field. The lock
// is held.
func (s *Server) emit(page *pageState, p *personState, e event) {
	if s.Quiet || s.closed {
		return
	}
	var body []byte
	for _, appID := range s.appOrder {
		app := s.apps[appID]
		if app.Callback == nil || !slices.Contains(page.Subscribed[appID], e.field) || !slices.Contains(app.Callback.Fields, e.field) {
			continue
		}
		if body == nil {
			var err error
			if body, err = e.body(page.ID, s.now().UnixMilli()); err != nil {
				s.log().Error("event cannot be written", "field", e.field, "error", err)
				return
			}
		}
		s.enqueue(laneKey{appID, page.ID, p.ID}, delivery{e, body})
	}
}

func (s *Server) enqueue(key laneKey, d delivery) {
	l := s.lanes[key]
	if l == nil {
		l = &lane{key: key, ctx: s.laneCtx}
		s.lanes[key] = l
		s.wg.Add(1)
		go s.runLane(l)
	}
	l.queue = append(l.queue, d)
}

func (s *Server) runLane(l *lane) {
	defer s.wg.Done()
	for {
		s.mu.Lock()
		if s.lanes[l.key] != l || l.ctx.Err() != nil {
			s.mu.Unlock()
			return
		}
		if len(l.queue) == 0 {
			delete(s.lanes, l.key)
			s.announce(change{Type: "idle"})
			s.mu.Unlock()
			return
		}
		d := l.queue[0]
		l.queue = l.queue[1:]
		s.mu.Unlock()
		if s.deliver(l, d) && d.event.mid != "" {
			s.arrived(l.key, d.event.mid)
		}
	}
}

// deliver sends one delivery until it is answered with 2xx, given up or no
// longer wanted. It reports whether it was answered.
func (s *Server) deliver(l *lane, d delivery) bool {
	began := time.Now()
	for n := 1; ; n++ {
		target, secret := s.target(l.key)
		if target == "" {
			return false
		}
		a := s.attempt(l.ctx, target, secret, d.body)
		a.Attempt, a.AppID, a.PageID, a.PSID = n, l.key.app, l.key.page, l.key.person
		a.Field, a.EventID = d.event.field, d.event.id
		pause, again := s.Retry.next(n, time.Since(began))
		a.Exhausted = !a.OK && !again
		if !a.OK && again {
			a.RetryInMS = pause.Milliseconds()
		}
		if l.ctx.Err() != nil {
			return false
		}
		s.recordWebhook(l, a)
		s.logAttempt(a)
		if a.OK || !again {
			return a.OK
		}
		select {
		case <-l.ctx.Done():
			return false
		case <-time.After(pause):
		}
	}
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

// target is where an app's webhooks go now; "" when it is no longer subscribed.
func (s *Server) target(key laneKey) (url, secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	app, page := s.apps[key.app], s.pages[key.page]
	if app == nil || app.Callback == nil || page == nil || page.Subscribed[key.app] == nil {
		return "", ""
	}
	return app.Callback.URL, app.Secret
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
	ctx, cancel := context.WithTimeout(ctx, s.Retry.timeout())
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
	own := http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: 30 * time.Second}}
	if s.HTTPClient != nil {
		own = *s.HTTPClient
	}
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &own
}

// arrived marks a person's message as delivered: the app's webhook has answered.
func (s *Server) arrived(key laneKey, mid string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	page, person, err := s.find(key.page, key.person)
	if err != nil {
		return
	}
	if m := person.message(mid); m != nil && m.DeliveredAt.IsZero() {
		m.DeliveredAt = s.now()
		s.announceThread(page, person)
	}
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
		return len(s.lanes) == 0, nil
	})
}
