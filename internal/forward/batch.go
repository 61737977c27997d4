package forward

import (
	"context"
	"slices"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
)

// maxDueBatched is how many due deliveries are read at once for a receiver of batches: two batches
// of the largest size.
const maxDueBatched = 1000

// gather adds an event to those that wait for the next batch. It returns false when an earlier one
// of its conversation is parked, so that it must be too.
func (w *worker) gather(p *position) bool {
	if h := w.holds[p.event.Lane()]; h != nil && h.held {
		h.parking++
		return false
	}
	p.at = time.Now()
	w.gathered = append(w.gathered, p)
	if n := len(w.gathered); n == 1 || n >= w.batchSize() {
		select {
		case w.more <- struct{}{}:
		default:
		}
	}
	return true
}

func (w *worker) batchSize() int { return max(1, w.sink.Batching(w.sub.Load()).Size) }

// batches delivers what is gathered, one batch after the other: so the events of a conversation
// stay in order although they are spread over batches.
func (w *worker) batches() {
	for {
		batch := w.nextBatch()
		if batch == nil {
			return
		}
		w.deliverBatch(batch)
	}
}

// nextBatch waits until a batch is full or its oldest event has waited long enough; nil when the
// worker ends.
func (w *worker) nextBatch() []*position {
	for {
		size, longest := w.batchSize(), w.sink.Batching(w.sub.Load()).Wait
		wait := time.Duration(-1)
		w.mu.Lock()
		if len(w.gathered) > 0 {
			wait = max(0, longest-time.Since(w.gathered[0].at))
		}
		if n := len(w.gathered); n >= size || wait == 0 {
			batch := slices.Clone(w.gathered[:min(n, size)])
			w.gathered = slices.Clone(w.gathered[len(batch):])
			w.mu.Unlock()
			return batch
		}
		w.mu.Unlock()
		if !w.awaitMore(wait) {
			return nil
		}
	}
}

// awaitMore waits for more events, and for no longer than a time unless that is negative. It
// returns false when the worker ends.
func (w *worker) awaitMore(wait time.Duration) bool {
	var timeout <-chan time.Time
	if wait >= 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		timeout = timer.C
	}
	select {
	case <-w.more:
	case <-timeout:
	case <-w.ctx.Done():
	}
	return w.ctx.Err() == nil
}

// deliverBatch hands over events as one list. What is not taken is parked, with what is gathered
// behind it in its conversations.
func (w *worker) deliverBatch(batch []*position) {
	events, rows := make([]*gateway.Event, len(batch)), make([]*gateway.Delivery, len(batch))
	for i, p := range batch {
		events[i] = p.event
	}
	t := w.hand(w.ctx, events...)
	if w.ctx.Err() != nil && t.unfinished() {
		return // the worker ended: the events are delivered by the next
	}
	t.name(events[0].ID())
	for i, e := range events {
		rows[i] = w.delivery(e, t.attempt(i)...)
	}
	if !w.judge(rows, t) {
		return
	}
	var failed []*position
	for i, d := range rows {
		if w.ordered() && (d.Status == gateway.DeliveryPending || d.Status == gateway.DeliveryWaiting) {
			failed = append(failed, batch[i])
		}
	}
	behind := w.holdBatch(failed)
	for _, p := range behind {
		waiting := w.delivery(p.event)
		waiting.Status = gateway.DeliveryWaiting
		rows = append(rows, waiting)
	}
	w.settle(rows, append(batch, behind...)...)
	w.parked(behind...)
}

// holdBatch makes the conversations of events that were not taken wait for them, and takes what is
// gathered of them out again.
func (w *worker) holdBatch(batch []*position) (behind []*position) {
	if len(batch) == 0 {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range batch {
		w.hold(p.event.Lane()).held = true
	}
	w.gathered = slices.DeleteFunc(w.gathered, func(p *position) bool {
		h := w.holds[p.event.Lane()]
		if h == nil || !h.held {
			return false
		}
		h.parking++
		behind = append(behind, p)
		return true
	})
	return behind
}

// retryBatches tries parked batches when they are due, each as the list that it was. While a
// receiver does nothing but fail, one at a time is enough to see whether it is back.
func (w *worker) retryBatches() {
	tick := time.NewTicker(retryTick)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-w.ctx.Done():
			return
		}
		w.follow(w.freed())
		w.probeBatch()
		due, err := w.f.o.Store.DueDeliveries(w.ctx, w.sub.Load().ID, w.f.o.Store.Now(), maxDueBatched)
		if err != nil {
			if w.ctx.Err() == nil {
				w.f.o.Logger.Warn("read due deliveries", "subscription", w.sub.Load().ID, "err", err)
			}
			continue
		}
		for _, batch := range w.regrouped(due) {
			w.mu.Lock()
			broken := w.failures >= breakAfter
			w.mu.Unlock()
			over, _ := w.tryBatch(batch, false)
			w.follow(over)
			if broken || w.ctx.Err() != nil {
				break
			}
		}
	}
}

// probeBatch is probe for a receiver of batches: it tries the batch that is due next.
func (w *worker) probeBatch() {
	if !w.probeNow() {
		return
	}
	rows, err := w.f.o.Store.DueDeliveries(w.ctx, w.sub.Load().ID, endOfTime, maxDueBatched)
	if err != nil {
		return // the next look at what is due says what is wrong
	}
	if batches := w.regrouped(rows); len(batches) > 0 {
		over, _ := w.tryBatch(batches[0], true)
		w.follow(over)
	}
}

