package messenger

import (
	"encoding/json"
	"fmt"
)

// Webhook is a delivery with its events typed.
type Webhook struct {
	Object string
	Events []Event         // every event of every entry, in their order
	Raw    json.RawMessage // the body as received
}

// Parse reads a delivery. The only error is [ErrNotJSON]; what is unknown is
// kept as events of [KindUnknown]. The events share the body's memory.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/webhooks
func Parse(body []byte) (Webhook, error) {
	envelopes, err := Split(body)
	if err != nil {
		return Webhook{}, fmt.Errorf("parse webhook: %w", err)
	}
	w := Webhook{Raw: body, Object: scalarText(member(body, "object"))}
	w.Events = make([]Event, len(envelopes))
	for i, e := range envelopes {
		w.Events[i] = e.Event()
	}
	return w, nil
}

// MarshalJSON builds a delivery of the events, one entry for each: as it was
// received, or from its typed content when Raw is empty.
func (w Webhook) MarshalJSON() ([]byte, error) {
	out := []byte(`{"object":`)
	out = appendString(out, w.Object)
	out = append(out, `,"entry":[`...)
	for i, ev := range w.Events {
		if i > 0 {
			out = append(out, ',')
		}
		if ev.Channel == "" && ev.Raw != nil {
			out = append(out, ev.Raw...)
			continue
		}
		event, err := ev.MarshalJSON()
		if err != nil {
			return nil, fmt.Errorf("marshal event %d: %w", i, err)
		}
		out = appendEntryHead(out, ev.Envelope)
		out = append(out, event...)
		out = append(out, "]}"...)
	}
	return append(out, "]}"...), nil
}

func appendEntryHead(out []byte, e Envelope) []byte {
	out = append(out, `{"id":`...)
	out = appendString(out, string(e.PageID))
	if e.Time != 0 {
		out = fmt.Appendf(out, `,"time":%d`, e.Time)
	}
	channel := e.Channel
	if channel == "" {
		channel = ChannelMessaging
	}
	return fmt.Appendf(out, `,"%s":[`, channel)
}

// MarshalJSON returns the event as it was received, or builds it from its typed
// content when Raw is empty.
func (ev Event) MarshalJSON() ([]byte, error) {
	if ev.Raw != nil {
		return ev.Raw, nil
	}
	if ev.Change != nil {
		return json.Marshal(ev.Change)
	}
	var timestamp Millis
	if !ev.Timestamp.IsZero() {
		timestamp = Millis(ev.Timestamp.UnixMilli())
	}
	return json.Marshal(struct {
		Sender            Party                 `json:"sender,omitzero"`
		Recipient         Party                 `json:"recipient,omitzero"`
		Timestamp         Millis                `json:"timestamp,omitempty"`
		Message           *InboundMessage       `json:"message,omitempty"`
		Postback          *Postback             `json:"postback,omitempty"`
		Delivery          *Delivery             `json:"delivery,omitempty"`
		Read              *Read                 `json:"read,omitempty"`
		Referral          *Referral             `json:"referral,omitempty"`
		Optin             *Optin                `json:"optin,omitempty"`
		Reaction          *Reaction             `json:"reaction,omitempty"`
		Edit              *MessageEdit          `json:"message_edit,omitempty"`
		PassThread        *PassThreadControl    `json:"pass_thread_control,omitempty"`
		TakeThread        *TakeThreadControl    `json:"take_thread_control,omitempty"`
		RequestThread     *RequestThreadControl `json:"request_thread_control,omitempty"`
		AppRoles          AppRoles              `json:"app_roles,omitempty"`
		AccountLinking    *AccountLinking       `json:"account_linking,omitempty"`
		PolicyEnforcement *PolicyEnforcement    `json:"policy_enforcement,omitempty"`
		MessageRequest    string                `json:"message_request,omitempty"`
		GamePlay          *GamePlay             `json:"game_play,omitempty"`
		Payment           *Payment              `json:"payment,omitempty"`
		PreCheckout       *PreCheckout          `json:"pre_checkout,omitempty"`
		CheckoutUpdate    *CheckoutUpdate       `json:"checkout_update,omitempty"`
		ResponseFeedback  *ResponseFeedback     `json:"response_feedback,omitempty"`
		MessagingFeedback *MessagingFeedback    `json:"messaging_feedback,omitempty"`
		PriorMessage      *PriorMessage         `json:"prior_message,omitempty"`
	}{
		ev.Sender, ev.Recipient, timestamp, ev.Message, ev.Postback, ev.Delivery, ev.Read, ev.Referral, ev.Optin,
		ev.Reaction, ev.Edit, ev.PassThread, ev.TakeThread, ev.RequestThread, ev.AppRoles, ev.AccountLinking,
		ev.PolicyEnforcement, ev.MessageRequest, ev.GamePlay, ev.Payment, ev.PreCheckout, ev.CheckoutUpdate,
		ev.ResponseFeedback, ev.MessagingFeedback, ev.PriorMessage,
	})
}
