// Package upkeep does what a gateway needs done now and then: it removes what has reached its age,
// and watches the disk.
package upkeep

import (
	"context"

	"log/slog"
	"sync"
	"time"

	"github.com/chasqui/chasqui/internal/store"
)

// How often things are looked after.
const (
	retireInterval = 10 * time.Minute
	diskInterval   = 2 * time.Second
)

// Options says what the keeper works with.
type Options struct {
	Store      *store.Store
	Logger     *slog.Logger
	Retention  store.Retention
	LowDisk    int64  // bytes below which nothing new is taken
	DataFolder string // whose disk is watched
	Metrics    Metrics
}

// Metrics receives what is counted. All functions are required.
type Metrics struct {
	Retired func(table string, rows int64)
	Unread  func(subscription string, events int64) // removed before the subscription had read them
	Free    func(bytes uint64)
}

// Keeper does the upkeep of one node. It is made by New, started once and stopped once.
type Keeper struct {
	o      Options
	cancel context.CancelFunc
	work   sync.WaitGroup
	low    bool // the disk is low
}

// New makes a keeper.
func New(o Options) *Keeper { return &Keeper{o: o} }

// Start begins the upkeep.
func (k *Keeper) Start(ctx context.Context) {
	ctx, k.cancel = context.WithCancel(context.WithoutCancel(ctx))
	k.every(ctx, diskInterval, k.watchDisk)
	k.every(ctx, retireInterval, k.retire)
}

// Stop ends the upkeep and waits for it.
func (k *Keeper) Stop() {
	k.cancel()
	k.work.Wait()
}

func (k *Keeper) every(ctx context.Context, interval time.Duration, do func(context.Context)) {
	k.work.Go(func() {
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for {
			do(ctx)
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	})
}

// watchDisk makes the store refuse new data while the disk is nearly full, so that what it has can
// still be brought to its end.
func (k *Keeper) watchDisk(context.Context) {
	if !k.o.Store.Exclusive() {
		return // the database is elsewhere
	}
	free, err := freeBytes(k.o.DataFolder)
	if err != nil {
		k.o.Logger.Debug("read free disk space", "err", err)
		return
	}
	k.o.Metrics.Free(free)
	low := free < uint64(k.o.LowDisk)
	if low == k.low {
		return
	}
	k.low = low
	if low {
		k.o.Logger.Error("the disk is nearly full: nothing new is taken", "free_bytes", free, "low_disk", k.o.LowDisk)
		k.o.Store.Refuse("the gateway's disk is nearly full; try again later")
	} else {
		k.o.Logger.Info("the disk has room again", "free_bytes", free)
		k.o.Store.Refuse("")
	}
}

// retire removes what has reached its age.
func (k *Keeper) retire(ctx context.Context) {
	for _, t := range k.o.Store.Tables() {
		k.drain(ctx, t.Name, func() (int64, error) { return k.o.Store.Retire(ctx, t, k.o.Retention, retireBatch) })
	}
	if k.o.Retention.Events > 0 {
		if err := k.retireEvents(ctx, k.o.Store.Now().Add(-k.o.Retention.Events)); err != nil && ctx.Err() == nil {
			k.o.Logger.Warn("remove old events", "err", err)
		}
	}
}

// retireBatch is how many rows are removed in one commit, so that others are not held up.
const retireBatch = 2000

func (k *Keeper) drain(ctx context.Context, table string, some func() (int64, error)) {
	for ctx.Err() == nil {
		n, err := some()
		if err != nil {
			if ctx.Err() == nil {
				k.o.Logger.Warn("remove old rows", "table", table, "err", err)
			}
			return
		}
		if n > 0 {
			k.o.Metrics.Retired(table, n)
		}
		if n < retireBatch {
			return
		}
	}
}

// retireEvents removes events of an age, but none that the gateway itself has not dealt with; what
// a subscription has not read goes with a warning.
func (k *Keeper) retireEvents(ctx context.Context, before time.Time) error {
	upto, err := k.o.Store.PositionAt(ctx, before)
	if err != nil {
		return err
	}
	for _, reader := range k.o.Store.Readers() {
		low, err := k.o.Store.CursorLow(ctx, reader.Name)
		if err != nil {
			return err
		}
		upto = min(upto, low)
	}
	if upto == 0 {
		return nil
	}
	places, err := k.o.Store.Places(ctx)
	if err != nil {
		return err
	}
	for _, p := range places {
		if p.Pos >= upto {
			continue
		}
		n, err := k.o.Store.CountEvents(ctx, p.Pos, upto)
		if err != nil {
			return err
		}
		if n > 0 {
			k.o.Logger.Warn("events are removed that a subscription has not read", "subscription", p.Subscription, "events", n)
			k.o.Metrics.Unread(p.Subscription, n)
		}
	}
	k.drain(ctx, "events", func() (int64, error) { return k.o.Store.RetireEvents(ctx, upto, retireBatch) })
	return k.o.Store.RetireSetAside(ctx, upto)
}
