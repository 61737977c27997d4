package forward

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/webhook"
)

// Own is the gateway's own format: one event, signed after the Standard Webhooks scheme.
//
// Docs: https://www.standardwebhooks.com
type Own struct{}

// OpenOwn returns the gateway's own format; it keeps nothing.
func OpenOwn(json.RawMessage) (gateway.Format, error) { return Own{}, nil }

// Wants reports true: what the subscription selects is all that there is to it.
func (Own) Wants(*gateway.Event) bool { return true }

// ValidateSecret says what is wrong with a secret of the scheme, or returns nil.
func (Own) ValidateSecret(secret gateway.Secret) error { return gateway.ValidateSigningSecret(secret) }

// Batching returns the zero value: events go one by one.
func (Own) Batching() gateway.Batching { return gateway.Batching{} }

// Timeout returns zero, for the forwarder's.
func (Own) Timeout() time.Duration { return 0 }

// Encode makes what the subscriber gets of an event. It is made anew for each try, but for an event
// it is always the same save for the profile.
func (Own) Encode(ctx context.Context, s *gateway.Subscription, events []*gateway.Event, around gateway.Around) (gateway.Body, error) {
	e := events[0]
	profile, err := around.Profile(ctx, e)
	if err != nil {
		return gateway.Body{}, err
	}
	content, err := json.Marshal(gateway.Publish(e, profile, around.Page(e)))
	if err != nil {
		return gateway.Body{}, err
	}
	return webhook.Sign(s, e.ID(), around.Now(), content)
}

// Judge says what the status of a receiver's answer means: 410 Gone ends the subscription.
func (Own) Judge(status int) gateway.Reception {
	switch {
	case status >= 200 && status < 300:
		return gateway.Taken
	case status == http.StatusGone:
		return gateway.Gone
	}
	return gateway.Refused
}

// NextTry returns when a delivery is tried again, over the schedule of docs/events.md.
func (Own) NextTry(d *gateway.Delivery, now time.Time) (time.Time, bool) { return d.NextTry(now) }
