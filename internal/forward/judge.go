package forward

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
)

// judge sets what a delivery is after its last attempt. It answers false when the subscription is over, so that nothing more is to be settled.
func (w *worker) judge(d *gateway.Delivery, err error) bool {
	now := w.f.o.Store.Now()
	sub := w.sub.Load()
	if err == nil {
		d.Status, d.DueAt = gateway.DeliveryDelivered, time.Time{}
		w.succeeded(sub.ID)
		return true
	}
	w.f.o.Metrics.Failed(sub.ID)
	after := w.heed(err, now)
	if errors.Is(err, errRejected) {
		d.Status, d.DueAt = gateway.DeliveryDead, time.Time{}
		w.f.o.Metrics.Dead(sub.ID)
		w.succeeded(sub.ID) // the receiver is well; it does not want this event
		return true
	}
	if errors.Is(err, errGone) {
		w.over(&gateway.Failure{Code: gateway.FailureEndpointGone, Message: err.Error()})
		return false
	}
	if since := w.failed(sub.ID, now); now.Sub(since) >= gateway.DisableAfter {
		w.over(&gateway.Failure{Code: gateway.FailureEndpointFailed,
			Message: fmt.Sprintf("nothing was delivered since %s; the last try: %v", gateway.FormatTime(since), err)})
		return false
	}
	next, ok := sub.Deliveries().NextTry(d, now)
	if !ok {
		d.Status, d.DueAt = gateway.DeliveryDead, time.Time{}
		w.f.o.Metrics.Dead(sub.ID)
		return true
	}
	if next.Before(after) {
		next = after
	}
	d.Status, d.DueAt = gateway.DeliveryPending, next
	return true
}

// heed notes the moment before which a receiver wants nothing, and returns it; the zero time when it did not say.
func (w *worker) heed(err error, now time.Time) time.Time {
	var busy *busyError
	if !errors.As(err, &busy) {
		return time.Time{}
	}
	until := now.Add(busy.after)
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

// backAfter is for how long a receiver must have done nothing but fail before its first success means that it is back, so that what is parked need not wait any
// longer. One that fails for some events only is not asked for them more often by it.
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

// failed counts a failure and answers since when there is nothing else.
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
