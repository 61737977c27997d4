// Package forward carries events to where subscriptions want them, in order per conversation and
// with retries: each kind of subscription has a [Sink]. The first posts to URLs, signed and away
// from private addresses.
//
// Each subscription has a worker with a cursor of its own. An event that is delivered at once
// leaves a row that says so; one that fails is parked in a row, and with it the later ones of its
// conversation. The cursor passes both, so that one conversation, or one subscriber, never holds up
// another.
package forward

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/service"
	"github.com/chasqui/chasqui/internal/store"
)

// Options says how events are forwarded. Zero values mean the defaults named.
type Options struct {
	Store     *store.Store
	Vault     *store.Vault
	Directory *service.Directory
	Logger    *slog.Logger
	// Projected says up to which position of the log events of the partitions held under these
	// epochs have their profiles.
	Projected func(epochs map[int]int64) int64
	// Sinks make where the events of subscriptions go, by their kind. Subscriptions of another kind
	// are left alone.
	Sinks    map[gateway.SubscriptionKind]func(gateway.Around) Sink
	InFlight int // deliveries of one subscription under way at once; default 64
	Metrics  Metrics
}

// Metrics receives what is counted; nil functions are not called.
type Metrics struct {
	Delivered func(subscription string, took time.Duration) // took: from the event's receipt to the subscriber's answer
	Failed    func(subscription string)
	Dead      func(subscription string)
}

// Forwarder runs the workers of all forward subscriptions. It is made by New, started once and
// stopped once.
type Forwarder struct {
	o     Options
	sinks map[gateway.SubscriptionKind]Sink

	mu      sync.Mutex
	workers map[string]*worker

	cancel context.CancelFunc
	work   sync.WaitGroup
}

// New makes a forwarder.
func New(o Options) *Forwarder {
	if o.InFlight == 0 {
		o.InFlight = 64
	}
	if o.Metrics.Delivered == nil {
		o.Metrics.Delivered = func(string, time.Duration) {}
	}
	if o.Metrics.Failed == nil {
		o.Metrics.Failed = func(string) {}
	}
	if o.Metrics.Dead == nil {
		o.Metrics.Dead = func(string) {}
	}
	f := &Forwarder{o: o, sinks: map[gateway.SubscriptionKind]Sink{}, workers: map[string]*worker{}}
	for kind, open := range o.Sinks {
		f.sinks[kind] = open(around{o.Store, o.Directory})
	}
	return f
}

// Start begins to forward. The leases must have been started.
func (f *Forwarder) Start(ctx context.Context) {
	ctx, f.cancel = context.WithCancel(context.WithoutCancel(ctx))
	f.work.Go(func() { f.supervise(ctx) })
}

// Stop begins nothing new and waits for the deliveries under way, which end with their context or
// their timeout.
func (f *Forwarder) Stop() {
	f.cancel()
	f.work.Wait()
	for _, sink := range f.sinks {
		sink.Close()
	}
}

// supervise keeps a worker for each active subscription. A replay and a move of leases start its
// worker anew.
func (f *Forwarder) supervise(ctx context.Context) {
	for {
		directoryChanged := f.o.Directory.Changed()
		_, leasesChanged := f.o.Store.Leases().Held()
		f.adjust(ctx)
		select {
		case <-directoryChanged:
		case <-leasesChanged:
			f.stopAll()
		case <-ctx.Done():
			f.stopAll()
			return
		}
	}
}

func (f *Forwarder) stopAll() {
	f.mu.Lock()
	stopping := f.workers
	f.workers = map[string]*worker{}
	f.mu.Unlock()
	for _, w := range stopping {
		w.cancel()
	}
	for _, w := range stopping {
		<-w.ended
	}
}

func (f *Forwarder) adjust(ctx context.Context) {
	wanted := map[string]*gateway.Subscription{}
	for _, s := range f.o.Directory.Subscriptions() {
		if f.sinks[s.Kind] != nil && s.Deliveries() != nil && s.State == gateway.SubscriptionActive {
			wanted[s.ID] = s
		}
	}
	f.mu.Lock()
	var stopping []*worker
	for id, w := range f.workers {
		s := wanted[id]
		if s != nil && s.Generation == w.generation && w.sink.Batching(s).On == w.batching {
			w.sub.Store(s)
			delete(wanted, id)
			continue
		}
		stopping = append(stopping, w)
		delete(f.workers, id)
	}
	f.mu.Unlock()
	for _, w := range stopping {
		w.cancel()
		<-w.ended
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for id, s := range wanted {
		w := newWorker(ctx, f, s)
		f.workers[id] = w
		go w.run()
	}
}

// disable stops a subscription for good, until somebody enables it.
func (f *Forwarder) disable(ctx context.Context, id string, why *gateway.Failure) {
	f.o.Logger.Error("subscription disabled", "subscription", id, "code", string(why.Code), "reason", why.Message)
	_, err := f.o.Vault.UpdateSubscription(context.WithoutCancel(ctx), id, func(_ *store.Tx, s *gateway.Subscription) error {
		s.State, s.Disabled, s.DisabledAt = gateway.SubscriptionDisabled, why, f.o.Store.Now().UTC()
		return nil
	})
	if err != nil && gateway.CodeOf(err) != gateway.CodeNotFound {
		f.o.Logger.Error("disable subscription", "subscription", id, "err", err)
	}
	if err := f.o.Directory.Refresh(context.WithoutCancel(ctx)); err != nil && !errors.Is(err, context.Canceled) {
		f.o.Logger.Warn("refresh directory", "err", err)
	}
}
