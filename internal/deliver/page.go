package deliver

import (
	"time"

	"golang.org/x/time/rate"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/messenger"
)

// page is what is known of an application while it has messages. It is guarded by the Deliverer's mutex.
type page struct {
	key     string
	lanes   map[string]*lane // by person
	rows    int              // messages in memory
	spilled int64            // first message that is only in the database; 0 for none, -1 while they are being read
	loading bool

	text, media stream
	others      map[string]*stream // of the channels beside Messenger
	slots       chan struct{}      // one for each send under way: a page whose platform is slow takes none from others

	app     *gateway.Application // as client was made of it
	client  *messenger.Client
	stopped bool      // its token or permissions are refused
	until   time.Time // no send before, as the platform asked
	slow    float64   // share of the limits that usage headers leave, 1 for all
	resumed chan struct{}
}

// stream is one of a page's rates: texts, audio and video, and each channel beside Messenger. Each is served by a goroutine of its own, so that a file never holds up a
// text, nor the platform another channel.
type stream struct {
	limiter *rate.Limiter
	ready   []*lane
	wake    chan struct{}
	slots   chan struct{}
	free    bool // the page's being stopped or held means nothing to it
}

func (s *stream) push(l *lane) {
	s.ready = append(s.ready, l)
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// page answers the page of an application, made when it is first needed.
func (d *Deliverer) page(key string) *page {
	if p, ok := d.pages[key]; ok {
		return p
	}
	p := &page{key: key, lanes: map[string]*lane{}, slow: 1, resumed: make(chan struct{}), slots: make(chan struct{}, d.o.MaxInFlight)}
	p.text = stream{limiter: rate.NewLimiter(0, 1), wake: make(chan struct{}, 1), slots: p.slots}
	p.media = stream{limiter: rate.NewLimiter(0, 1), wake: make(chan struct{}, 1), slots: p.slots}
	p.others = map[string]*stream{}
	d.pages[key] = p
	d.refresh(p)
	if d.ctx.Err() == nil {
		d.work.Go(func() { d.serve(p, &p.text) })
		d.work.Go(func() { d.serve(p, &p.media) })
	}
	return p
}

// other answers the stream of a channel beside Messenger, whose own account knows how fast it may go.
func (d *Deliverer) other(p *page, channel string) *stream {
	s := p.others[channel]
	if s == nil {
		s = &stream{limiter: rate.NewLimiter(rate.Inf, 1), wake: make(chan struct{}, 1), slots: make(chan struct{}, d.o.MaxInFlight), free: true}
		p.others[channel] = s
		if d.ctx.Err() == nil {
			d.work.Go(func() { d.serve(p, s) })
		}
	}
	return s
}

// refresh takes over the application as it is in the directory now.
func (d *Deliverer) refresh(p *page) {
	app := d.o.Directory.Application(p.key)
	if app == nil {
		p.stopped = true
		return
	}
	if app != p.app {
		client, err := d.o.Platform.Client(app, messenger.WithUsageHook(func(u messenger.Usage) { d.heed(p, u) }))
		if err != nil {
			d.log.Error("make client", "application", p.key, "err", err)
			p.stopped = true
			return
		}
		p.app, p.client = app, client
	}
	wasStopped := p.stopped
	p.stopped = app.State != gateway.ApplicationActive
	if wasStopped && !p.stopped {
		close(p.resumed)
		p.resumed = make(chan struct{})
	}
	d.applyLimits(p)
}

// applyLimits sets the rates of a page: a short burst keeps the rate where timers are coarse, and is small against a second's worth.
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
	set(p.text.limiter, limits.TextPerSecond)
	set(p.media.limiter, limits.MediaPerSecond)
}

func (d *Deliverer) refreshPages() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, p := range d.pages {
		d.refresh(p)
	}
}

// followDirectory resumes pages whose token was replaced, and stops those that somebody paused.
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

