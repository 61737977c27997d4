package graphemu

import "time"

// deliverSoon arranges that the page's messages reach the person after the
// receipt delay. The lock is held.
func (s *Server) deliverSoon(page *pageState, p *personState) {
	if s.Quiet || s.closed || p.Offline || p.receipts != nil {
		return
	}
	delay := s.ReceiptDelay
	if delay <= 0 {
		delay = 20 * time.Millisecond
	}
	s.wg.Add(1)
	p.receipts = s.clock.after(delay, func() {
		defer s.wg.Done()
		s.mu.Lock()
		defer s.mu.Unlock()
		p.receipts = nil
		if !s.closed && s.pages[page.ID] == page { // not replaced by a loaded state
			s.deliverDue(page, p)
		}
		s.announce(change{Type: "idle"})
	})
}

// deliverDue marks all waiting messages of the page as delivered and tells the
// apps. The lock is held.
func (s *Server) deliverDue(page *pageState, p *personState) {
	if p.Offline {
		return
	}
	var mids []string
	var watermark int64
	for i := len(p.Messages) - 1; i >= 0; i-- {
		m := p.Messages[i]
		if m.From == "page" {
			if !m.DeliveredAt.IsZero() {
				break
			}
			mids = append(mids, m.MID)
			watermark = max(watermark, m.SentAt.UnixMilli())
		}
	}
	if len(mids) == 0 {
		return
	}
	for i, j := 0, len(mids)-1; i < j; i, j = i+1, j-1 {
		mids[i], mids[j] = mids[j], mids[i]
	}
	e := s.fromPerson(page, p, "message_deliveries")
	for _, mid := range mids {
		p.message(mid).DeliveredAt = time.UnixMilli(e.wire.Timestamp).UTC()
	}
	e.wire.Delivery = &wireDelivery{MIDs: mids, Watermark: watermark}
	s.emit(page, p, e)
	s.announceThread(page, p)
}
