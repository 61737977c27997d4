package gateway

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/chasqui/chasqui/gatewayapi"
)

// FormatInfobip is that of Infobip's inbound messages.
const FormatInfobip DeliveryFormat = "infobip"

// InfobipInbox is a list of inbound messages as it is answered and posted.
type InfobipInbox struct {
	Results             []InfobipInbound `json:"results"`
	MessageCount        int              `json:"messageCount"`
	PendingMessageCount int              `json:"pendingMessageCount"`
}

// InfobipInbound is a message that a person wrote on Messenger, or a button that they tapped. Its text stands in message and beside it, for readers of either form.
type InfobipInbound struct {
	From            string         `json:"from"`
	To              string         `json:"to"`
	IntegrationType string         `json:"integrationType"`
	ReceivedAt      *string        `json:"receivedAt"`
	MessageID       string         `json:"messageId"`
	PairedMessageID *string        `json:"pairedMessageId"`
	CallbackData    *string        `json:"callbackData"`
	Message         InfobipContent `json:"message"`
	Text            *string        `json:"text"`
	CleanText       *string        `json:"cleanText"`
	Keyword         *string        `json:"keyword"` // nobody registers keywords here
	Price           InfobipPrice   `json:"price"`
}

// InfobipContent is what an inbound message holds.
type InfobipContent struct {
	Type        string                 `json:"type"` // TEXT, IMAGE, AUDIO, VIDEO, FILE, LOCATION, FALLBACK, POSTBACK or UNKNOWN
	Text        string                 `json:"text,omitempty"`
	URL         string                 `json:"url,omitempty"`
	Title       string                 `json:"title,omitempty"`
	StickerID   string                 `json:"stickerId,omitempty"`
	Latitude    *float64               `json:"latitude,omitempty"`
	Longitude   *float64               `json:"longitude,omitempty"`
	Payload     string                 `json:"payload,omitempty"`
	QuickReply  *gatewayapi.QuickReply `json:"quickReply,omitempty"`
	ReplyTo     string                 `json:"replyTo,omitempty"`
	Attachments []InfobipContent       `json:"attachments,omitempty"` // this gateway's own: all of them, where there are several
}

// infobipReceived is what events tell of what a person wrote or tapped.
type infobipReceived struct {
	gatewayapi.Content
	Title   string `json:"title"`
	Payload string `json:"payload"`
}

// PublishInfobip makes of a message.inbound or postback what Infobip's receivers get, by way of a subscription that is an action.
func PublishInfobip(e *Event, sub *Subscription) InfobipInbound {
	p := Publish(e, "", "")
	r := InfobipInbound{From: PSIDOf(e.Person), To: e.Application, IntegrationType: "FACEBOOK", ReceivedAt: FormatInfobipTime(e.ReceivedAt), MessageID: p.ID,
		Message: InfobipContent{Type: "UNKNOWN"}, Price: infobipFree()}
	if a := sub.Action; a != nil {
		r.CallbackData = orNull(a.CallbackData)
		if a.Chat {
			r.To = a.Configuration
		}
	}
	var f infobipReceived
	if json.Unmarshal(p.Data, &f) != nil {
		return r // what cannot be read stays UNKNOWN
	}
	if p.Type == EventPostback {
		r.Message = InfobipContent{Type: "POSTBACK", Title: f.Title, Payload: f.Payload}
		return r
	}
	if f.Text != "" {
		clean := strings.TrimSpace(f.Text)
		r.Text, r.CleanText = &f.Text, &clean
	}
	attached := infobipAttached(f.Attachments)
	switch {
	case len(attached) > 0:
		r.Message = attached[0]
		if len(attached) > 1 {
			r.Message.Attachments = attached
		}
		r.Message.Text = f.Text
	case f.Text != "":
		r.Message = InfobipContent{Type: "TEXT", Text: f.Text}
	}
	r.Message.QuickReply, r.Message.ReplyTo = f.QuickReply, f.ReplyTo
	return r
}

func infobipAttached(attachments []gatewayapi.Attachment) []InfobipContent {
	var all []InfobipContent
	for _, a := range attachments {
		m := InfobipContent{Type: "UNKNOWN", URL: a.URL, Title: a.Title, StickerID: a.StickerID}
		if kind := strings.ToUpper(a.Type); slices.Contains([]string{"IMAGE", "AUDIO", "VIDEO", "FILE", "LOCATION", "FALLBACK"}, kind) {
			m.Type = kind
		}
		if a.Coordinates != nil {
			lat, long := a.Coordinates.Lat, a.Coordinates.Long
			m.Latitude, m.Longitude = &lat, &long
		}
		all = append(all, m)
	}
	return all
}
