package graphemu

import (
	"context"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

// Alert is what the platform tells the developers of an app about its webhooks.
type Alert struct {
	Time   time.Time `json:"time"`
	AppID  string    `json:"app_id"`
	PageID string    `json:"page_id"`
	Kind   string    `json:"kind"`  // "failing" after 15 minutes, "disabled" when the page was unsubscribed
	Since  time.Time `json:"since"` // of the first failure
}

// failure is webhooks that fail without a break.
type failure struct {
	since  time.Time
	warned bool
}

// warnAfter is how long webhooks fail until the developers are told.
const warnAfter = 15 * time.Minute

// judge keeps account of webhooks that fail. It reports whether the app is still
// subscribed to the pages of the batch.
func (s *Server) judge(appID string, batch []delivery, ok bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, left := s.now(), false
	seen := map[string]bool{}
	for _, d := range batch {
		if seen[d.page] {
			continue
		}
		seen[d.page] = true
		key := [2]string{appID, d.page}
		f := s.failures[key]
		switch {
		case ok:
			delete(s.failures, key)
			left = true
			continue
		case f == nil:
			s.failures[key] = &failure{since: now}
			left = true
			continue
		}
		alert := Alert{now, appID, d.page, "failing", f.since}
		if patience := s.patience(); patience > 0 && now.Sub(f.since) >= patience {
			alert.Kind = "disabled"
			s.alerts = append(s.alerts, alert)
			if page := s.pages[d.page]; page != nil {
				delete(page.Subscribed, appID)
			}
			delete(s.failures, key)
			s.log().Warn("webhooks are disabled", "app", appID, "page", d.page, "failing_since", f.since)
			continue
		}
		if !f.warned && now.Sub(f.since) >= warnAfter {
			f.warned = true
			s.alerts = append(s.alerts, alert)
			s.log().Warn("webhooks are failing", "app", appID, "page", d.page, "since", f.since)
		}
		left = true
	}
	return left
}

// patience is how long webhooks may fail until the page is unsubscribed. The
// lock is held.
func (s *Server) patience() time.Duration {
	switch {
	case s.retry.Disable != 0:
		return s.retry.Disable
	case s.takes(messenger.FeatureDisableAfterHours, s.now()):
		return 8 * time.Hour
	}
	return time.Hour
}

// Alerts returns what the developers of the apps were told, oldest first.
func (s *Server) Alerts() []Alert {
	s.init()
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Alert{}, s.alerts...)
}

// sleep waits until d has passed by the emulator's clock, and reports false when
// the context ends before.
func (c *clock) sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	done := make(chan struct{})
	t := c.after(d, func() { close(done) })
	select {
	case <-done:
		return true
	case <-ctx.Done():
		t.stop()
		return false
	}
}
