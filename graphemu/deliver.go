package graphemu

import (
	"bytes"
)

// runBatch delivers a batch and then lets its lanes go on.
func (s *Server) runBatch(o *outlet, lanes []*lane, batch []delivery) {
	defer s.wg.Done()
	ok := s.deliver(o, batch)
	s.mu.Lock()
	defer s.mu.Unlock()
	if ok {
		s.arrived(batch)
	}
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
		s.announce(change{Type: "idle"})
	}
	s.next(o)
}

// deliver sends a delivery until it is answered with 2xx, given up or no longer
// wanted. It reports whether it was answered. Only the first attempt counts
// among those under way.
func (s *Server) deliver(o *outlet, batch []delivery) bool {
	body := envelope(batch)
	began := s.now()
	holds := true
	release := func() {
		if holds {
			holds = false
			s.mu.Lock()
			o.inFlight--
			s.next(o)
			s.mu.Unlock()
		}
	}
	defer release()
	first := batch[0]
	for n := 1; ; n++ {
		target, secret := s.target(o.app, first.page)
		if target == "" || o.ctx.Err() != nil {
			return false
		}
		a := s.attempt(o.ctx, target, secret, body)
		ended := s.now() // the pause begins here, whatever the clock does meanwhile
		a.Attempt, a.AppID, a.PageID, a.PSID = n, o.app, first.page, first.person
		a.Field, a.EventID = first.event.field, first.event.id
		if len(batch) > 1 {
			a.Events = len(batch)
		}
		pause, again := s.schedule().next(n, s.now().Sub(began))
		a.Exhausted = !a.OK && !again
		if !a.OK && again {
			a.RetryInMS = pause.Milliseconds()
		}
		if o.ctx.Err() != nil {
			return false
		}
		s.recordWebhook(o.ctx, a)
		s.logAttempt(a)
		subscribed := s.judge(o.app, batch, a.OK)
		if a.OK || !again || !subscribed {
			return a.OK
		}
		release()
		if !s.clock.sleep(o.ctx, ended.Add(pause).Sub(s.now())) {
			return false
		}
	}
}

// envelope is the body of a delivery.
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

// target is where an app's webhooks go now; "" when it is no longer subscribed.
func (s *Server) target(appID, pageID string) (url, secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	app, page := s.apps[appID], s.pages[pageID]
	if app == nil || app.Callback == nil || page == nil || page.Subscribed[appID] == nil {
		return "", ""
	}
	return app.Callback.URL, app.Secret
}

// arrived marks people's messages as delivered: the app's webhook has answered.
// The lock is held.
func (s *Server) arrived(batch []delivery) {
	for _, d := range batch {
		if d.event.mid == "" {
			continue
		}
		page, person, err := s.find(d.page, d.person)
		if err != nil {
			continue
		}
		if m := person.message(d.event.mid); m != nil && m.DeliveredAt.IsZero() {
			m.DeliveredAt = s.now()
			s.announceThread(page, person)
		}
	}
}
