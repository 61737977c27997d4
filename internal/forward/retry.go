package forward

import (
	"context"
	"errors"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
)

const retryBatch = 64

// retry tries parked deliveries when they are due. While a receiver does nothing but fail, one at a time is enough to see whether it is back.
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
		due, err := w.f.o.Store.DueDeliveries(w.ctx, w.sub.Load().ID, w.f.o.Store.Now(), retryBatch)
		if err != nil {
			if w.ctx.Err() == nil {
				w.f.o.Logger.Warn("read due deliveries", "subscription", w.sub.Load().ID, "err", err)
			}
			continue
		}
		for _, d := range due {
			if _, held := w.f.o.Store.Leases().Epoch(d.Partition); !held {
				continue
			}
			w.mu.Lock()
			broken := w.failures >= breakAfter
			l := w.lane(d.Lane)
			busy := l.draining
			l.draining = true
			w.mu.Unlock()
			if busy {
				continue
			}
			if broken {
				w.drain(d, l, false)
				break
			}
			w.posts.Go(func() { w.drain(d, l, false) })
		}
	}
}

// probeInterval is how often a receiver that does nothing but fail is asked whether it is back.
const probeInterval = 15 * time.Second

// probeNow reports whether it is time to ask a receiver that fails whether it is back.
func (w *worker) probeNow() bool {
	now := w.f.o.Store.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failing.IsZero() || now.Before(w.until) || now.Sub(w.failing) < probeInterval || now.Sub(w.probed) < probeInterval {
		return false
	}
	w.probed = now
	return true
}

// probe tries the parked delivery that is due next before its time, while the receiver does nothing but fail. A try that fails does not count as one of the delivery's.
func (w *worker) probe() {
	if !w.probeNow() {
		return
	}
	rows, err := w.f.o.Store.DueDeliveries(w.ctx, w.sub.Load().ID, endOfTime, retryBatch)
	if err != nil {
		return // the next look at what is due says what is wrong
	}
	for _, d := range rows {
		if _, held := w.f.o.Store.Leases().Epoch(d.Partition); !held {
			continue
		}
		w.mu.Lock()
		l := w.lane(d.Lane)
		busy := l.draining
		l.draining = true
		w.mu.Unlock()
		if !busy {
			w.drain(d, l, true)
			return
		}
	}
}

// endOfTime is later than any delivery is due.
var endOfTime = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// recheck frees the held conversations that have no parked delivery any more because their person was erased: the deliveries are another's now.
func (w *worker) recheck() {
	n := w.f.o.Store.Forgotten()
	w.mu.Lock()
	defer w.mu.Unlock()
	if n == w.forgotten {
		return
	}
	w.forgotten = n
	for key, l := range w.lanes {
		if l.held && !l.draining {
			l.draining = true
			w.posts.Go(func() {
				if d := w.following(key, l); d != nil {
					w.drain(d, l, false)
					return
				}
				w.mu.Lock()
				defer w.mu.Unlock()
				l.draining = false
				w.tidy(key, l)
			})
		}
	}
}

// recall makes the next look at the held conversations go through all of them, after one could not be read.
func (w *worker) recall() {
	w.mu.Lock()
	w.forgotten = -1
	w.mu.Unlock()
}

// drain tries a parked delivery, and after it those that wait behind it in its conversation. The first try may be a probe.
func (w *worker) drain(d *gateway.Delivery, l *lane, probe bool) {
	key := d.Lane
	for ; d != nil && w.ctx.Err() == nil; probe = false {
		if !w.tryParked(d, probe) || d.Status == gateway.DeliveryPending {
			if d.Status == gateway.DeliveryWaiting {
				w.recall() // it was not even tried
			}
			break
		}
		if !w.ordered() {
			break
		}
		d = w.following(key, l)
	}
	w.mu.Lock()
	l.draining = false
	w.tidy(key, l)
	w.mu.Unlock()
}

// tryParked makes one try and stores how it went; false when the worker or the subscription ended, or a probe failed.
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
	if !w.slot() {
		return false
	}
	attempt, err := w.post(w.ctx, e)
	<-w.slots
	if w.ctx.Err() != nil && err != nil || probe && w.probeFailed(err) {
		return false
	}
	d.Attempts = append(d.Attempts, attempt)
	if !w.judge(d, err) {
		return false
	}
	w.settle([]*gateway.Delivery{d})
	if err == nil {
		w.f.o.Metrics.Delivered(d.Subscription, w.f.o.Store.Now().Sub(e.ReceivedAt))
	}
	return true
}

// following answers the next parked delivery of a conversation that may be tried now; nil when there is none, and then the conversation is free again.
func (w *worker) following(key gateway.Lane, l *lane) *gateway.Delivery {
	for w.ctx.Err() == nil {
		w.mu.Lock()
		parking := l.parking
		w.mu.Unlock()
		next, err := w.f.o.Store.NextInLane(context.WithoutCancel(w.ctx), w.sub.Load().ID, key)
		if err != nil {
			w.recall()
			return nil
		}
		if next != nil {
			if next.Status == gateway.DeliveryPending && next.DueAt.After(w.f.o.Store.Now()) {
				return nil
			}
			return next
		}
		w.mu.Lock()
		if parking == 0 && l.parking == 0 {
			l.held = false
			w.mu.Unlock()
			return nil
		}
		w.mu.Unlock()
		time.Sleep(5 * time.Millisecond) // a row is on its way
	}
	return nil
}

// probeFailed reports whether a probe failed, and counts that.
func (w *worker) probeFailed(err error) bool {
	if err == nil || errors.Is(err, errRejected) || errors.Is(err, errGone) {
		return false
	}
	now := w.f.o.Store.Now()
	w.heed(err, now)
	w.f.o.Metrics.Failed(w.sub.Load().ID)
	return now.Sub(w.failed(w.sub.Load().ID, now)) < gateway.DisableAfter
}
