package channel

import (
	"context"
	"time"
)

// sweep does again and again what a crash or a lost segment has left undone.
func (m *Manager) sweep(ctx context.Context) {
	tick := time.NewTicker(sweepInterval)
	defer tick.Stop()
	for {
		m.SweepOnce(ctx)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// SweepOnce lets every account do what was left undone, and removes what is old of segments.
func (m *Manager) SweepOnce(ctx context.Context) {
	m.sweeping.Lock()
	defer m.sweeping.Unlock()
	for _, e := range m.current.Load().entries {
		if e.work == nil {
			continue
		}
		if err := e.work.Sweep(ctx); err != nil && ctx.Err() == nil {
			m.o.Logger.Warn("catch up on a channel account", "account", e.account.ID, "err", err)
		}
	}
	now := m.o.Now()
	if _, err := m.o.Store.RetireSegments(ctx, now.Add(-keepSegments), now.Add(-keepSegments)); err != nil && ctx.Err() == nil {
		m.o.Logger.Warn("remove old segments of SMS", "err", err)
	}
}
