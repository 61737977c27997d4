package infobip

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
)

// inboundRow is a message that a person wrote.
type inboundRow struct {
	From            string          `json:"from"`
	To              string          `json:"to"`
	IntegrationType string          `json:"integrationType"`
	ReceivedAt      *string         `json:"receivedAt"`
	MessageID       string          `json:"messageId"`
	PairedMessageID *string         `json:"pairedMessageId"`
	CallbackData    *string         `json:"callbackData"`
	Text            string          `json:"text,omitempty"`
	CleanText       string          `json:"cleanText,omitempty"`
	Message         receivedMessage `json:"message"`
	Price           price           `json:"price"`
}

// receivedMessage is its content.
type receivedMessage struct {
	Type        string            `json:"type"`
	Text        string            `json:"text,omitempty"`
	URL         string            `json:"url,omitempty"`
	Title       string            `json:"title,omitempty"`
	StickerID   string            `json:"stickerId,omitempty"`
	Latitude    *float64          `json:"latitude,omitempty"`
	Longitude   *float64          `json:"longitude,omitempty"`
	Payload     string            `json:"payload,omitempty"`
	QuickReply  *quickReply       `json:"quickReply,omitempty"`
	ReplyTo     string            `json:"replyTo,omitempty"`
	Attachments []receivedMessage `json:"attachments,omitempty"` // this gateway's own: all of them, where there are several
}

type quickReply struct {
	Payload string `json:"payload"`
}

// inboundFacts is what the core's events tell of what a person wrote or tapped.
type inboundFacts struct {
	Text        string      `json:"text"`
	QuickReply  *quickReply `json:"quickReply"`
	ReplyTo     string      `json:"replyTo"`
	Title       string      `json:"title"`
	Payload     string      `json:"payload"`
	Attachments []struct {
		Type        string `json:"type"`
		URL         string `json:"url"`
		Title       string `json:"title"`
		StickerID   string `json:"stickerId"`
		Coordinates *struct {
			Lat  *float64 `json:"lat"`
			Long *float64 `json:"long"`
		} `json:"coordinates"`
	} `json:"attachments"`
}

// inbound puts an event on the wire.
func inbound(p gateway.Publication, callbackData *string) inboundRow {
	r := inboundRow{IntegrationType: channelFacebook, MessageID: p.ID, CallbackData: callbackData, Message: receivedMessage{Type: "UNKNOWN"}, Price: free()}
	if p.Application != nil {
		r.To = *p.Application
	}
	if p.Person != nil {
		r.From = p.Person.ID
	}
	if at, err := time.Parse(gateway.TimeFormat, p.CreatedAt); err == nil {
		r.ReceivedAt = date(at)
	}
	var f inboundFacts
	if json.Unmarshal(p.Data, &f) != nil {
		return r // what cannot be read stays UNKNOWN
	}
	if p.Type == gateway.EventPostback {
		r.Message = receivedMessage{Type: "POSTBACK", Title: f.Title, Payload: f.Payload}
		return r
	}
	r.Text, r.CleanText = f.Text, strings.TrimSpace(f.Text)
	attached := f.attached()
	switch {
	case len(attached) > 0:
		r.Message = attached[0]
		if len(attached) > 1 {
			r.Message.Attachments = attached
		}
		r.Message.Text = f.Text
	case f.Text != "":
		r.Message = receivedMessage{Type: "TEXT", Text: f.Text}
	}
	r.Message.QuickReply, r.Message.ReplyTo = f.QuickReply, f.ReplyTo
	return r
}

func (f *inboundFacts) attached() []receivedMessage {
	var all []receivedMessage
	for _, a := range f.Attachments {
		m := receivedMessage{Type: "UNKNOWN", URL: a.URL, Title: a.Title, StickerID: a.StickerID}
		if kind := strings.ToUpper(a.Type); slices.Contains([]string{"IMAGE", "AUDIO", "VIDEO", "FILE", "LOCATION", "FALLBACK"}, kind) {
			m.Type = kind
		}
		if a.Coordinates != nil {
			m.Latitude, m.Longitude = a.Coordinates.Lat, a.Coordinates.Long
		}
		all = append(all, m)
	}
	return all
}

// inbox hands out what people have written to applications with a PULL action, each message once.
func (s *Server) inbox(q *request) error {
	limit, err := q.limit()
	if err != nil {
		return err
	}
	only := ""
	if q.PathValue("key") != "" {
		a, err := q.application()
		if err != nil {
			return err
		}
		only = a.Key
	}
	s.handing.Lock()
	defer s.handing.Unlock()
	all, err := s.o.Subscriptions.List(q.Context(), q.key)
	if err != nil {
		return err
	}
	answer := struct {
		Results             []inboundRow `json:"results"`
		MessageCount        int          `json:"messageCount"`
		PendingMessageCount int          `json:"pendingMessageCount"`
	}{Results: []inboundRow{}}
	for _, sub := range all {
		if sub.Kind != gateway.KindPull || !strings.HasPrefix(sub.Name, actionPrefix) || only != "" && !slices.Contains(sub.Applications, only) {
			continue
		}
		rows, pending, err := q.take(sub, limit-len(answer.Results))
		if err != nil {
			return err
		}
		answer.Results = append(answer.Results, rows...)
		answer.PendingMessageCount += pending
	}
	answer.MessageCount = len(answer.Results)
	return q.reply(answer)
}

// take hands out up to limit messages of an action, and counts those that wait behind them, maxLimit at most.
func (q *request) take(sub *gateway.Subscription, limit int) (rows []inboundRow, pending int, err error) {
	events, cursor := q.s.o.Events, ""
	if limit > 0 {
		page, err := events.Pull(q.Context(), sub, "", limit, 0)
		if err != nil {
			return nil, 0, err
		}
		for _, p := range page.Events {
			if p.OverMessenger() {
				rows = append(rows, inbound(p, callbackDataOf(sub)))
			}
		}
		cursor = page.Cursor
		if _, err := events.Acknowledge(q.Context(), sub, cursor); err != nil {
			return nil, 0, err
		}
		if len(page.Events) < limit {
			return rows, 0, nil
		}
	}
	waiting, err := events.Pull(q.Context(), sub, cursor, maxLimit, 0)
	for _, p := range waiting.Events {
		if p.OverMessenger() {
			pending++
		}
	}
	return rows, pending, err
}
