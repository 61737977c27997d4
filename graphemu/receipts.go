package graphemu

import "time"

// deliverSoon schedules the delivery of the page's messages to the person, after the receipt
// delay. The lock is held.
func (w *world) deliverSoon(page *pageState, p *personState) {
	if !w.listened() || p.Offline || p.receipts != nil {
		return
	}
	delay := w.receiptDelay
	if delay <= 0 {
		delay = 20 * time.Millisecond
	}
	w.running.Add(1)
	p.receipts = w.clock.after(delay, func() {
		defer w.running.Done()
		w.mu.Lock()
		defer w.mu.Unlock()
		p.receipts = nil
		if !w.closed && w.pages[page.ID] == page { // not replaced by a loaded state
			w.deliverDue(page, p)
		}
		w.announce(change{Type: "idle"})
	})
}

// deliverDue marks all waiting messages of the page as delivered and tells the apps. The lock
// is held.
func (w *world) deliverDue(page *pageState, p *personState) {
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
	e := w.threads.fromPerson(page, p, "message_deliveries")
	for _, mid := range mids {
		p.message(mid).DeliveredAt = time.UnixMilli(e.wire.Timestamp).UTC()
	}
	e.wire.Delivery = &wireDelivery{MIDs: mids, Watermark: watermark}
	w.emit(page, p, e)
	w.announceThread(page, p)
}
