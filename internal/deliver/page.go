package deliver

import (
	"context"
	"time"

	"golang.org/x/time/rate"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/messenger"
)

// page is what is known of an application that messages go out for. It is guarded by the
// Deliverer's mutex.
type page struct {
	key         string
	text, media *rate.Limiter
	app         *gateway.Application // as client was made of it
	client      *messenger.Client
	stopped     bool      // its token or permissions are refused
	until       time.Time // no send before, as the platform asked
	slow        float64   // share of the limits that usage headers leave, 1 for all
}

// page returns the page of an application, made when it is first needed. The mutex must be held.
func (d *Deliverer) page(key string) *page {
	if p, ok := d.pages[key]; ok {
		return p
	}
	p := &page{key: key, slow: 1, text: rate.NewLimiter(0, 1), media: rate.NewLimiter(0, 1)}
	d.pages[key] = p
	d.refresh(p)
	return p
}

func (d *Deliverer) clientOf(app string) *messenger.Client {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.page(app).client
}

// refresh takes over the application as it is in the directory now.
func (d *Deliverer) refresh(p *page) {
	app := d.o.Directory.Application(p.key)
	if app == nil {
		p.stopped = true
		return
	}
	if app != p.app {
		client, err := d.o.Platform.Client(app, messenger.WithUsageHook(func(u messenger.Usage) { d.heedUsage(p.key, u) }))
		if err != nil {
			d.log.Error("make client", "application", p.key, "err", err)
			p.stopped = true
			return
		}
		p.app, p.client = app, client
	}
	p.stopped = app.State != gateway.ApplicationActive
	d.applyLimits(p)
}

// applyLimits sets the rates of a page: a short burst keeps the rate where timers are coarse, and
// is small against a second's worth.
func (d *Deliverer) applyLimits(p *page) {
	limits := *d.limits.Load()
	if p.app != nil && p.app.Limits.TextPerSecond > 0 {
		limits.TextPerSecond = p.app.Limits.TextPerSecond
	}
	if p.app != nil && p.app.Limits.MediaPerSecond > 0 {
		limits.MediaPerSecond = p.app.Limits.MediaPerSecond
	}
	set := func(l *rate.Limiter, perSecond float64) {
		l.SetLimit(rate.Limit(perSecond * p.slow))
		l.SetBurst(max(1, int(perSecond*p.slow/50)))
	}
	set(p.text, limits.TextPerSecond)
	set(p.media, limits.MediaPerSecond)
}

// refreshPages resumes pages whose token was replaced, and stops those that somebody paused.
func (d *Deliverer) refreshPages() {
	d.mu.Lock()
	var keys []string
	for key, p := range d.pages {
		d.refresh(p)
		keys = append(keys, key)
	}
	d.mu.Unlock()
	for _, key := range keys {
		d.lanes.Poke(key)
	}
}

// followDirectory keeps the pages as the directory has them.
func (d *Deliverer) followDirectory() {
	for {
		changed := d.o.Directory.Changed()
		d.refreshPages()
		select {
		case <-changed:
		case <-d.ctx.Done():
			return
		}
	}
}

// pace reports whether a line may send one more: 0 for now, which counts, how long it has to wait,
// or less than 0 while the page is stopped. Neither that nor a hold means anything to other
// channels.
func (d *Deliverer) pace(app, line string) time.Duration {
	if line != lineText && line != lineMedia {
		return 0
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	p := d.page(app)
	if p.stopped {
		return -1
	}
	if wait := p.until.Sub(d.o.Store.Now()); wait > 0 {
		return wait
	}
	limiter := p.text
	if line == lineMedia {
		limiter = p.media
	}
	now := time.Now()
	if limiter.AllowN(now, 1) {
		return 0
	}
	missing := 1 - limiter.TokensAt(now)
	return max(100*time.Microsecond, time.Duration(missing/float64(limiter.Limit())*float64(time.Second)))
}

// Shares of the limits that are left to a page as the platform's usage headers rise.
const (
	usageHigh = 80 // per cent: half the rate
	usageFull = 95 // per cent: a tenth
)

// heedUsage slows a page down when the platform says that its limits are nearly used up.
func (d *Deliverer) heedUsage(app string, u messenger.Usage) {
	slow := 1.0
	switch highest := u.Highest(); {
	case highest >= usageFull:
		slow = 0.1
	case highest >= usageHigh:
		slow = 0.5
	}
	if u.RegainAccess > 0 {
		d.hold(app, u.RegainAccess)
	}
	d.mu.Lock()
	p := d.page(app)
	changed := slow != p.slow
	if changed {
		p.slow = slow
		d.applyLimits(p)
	}
	d.mu.Unlock()
	if changed {
		d.lanes.Poke(app)
	}
}

// hold keeps a page from sending for a while.
func (d *Deliverer) hold(app string, wait time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if p, until := d.page(app), d.o.Store.Now().Add(wait); until.After(p.until) {
		p.until = until
	}
}

// breakPage stops a page whose token or permissions are refused. Its queue is kept until somebody
// mends it.
func (d *Deliverer) breakPage(app string, why *gateway.Failure) {
	d.mu.Lock()
	p := d.page(app)
	first, known := !p.stopped, p.app
	p.stopped = true
	d.mu.Unlock()
	if !first {
		return
	}
	if err := d.o.Applications.Pause(context.WithoutCancel(d.ctx), app, known.AccessToken, *why); err != nil {
		d.log.Error("pause application", "application", app, "err", err)
	}
	d.refreshPages()
}
