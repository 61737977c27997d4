package graphemu

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// defaultInFlight is how many deliveries to one app are in flight at a time.
const defaultInFlight = 128

// Batching says how many events a delivery may hold. As long as the app keeps up, each delivery
// holds one. When more are waiting than may be in flight, they are sent together, as the
// platform does under load.
type Batching struct {
	InFlight int           // deliveries to one app that are in flight at a time; 0 means 128
	Max      int           // events of one delivery; 0 means 1,000
	Linger   time.Duration // how long events are collected before they are sent; 0 sends at once
}

// postFunc sends a delivery once, and returns what was sent and what came back.
type postFunc func(ctx context.Context, url, secret string, body []byte, timeout time.Duration) WebhookAttempt

// courier delivers events to the callbacks of apps. The events about one person go to an app
// one at a time and in order; each is retried until it is accepted, given up or no longer
// wanted. It is safe for concurrent use. Its lock is taken after the world's, never before it.
type courier struct {
	world    *world
	clock    *clock
	calendar *calendar
	faults   *faultRules
	records  *records
	changes  *hub
	log      *slog.Logger
	post     postFunc
	batching Batching
	life     context.Context
	running  sync.WaitGroup // deliveries in flight

	mu       sync.Mutex
	outlets  map[string]*outlet // by app
	ctx      context.Context    // of what is delivered until the next reset
	cancel   context.CancelFunc
	retry    RetrySchedule
	failures map[[2]string]*failure // by app and page
	alerts   []Alert
	closed   bool
}

// outlet holds the deliveries to one app.
type outlet struct {
	app      string
	ctx      context.Context
	lanes    map[laneKey]*lane
	ready    []*lane // with something to send and nothing in flight
	inFlight int
	waiting  bool // for the linger to pass
}

// lane holds the deliveries to one app about one person: one at a time, strictly in order.
type lane struct {
	key   laneKey
	queue []delivery
	held  *delivery // to change places with the next one
	busy  bool
}

type laneKey struct{ page, person string }

// delivery is one event on its way to one app.
type delivery struct {
	page, person string
	event        event
	entry        []byte
}

// reset drops everything in flight or waiting, and forgets failures.
func (c *courier) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cancel != nil {
		c.cancel()
	}
	c.ctx, c.cancel = context.WithCancel(c.life)
	c.outlets, c.failures, c.alerts = map[string]*outlet{}, map[[2]string]*failure{}, nil
}

// close prevents further deliveries.
func (c *courier) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
}

// idle reports whether nothing is in flight or waiting.
func (c *courier) idle() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, o := range c.outlets {
		if len(o.lanes) > 0 {
			return false
		}
	}
	return true
}

// take accepts an event for an app.
func (c *courier) take(appID string, d delivery) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	o := c.outlets[appID]
	if o == nil {
		o = &outlet{app: appID, ctx: c.ctx, lanes: map[laneKey]*lane{}}
		c.outlets[appID] = o
	}
	fault, faulty := c.faults.ofWebhook(d)
	if faulty && fault.WebhookDelayMS > 0 {
		c.clock.after(time.Duration(fault.WebhookDelayMS)*time.Millisecond, func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			if o.ctx.Err() == nil {
				c.queue(o, d)
			}
		})
		return
	}
	if faulty && fault.WebhookSwap {
		l := o.lane(d)
		l.held = &d
		c.clock.after(swapWait, func() { c.letGo(o, l, &d) })
		return
	}
	c.queue(o, d)
	if faulty && fault.WebhookDuplicate {
		c.queue(o, d)
	}
}

// swapWait is how long a webhook waits for the one that is to overtake it.
const swapWait = 2 * time.Second

// letGo sends a webhook that was held back and that nothing has overtaken.
func (c *courier) letGo(o *outlet, l *lane, d *delivery) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if l.held == d && o.ctx.Err() == nil {
		l.held = nil
		o.lanes[l.key] = l
		c.queue(o, *d)
	}
}

// lane returns the lane of a delivery.
func (o *outlet) lane(d delivery) *lane {
	key := laneKey{d.page, d.person}
	l := o.lanes[key]
	if l == nil {
		l = &lane{key: key}
		o.lanes[key] = l
	}
	return l
}

// queue appends to the lane and sends what may be sent. The lock is held.
func (c *courier) queue(o *outlet, d delivery) {
	l := o.lane(d)
	idle := len(l.queue) == 0 && !l.busy
	l.queue = append(l.queue, d)
	if l.held != nil {
		l.queue, l.held = append(l.queue, *l.held), nil
	}
	if idle {
		o.ready = append(o.ready, l)
	}
	c.next(o)
}

// next sends what is waiting, now or when the linger has passed. The lock is held.
func (c *courier) next(o *outlet) {
	if c.batching.Linger <= 0 {
		c.pump(o)
		return
	}
	if o.waiting || len(o.ready) == 0 {
		return
	}
	o.waiting = true
	time.AfterFunc(c.batching.Linger, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		o.waiting = false
		c.pump(o)
	})
}

