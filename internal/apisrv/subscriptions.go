package apisrv

import (
	"net/http"
	"time"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/gateway"
)

// defaultOverlap is for how long older signing secrets go on beside a new one.
const (
	defaultOverlap = 24 * time.Hour
	maxOverlap     = 30 * 24 * time.Hour
)

func (s *server) createSubscription(q *request) error {
	var in gatewayapi.CreateSubscriptionRequest
	if err := q.decode(&in); err != nil {
		return err
	}
	sub := &gateway.Subscription{
		Kind: in.Kind, Name: in.Name, URL: in.URL, EventTypes: in.EventTypes,
		Applications: in.Applications, Order: in.Order, Secrets: signingSecrets(in.Secrets),
	}
	if err := s.o.Subscriptions.Create(q.Context(), q.key, sub, in.From); err != nil {
		return err
	}
	q.w.Header().Set("Location", "/v1/subscriptions/"+sub.ID)
	return q.reply(http.StatusCreated, wireSubscription(sub, allSecrets))
}

func signingSecrets(values []string) []gateway.SigningSecret {
	var secrets []gateway.SigningSecret
	for _, v := range values {
		secrets = append(secrets, gateway.SigningSecret{Value: gateway.Secret(v)})
	}
	return secrets
}

func (s *server) listSubscriptions(q *request) error {
	if err := q.known(nil); err != nil {
		return err
	}
	subscriptions, err := s.o.Subscriptions.List(q.Context(), q.key)
	if err != nil {
		return err
	}
	list := gatewayapi.SubscriptionList{Subscriptions: []gatewayapi.Subscription{}}
	for _, sub := range subscriptions {
		list.Subscriptions = append(list.Subscriptions, wireSubscription(sub, noSecret))
	}
	return q.reply(http.StatusOK, list)
}

func (s *server) getSubscription(q *request) error {
	sub, err := s.o.Subscriptions.Get(q.Context(), q.key, q.PathValue("id"))
	if err != nil {
		return err
	}
	return q.reply(http.StatusOK, wireSubscription(sub, noSecret))
}

func (s *server) updateSubscription(q *request) error {
	var in gatewayapi.UpdateSubscriptionRequest
	if err := q.decode(&in); err != nil {
		return err
	}
	var before []gateway.SigningSecret
	sub, err := s.o.Subscriptions.Update(q.Context(), q.key, q.PathValue("id"), func(sub *gateway.Subscription) error {
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
		return err
	}
	return q.reply(http.StatusOK, wireSubscription(sub, secretsNotIn(before)))
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
	if err := s.o.Subscriptions.Delete(q.Context(), q.key, q.PathValue("id")); err != nil {
		return err
	}
	return q.done()
}

func (s *server) addSecret(q *request) error {
	in := gatewayapi.AddSecretRequest{}
	if err := q.decode(&in); err != nil {
		return err
	}
	overlap := defaultOverlap
	if in.OverlapSeconds != nil {
		overlap = gateway.Times(*in.OverlapSeconds, time.Second)
		if overlap < 0 || overlap > maxOverlap {
			return gateway.Invalid("overlapSeconds", "must be from 0 to %d", int(maxOverlap.Seconds()))
		}
	}
	sub, err := s.o.Subscriptions.AddSecret(q.Context(), q.key, q.PathValue("id"), gateway.Secret(in.Secret), overlap)
	if err != nil {
		return err
	}
	newest := sub.Secrets[len(sub.Secrets)-1].ID
	return q.reply(http.StatusCreated, wireSubscription(sub, func(secret gateway.SigningSecret) bool { return secret.ID == newest }))
}

func (s *server) deleteSecret(q *request) error {
	if _, err := s.o.Subscriptions.DeleteSecret(q.Context(), q.key, q.PathValue("id"), q.PathValue("secret")); err != nil {
		return err
	}
	return q.done()
}
