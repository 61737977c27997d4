package wire

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/chasqui/chasqui/internal/gateway"
)

// Inbox is a list of inbound messages as it is answered and posted.
type Inbox struct {
	Results             []Inbound `json:"results"`
	MessageCount        int       `json:"messageCount"`
	PendingMessageCount int       `json:"pendingMessageCount"`
}

// Inbound is a message that a person wrote on Messenger, or a button that they tapped. Its text
// stands in message and beside it, for readers of either form.
type Inbound struct {
	From            string  `json:"from"`
	To              string  `json:"to"`
	IntegrationType string  `json:"integrationType"`
	ReceivedAt      *string `json:"receivedAt"`
	MessageID       string  `json:"messageId"`
	PairedMessageID *string `json:"pairedMessageId"`
	CallbackData    *string `json:"callbackData"`
	Message         Content `json:"message"`
	Text            *string `json:"text"`
	CleanText       *string `json:"cleanText"`
	Keyword         *string `json:"keyword"` // nobody registers keywords here
	Price           Price   `json:"price"`
}

// Content is what an inbound message holds.
type Content struct {
	Type        string      `json:"type"` // TEXT, IMAGE, AUDIO, VIDEO, FILE, LOCATION, FALLBACK, POSTBACK or UNKNOWN
	Text        string      `json:"text,omitempty"`
	URL         string      `json:"url,omitempty"`
	Title       string      `json:"title,omitempty"`
	StickerID   string      `json:"stickerId,omitempty"`
	Latitude    *float64    `json:"latitude,omitempty"`
	Longitude   *float64    `json:"longitude,omitempty"`
	Payload     string      `json:"payload,omitempty"`
	QuickReply  *quickReply `json:"quickReply,omitempty"`
	ReplyTo     string      `json:"replyTo,omitempty"`
	Attachments []Content   `json:"attachments,omitempty"` // this gateway's own: all of them, where there are several
}

// received is what events tell of what a person wrote or tapped.
type received struct {
	Text        string       `json:"text"`
	QuickReply  *quickReply  `json:"quickReply"`
	ReplyTo     string       `json:"replyTo"`
	Attachments []attachment `json:"attachments"`
	Title       string       `json:"title"`
	Payload     string       `json:"payload"`
}

type quickReply struct {
	Payload string `json:"payload"`
}

type attachment struct {
	Type        string `json:"type"`
	URL         string `json:"url"`
	Title       string `json:"title"`
	StickerID   string `json:"stickerId"`
	Coordinates *struct {
		Lat  float64 `json:"lat"`
		Long float64 `json:"long"`
	} `json:"coordinates"`
}

// PublishInbound makes of a message.inbound or postback what Infobip's receivers get, by way of a
// subscription that is an action.
func PublishInbound(e *gateway.Event, sub *gateway.Subscription) Inbound {
	p := gateway.Publish(e, "", "")
	r := Inbound{From: gateway.PSIDOf(e.Person), To: e.Application, IntegrationType: "FACEBOOK", ReceivedAt: FormatTime(e.ReceivedAt), MessageID: p.ID,
		Message: Content{Type: "UNKNOWN"}, Price: free()}
	if a := ActionOf(sub); a != nil {
		r.CallbackData = OrNull(a.CallbackData)
		if a.Chat {
			r.To = a.Configuration
		}
	}
	var f received
	if json.Unmarshal(p.Data, &f) != nil {
		return r // what cannot be read stays UNKNOWN
	}
	if p.Type == gateway.EventPostback {
		r.Message = Content{Type: "POSTBACK", Title: f.Title, Payload: f.Payload}
		return r
	}
	if f.Text != "" {
		clean := strings.TrimSpace(f.Text)
		r.Text, r.CleanText = &f.Text, &clean
	}
	attached := attached(f.Attachments)
	switch {
	case len(attached) > 0:
		r.Message = attached[0]
		if len(attached) > 1 {
			r.Message.Attachments = attached
		}
		r.Message.Text = f.Text
	case f.Text != "":
		r.Message = Content{Type: "TEXT", Text: f.Text}
	}
	r.Message.QuickReply, r.Message.ReplyTo = f.QuickReply, f.ReplyTo
	return r
}

func attached(attachments []attachment) []Content {
	var all []Content
	for _, a := range attachments {
		m := Content{Type: "UNKNOWN", URL: a.URL, Title: a.Title, StickerID: a.StickerID}
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
