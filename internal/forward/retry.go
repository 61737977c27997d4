package forward

import (
	"context"
	"errors"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/lane"
)

const retryBatch = 64

// retry tries parked deliveries when they are due. While a receiver does nothing but fail, one at a
// time is enough to see whether it is back.
func (w *worker) retry() {
	tick := time.NewTicker(retryTick)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-w.ctx.Done():
			return
		}
		w.recheck()
		w.probe()
		w.mu.Lock()
		broken := w.failures >= breakAfter
		w.mu.Unlock()
		if broken && w.lanes.Jobs() > 0 {
			continue // one is on its way to see
		}
		due, err := w.f.o.Store.DueDeliveries(w.ctx, w.sub.Load().ID, w.f.o.Store.Now(), retryBatch)
		if err != nil {
			if w.ctx.Err() == nil {
				w.f.o.Logger.Warn("read due deliveries", "subscription", w.sub.Load().ID, "err", err)
			}
			continue
		}
		for _, d := range due {
			if w.offer(d, false) && broken {
				break
			}
		}
	}
}

// offer lets the lane of a parked delivery try it; false when the lane is at work, or another
// node's.
func (w *worker) offer(d *gateway.Delivery, probe bool) bool {
	at := place{Lane: d.Lane}
	if _, held := w.f.o.Store.Leases().Epoch(d.Partition); !held || w.lanes.Has(at) {
		return false
	}
	return w.lanes.Offer(at, &work{d: d, probe: probe})
}

// probeInterval is how often a receiver that does nothing but fail is asked whether it is back.
const probeInterval = 15 * time.Second

// probeNow reports whether it is time to ask a receiver that fails whether it is back.
func (w *worker) probeNow() bool {
	now := w.f.o.Store.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failing.IsZero() || now.Before(time.Unix(0, w.until.Load())) || now.Sub(w.failing) < probeInterval || now.Sub(w.probed) < probeInterval {
		return false
	}
	w.probed = now
	return true
}

// probe tries the parked delivery that is due next before its time, while the receiver does nothing
// but fail. A try that fails does not count as one of the delivery's.
func (w *worker) probe() {
	if !w.probeNow() {
		return
	}
	rows, err := w.f.o.Store.DueDeliveries(w.ctx, w.sub.Load().ID, endOfTime, retryBatch)
	if err != nil {
		return // the next look at what is due says what is wrong
	}
	for _, d := range rows {
		if w.offer(d, true) {
			return
		}
	}
}

// endOfTime is later than any delivery is due.
var endOfTime = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// recheck frees the held conversations that have no parked delivery any more because their person
// was erased: the deliveries are another's now.
func (w *worker) recheck() {
	n := w.f.o.Store.Forgotten()
	w.mu.Lock()
	defer w.mu.Unlock()
	if n == w.forgotten {
		return
	}
	w.forgotten = n
	for key, h := range w.holds {
		if at := (place{Lane: key}); h.held && !w.lanes.Has(at) {
			w.lanes.Offer(at, &work{})
		}
	}
}

// recall makes the next look at the held conversations go through all of them, after one could not
// be read.
func (w *worker) recall() {
	w.mu.Lock()
	w.forgotten = -1
	w.mu.Unlock()
}

// drain tries a parked delivery. Those that wait behind it in its conversation follow.
func (w *worker) drain(key gateway.Lane, j *work) lane.Next {
	if j.d != nil {
		tried := w.tryParked(j.d, j.probe)
		j.probe = false
		if w.ctx.Err() != nil {
			return lane.Halt()
		}
		if !tried || j.d.Status == gateway.DeliveryPending {
			if j.d.Status == gateway.DeliveryWaiting {
				w.recall() // it was not even tried
			}
			return lane.Done()
		}
		if !w.ordered() {
			return lane.Done()
		}
	}
	next, onItsWay := w.following(key)
	j.d = next
	switch {
	case onItsWay:
		return lane.Again(w.f.o.Store.Now().Add(5 * time.Millisecond))
	case next != nil:
		return lane.Again(time.Time{})
	}
	return lane.Done()
}

// tryParked makes one try and stores how it went; false when the worker or the subscription ended,
// or a probe failed.
func (w *worker) tryParked(d *gateway.Delivery, probe bool) bool {
	e, err := w.f.o.Store.Event(w.ctx, d.Pos)
	switch {
	case gateway.CodeOf(err) == gateway.CodeNotFound:
		d.Status, d.DueAt = gateway.DeliveryDead, time.Time{}
		d.Attempts = append(d.Attempts, gateway.DeliveryAttempt{At: w.f.o.Store.Now().UTC(), Error: "the event is no longer kept"})
		w.settle([]*gateway.Delivery{d})
		return true
	case err != nil:
		return false
	}
	t := w.hand(w.ctx, e)
	if w.ctx.Err() != nil && t.unfinished() || probe && w.probeFailed(t.verdict()) {
		return false
	}
	d.Attempts = append(d.Attempts, t.attempts...)
	rows := []*gateway.Delivery{d}
	if !w.judge(rows, t) {
		return false
	}
	w.settle(rows)
	if !t.unfinished() {
		w.f.o.Metrics.Delivered(d.Subscription, w.f.o.Store.Now().Sub(e.ReceivedAt))
	}
	return true
}

// following returns the next parked delivery of a conversation that may be tried now; nil when
// there is none, and then the conversation is free again. onItsWay says that one is being parked.
func (w *worker) following(key gateway.Lane) (next *gateway.Delivery, onItsWay bool) {
	w.mu.Lock()
	parking := 0
	if h := w.holds[key]; h != nil {
		parking = h.parking
	}
	w.mu.Unlock()
	next, err := w.f.o.Store.NextInLane(context.WithoutCancel(w.ctx), w.sub.Load().ID, key)
	if err != nil {
		w.recall()
		return nil, false
	}
	if next != nil {
		if next.Status == gateway.DeliveryPending && next.DueAt.After(w.f.o.Store.Now()) {
			return nil, false
		}
		return next, false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	h := w.hold(key)
	if parking > 0 || h.parking > 0 {
		return nil, true
	}
	h.held = false
	w.tidy(key)
	return nil, false
}

// probeFailed reports whether a probe failed, and counts that.
func (w *worker) probeFailed(err error) bool {
	if err == nil || errors.Is(err, ErrGone) {
		return false
	}
	now := w.f.o.Store.Now()
	w.heed(err, now)
	w.f.o.Metrics.Failed(w.sub.Load().ID)
	return now.Sub(w.failed(w.sub.Load().ID, now)) < gateway.DisableAfter
}
