package service

import (
	"context"

	"github.com/chasqui/chasqui/internal/gateway"
)

// Resubscribe tells the platform again which events it is to send, and where: after the gateway's
// public address has changed, or somebody changed the subscriptions at the platform.
func (s *Applications) Resubscribe(ctx context.Context, key *gateway.APIKey, application string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.Get(ctx, key, application)
	if err != nil {
		return err
	}
	client, err := s.Platform.Client(a)
	if err != nil {
		return err
	}
	if err := refused(client.SubscribePage(ctx, gateway.SubscribedFields()...), "page.accessToken", "subscribe the page"); err != nil {
		return err
	}
	door := a
	siblings, err := s.siblings(ctx, a)
	if err != nil {
		return err
	}
	for _, other := range siblings {
		if other.Door {
			door = other
		}
	}
	return s.openDoor(ctx, appClient(client, a), door)
}
