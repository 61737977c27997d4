package comapi

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"time"

	"github.com/chasqui/chasqui/internal/comapi/sessions"
	"github.com/chasqui/chasqui/internal/gateway"
)

// Dialect is the name of the API as an origin of messages, and of its format of deliveries. What is
// kept with a message is what was asked.
const Dialect = sessions.Dialect

// topic is one kind of event that a webhook wants, such as message.inbound.
type topic struct {
	Type    string   `json:"type"`
	Filters []filter `json:"filters,omitempty"`
}

// filter narrows a topic. The one name there is is channel.
type filter struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// format is the format of webhooks: an envelope of each event, alone or in a list. It is what is
// kept with their subscriptions.
type format struct {
	Topics []topic  `json:"topics,omitempty"`
	Lists  batching `json:"batching,omitzero"`
}

// batching is how a webhook asked for its events in lists.
type batching struct {
	On      bool `json:"on,omitempty"`
	Size    int  `json:"size,omitempty"`
	Timeout int  `json:"timeout,omitempty"` // seconds
}

// OpenFormat makes the format of what is kept with a subscription.
func OpenFormat(data json.RawMessage) (gateway.Format, error) { return formatOf(data) }

func formatOf(data json.RawMessage) (*format, error) {
	f := new(format)
	if len(data) == 0 {
		return f, nil
	}
	return f, json.Unmarshal(data, f)
}

// Wants reports whether one of the topics selects an event.
func (f *format) Wants(e *gateway.Event) bool {
	name, channel := topicOf(e), ""
	if name == "" {
		return false
	}
	for _, t := range f.Topics {
		if t.Type != name {
			continue
		}
		if len(t.Filters) == 0 {
			return true
		}
		if channel == "" {
			channel = channelOf(e)
		}
		for _, by := range t.Filters {
			if by.Value == channel {
				return true
			}
		}
	}
	return false
}

// minSecret is how long a secret of webhooks is at least, in bytes.
const minSecret = 16

// ValidateSecret says what is wrong with a secret, or returns nil.
func (f *format) ValidateSecret(secret gateway.Secret) error {
	if n := len(secret.Reveal()); n < minSecret || n > 1000 {
		return gateway.Invalid("secret", "must have %d to 1000 bytes", minSecret)
	}
	return nil
}

// Batching returns how the webhook asked for its events.
func (f *format) Batching() gateway.Batching {
	return gateway.Batching{On: f.Lists.On, Size: f.Lists.Size, Wait: max(time.Second, gateway.Times(f.Lists.Timeout, time.Second))}
}

// Timeout is for how long a receiver may take.
func (f *format) Timeout() time.Duration { return 10 * time.Second }

// Encode makes the envelope, or the list of them for a receiver that asked for batches.
// X-Comapi-Signature is the lower-case hexadecimal HMAC-SHA1 of the body.
func (f *format) Encode(ctx context.Context, s *gateway.Subscription, events []*gateway.Event, around gateway.Around) (gateway.Body, error) {
	envelopes := make([]any, len(events))
	for i, e := range events {
		profile, err := around.Profile(ctx, e)
		if err != nil {
			return gateway.Body{}, err
		}
		var last *gateway.Message
		if e.Channel != "" && e.Person != "" {
			if last, err = around.Newest(ctx, e); err != nil {
				return gateway.Body{}, err
			}
		}
		envelopes[i] = Publish(e, profile, around.Page(e), last)
	}
	var content any = envelopes
	if !f.Lists.On {
		content = envelopes[0]
	}
	body := gateway.Body{Header: map[string]string{"Content-Type": "application/json"}}
	var err error
	if body.Content, err = json.Marshal(content); err != nil {
		return gateway.Body{}, err
	}
	if secrets := s.ValidSecrets(around.Now()); len(secrets) > 0 {
		mac := hmac.New(sha1.New, []byte(secrets[0].Reveal()))
		mac.Write(body.Content)
		body.Header["X-Comapi-Signature"] = hex.EncodeToString(mac.Sum(nil))
	}
	return body, nil
}

// Judge says what the status of a receiver's answer means: 400 rejects the event.
func (f *format) Judge(status int) gateway.Reception {
	switch {
	case status >= 200 && status < 300:
		return gateway.Taken
	case status == http.StatusBadRequest:
		return gateway.Rejected
	}
	return gateway.Refused
}

// pauses are the pauses after the tries of a delivery.
var pauses = [...]time.Duration{5 * time.Second, 5 * time.Second, 30 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute,
	15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour, 4 * time.Hour, 4 * time.Hour, 4 * time.Hour, 4 * time.Hour}

// NextTry returns when a delivery that has just failed is tried again; false when it is dead.
func (f *format) NextTry(d *gateway.Delivery, now time.Time) (time.Time, bool) {
	n := len(d.Attempts)
	if n > len(pauses) {
		return now, false
	}
	return now.Add(pauses[max(n-1, 0)]), true
}
