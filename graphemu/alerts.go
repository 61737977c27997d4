package graphemu

import (
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

// Alerts returns what the developers of the apps were told, oldest first.
func (s *Server) Alerts() []Alert {
	s.init()
	return s.world.courier.allAlerts()
}

// failure is a series of failed webhooks without a success in between.
type failure struct {
	since  time.Time
	warned bool
}

// warnAfter is how long webhooks have to fail before the developers are told.
const warnAfter = 15 * time.Minute

// account counts a delivery as failed or not, and unsubscribes an app from the pages for which
// webhooks have failed too long. It reports whether the app is still subscribed to any page of
// the batch.
func (c *courier) account(appID string, batch []delivery, ok bool) bool {
	left, seen := false, map[string]bool{}
	for _, d := range batch {
		if seen[d.page] {
			continue
		}
		seen[d.page] = true
		if ok {
			c.succeeded(appID, d.page)
			left = true
			continue
		}
		alert, told := c.failed(appID, d.page)
		if told && alert.Kind == "disabled" {
			c.world.dropSubscription(appID, d.page)
		} else {
			left = true
		}
		if told {
			c.alert(alert)
		}
	}
	return left
}

// succeeded ends a series of failures.
func (c *courier) succeeded(appID, pageID string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.failures, [2]string{appID, pageID})
}

// failed counts a failure, and returns the alert when it is time for one.
func (c *courier) failed(appID, pageID string) (alert Alert, told bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now, key := c.clock.now(), [2]string{appID, pageID}
	f := c.failures[key]
	if f == nil {
		c.failures[key] = &failure{since: now}
		return Alert{}, false
	}
	if patience := c.patience(); patience > 0 && now.Sub(f.since) >= patience {
		delete(c.failures, key)
		return Alert{now, appID, pageID, "disabled", f.since}, true
	}
	if f.warned || now.Sub(f.since) < warnAfter {
		return Alert{}, false
	}
	f.warned = true
	return Alert{now, appID, pageID, "failing", f.since}, true
}

// alert keeps an alert and logs it.
func (c *courier) alert(a Alert) {
	c.mu.Lock()
	c.alerts = append(c.alerts, a)
	c.mu.Unlock()
	if a.Kind == "disabled" {
		c.log.Warn("webhooks are disabled", "app", a.AppID, "page", a.PageID, "failing_since", a.Since)
		return
	}
	c.log.Warn("webhooks are failing", "app", a.AppID, "page", a.PageID, "since", a.Since)
}

// patience returns how long webhooks may fail until the page is unsubscribed. The
// lock is held.
func (c *courier) patience() time.Duration {
	switch {
	case c.retry.Disable != 0:
		return c.retry.Disable
	case c.calendar.takesNow(messenger.FeatureDisableAfterHours):
		return 8 * time.Hour
	}
	return time.Hour
}

func (c *courier) allAlerts() []Alert {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Alert{}, c.alerts...)
}

func (c *courier) setAlerts(list []Alert) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.alerts = list
}
