package graphemu

import (
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
)

// Referral is where a person came from, in actions and events.
type Referral struct {
	Ref    string `json:"ref,omitempty"`
	Source string `json:"source,omitempty"` // SHORTLINK when empty, ADS with an ad_id
	Type   string `json:"type,omitempty"`   // OPEN_THREAD
	AdID   string `json:"ad_id,omitempty"`
}

func (r Referral) complete() *Referral {
	if r.Source == "" {
		r.Source = "SHORTLINK"
		if r.AdID != "" {
			r.Source = "ADS"
		}
	}
	r.Type = "OPEN_THREAD"
	return &r
}

type party struct {
	ID string `json:"id"`
}

// wireEvent is one event as it stands in a delivery.
type wireEvent struct {
	Sender    party         `json:"sender"`
	Recipient party         `json:"recipient"`
	Timestamp int64         `json:"timestamp"`
	Message   *wireMessage  `json:"message,omitempty"`
	Postback  *wirePostback `json:"postback,omitempty"`
	Referral  *Referral     `json:"referral,omitempty"`
	Delivery  *wireDelivery `json:"delivery,omitempty"`
	Read      *wireRead     `json:"read,omitempty"`
	Reaction  *wireReaction `json:"reaction,omitempty"`
	Edit      *wireEdit     `json:"message_edit,omitempty"`
}

type wireMessage struct {
	IsEcho      bool            `json:"is_echo,omitempty"`
	AppID       json.Number     `json:"app_id,omitempty"`
	Metadata    string          `json:"metadata,omitempty"`
	MID         string          `json:"mid"`
	Text        string          `json:"text,omitempty"`
	QuickReply  *quickReplyTap  `json:"quick_reply,omitempty"`
	ReplyTo     *replyTo        `json:"reply_to,omitempty"`
	Attachments json.RawMessage `json:"attachments,omitempty"`
}

type quickReplyTap struct {
	Payload string `json:"payload"`
}

type replyTo struct {
	MID string `json:"mid"`
}

type wirePostback struct {
	MID      string    `json:"mid,omitempty"`
	Title    string    `json:"title"`
	Payload  string    `json:"payload"`
	Referral *Referral `json:"referral,omitempty"`
}

type wireDelivery struct {
	MIDs      []string `json:"mids"`
	Watermark int64    `json:"watermark"`
}

type wireRead struct {
	Watermark int64 `json:"watermark"`
}

type wireReaction struct {
	MID      string `json:"mid"`
	Action   string `json:"action"`
	Emoji    string `json:"emoji,omitempty"`
	Reaction string `json:"reaction,omitempty"`
}

type wireEdit struct {
	MID     string `json:"mid"`
	Text    string `json:"text"`
	NumEdit int    `json:"num_edit"`
}

// event is what happened in a thread, on its way to the apps.
type event struct {
	id    string
	field string // the webhook field it belongs to
	mid   string // of a person's message: delivered once the webhook is answered
	wire  wireEvent
}

// newID gives the thread's next mid or event id: 86 characters after the
// prefix, as the platform's mids have.
func (s *Server) newID(prefix string, page *pageState, p *personState) string {
	p.Seq++
	sum := sha512.Sum512(fmt.Appendf(nil, "%s|%s|%s|%s|%d", s.Epoch, prefix, page.ID, p.ID, p.Seq))
	return prefix + base64.RawURLEncoding.EncodeToString(sum[:])
}

// timestamp is the time of the thread's next event in milliseconds; it never
// goes back.
func (s *Server) timestamp(p *personState) int64 {
	p.LastTime = max(p.LastTime, s.now().UnixMilli())
	return p.LastTime
}

// fromPerson makes an event whose sender is the person. The lock is held.
func (s *Server) fromPerson(page *pageState, p *personState, field string) event {
	return event{
		id: s.newID("ev_", page, p), field: field,
		wire: wireEvent{Sender: party{p.ID}, Recipient: party{page.ID}, Timestamp: s.timestamp(p)},
	}
}

// echo makes the echo of a message of the page. The lock is held.
func (s *Server) echo(page *pageState, p *personState, m *ThreadMessage, attachments json.RawMessage) event {
	e := event{id: s.newID("ev_", page, p), field: "message_echoes"}
	e.wire = wireEvent{Sender: party{page.ID}, Recipient: party{p.ID}, Timestamp: m.SentAt.UnixMilli()}
	e.wire.Message = &wireMessage{
		IsEcho: true, Metadata: m.Metadata, MID: m.MID, Text: m.Text, Attachments: attachments,
	}
	if _, err := strconv.ParseUint(m.AppID, 10, 64); err == nil {
		e.wire.Message.AppID = json.Number(m.AppID)
	}
	return e
}

// body is the delivery of one event as the platform sends it.
func (e event) body(pageID string, now int64) ([]byte, error) {
	type entry struct {
		ID        string      `json:"id"`
		Time      int64       `json:"time"`
		Messaging []wireEvent `json:"messaging"`
	}
	return marshalASCII(struct {
		Object string  `json:"object"`
		Entry  []entry `json:"entry"`
	}{"page", []entry{{pageID, now, []wireEvent{e.wire}}}})
}
