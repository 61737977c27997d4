package forward

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/lane"
	"github.com/chasqui/chasqui/internal/store"
)

const (
	readBatch    = 256
	maxUnsettled = 1000                   // events in memory that are neither delivered nor parked
	retryTick    = 500 * time.Millisecond // how often parked deliveries are looked for
	breakAfter   = 10                     // failures in a row after which a receiver is only probed
)

// worker forwards to one subscription.
type worker struct {
	f          *Forwarder
	sink       Sink
	generation int64
	batching   bool // events go in lists; the worker starts anew when that changes
	sub        atomic.Pointer[gateway.Subscription]
	cursor     *store.Cursor
	lanes      *lane.Scheduler[place, *work]
	until      atomic.Int64 // the receiver wants nothing before; in nanoseconds
	posts      sync.WaitGroup

	ctx    context.Context
	cancel context.CancelFunc
	ended  chan struct{}

	mu        sync.Mutex
	holds     map[gateway.Lane]*hold
	unsettled []*position // in order
	read      int64       // the log has been read up to here
	room      chan struct{}
	failures  int // in a row
	failing   time.Time
	probed    time.Time   // when it was last asked whether it is back
	gathered  []*position // to go in the next batches, in order
	more      chan struct{}
	forgotten int64 // of the store, when held conversations were last looked through
}

// hold is a conversation whose next events have to be parked, or are on their way into rows.
type hold struct {
	held    bool // a delivery of it is parked, so that later ones must be too
	parking int  // events that are on their way into rows
}

// position is an event that was read and is not settled yet.
type position struct {
	event *gateway.Event
	first bool // parked with nothing of its conversation before it, so that it is tried when it is due
	done  bool
	at    time.Time // when it was gathered for a batch
}

func newWorker(ctx context.Context, f *Forwarder, s *gateway.Subscription) *worker {
	w := &worker{
		f: f, sink: f.sinks[s.Kind], generation: s.Generation, ended: make(chan struct{}), holds: map[gateway.Lane]*hold{},
		room: make(chan struct{}, 1), more: make(chan struct{}, 1), failing: s.FailingSince,
		cursor: f.o.Store.SubscriptionCursor(s),
	}
	w.batching = w.sink.Batching(s).On
	w.sub.Store(s)
	w.ctx, w.cancel = context.WithCancel(ctx)
	w.lanes = w.newLanes()
	return w
}

// run reads the log until the worker is canceled, and then waits for the POSTs under way.
func (w *worker) run() {
	defer close(w.ended)
	defer w.posts.Wait()
	defer w.lanes.Stop(context.WithoutCancel(w.ctx))
	var delivered map[int64]bool
	w.persist("read the subscription's place", func() (err error) {
		delivered, err = w.begin()
		return err
	})
	if w.batching {
		w.posts.Go(w.batches)
		w.posts.Go(w.retryBatches)
	} else {
		w.posts.Go(w.retry)
	}
	for w.ctx.Err() == nil {
		var more bool
		w.persist("forward events", func() (err error) {
			more, err = w.readSome(delivered)
			return err
		})
		if !more {
			w.idle()
		}
	}
	w.save(context.WithoutCancel(w.ctx))
}

// persist does something until it succeeds or the worker ends.
func (w *worker) persist(what string, do func() error) {
	for w.ctx.Err() == nil {
		err := do()
		if err == nil {
			return
		}
		if w.ctx.Err() == nil {
			w.f.o.Logger.Warn(what, "subscription", w.sub.Load().ID, "err", err)
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-w.ctx.Done():
		}
	}
}

// begin finds out where the worker before left off: its place in the log, what it had delivered
// beyond, and which conversations are held.
func (w *worker) begin() (map[int64]bool, error) {
	sub := w.sub.Load()
	w.cursor.Reset()
	if err := w.cursor.Sync(w.ctx, sub.StartPos); err != nil {
		return nil, err
	}
	w.read = w.cursor.Low()
	// After a replay nothing counts as delivered, although the worker before may just have stored
	// that something was.
	after, err := w.f.o.Store.DeliveriesAfter(w.ctx, sub.ID, w.read, w.cursor.Fresh())
	if err != nil {
		return nil, err
	}
	if err := w.f.o.Store.PromoteWaiting(w.ctx, sub.ID); err != nil {
		return nil, err
	}
	held, err := w.f.o.Store.HeldLanes(w.ctx, sub.ID)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ordered() {
		for _, key := range held {
			w.hold(key).held = true
		}
	}
	delivered := map[int64]bool{}
	for _, pos := range after {
		delivered[pos] = true
	}
	return delivered, nil
}

func (w *worker) ordered() bool { return w.sub.Load().Order == gateway.OrderConversation }

// hold returns what is known of a conversation that is held, made when it is first needed.
func (w *worker) hold(key gateway.Lane) *hold {
	h := w.holds[key]
	if h == nil {
		h = &hold{}
		w.holds[key] = h
	}
	return h
}

// tidy forgets a hold that is over.
func (w *worker) tidy(key gateway.Lane) {
	if h := w.holds[key]; h != nil && !h.held && h.parking == 0 {
		delete(w.holds, key)
	}
}