// pump sends what is waiting, up to the number of deliveries that may be in flight. The lock is
// held.
func (c *courier) pump(o *outlet) {
	most, limit := c.batching.Max, c.batching.InFlight
	if most <= 0 {
		most = 1000
	}
	if limit <= 0 {
		limit = defaultInFlight
	}
	for len(o.ready) > 0 && o.inFlight < limit && o.ctx.Err() == nil && !c.closed {
		share := 1
		if free := limit - o.inFlight; len(o.ready) > free {
			share = (len(o.ready) + free - 1) / free
		}
		together := share > 1 || c.batching.Linger > 0
		if c.batching.Linger > 0 {
			share = most
		}
		lanes, batch := o.gather(share, most, together)
		o.inFlight++
		c.running.Add(1)
		go c.run(o, lanes, batch)
	}
}

// gather takes a batch from up to share lanes: one event of each, or, with together, as many as
// fit.
func (o *outlet) gather(share, most int, together bool) (lanes []*lane, batch []delivery) {
	for len(o.ready) > 0 && len(lanes) < share && len(batch) < most {
		l := o.ready[0]
		o.ready[0] = nil
		o.ready = o.ready[1:]
		n := 1
		if together {
			n = min(len(l.queue), most-len(batch))
		}
		batch = append(batch, l.queue[:n]...)
		l.queue = slices.Delete(l.queue, 0, n)
		l.busy = true
		lanes = append(lanes, l)
	}
	return lanes, batch
}

// run delivers a batch and then lets its lanes continue.
func (c *courier) run(o *outlet, lanes []*lane, batch []delivery) {
	defer c.running.Done()
	if c.deliver(o, batch) {
		c.world.arrived(batch)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range lanes {
		l.busy = false
		switch {
		case len(l.queue) > 0:
			o.ready = append(o.ready, l)
		case l.held == nil:
			delete(o.lanes, l.key)
		}
	}
	if len(o.lanes) == 0 {
		c.changes.send(change{Type: "idle"})
	}
	c.next(o)
}

// deliver sends a batch until it is answered with 2xx, given up or no longer wanted. It reports
// whether it was answered with 2xx. Only the first attempt counts as in flight.
func (c *courier) deliver(o *outlet, batch []delivery) bool {
	body := envelope(batch)
	began := c.clock.now()
	holds := true
	release := func() {
		if holds {
			holds = false
			c.mu.Lock()
			o.inFlight--
			c.next(o)
			c.mu.Unlock()
		}
	}
	defer release()
	first := batch[0]
	for n := 1; ; n++ {
		target, secret := c.world.target(o.app, first.page)
		if target == "" || o.ctx.Err() != nil {
			return false
		}
		a := c.post(o.ctx, target, secret, body, c.schedule().timeout())
		ended := c.clock.now() // the pause begins here, whatever the clock does meanwhile
		a.Attempt, a.AppID, a.PageID, a.PSID = n, o.app, first.page, first.person
		a.Field, a.EventID = first.event.field, first.event.id
		if len(batch) > 1 {
			a.Events = len(batch)
		}
		pause, again := c.schedule().next(n, c.clock.now().Sub(began))
		a.Exhausted = !a.OK && !again
		if !a.OK && again {
			a.RetryInMS = pause.Milliseconds()
		}
		if o.ctx.Err() != nil {
			return false
		}
		c.records.addWebhook(o.ctx, a)
		c.logAttempt(a)
		subscribed := c.account(o.app, batch, a.OK)
		if a.OK || !again || !subscribed {
			return a.OK
		}
		release()
		if !c.clock.sleep(o.ctx, ended.Add(pause).Sub(c.clock.now())) {
			return false
		}
	}
}

// envelope returns the body of a delivery.
func envelope(batch []delivery) []byte {
	size := 32
	for _, d := range batch {
		size += len(d.entry) + 1
	}
	body := bytes.NewBuffer(make([]byte, 0, size))
	body.WriteString(`{"object":"page","entry":[`)
	for i, d := range batch {
		if i > 0 {
			body.WriteByte(',')
		}
		body.Write(d.entry)
	}
	body.WriteString("]}")
	return body.Bytes()
}

func (c *courier) logAttempt(a WebhookAttempt) {
	level := slog.LevelDebug
	if a.Exhausted {
		level = slog.LevelWarn
	}
	status := 0
	if a.Answer != nil {
		status = a.Answer.Status
	}
	c.log.Log(c.life, level, "webhook", "app", a.AppID, "page", a.PageID, "field", a.Field, "attempt", a.Attempt,
		"status", status, "ok", a.OK, "exhausted", a.Exhausted, "error", a.Error, "ms", a.DurationMS)
}
