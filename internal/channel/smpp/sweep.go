package smpp

import (
	"context"
	"time"

	"github.com/chasqui/chasqui/internal/store"
)

// keepFragments is how long segments of an inbound message wait for the others; then what is there is taken for the whole.
const keepFragments = 5 * time.Minute

// Sweep reports what receipts said that was not reported, and takes inbound messages whose last segments did not come for the whole.
func (s *smpp) Sweep(ctx context.Context) error {
	open, err := s.host.Store.Unreported(ctx, s.account.ID, 1000)
	if err != nil {
		return err
	}
	for _, g := range open {
		if err := s.settle(ctx, g.Message, g.Step); err != nil {
			return err
		}
	}
	return s.joinStale(ctx)
}

// joinStale takes the fragments that have waited long enough for the whole of their messages.
func (s *smpp) joinStale(ctx context.Context) error {
	stale, err := s.host.Store.StaleFragments(ctx, s.account.ID, s.host.Now().Add(-keepFragments))
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
