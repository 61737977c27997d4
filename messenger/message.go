package messenger

import (
	"encoding/json"
	"errors"
)

// Message is what is sent: a text or an attachment, perhaps with quick replies.
type Message struct {
	Text         string
	Attachment   *Attachment
	QuickReplies []QuickReply // up to 13
	Metadata     string       // up to 1,000 characters; comes back in the echo
	StickerID    StickerID

	// Raw, when set, is the whole message object as it goes on the wire, byte
	// for byte. It wins over all other fields.
	Raw json.RawMessage
}

// TextMessage is a message of nothing but text.
func TextMessage(text string) Message { return Message{Text: text} }

// MarshalJSON is the message as it goes on the wire.
func (m Message) MarshalJSON() ([]byte, error) {
	if m.Raw != nil {
		return m.Raw, nil
	}
	return json.Marshal(struct {
		Text         string       `json:"text,omitempty"`
		Attachment   *Attachment  `json:"attachment,omitempty"`
		QuickReplies []QuickReply `json:"quick_replies,omitempty"`
		Metadata     string       `json:"metadata,omitempty"`
		StickerID    StickerID    `json:"sticker_id,omitempty"`
	}{m.Text, m.Attachment, m.QuickReplies, m.Metadata, m.StickerID})
}

// QuickReply is a chip below a message that disappears once one is tapped.
type QuickReply struct {
	ContentType string `json:"content_type"`      // "text", "user_phone_number", "user_email"
	Title       string `json:"title,omitempty"`   // up to 20 characters
	Payload     string `json:"payload,omitempty"` // up to 1,000 characters
	ImageURL    string `json:"image_url,omitempty"`
}

// TextReply is a quick reply that sends its title as text and the payload with
// it.
func TextReply(title, payload string) QuickReply {
	return QuickReply{ContentType: "text", Title: title, Payload: payload}
}

// AttachmentType says what an attachment is.
type AttachmentType string

// The types of attachments that can be sent.
const (
	TypeImage    AttachmentType = "image"
	TypeAudio    AttachmentType = "audio"
	TypeVideo    AttachmentType = "video"
	TypeFile     AttachmentType = "file"
	TypeTemplate AttachmentType = "template"
)

// Attachment is sent by URL, by the id of one that was uploaded before, or as a
// template.
type Attachment struct {
	Type         AttachmentType
	URL          string // up to 25 MB; images 8 MB
	AttachmentID string
	Reusable     bool // by URL: keep it and answer with its id
	Template     *Template
}

// MarshalJSON is the attachment as it goes on the wire.
func (a Attachment) MarshalJSON() ([]byte, error) {
	type wire struct {
		Type    AttachmentType `json:"type"`
		Payload any            `json:"payload"`
	}
	if a.Template != nil {
		return json.Marshal(wire{TypeTemplate, a.Template})
	}
	return json.Marshal(wire{a.Type, struct {
		URL          string `json:"url,omitempty"`
		AttachmentID string `json:"attachment_id,omitempty"`
		Reusable     bool   `json:"is_reusable,omitempty"`
	}{a.URL, a.AttachmentID, a.Reusable}})
}

// Template is a structured message: one of its fields is set.
type Template struct {
	Generic *GenericTemplate
	Button  *ButtonTemplate
	Media   *MediaTemplate
	Receipt *ReceiptTemplate

	// Raw, when set, is the whole payload of the template, template_type
	// included, byte for byte: for any template, also those without a type here.
	Raw json.RawMessage
}

// ErrEmptyTemplate is returned when a template without content is marshalled.
var ErrEmptyTemplate = errors.New("template has no content")

// MarshalJSON is the payload of the template as it goes on the wire.
func (t Template) MarshalJSON() ([]byte, error) {
	switch {
	case t.Raw != nil:
		return t.Raw, nil
	case t.Generic != nil:
		return json.Marshal(struct {
			Type string `json:"template_type"`
			*GenericTemplate
		}{"generic", t.Generic})
	case t.Button != nil:
		return json.Marshal(struct {
			Type string `json:"template_type"`
			*ButtonTemplate
		}{"button", t.Button})
	case t.Media != nil:
		return json.Marshal(struct {
			Type string `json:"template_type"`
			*MediaTemplate
		}{"media", t.Media})
	case t.Receipt != nil:
		return json.Marshal(struct {
			Type string `json:"template_type"`
			*ReceiptTemplate
		}{"receipt", t.Receipt})
	}
	return nil, ErrEmptyTemplate
}
