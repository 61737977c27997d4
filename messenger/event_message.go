package messenger

import (
	"encoding/json"
	"fmt"
	"strings"
)

// InboundMessage is a message that a person sent, or, in an echo, one that the
// page sent.
type InboundMessage struct {
	MID           MessageID           `json:"mid"`
	Text          string              `json:"text,omitempty"`
	QuickReply    *QuickReplyTap      `json:"quick_reply,omitempty"`
	ReplyTo       *ReplyTo            `json:"reply_to,omitempty"`
	Attachments   []InboundAttachment `json:"attachments,omitempty"`
	Referral      *Referral           `json:"referral,omitempty"` // from a shop page or an ad
	IsEcho        Flag                `json:"is_echo,omitempty"`
	AppID         AppID               `json:"app_id,omitempty"`   // echoes: the app that sent it
	Metadata      string              `json:"metadata,omitempty"` // echoes: as it was sent
	IsDeleted     Flag                `json:"is_deleted,omitempty"`
	IsUnsupported Flag                `json:"is_unsupported,omitempty"`
	StickerID     StickerID           `json:"sticker_id,omitempty"` // before v6.0
	Seq           Count               `json:"seq,omitempty"`        // until 2018
	NLP           json.RawMessage     `json:"nlp,omitempty"`        // built-in NLP, as received
	Tags          json.RawMessage     `json:"tags,omitempty"`       // an object or a list
	Commands      []Command           `json:"commands,omitempty"`
}

// StickerID is the id of a sticker.
type StickerID string

// The stickers of the thumb in Messenger's three sizes.
const (
	StickerLikeSmall  StickerID = "369239263222822"
	StickerLikeMedium StickerID = "369239343222814"
	StickerLikeLarge  StickerID = "369239383222810"
)

// UnmarshalJSON accepts a JSON string or number.
func (id *StickerID) UnmarshalJSON(b []byte) error { return setID((*string)(id), b) }

// Flag is a truth value. The platform, and programs that pass its events on, have written it as
// true, "true", 1 and "1".
type Flag bool

// UnmarshalJSON accepts truth values, numbers, and both as text. Anything else is false.
func (f *Flag) UnmarshalJSON(b []byte) error {
	text := strings.ToLower(strings.Trim(string(b), `" `))
	*f = Flag(text != "" && text != "false" && text != "0" && text != "null" && text != "no")
	return nil
}

// QuickReplyTap is a tapped quick reply.
type QuickReplyTap struct {
	Payload string `json:"payload"`
}

// ReplyTo names the message to which a message replies.
type ReplyTo struct {
	MID         MessageID       `json:"mid,omitempty"`
	IsSelfReply *Flag           `json:"is_self_reply,omitempty"`
	Story       json.RawMessage `json:"story,omitempty"` // Instagram
}

// Command is a command of the composer that the message used.
type Command struct {
	Name string `json:"name"`
}

// InboundAttachment is one attachment of a received message or an echo. Title
// and URL stand here for links of older versions and for echoed templates.
type InboundAttachment struct {
	Type    string            `json:"type"` // image, audio, video, file, location, fallback, template, sticker, reel, ...
	Title   string            `json:"title,omitempty"`
	URL     string            `json:"url,omitempty"`
	Payload AttachmentPayload `json:"payload,omitzero"`
}

// AttachmentPayload is the payload of an attachment: the fields that are known
// of any type, and the bytes as received.
type AttachmentPayload struct {
	URL         string       // expires after a while
	Title       string       // links from v6.0 on
	StickerID   StickerID    // images that are stickers, and stickers
	Coordinates *Coordinates // locations (withdrawn by the platform)
	ReelVideoID string       // reels
	Template    string       // template_type of echoed templates
	Products    []Product    // shared products
	Booking     *Booking     // appointments
	Raw         json.RawMessage
}

// Coordinates is a place in degrees.
type Coordinates struct {
	Lat  float64 `json:"lat"`
	Long float64 `json:"long"`
}

// Product is one product of a shared product template.
type Product struct {
	ID         string `json:"id"`
	RetailerID string `json:"retailer_id,omitempty"`
	ImageURL   string `json:"image_url,omitempty"`
	Title      string `json:"title,omitempty"`
	Subtitle   string `json:"subtitle,omitempty"`
}

// Booking is an appointment that was made in the thread. Times are in seconds
// since 1970.
type Booking struct {
	BookingID string `json:"booking_id"`
	Status    string `json:"status"` // requested, confirmed, declined, cancelled
	StartTime int64  `json:"start_time"`
	EndTime   int64  `json:"end_time"`
	Timezone  string `json:"timezone"`
}

// IsZero reports whether there was no payload.
func (p AttachmentPayload) IsZero() bool { return p.Raw == nil }

// MarshalJSON returns the payload as it was received.
func (p AttachmentPayload) MarshalJSON() ([]byte, error) {
	if p.Raw == nil {
		return []byte("null"), nil
	}
	return p.Raw, nil
}

// UnmarshalJSON keeps the payload as received and reads what is known of it.
// Links of older versions have null or a string here.
func (p *AttachmentPayload) UnmarshalJSON(b []byte) error {
	*p = AttachmentPayload{Raw: append(json.RawMessage(nil), b...)}
	if len(b) == 0 || b[0] != '{' {
		return nil
	}
	var wire struct {
		URL         string       `json:"url"`
		Title       string       `json:"title"`
		StickerID   StickerID    `json:"sticker_id"`
		Coordinates *Coordinates `json:"coordinates"`
		ReelVideoID PSID         `json:"reel_video_id"`
		Template    string       `json:"template_type"`
		Product     struct {
			Elements []Product `json:"elements"`
		} `json:"product"`
	}
	if err := json.Unmarshal(b, &wire); err != nil {
		return fmt.Errorf("attachment payload: %w", err)
	}
	p.URL, p.Title, p.StickerID, p.Coordinates = wire.URL, wire.Title, wire.StickerID, wire.Coordinates
	p.ReelVideoID, p.Template, p.Products = string(wire.ReelVideoID), wire.Template, wire.Product.Elements
	if member(b, "booking_id") != nil {
		p.Booking = new(Booking)
		if err := json.Unmarshal(b, p.Booking); err != nil {
			return fmt.Errorf("attachment payload: %w", err)
		}
	}
	return nil
}

// MessageEdit reports that a person changed a message; the text is the new one.
type MessageEdit struct {
	MID     MessageID `json:"mid"`
	Text    string    `json:"text"`
	NumEdit Count     `json:"num_edit"` // how often it was changed, up to 5
}

// Reaction is a person's reaction to a message.
type Reaction struct {
	MID      MessageID `json:"mid"`
	Action   string    `json:"action"`             // react, unreact
	Reaction string    `json:"reaction,omitempty"` // smile, angry, sad, wow, love, like, dislike, other
	Emoji    string    `json:"emoji,omitempty"`
}

// Delivery says which messages of the page reached the person: those listed, and all sent at or
// before the watermark.
type Delivery struct {
	MIDs      []MessageID `json:"mids,omitempty"`
	Watermark Millis      `json:"watermark"`
	Seq       Count       `json:"seq,omitempty"`
}

// Read reports that the person has seen everything up to the watermark.
type Read struct {
	Watermark Millis `json:"watermark"`
	Seq       Count  `json:"seq,omitempty"`
}
