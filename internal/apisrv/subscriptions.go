package apisrv

import (
	"time"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/gateway"
)

// defaultOverlap is for how long older signing secrets go on beside a new one.
const (
	defaultOverlap = 24 * time.Hour
	maxOverlap     = 30 * 24 * time.Hour
)

func (s *server) createSubscription(q *request, in *gatewayapi.CreateSubscriptionRequest) (*gatewayapi.Subscription, error) {
	sub := &gateway.Subscription{
		Kind: in.Kind, Name: in.Name, URL: in.URL, EventTypes: in.EventTypes,
		Applications: in.Applications, Order: in.Order, Secrets: signingSecrets(in.Secrets),
	}
	if err := s.o.Subscriptions.Create(q.Context(), q.Key, sub, in.From); err != nil {
		return nil, err
	}
	q.W.Header().Set("Location", "/v1/subscriptions/"+sub.ID)
	return new(wireSubscription(sub, allSecrets)), nil
}

func signingSecrets(values []string) []gateway.SigningSecret {
	var secrets []gateway.SigningSecret
	for _, v := range values {
		secrets = append(secrets, gateway.SigningSecret{Value: gateway.Secret(v)})
	}
	return secrets
}

func (s *server) listSubscriptions(q *request) (*gatewayapi.SubscriptionList, error) {
	if err := q.known(nil); err != nil {
		return nil, err
	}
	subscriptions, err := s.o.Subscriptions.List(q.Context(), q.Key)
	if err != nil {
		return nil, err
	}
	list := gatewayapi.SubscriptionList{Subscriptions: []gatewayapi.Subscription{}}
	for _, sub := range subscriptions {
		list.Subscriptions = append(list.Subscriptions, wireSubscription(sub, noSecret))
	}
	return &list, nil
}

func (s *server) getSubscription(q *request) (*gatewayapi.Subscription, error) {
	sub, err := s.o.Subscriptions.Get(q.Context(), q.Key, q.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return new(wireSubscription(sub, noSecret)), nil
}

func (s *server) updateSubscription(q *request, in *gatewayapi.UpdateSubscriptionRequest) (*gatewayapi.Subscription, error) {
	var before []gateway.SigningSecret
	sub, err := s.o.Subscriptions.Update(q.Context(), q.Key, q.PathValue("id"), func(sub *gateway.Subscription) error {
		before = sub.Secrets
		replace(&sub.Name, in.Name)
		replace(&sub.URL, in.URL)
		replace(&sub.Order, in.Order)
		replace(&sub.State, in.State)
		replace(&sub.Applications, in.Applications)
		replace(&sub.EventTypes, in.EventTypes)
		if in.Secrets != nil {
			sub.Secrets = signingSecrets(*in.Secrets)
			return s.o.Subscriptions.Adopt(sub, before)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return new(wireSubscription(sub, secretsNotIn(before))), nil
}

// replace sets a field to what was given, if anything was.
func replace[T any](field *T, given *T) {
	if given != nil {
		*field = *given
	}
}

// valueOf is what was given, or nothing.
func valueOf[T any](given *T) (value T) {
	replace(&value, given)
	return value
}

func (s *server) deleteSubscription(q *request) error {
	if err := s.o.Subscriptions.Delete(q.Context(), q.Key, q.PathValue("id")); err != nil {
		return err
	}
	return nil
}

func (s *server) addSecret(q *request, in *gatewayapi.AddSecretRequest) (*gatewayapi.Subscription, error) {
	overlap := defaultOverlap
	if in.OverlapSeconds != nil {
		overlap = gateway.Times(*in.OverlapSeconds, time.Second)
		if overlap < 0 || overlap > maxOverlap {
			return nil, gateway.Invalid("overlapSeconds", "must be from 0 to %d", int(maxOverlap.Seconds()))
		}
	}
	sub, err := s.o.Subscriptions.AddSecret(q.Context(), q.Key, q.PathValue("id"), gateway.Secret(in.Secret), overlap)
	if err != nil {
		return nil, err
	}
	newest := sub.Secrets[len(sub.Secrets)-1].ID
	return new(wireSubscription(sub, func(secret gateway.SigningSecret) bool { return secret.ID == newest })), nil
}

func (s *server) deleteSecret(q *request) error {
	if _, err := s.o.Subscriptions.DeleteSecret(q.Context(), q.Key, q.PathValue("id"), q.PathValue("secret")); err != nil {
		return err
	}
	return nil
}
