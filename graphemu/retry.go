package graphemu

import (
	"fmt"
	"slices"
	"time"
)

// RetrySchedule says when a webhook that was not answered with 2xx is retried, and when the
// platform gives up. The zero value is what the platform does: it retries at once, then every
// 20 s for 15 minutes, then with growing pauses of up to an hour until 36 hours have passed. An
// app whose webhooks for a page fail without a break is warned after 15 minutes and
// unsubscribed after one hour, or eight by the rules until 2022. Every attempt has the same
// bytes and signature.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/webhooks
type RetrySchedule struct {
	Timeout time.Duration   // for one answer; 0 means 20 s
	Delays  []time.Duration // before the second, third, ... attempt; nil means the platform's
	GiveUp  time.Duration   // since the first attempt; 0 means 36 h, with Delays given until these are used up
	Disable time.Duration   // of unbroken failure until the page is unsubscribed; 0 is by the day's rules, negative is never
}

// DeliveryProfile returns one of the ways in which the platform has delivered webhooks: "2016"
// (timeout 20 s, retries every 20 s, disabled after 8 h), "2017" (every 20 s until accepted,
// never disabled), "2022" (timeout 5 s, disabled after 1 h) or "graph" (as the Graph API does
// for other objects: less and less often over 36 hours, never disabled). Any other name is an
// error.
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

// SetRetry sets when webhooks are retried, from the next attempt on.
func (s *Server) SetRetry(r RetrySchedule) {
	s.init()
	s.world.courier.setSchedule(r)
}

func (c *courier) setSchedule(r RetrySchedule) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.retry = r
}

func (c *courier) schedule() RetrySchedule {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.retry
}

func (r RetrySchedule) timeout() time.Duration {
	if r.Timeout > 0 {
		return r.Timeout
	}
	return 20 * time.Second
}

// next returns the pause after attempt n, when this much time has passed since the first one
// began. It returns false when there are no more attempts.
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
