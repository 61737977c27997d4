package forward

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
)

// judge sets what deliveries are after a try of them. It returns false when the subscription is
// over, so that nothing more is to be settled.
func (w *worker) judge(rows []*gateway.Delivery, t try) bool {
	now, sub := w.f.o.Store.Now(), w.sub.Load()
	if !w.hear(sub.ID, t.verdict(), now) {
		return false
	}
	var scheduled *gateway.Delivery // what failed together is tried again together
	for i, d := range rows {
		err := t.results[i].Err
		switch {
		case err == nil:
			d.Status, d.DueAt = gateway.DeliveryDelivered, time.Time{}
			continue
		case errors.Is(err, ErrBehind) && w.ordered():
			d.Status, d.DueAt = gateway.DeliveryWaiting, time.Time{}
			continue
		case errors.Is(err, ErrRejected):
			d.Status, d.DueAt = gateway.DeliveryDead, time.Time{}
		case scheduled != nil:
			d.Status, d.DueAt = scheduled.Status, scheduled.DueAt
		default:
			w.schedule(sub, d, w.heed(err, now), now)
			scheduled = d
		}
		w.f.o.Metrics.Failed(sub.ID)
		if d.Status == gateway.DeliveryDead {
			w.f.o.Metrics.Dead(sub.ID)
		}
	}
	return true
}

// schedule sets when a delivery that failed is tried again, not before a time that the receiver
// gave; or that it is dead.
func (w *worker) schedule(sub *gateway.Subscription, d *gateway.Delivery, after, now time.Time) {
	next, ok := sub.Deliveries().NextTry(d, now)
	switch {
	case !ok:
		d.Status, d.DueAt = gateway.DeliveryDead, time.Time{}
	case next.Before(after):
		d.Status, d.DueAt = gateway.DeliveryPending, after
	default:
		d.Status, d.DueAt = gateway.DeliveryPending, next
	}
}

// hear notes what a try says of the receiver. It returns false when the subscription is over.
func (w *worker) hear(id string, verdict error, now time.Time) bool {
	switch {
	case verdict == nil:
		w.succeeded(id)
		return true
	case errors.Is(verdict, ErrGone):
		w.f.o.Metrics.Failed(id)
		w.over(&gateway.Failure{Code: gateway.FailureEndpointGone, Message: verdict.Error()})
		return false
	}
	since := w.failed(id, now)
	if now.Sub(since) < gateway.DisableAfter {
		return true
	}
	w.f.o.Metrics.Failed(id)
	w.over(&gateway.Failure{Code: gateway.FailureEndpointFailed,
		Message: fmt.Sprintf("nothing was delivered since %s; the last try: %v", gateway.FormatTime(since), verdict)})
	return false
}

// heed notes the moment before which a receiver wants nothing, and returns it; the zero time when
// it did not say.
func (w *worker) heed(err error, now time.Time) time.Time {
	var busy *BusyError
	if !errors.As(err, &busy) {
		return time.Time{}
	}
	until := now.Add(min(busy.After, maxBusy))
	for before := w.until.Load(); until.UnixNano() > before && !w.until.CompareAndSwap(before, until.UnixNano()); before = w.until.Load() {
	}
	return until
}

// over disables the subscription, and waits for the worker to be stopped because of it.
func (w *worker) over(why *gateway.Failure) {
	w.f.disable(w.ctx, w.sub.Load().ID, why)
	select {
	case <-w.ctx.Done():
	case <-time.After(5 * time.Second):
	}
}

// backAfter is for how long a receiver must have done nothing but fail before its first success
// means that it is back, so that what is parked need not wait any longer. One that fails for some
// events only is not asked for them more often by it.
const backAfter = 10 * time.Second

func (w *worker) succeeded(id string) {
	now := w.f.o.Store.Now()
	w.mu.Lock()
	broken := w.failures >= breakAfter
	w.failures = 0
	was := w.failing
	w.failing = time.Time{}
	w.mu.Unlock()
	if was.IsZero() {
		return
	}
	w.note(id, time.Time{})
	if !broken && now.Sub(was) < backAfter {
		return
	}
	w.f.o.Logger.Info("a subscription's receiver is back", "subscription", id, "failed_since", was)
	if _, err := w.f.o.Store.RetryDeliveries(context.WithoutCancel(w.ctx), id); err != nil {
		w.f.o.Logger.Warn("try parked deliveries at once", "subscription", id, "err", err)
	}
}

// failed counts a failure and returns since when there is nothing else.
func (w *worker) failed(id string, now time.Time) time.Time {
	w.mu.Lock()
	w.failures++
	first := w.failing.IsZero()
	if first {
		w.failing = now
	}
	since := w.failing
	w.mu.Unlock()
	if first {
		w.note(id, now)
	}
	return since
}

func (w *worker) note(id string, since time.Time) {
	if !since.IsZero() {
		w.f.o.Logger.Warn("a subscription's receiver fails", "subscription", id)
	}
	if err := w.f.o.Store.Failing(context.WithoutCancel(w.ctx), id, since); err != nil {
		w.f.o.Logger.Warn("note whether a subscription fails", "subscription", id, "err", err)
	}
}