// Shares of the limits that are left to a page as the platform's usage headers rise.
const (
	usageHigh = 80 // per cent: half the rate
	usageFull = 95 // per cent: a tenth
)

// heed slows a page down when the platform says that its limits are nearly used up.
func (d *Deliverer) heed(p *page, u messenger.Usage) {
	d.mu.Lock()
	defer d.mu.Unlock()
	slow := 1.0
	switch highest := u.Highest(); {
	case highest >= usageFull:
		slow = 0.1
	case highest >= usageHigh:
		slow = 0.5
	}
	if u.RegainAccess > 0 {
		d.hold(p, u.RegainAccess)
	}
	if slow != p.slow {
		p.slow = slow
		d.applyLimits(p)
	}
}

// hold keeps a page from sending for a while.
func (d *Deliverer) hold(p *page, wait time.Duration) {
	if until := d.o.Store.Now().Add(wait); until.After(p.until) {
		p.until = until
	}
}

// ready puts a lane in line for its head, or sets the time when it may be.
func (d *Deliverer) ready(p *page, l *lane) {
	if l.busy || l.queued {
		return
	}
	m := l.head()
	if (m.Status == gateway.StatusUncertain || m.Status == gateway.StatusSending) && !l.resend {
		l.busy = true
		d.sends.Go(func() { d.recover(p, l, m) })
		return
	}
	if wait := m.DueAt.Sub(d.o.Store.Now()); wait > 0 {
		l.queued = true
		l.timer = time.AfterFunc(wait, func() {
			d.mu.Lock()
			defer d.mu.Unlock()
			l.queued, l.timer = false, nil
			if len(l.queue) > 0 {
				l.head().DueAt = time.Time{}
				d.ready(p, l)
			}
		})
		return
	}
	l.queued = true
	s := &p.text
	if channel := m.Channel(); channel != gateway.ChannelMessenger {
		s = d.other(p, channel)
	} else if _, parts, err := m.Content(); err == nil && m.PartsSent < len(parts) && parts[m.PartsSent].Media {
		s = &p.media
	}
	s.push(l)
}

// serve sends the heads of a stream's lanes as fast as the page may.
func (d *Deliverer) serve(p *page, s *stream) {
	for {
		l := d.next(s)
		if l == nil {
			select {
			case <-s.wake:
				continue
			case <-d.ctx.Done():
				return
			}
		}
		if !s.free && !d.mayPass(p) || s.limiter.Wait(d.ctx) != nil || !d.slot(s) {
			return
		}
		d.mu.Lock()
		l.queued = false
		if len(l.queue) == 0 || l.busy {
			<-s.slots
			d.settle(p, l)
			d.mu.Unlock()
			continue
		}
		l.busy = true
		m, client := l.head(), p.client
		d.mu.Unlock()
		d.sends.Go(func() {
			defer func() { <-s.slots }()
			d.send(p, l, m, client)
		})
	}
}

func (d *Deliverer) slot(s *stream) bool {
	select {
	case s.slots <- struct{}{}:
		return true
	case <-d.ctx.Done():
		return false
	}
}

func (d *Deliverer) next(s *stream) *lane {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(s.ready) == 0 {
		s.ready = nil
		return nil
	}
	l := s.ready[0]
	s.ready[0] = nil
	s.ready = s.ready[1:]
	return l
}

// mayPass waits while the page is stopped or held; false when the deliverer stops.
func (d *Deliverer) mayPass(p *page) bool {
	for {
		d.mu.Lock()
		stopped, resumed, wait := p.stopped, p.resumed, p.until.Sub(d.o.Store.Now())
		d.mu.Unlock()
		switch {
		case stopped:
			select {
			case <-resumed:
			case <-d.ctx.Done():
				return false
			}
		case wait > 0:
			select {
			case <-time.After(wait):
			case <-d.ctx.Done():
				return false
			}
		default:
			return d.ctx.Err() == nil
		}
	}
}
