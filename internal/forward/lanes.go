package forward

import (
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/lane"
)

// place is a lane of a worker: a conversation, or one event of a subscription without order.
type place struct {
	gateway.Lane
	pos int64 // of that event; 0 for the conversation
}

// work is what a lane has to do: to post an event that was read, or to try what is parked of a
// conversation.
type work struct {
	p     *position         // the event; nil for what is parked
	d     *gateway.Delivery // the parked delivery; nil when it has yet to be read
	probe bool              // a try that fails does not count
}

// newLanes makes the lanes of a worker: one POST of a conversation at a time, and so many of the
// subscription.
func (w *worker) newLanes() *lane.Scheduler[place, *work] {
	return lane.New(lane.Options[place, *work]{
		Owner: func(place) string { return "" }, Order: func(j *work) int64 { return j.order() }, Places: w.f.o.InFlight, Now: w.f.o.Store.Now, Pace: w.pace, Run: w.do,
	})
}

func (j *work) order() int64 {
	if j.p == nil {
		return 0
	}
	return j.p.event.Pos
}

// pace keeps POSTs back while the receiver wants none. It looks again after a little, for the clock
// may be put forward.
func (w *worker) pace(string, string) time.Duration {
	wait := time.Unix(0, w.until.Load()).Sub(w.f.o.Store.Now())
	return min(max(0, wait), retryTick)
}

// enqueue puts an event in its lane, to be delivered when those before it are. It returns false
// when it has to be parked instead.
func (w *worker) enqueue(p *position) bool {
	key := p.event.Lane()
	switch {
	case w.batching:
		return w.gather(p)
	case !w.ordered():
		if w.failures >= breakAfter {
			p.first = true
			return false
		}
		w.lanes.Push(place{key, p.event.Pos}, &work{p: p})
		return true
	}
	h := w.holds[key]
	if (h == nil || !h.held) && w.failures >= breakAfter && !w.lanes.Has(place{Lane: key}) {
		h = w.hold(key)
		h.held, p.first = true, true
	}
	if h != nil && h.held {
		h.parking++
		return false
	}
	w.lanes.Push(place{Lane: key}, &work{p: p})
	return true
}

// do does the head of a lane.
func (w *worker) do(at place, j *work) lane.Next {
	switch {
	case w.ctx.Err() != nil:
		return lane.Halt()
	case j.p == nil:
		return w.drain(at.Lane, j)
	}
	return w.deliver(at, j.p)
}

// deliver posts an event and settles it. When it fails in a subscription with order, all behind it
// in memory are parked with it.
func (w *worker) deliver(at place, p *position) lane.Next {
	t := w.hand(w.ctx, p.event)
	if w.ctx.Err() != nil && t.unfinished() {
		return lane.Halt() // the worker ended: the event is tried again by the next
	}
	d := w.delivery(p.event, t.attempts...)
	rows := []*gateway.Delivery{d}
	if !w.judge(rows, t) {
		return lane.Halt()
	}
	if !t.unfinished() || !w.ordered() {
		w.settle(rows, p)
		return lane.Done()
	}
	w.mu.Lock()
	h := w.hold(at.Lane)
	h.held = d.Status != gateway.DeliveryDead
	var behind []*position
	for _, b := range w.lanes.Behind(at) {
		behind = append(behind, b.p)
	}
	h.parking += len(behind)
	w.mu.Unlock()
	for _, b := range behind {
		waiting := w.delivery(b.event)
		waiting.Status = gateway.DeliveryWaiting
		rows = append(rows, waiting)
	}
	w.settle(rows, append([]*position{p}, behind...)...)
	w.parked(behind...)
	return lane.Done()
}
