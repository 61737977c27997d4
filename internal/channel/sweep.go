package channel

import (
	"context"
	"time"

	"github.com/chasqui/chasqui/internal/store"
)

// sweep does again and again what a crash or a lost segment has left undone.
func (m *Manager) sweep(ctx context.Context) {
	tick := time.NewTicker(sweepInterval)
	defer tick.Stop()
	for {
		m.sweepOnce(ctx)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// sweepOnce reports what receipts said that was not reported, takes inbound messages whose last segments did not come for the whole, and removes what is old.
func (m *Manager) sweepOnce(ctx context.Context) {
	m.sweeping.Lock()
	defer m.sweeping.Unlock()
	for _, e := range m.current.Load().entries {
		s, ok := e.provider.(*smpp)
		if !ok {
			continue
		}
		open, err := m.o.Store.Unreported(ctx, e.account.ID, 1000)
		for _, g := range open {
			if err = s.settle(ctx, g.Message, g.Step); err != nil {
				break
			}
		}
		if err == nil {
			err = s.joinStale(ctx)
		}
		if err != nil && ctx.Err() == nil {
			m.o.Logger.Warn("catch up on SMS", "account", e.account.ID, "err", err)
		}
	}
	now := m.o.Now()
	if _, err := m.o.Store.RetireSegments(ctx, now.Add(-keepSegments), now.Add(-keepSegments)); err != nil && ctx.Err() == nil {
		m.o.Logger.Warn("remove old segments of SMS", "err", err)
	}
}

// joinStale takes the fragments that have waited long enough for the whole of their messages.
func (s *smpp) joinStale(ctx context.Context) error {
	stale, err := s.m.o.Store.StaleFragments(ctx, s.account.ID, s.m.o.Now().Add(-keepFragments))
	if err != nil {
		return err
	}
	for len(stale) > 0 {
		n := 1
		for n < len(stale) && sameMessage(stale[0], stale[n]) {
			n++
		}
		if err := s.join(ctx, stale[:n]); err != nil {
			return err
		}
		stale = stale[n:]
	}
	return nil
}

func sameMessage(a, b store.Fragment) bool {
	return a.Sender == b.Sender && a.Recipient == b.Recipient && a.Ref == b.Ref && a.Parts == b.Parts
}
