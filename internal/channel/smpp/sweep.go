package smpp

import "context"

// Sweep reports what receipts said that was not reported, and takes inbound messages whose last
// segments did not come for the whole.
func (s *smpp) Sweep(ctx context.Context) error {
	if err := s.host.SettleOpen(ctx, s.account); err != nil {
		return err
	}
	return s.host.GatherStale(ctx, s.account.ID, s.join)
}
