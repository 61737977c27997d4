package messenger

import (
	"encoding/json"
	"fmt"
)

// Message is what is sent: a text or an attachment, perhaps with quick replies.
type Message struct {
	Text         string
	Attachment   *Attachment
	Attachments  []Attachment // in place of Attachment: a grid of 2 to 6 images, since June 30, 2026
	QuickReplies []QuickReply // up to 13
	Metadata     string       // up to 1,000 characters; comes back in the echo
	StickerID    StickerID    // since June 2026

	// DynamicText is for message creatives alone: a text with the person's name.
	DynamicText *DynamicText

	// Raw, when set, is the whole message object as it goes on the wire, byte
	// for byte. It wins over all other fields.
	Raw json.RawMessage
}

// TextMessage is a message of nothing but text.
func TextMessage(text string) Message { return Message{Text: text} }

// MediaMessage is an image, a sound, a video or a file that the platform fetches
// from an address.
func MediaMessage(kind AttachmentType, url string) Message {
	return Message{Attachment: &Attachment{Type: kind, URL: url}}
}

// SavedMessage is an attachment that was uploaded before, by its id.
func SavedMessage(kind AttachmentType, attachmentID string) Message {
	return Message{Attachment: &Attachment{Type: kind, AttachmentID: attachmentID}}
}

// TemplateMessage is a structured message.
func TemplateMessage(t Template) Message {
	return Message{Attachment: &Attachment{Type: TypeTemplate, Template: &t}}
}

// WithQuickReplies is the message with these quick replies, up to 13, below it.
func (m Message) WithQuickReplies(replies ...QuickReply) Message {
	m.QuickReplies = replies
	return m
}

// DynamicText is a text of a message creative with places such as
// {{first_name}}, and what stands there for people without a name.
type DynamicText struct {
	Text         string `json:"text"`
	FallbackText string `json:"fallback_text,omitempty"`
}

// onlyText reports whether nothing but the text is set.
func (m Message) onlyText() bool {
	return m.Text != "" && m.Attachment == nil && m.Attachments == nil && len(m.QuickReplies) == 0 && m.Metadata == "" && m.StickerID == "" && m.DynamicText == nil
}

type wireMessage struct {
	Text         string       `json:"text,omitempty"`
	Attachment   *Attachment  `json:"attachment,omitempty"`
	Attachments  []Attachment `json:"attachments,omitempty"`
	QuickReplies []QuickReply `json:"quick_replies,omitempty"`
	Metadata     string       `json:"metadata,omitempty"`
	StickerID    StickerID    `json:"sticker_id,omitempty"`
	DynamicText  *DynamicText `json:"dynamic_text,omitempty"`
}

// MarshalJSON is the message as it goes on the wire.
func (m Message) MarshalJSON() ([]byte, error) {
	if m.Raw != nil {
		return m.Raw, nil
	}
	return json.Marshal(wireMessage{m.Text, m.Attachment, m.Attachments, m.QuickReplies, m.Metadata, m.StickerID, m.DynamicText})
}

// UnmarshalJSON reads a message as it goes on the wire into its typed fields;
// Raw stays empty.
func (m *Message) UnmarshalJSON(b []byte) error {
	var w wireMessage
	if err := json.Unmarshal(b, &w); err != nil {
		return fmt.Errorf("message: %w", err)
	}
	*m = Message{
		Text: w.Text, Attachment: w.Attachment, Attachments: w.Attachments, QuickReplies: w.QuickReplies,
		Metadata: w.Metadata, StickerID: w.StickerID, DynamicText: w.DynamicText,
	}
	return nil
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

// PhoneReply is a quick reply that offers the person's own phone number.
func PhoneReply() QuickReply { return QuickReply{ContentType: "user_phone_number"} }

// EmailReply is a quick reply that offers the person's own e-mail address.
func EmailReply() QuickReply { return QuickReply{ContentType: "user_email"} }

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

type wireMedia struct {
	URL          string `json:"url,omitempty"`
	AttachmentID string `json:"attachment_id,omitempty"`
	Reusable     bool   `json:"is_reusable,omitempty"`
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
	return json.Marshal(wire{a.Type, wireMedia{a.URL, a.AttachmentID, a.Reusable}})
}

// UnmarshalJSON reads an attachment as it goes on the wire.
func (a *Attachment) UnmarshalJSON(b []byte) error {
	var w struct {
		Type    AttachmentType  `json:"type"`
		Payload json.RawMessage `json:"payload"`
	}
	if err := json.Unmarshal(b, &w); err != nil {
		return fmt.Errorf("attachment: %w", err)
	}
	*a = Attachment{Type: w.Type}
	if w.Type == TypeTemplate {
		a.Template = new(Template)
		return json.Unmarshal(w.Payload, a.Template)
	}
	var media wireMedia
	if len(w.Payload) > 0 {
		if err := json.Unmarshal(w.Payload, &media); err != nil {
			return fmt.Errorf("attachment: %w", err)
		}
	}
	a.URL, a.AttachmentID, a.Reusable = media.URL, media.AttachmentID, media.Reusable
	return nil
}
