package gateway

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/chasqui/chasqui/gatewayapi"
)

// How events reach a subscriber, whether a subscription takes part, and what it waits for.
type (
	SubscriptionKind  = gatewayapi.SubscriptionKind
	SubscriptionState = gatewayapi.SubscriptionState
	DeliveryOrder     = gatewayapi.DeliveryOrder
)

// Kinds, states and orders of subscriptions.
const (
	KindForward          = gatewayapi.KindForward
	KindPull             = gatewayapi.KindPull
	SubscriptionActive   = gatewayapi.SubscriptionActive
	SubscriptionDisabled = gatewayapi.SubscriptionDisabled
	OrderConversation    = gatewayapi.OrderConversation
	OrderNone            = gatewayapi.OrderNone
)

// Limits of subscriptions.
const (
	MaxSigningSecrets = 5
	maxURL            = 2000
)

// SigningSecret is one of the secrets with which a subscription's deliveries are signed. While
// several are valid each delivery carries a signature of each, so that the receiver can change
// over.
type SigningSecret struct {
	ID        string
	Value     Secret // whsec_ and the standard base64 of 32 bytes
	CreatedAt time.Time
	ExpiresAt time.Time // zero for never
}

// Subscription says who gets which events, and how.
type Subscription struct {
	ID   string
	Name string
	Kind SubscriptionKind
	// URL is where a forward subscription posts.
	URL string
	// Format is the name of the format of its deliveries, empty for the gateway's own. FormatData
	// is what that format keeps with it.
	Format     string
	FormatData json.RawMessage
	// EventTypes selects events; empty means every type.
	EventTypes []EventType
	// Applications selects events by application; empty means all, and the events that no
	// application owns.
	Applications []string
	Order        DeliveryOrder
	Secrets      []SigningSecret
	State        SubscriptionState
	// Disabled says why the gateway disabled it, nil when it did not.
	Disabled   *Failure
	DisabledAt time.Time
	// Generation grows with each replay from a position: what was under way before no longer
	// counts.
	Generation int64
	// StartPos is the position of the log after which it begins.
	StartPos int64
	// AckedPos is the position that a pull subscription has acknowledged; at least StartPos.
	AckedPos int64
	// FailingSince is when deliveries began to do nothing but fail, zero while any succeed.
	FailingSince time.Time
	CreatedAt    time.Time
	UpdatedAt    time.Time

	bound Format // by Formats.Bind
}

// Deliveries returns the format that the subscription was bound to; nil when it was not.
func (s *Subscription) Deliveries() Format { return s.bound }

// ValidateSecret says what is wrong with a signing secret that a caller brings for the
// subscription, or returns nil.
func (s *Subscription) ValidateSecret(secret Secret) error {
	if s.bound == nil {
		return ValidateSigningSecret(secret)
	}
	return s.bound.ValidateSecret(secret)
}

// Batching returns how the subscription's events are gathered.
func (s *Subscription) Batching() Batching {
	if s.bound == nil {
		return Batching{}
	}
	return s.bound.Batching()
}

// Pushed reports whether deliveries are carried to the subscriber, which does not ask for them.
func (s *Subscription) Pushed() bool { return s.Kind != KindPull }

// Signed reports whether deliveries are signed with the subscription's secrets.
func (s *Subscription) Signed() bool { return s.Kind == KindForward }

// Wants reports whether an event is selected.
func (s *Subscription) Wants(e *Event) bool {
	if e.Internal() {
		return false
	}
	if len(s.EventTypes) > 0 && !slices.Contains(s.EventTypes, e.Type) {
		return false
	}
	if len(s.Applications) > 0 && !slices.Contains(s.Applications, e.Application) {
		return false
	}
	return s.bound == nil || s.bound.Wants(e)
}

// ValidSecrets returns the secrets with which a delivery is signed now, newest first.
func (s *Subscription) ValidSecrets(now time.Time) []Secret {
	var valid []Secret
	for _, secret := range slices.Backward(s.Secrets) {
		if secret.ExpiresAt.IsZero() || now.Before(secret.ExpiresAt) {
			valid = append(valid, secret.Value)
		}
	}
	return valid
}

// Validate says which field of the subscription is wrong, or nil. It does not look where the URL
// leads: that is settled at each delivery.
func (s *Subscription) Validate() error {
	if len(s.Name) > 200 {
		return Invalid("name", "must have at most 200 bytes")
	}
	switch s.Kind {
	case KindForward:
		if err := validateTarget(s.URL); err != nil {
			return err
		}
	case KindPull:
		if s.URL != "" {
			return Invalid("url", "belongs to forward subscriptions only")
		}
	default:
		return Invalid("kind", "must be forward or pull")
	}
	if s.Order != OrderConversation && s.Order != OrderNone {
		return Invalid("order", "must be conversation or none")
	}
	if s.State != SubscriptionActive && s.State != SubscriptionDisabled {
		return Invalid("state", "must be active or disabled")
	}
	for _, t := range s.EventTypes {
		if !slices.Contains(EventTypes(), t) {
			return Invalid("eventTypes", "%q is not a type of event", t)
		}
	}
	for _, a := range s.Applications {
		if a == "" {
			return Invalid("applications", "must not hold an empty key")
		}
	}
	return nil
}

func validateTarget(target string) error {
	u, err := url.Parse(target)
	switch {
	case target == "":
		return Invalid("url", "must be given for a forward subscription")
	case err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Hostname() == "":
		return Invalid("url", "must be an https or http address")
	case u.User != nil:
		return Invalid("url", "must not hold a user or password; deliveries are signed instead")
	case u.Fragment != "":
		return Invalid("url", "must not hold a fragment")
	case len(target) > maxURL:
		return Invalid("url", "must have at most %d bytes", maxURL)
	}
	return nil
}

const signingSecretPrefix = "whsec_"

// NewSigningSecret makes a secret of the Standard Webhooks scheme: whsec_ and the standard base64
// of 32 random bytes.
func NewSigningSecret() Secret {
	var b [32]byte
	rand.Read(b[:])
	return Secret(signingSecretPrefix + base64.StdEncoding.EncodeToString(b[:]))
}

// ValidateSigningSecret says what is wrong with a secret that a caller brings, or nil.
func ValidateSigningSecret(s Secret) error {
	encoded, ok := strings.CutPrefix(s.Reveal(), signingSecretPrefix)
	key, err := base64.StdEncoding.DecodeString(encoded)
	if !ok || err != nil || len(key) != 32 {
		return Invalid("secret", "must be whsec_ followed by the standard base64 of 32 bytes")
	}
	return nil
}
