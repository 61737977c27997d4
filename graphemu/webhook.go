package graphemu

import "context"

// WaitIdle waits until no webhook is under way or waiting to be sent again, and
// no message waits to be delivered to a person who is online.
func (s *Server) WaitIdle(ctx context.Context) error {
	s.init()
	return s.await(ctx, func() (bool, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, page := range s.pages {
			for _, p := range page.people {
				if p.receipts != nil {
					return false, nil
				}
			}
		}
		return s.courier.idle(), nil
	})
}