// parked notes that events of conversations are in rows.
func (w *worker) parked(events ...*position) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range events {
		key := p.event.Lane()
		w.hold(key).parking--
		w.tidy(key)
	}
}

// readSome takes the next events from the log into their lanes. It reports whether there may be
// more.
func (w *worker) readSome(delivered map[int64]bool) (bool, error) {
	bound := w.f.o.Projected(w.cursor.Epochs())
	if w.read >= bound {
		return false, nil
	}
	w.mu.Lock()
	full := len(w.unsettled) >= maxUnsettled
	w.mu.Unlock()
	if full {
		return false, nil
	}
	events, upto, err := w.f.o.Store.ReadEvents(w.ctx, w.read, readBatch)
	if err != nil {
		return false, err
	}
	upto = min(upto, bound)
	sub := w.sub.Load()
	var parked []*position
	w.mu.Lock()
	for _, e := range events {
		if e.Pos > upto {
			break
		}
		if !sub.Wants(e) || !w.cursor.Has(e) || delivered[e.Pos] {
			delete(delivered, e.Pos)
			continue
		}
		p := &position{event: e}
		w.unsettled = append(w.unsettled, p)
		if !w.enqueue(p) {
			parked = append(parked, p)
		}
	}
	w.read = upto
	w.mu.Unlock()
	if len(parked) > 0 {
		w.park(parked)
	}
	if w.cursor.Due() {
		w.save(w.ctx)
	}
	return true, nil
}

// idle waits until there may be something to read.
func (w *worker) idle() {
	_, headMoved := w.f.o.Store.HeadChanged()
	// The head moves before the projection has come as far; a short wait bounds what that costs.
	timer := time.NewTimer(20 * time.Millisecond)
	defer timer.Stop()
	if w.f.o.Projected(w.cursor.Epochs()) >= w.f.o.Store.Head() && w.read >= w.f.o.Store.Head() {
		select {
		case <-headMoved:
		case <-w.ctx.Done():
		}
		return
	}
	select {
	case <-timer.C:
	case <-w.room:
	case <-w.ctx.Done():
	}
}

// delivery makes the row of an event.
func (w *worker) delivery(e *gateway.Event, attempts ...gateway.DeliveryAttempt) *gateway.Delivery {
	return &gateway.Delivery{
		Subscription: w.sub.Load().ID, Pos: e.Pos, Partition: e.Partition, Lane: e.Lane(), Attempts: attempts, CreatedAt: w.f.o.Store.Now().UTC(),
	}
}

// park stores events behind a held conversation, or while the receiver is only probed.
func (w *worker) park(parked []*position) {
	now := w.f.o.Store.Now().UTC()
	rows := make([]*gateway.Delivery, len(parked))
	for i, p := range parked {
		rows[i] = w.delivery(p.event)
		rows[i].Status = gateway.DeliveryWaiting
		if p.first {
			rows[i].Status, rows[i].DueAt = gateway.DeliveryPending, now.Add(5*time.Second)
		}
	}
	w.settle(rows, parked...)
	if w.ordered() {
		w.parked(parked...)
	}
}

// settle stores what became of events, and lets the cursor pass them.
func (w *worker) settle(rows []*gateway.Delivery, settled ...*position) {
	for {
		err := w.f.o.Store.Write(context.WithoutCancel(w.ctx), func(tx *store.Tx) error { return tx.SaveDeliveries(rows) })
		if err == nil {
			break
		}
		if w.ctx.Err() != nil {
			return // delivered again by the next worker, under the same webhook-id
		}
		w.f.o.Logger.Warn("store deliveries", "subscription", w.sub.Load().ID, "err", err)
		time.Sleep(100 * time.Millisecond)
	}
	now := w.f.o.Store.Now()
	w.mu.Lock()
	for i, p := range settled {
		p.done = true
		if i < len(rows) && rows[i].Status == gateway.DeliveryDelivered {
			w.f.o.Metrics.Delivered(rows[i].Subscription, now.Sub(p.event.ReceivedAt))
		}
	}
	for len(w.unsettled) > 0 && w.unsettled[0].done {
		w.unsettled[0] = nil
		w.unsettled = w.unsettled[1:]
	}
	w.mu.Unlock()
	select {
	case w.room <- struct{}{}:
	default:
	}
}

// save moves the cursor up to the first event that is not settled. Only the reading goroutine calls
// it.
func (w *worker) save(ctx context.Context) {
	w.mu.Lock()
	low := w.read
	if len(w.unsettled) > 0 {
		low = w.unsettled[0].event.Pos - 1
	}
	w.mu.Unlock()
	err := w.f.o.Store.Write(ctx, func(tx *store.Tx) error {
		ok, err := w.cursor.Save(tx, low)
		if err == nil && !ok {
			err = errLost
		}
		return err
	})
	if err != nil && ctx.Err() == nil {
		w.f.o.Logger.Warn("save the subscription's place", "subscription", w.sub.Load().ID, "err", err)
	}
}

var errLost = errors.New("a partition was taken over by another node")