// freed returns the held conversations once persons were erased: what was parked of them is gone.
func (w *worker) freed() []gateway.Lane {
	n := w.f.o.Store.Forgotten()
	w.mu.Lock()
	defer w.mu.Unlock()
	if n == w.forgotten {
		return nil
	}
	w.forgotten = n
	var held []gateway.Lane
	for key, h := range w.holds {
		if h.held {
			held = append(held, key)
		}
	}
	return held
}

// regrouped puts due deliveries of the partitions held here together as they were tried last. The
// last group may be a part of one when as many were read as may be: it waits.
func (w *worker) regrouped(due []*gateway.Delivery) [][]*gateway.Delivery {
	var order []string
	groups := map[string][]*gateway.Delivery{}
	for _, d := range due {
		if _, held := w.f.o.Store.Leases().Epoch(d.Partition); !held {
			continue
		}
		batch := ""
		if n := len(d.Attempts); n > 0 {
			batch = d.Attempts[n-1].Batch
		}
		if groups[batch] == nil {
			order = append(order, batch)
		}
		groups[batch] = append(groups[batch], d)
	}
	if len(due) == maxDueBatched && len(order) > 1 {
		order = order[:len(order)-1]
	}
	var all [][]*gateway.Delivery
	for _, batch := range order {
		size := max(w.batchSize(), 1)
		if batch != "" {
			size = maxDueBatched // as large as it was, although the setting may have changed
		}
		all = slices.AppendSeq(all, slices.Chunk(groups[batch], size))
	}
	return all
}

// overIn returns the conversations of which nothing in a list of deliveries is left to try.
func overIn(rows []*gateway.Delivery) []gateway.Lane {
	var lanes []gateway.Lane
	left := map[gateway.Lane]bool{}
	for _, d := range rows {
		_, seen := left[d.Lane]
		left[d.Lane] = left[d.Lane] || d.Status == gateway.DeliveryPending || d.Status == gateway.DeliveryWaiting
		if !seen {
			lanes = append(lanes, d.Lane)
		}
	}
	return slices.DeleteFunc(lanes, func(key gateway.Lane) bool { return left[key] })
}

// tryBatch makes one try with parked deliveries and stores how it went, but for a probe that fails.
// It returns the conversations of which nothing in the list is left to try, and whether it was
// tried.
func (w *worker) tryBatch(rows []*gateway.Delivery, probe bool) (over []gateway.Lane, tried bool) {
	var events []*gateway.Event
	var live []*gateway.Delivery
	for _, d := range rows {
		e, err := w.f.o.Store.Event(w.ctx, d.Pos)
		switch {
		case gateway.CodeOf(err) == gateway.CodeNotFound:
			d.Status, d.DueAt = gateway.DeliveryDead, time.Time{}
			d.Attempts = append(d.Attempts, gateway.DeliveryAttempt{At: w.f.o.Store.Now().UTC(), Error: "the event is no longer kept"})
		case err != nil:
			return nil, false
		default:
			events, live = append(events, e), append(live, d)
		}
	}
	if len(events) == 0 {
		w.settle(rows)
		return overIn(rows), true
	}
	batch := events[0].ID()
	if tried := live[0].Attempts; len(tried) > 0 && tried[len(tried)-1].Batch != "" {
		batch = tried[len(tried)-1].Batch
	}
	t := w.hand(w.ctx, events...)
	if w.ctx.Err() != nil && t.unfinished() || probe && w.probeFailed(t.verdict()) {
		return nil, false
	}
	t.name(batch)
	for i, d := range live {
		d.Attempts = append(d.Attempts, t.attempt(i)...)
	}
	if !w.judge(live, t) {
		return nil, false
	}
	w.settle(rows)
	for i, d := range live {
		if d.Status == gateway.DeliveryDelivered {
			w.f.o.Metrics.Delivered(d.Subscription, w.f.o.Store.Now().Sub(events[i].ReceivedAt))
		}
	}
	return overIn(rows), true
}

// follow delivers what waits in conversations whose batch is over, in batches again, and frees
// those in which nothing waits.
func (w *worker) follow(lanes []gateway.Lane) {
	for len(lanes) > 0 && w.ctx.Err() == nil {
		var batch []*gateway.Delivery
		var later []gateway.Lane
		for _, key := range lanes {
			if len(batch) >= w.batchSize() {
				later = append(later, key)
				continue
			}
			batch = append(batch, w.waiting(key, w.batchSize()-len(batch))...)
		}
		if len(batch) > 0 {
			over, tried := w.tryBatch(batch, false)
			if !tried && batch[0].Status == gateway.DeliveryWaiting {
				w.recall()
			}
			later = append(later, over...)
		}
		lanes = later
	}
}

// waiting returns the parked deliveries of a conversation that may be tried now, in order. When
// there are none at all the conversation is free again.
func (w *worker) waiting(key gateway.Lane, limit int) []*gateway.Delivery {
	for w.ctx.Err() == nil {
		w.mu.Lock()
		h := w.hold(key)
		parking := h.parking
		w.mu.Unlock()
		rows, err := w.f.o.Store.Unfinished(context.WithoutCancel(w.ctx), w.sub.Load().ID, key, limit)
		if err != nil {
			w.recall()
			return nil
		}
		if len(rows) > 0 {
			now := w.f.o.Store.Now()
			n := slices.IndexFunc(rows, func(d *gateway.Delivery) bool { return d.Status == gateway.DeliveryPending && d.DueAt.After(now) })
			if n < 0 {
				n = len(rows)
			}
			return rows[:n]
		}
		w.mu.Lock()
		free := parking == 0 && h.parking == 0
		if free {
			h.held = false
			w.tidy(key)
		}
		w.mu.Unlock()
		if free {
			return nil
		}
		time.Sleep(5 * time.Millisecond) // a row is on its way
	}
	return nil
}
