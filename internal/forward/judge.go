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
	nextTry := d.NextTry
	switch sub.Format {
	case gateway.FormatComapi:
		nextTry = d.NextTryComapi
	case gateway.FormatInfobip:
		nextTry = d.NextTryInfobip
	}
	next, ok := nextTry(now)
	if !ok {
		d.Status, d.DueAt = gateway.DeliveryDead, time.Time{}
		w.f.o.Metrics.Dead(sub.ID)
		return true
	}
	d.Status, d.DueAt = gateway.DeliveryPending, next
	return true
}

// over disables the subscription, and waits for the worker to be stopped because of it.
func (w *worker) over(why *gateway.Failure) {
	w.f.disable(w.ctx, w.sub.Load().ID, why)
	select {
	case <-w.ctx.Done():
	case <-time.After(5 * time.Second):
	}
}

func (w *worker) succeeded(id string) {
	w.mu.Lock()
	w.failures = 0
	was := w.failing
	w.failing = time.Time{}
	w.mu.Unlock()
	if !was.IsZero() {
		w.note(id, time.Time{})
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
	if err := w.f.o.Store.Failing(context.WithoutCancel(w.ctx), id, since); err != nil {
		w.f.o.Logger.Warn("note whether a subscription fails", "subscription", id, "err", err)
	}
}
