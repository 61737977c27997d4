package graphemu

import (
	"context"
	"slices"
	"time"
)

// defaultInFlight is how many deliveries to one app are under way at a time.
const defaultInFlight = 128

// Batching says how many events a delivery may hold. Each delivery has one as
// long as the app keeps up; when more wait than may be under way they travel
// together, as the platform does it under load.
type Batching struct {
	InFlight int           // deliveries to one app that are under way at a time; 0 means 128
	Max      int           // events of one delivery; 0 means 1,000
	Linger   time.Duration // how long events are gathered before they go; 0 sends at once
}

// outlet is the deliveries to one app.
type outlet struct {
	app      string
	ctx      context.Context
	lanes    map[laneKey]*lane
	ready    []*lane // with something to send, and nothing under way
	inFlight int
	waiting  bool // for the linger to pass
}

// A lane is the deliveries to one app about one person: one at a time, strictly
// in order.
type laneKey struct{ page, person string }

type lane struct {
	key   laneKey
	queue []delivery
	held  *delivery // to change places with the next one
	busy  bool
}

type delivery struct {
	page, person string
	event        event
	entry        []byte
}

// listened reports whether events are worth making. The lock is held.
func (s *Server) listened() bool {
	return !s.Quiet && !s.closed
}

// emit queues an event for every app that has subscribed to its field; apps that
// do not have the thread see it in standby. p is nil for events of the page
// itself. The lock is held.
func (s *Server) emit(page *pageState, p *personState, e event) {
	if s.Quiet || s.closed {
		return
	}
	type shape struct {
		version graphVersion
		standby bool
	}
	var entries map[shape][]byte
	record := EventRecord{Time: s.now(), PageID: page.ID, Field: e.field, EventID: e.id}
	if p != nil {
		record.PSID = p.ID
	}
	defer func() {
		s.events.last++
		record.Seq = s.events.last
		s.events.add(record)
	}()
	for _, appID := range s.appOrder {
		app := s.apps[appID]
		standby, wanted := s.wants(app, page, p, e)
		if !wanted {
			continue
		}
		record.Apps = append(record.Apps, appID)
		if standby {
			record.Standby = append(record.Standby, appID)
		}
		sh := shape{parseVersion(app.Callback.Version), standby || e.sender != "" && e.sender != appID}
		entry := entries[sh]
		if entry == nil {
			var err error
			if entry, err = e.entry(page.ID, s.now().UnixMilli(), sh.version, standby); err != nil {
				s.log().Error("event cannot be written", "field", e.field, "error", err)
				return
			}
			if entries == nil {
				entries = map[shape][]byte{}
			}
			entries[sh] = entry
		}
		d := delivery{page: page.ID, event: e, entry: entry}
		if p != nil {
			d.person = p.ID
		}
		s.enqueue(appID, d)
	}
}

// wants tells whether an app is to hear of an event, and whether in standby.
func (s *Server) wants(app *appState, page *pageState, p *personState, e event) (standby, wanted bool) {
	fields, subscribed := page.Subscribed[app.ID]
	if app.Callback == nil || !subscribed || e.only != "" && e.only != app.ID || app.Development && p != nil && !p.Tester {
		return false, false
	}
	field := e.field
	if p != nil && e.only == "" && !page.shared(p) && page.owner(p) != app.ID {
		if !slices.Contains([]string{"messages", "message_echoes", "message_reads", "message_deliveries", "messaging_postbacks"}, field) {
			return false, false
		}
		standby, field = true, "standby"
	}
	return standby, slices.Contains(fields, field) && slices.Contains(app.Callback.Fields, field)
}

// enqueue puts an event into its lane. The lock is held.
func (s *Server) enqueue(appID string, d delivery) {
	o := s.outlets[appID]
	if o == nil {
		o = &outlet{app: appID, ctx: s.laneCtx, lanes: map[laneKey]*lane{}}
		s.outlets[appID] = o
	}
	fault, faulty := s.takeWebhookFault(appID, d)
	if faulty && fault.WebhookDelayMS > 0 {
		s.clock.after(time.Duration(fault.WebhookDelayMS)*time.Millisecond, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			if o.ctx.Err() == nil {
				s.queue(o, d)
			}
		})
		return
	}
	if faulty && fault.WebhookSwap {
		l := o.lane(d)
		l.held = &d
		s.clock.after(swapWait, func() { s.letGo(o, l, &d) })
		return
	}
	s.queue(o, d)
	if faulty && fault.WebhookDuplicate {
		s.queue(o, d)
	}
}

// swapWait is how long a webhook waits for the one that is to overtake it.
const swapWait = 2 * time.Second

// letGo sends a webhook that nothing has overtaken.
func (s *Server) letGo(o *outlet, l *lane, d *delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.held == d && o.ctx.Err() == nil {
		l.held = nil
		o.lanes[l.key] = l
		s.queue(o, *d)
	}
}

func (o *outlet) lane(d delivery) *lane {
	key := laneKey{d.page, d.person}
	l := o.lanes[key]
	if l == nil {
		l = &lane{key: key}
		o.lanes[key] = l
	}
	return l
}

// queue appends to the lane and sends what may go. The lock is held.
func (s *Server) queue(o *outlet, d delivery) {
	l := o.lane(d)
	idle := len(l.queue) == 0 && !l.busy
	l.queue = append(l.queue, d)
	if l.held != nil {
		l.queue, l.held = append(l.queue, *l.held), nil
	}
	if idle {
		o.ready = append(o.ready, l)
	}
	s.next(o)
}

// next sends what waits, now or when the linger has passed. The lock is held.
func (s *Server) next(o *outlet) {
	if s.Batching.Linger <= 0 {
		s.pump(o)
		return
	}
	if o.waiting || len(o.ready) == 0 {
		return
	}
	o.waiting = true
	time.AfterFunc(s.Batching.Linger, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		o.waiting = false
		s.pump(o)
	})
}

// pump sends what waits, as far as deliveries may be under way. The lock is held.
func (s *Server) pump(o *outlet) {
	most, limit := s.Batching.Max, s.Batching.InFlight
	if most <= 0 {
		most = 1000
	}
	if limit <= 0 {
		limit = defaultInFlight
	}
	for len(o.ready) > 0 && o.inFlight < limit && o.ctx.Err() == nil && !s.closed {
		share := 1
		if free := limit - o.inFlight; len(o.ready) > free {
			share = (len(o.ready) + free - 1) / free
		}
		together := share > 1 || s.Batching.Linger > 0
		if s.Batching.Linger > 0 {
			share = most
		}
		var batch []delivery
		var lanes []*lane
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
		o.inFlight++
		s.wg.Add(1)
		go s.runBatch(o, lanes, batch)
	}
}
