package messenger

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"
)

// Event is one webhook event with its typed content. Of the pointers at most
// the one that belongs to Kind is set. The bytes as received stay in Raw.
type Event struct {
	Envelope
	Kind      Kind
	Sender    Party
	Recipient Party
	Timestamp time.Time // the event's own, else the entry's; zero when neither is known

	Message           *InboundMessage // message and echo
	Postback          *Postback
	Delivery          *Delivery
	Read              *Read
	Referral          *Referral
	Optin             *Optin
	Reaction          *Reaction
	Edit              *MessageEdit
	PassThread        *PassThreadControl
	TakeThread        *TakeThreadControl
	RequestThread     *RequestThreadControl
	AppRoles          AppRoles
	AccountLinking    *AccountLinking
	PolicyEnforcement *PolicyEnforcement
	MessageRequest    string // "accept" after customer matching
	GamePlay          *GamePlay
	Payment           *Payment
	PreCheckout       *PreCheckout
	CheckoutUpdate    *CheckoutUpdate
	ResponseFeedback  *ResponseFeedback
	MessagingFeedback *MessagingFeedback

	PriorMessage *PriorMessage // ties a plugin's user_ref to the person
	Change       *Change       // for events of the channel "changes"
	Problem      error         // why a part that is known could not be read; Raw still has it
}

// Party is one side of an event. Chat plugin events of people who are not
// logged in carry a user_ref in place of an id.
type Party struct {
	ID      PSID   `json:"id,omitempty"`
	UserRef string `json:"user_ref,omitempty"`
}

// UnmarshalJSON accepts ids as strings and as numbers.
func (p *Party) UnmarshalJSON(b []byte) error {
	var wire struct {
		ID      PSID `json:"id"`
		UserRef PSID `json:"user_ref"`
	}
	if err := json.Unmarshal(b, &wire); err != nil {
		return err
	}
	p.ID, p.UserRef = wire.ID, string(wire.UserRef)
	return nil
}

// take reads the party that most events have: ids that are strings or numbers
// and nothing else. It reports whether it could.
func (p *Party) take(value []byte) bool {
	plain := true
	var read Party
	whole := eachMember(value, func(key, value []byte) {
		text := scalarText(value)
		switch {
		case text == "" || (string(key) != "id" && string(key) != "user_ref"):
			plain = false
		case string(key) == "id":
			read.ID = PSID(text)
		default:
			read.UserRef = text
		}
	})
	if whole && plain {
		*p = read
	}
	return whole && plain
}

// plainMessage reads the message that most events have: a mid and a text. It is
// nil for any other, which takes the longer way.
func plainMessage(value []byte) *InboundMessage {
	var m InboundMessage
	plain := true
	whole := eachMember(value, func(key, value []byte) {
		// With an escape in it, a text is read by encoding/json.
		if len(value) < 2 || value[0] != '"' || bytes.IndexByte(value, '\\') >= 0 || !utf8.Valid(value) {
			plain = false
			return
		}
		switch string(key) {
		case "mid":
			m.MID = MessageID(value[1 : len(value)-1])
		case "text":
			m.Text = string(value[1 : len(value)-1])
		default:
			plain = false
		}
	})
	if !whole || !plain {
		return nil
	}
	return &m
}

// Change is an event of the channel "changes": a page field outside messaging,
// or a messaging field in the form of a test event.
type Change struct {
	Field string          `json:"field"`
	Value json.RawMessage `json:"value"`
}

// PriorMessage comes with the first event of a person after a message that was sent to a plugin's
// user_ref.
type PriorMessage struct {
	Source     string `json:"source"`     // "checkbox_plugin", "customer_matching"
	Identifier string `json:"identifier"` // the user_ref that was written to
}

// Event reads the typed event. It never fails: an unknown event has
// [KindUnknown], a known one whose content has an unexpected shape has Problem
// set.
func (e Envelope) Event() Event {
	keys := e.Keys()
	ev := Event{Envelope: e, Kind: keys.Kind}
	ev.Sender = Party{ID: PSID(keys.Sender)}
	ev.Recipient = Party{ID: PSID(keys.Recipient)}
	switch {
	case keys.Timestamp > 0:
		ev.Timestamp = time.UnixMilli(keys.Timestamp).UTC()
	case e.Time > 0:
		ev.Timestamp = time.UnixMilli(inMillis(e.Time)).UTC()
	}
	body := []byte(e.Raw)
	if e.Channel == ChannelChanges {
		ev.Change = &Change{Field: scalarText(member(body, "field")), Value: member(body, "value")}
		body = ev.Change.Value
	}
	eachMember(body, func(key, value []byte) { ev.take(key, value) })
	return ev
}

// take reads one member of the event into its typed place.
func (ev *Event) take(key, value []byte) {
	var dst any
	switch string(key) {
	case "sender":
		if ev.Sender.take(value) {
			return
		}
		dst = &ev.Sender
	case "recipient":
		if ev.Recipient.take(value) {
			return
		}
		dst = &ev.Recipient
	case "prior_message":
		dst = &ev.PriorMessage
	default:
		kind := kindOfKey(key)
		if kind == KindUnknown || !ev.owns(kind) {
			return
		}
		if kind == KindMessage {
			if ev.Message = plainMessage(value); ev.Message != nil {
				return
			}
		}
		dst = ev.part(key)
	}
	if err := json.Unmarshal(value, dst); err != nil && ev.Problem == nil {
		ev.Problem = fmt.Errorf("read %s: %w", key, err)
	}
}

func (ev *Event) owns(kind Kind) bool {
	return kind == ev.Kind || (kind == KindMessage && ev.Kind == KindEcho)
}

// part is the place for the content of the member key, which must be known.
func (ev *Event) part(key []byte) any {
	switch kindOfKey(key) {
	case KindMessage:
		return &ev.Message
	case KindPostback:
		return &ev.Postback
	case KindDelivery:
		return &ev.Delivery
	case KindRead:
		return &ev.Read
	case KindReferral:
		return &ev.Referral
	case KindOptin:
		return &ev.Optin
	case KindReaction:
		return &ev.Reaction
	case KindEdit:
		return &ev.Edit
	case KindPassThreadControl:
		return &ev.PassThread
	case KindTakeThreadControl:
		return &ev.TakeThread
	case KindRequestThreadControl:
		return &ev.RequestThread
	case KindAppRoles:
		return &ev.AppRoles
	case KindAccountLinking:
		return &ev.AccountLinking
	case KindPolicyEnforcement:
		return &ev.PolicyEnforcement
	case KindMessageRequest:
		return &ev.MessageRequest
	case KindGamePlay:
		return &ev.GamePlay
	case KindPayment:
		return &ev.Payment
	case KindPreCheckout:
		return &ev.PreCheckout
	case KindCheckoutUpdate:
		return &ev.CheckoutUpdate
	case KindResponseFeedback:
		return &ev.ResponseFeedback
	case KindMessagingFeedback:
		return &ev.MessagingFeedback
	}
	return new(json.RawMessage)
}
