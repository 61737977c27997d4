package channel

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
)

// keepFragments is how long segments of an inbound message wait for the others; then what is there
// is taken for the whole.
const keepFragments = 5 * time.Minute

// Settle reports what the receipts of a step's segments say together: failed as soon as one failed,
// delivered when all were, sent when all are on their way.
func (h *Host) Settle(ctx context.Context, a *gateway.ChannelAccount, message string, step int) error {
	segments, err := h.Store.Segments(ctx, a.ID, message, step)
	if err != nil || len(segments) == 0 {
		return err
	}
	report, ok := together(segments)
	if !ok {
		return nil
	}
	report.Account, report.By, report.MessageID, report.Step = a.ID, a, message, step
	if err := h.Report(ctx, report); err != nil {
		return fmt.Errorf("report on message %s: %w", message, err)
	}
	return h.Store.SegmentsReported(ctx, segments)
}

// together is what the receipts of segments say together; false for nothing.
func together(segments []store.Segment) (r gateway.ChannelReport, ok bool) {
	refs := make([]string, len(segments))
	count := map[gateway.Status]int{}
	for i, g := range segments {
		refs[i] = g.Ref
		count[g.State]++
		if g.State == gateway.StatusFailed && r.Failure == nil {
			r.Failure = g.Failure
		}
		if g.At.After(r.At) {
			r.At = g.At
		}
	}
	r.Ref = strings.Join(refs, ",")
	switch parts := segments[0].Parts; {
	case count[gateway.StatusFailed] > 0:
		r.Status = gateway.StatusFailed
	case count[gateway.StatusDelivered] == parts:
		r.Status = gateway.StatusDelivered
	case count[gateway.StatusDelivered]+count[gateway.StatusSent] == parts:
		r.Status = gateway.StatusSent
	default:
		return r, false
	}
	return r, true
}

// SettleOpen reports what receipts of an account said that was not reported.
func (h *Host) SettleOpen(ctx context.Context, a *gateway.ChannelAccount) error {
	open, err := h.Store.Unreported(ctx, a.ID, 1000)
	if err != nil {
		return err
	}
	for _, g := range open {
		if err := h.Settle(ctx, a, g.Message, g.Step); err != nil {
			return err
		}
	}
	return nil
}

// Gather keeps a segment of an inbound message, and returns all segments of the message once they
// are there, nil before.
func (h *Host) Gather(ctx context.Context, f store.Fragment) ([]store.Fragment, error) {
	var have []store.Fragment
	err := h.Store.Write(ctx, func(tx *store.Tx) (err error) { have, err = tx.AddFragment(f); return err })
	if err != nil || len(have) < f.Parts {
		return nil, err
	}
	return have, nil
}

// GatherStale calls join with what has waited long enough for the rest of its message, a message at
// a time.
func (h *Host) GatherStale(ctx context.Context, account string, join func(context.Context, []store.Fragment) error) error {
	stale, err := h.Store.StaleFragments(ctx, account, h.Now().Add(-keepFragments))
	if err != nil {
		return err
	}
	for len(stale) > 0 {
		n := 1
		for n < len(stale) && sameMessage(stale[0], stale[n]) {
			n++
		}
		if err := join(ctx, stale[:n]); err != nil {
			return err
		}
		stale = stale[n:]
	}
	return nil
}

func sameMessage(a, b store.Fragment) bool {
	return a.Sender == b.Sender && a.Recipient == b.Recipient && a.Ref == b.Ref && a.Parts == b.Parts
}
