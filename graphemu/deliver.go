package graphemu

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
func (s *Server) arrived(batch []delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range batch {
		if d.event.mid == "" {
			continue
		}
		page, person, err := s.find(d.page, d.person)
		if err != nil {
			continue
		}
		if m := person.message(d.event.mid); m != nil && m.DeliveredAt.IsZero() {
			m.DeliveredAt = s.clock.now()
			s.announceThread(page, person)
		}
	}
}

// dropSubscription unsubscribes an app from a page.
func (s *Server) dropSubscription(appID, pageID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if page := s.pages[pageID]; page != nil {
		delete(page.Subscribed, appID)
	}
}

// carryOut does what a fault rule does for good.
func (s *Server) carryOut(f Fault, c *call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	page := s.pages[c.page]
	if f.ExpireToken {
		if _, ok := s.tokens[c.token]; ok {
			delete(s.tokens, c.token)
			s.retired[c.token] = true
		}
	}
	if page == nil {
		return
	}
	page.Unpublished = page.Unpublished || f.Unpublish
	if p := page.people[c.psid]; p != nil && f.PersonBlocks {
		s.block(page, p, true)
	}
}
