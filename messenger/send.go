package messenger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// MessagingType says why a message is sent.
type MessagingType string

// The messaging types.
const (
	TypeResponse   MessagingType = "RESPONSE"
	TypeUpdate     MessagingType = "UPDATE"
	TypeMessageTag MessagingType = "MESSAGE_TAG"
	TypeUtility    MessagingType = "UTILITY"
)

// TypeNonPromotionalSubscription was for news, productivity and trackers.
//
// Deprecated: refused since March 4, 2020. Use [TypeUtility].
const TypeNonPromotionalSubscription MessagingType = "NON_PROMOTIONAL_SUBSCRIPTION"

// Tag allows a message outside the 24-hour window.
type Tag string

// TagHumanAgent is the tag that remained in 2026: an answer by a person of the
// business within 7 days.
const TagHumanAgent Tag = "HUMAN_AGENT"

// NotificationType says how loudly a message arrives.
type NotificationType string

// The notification types; the platform's default is REGULAR.
const (
	NotifyRegular    NotificationType = "REGULAR"
	NotifySilentPush NotificationType = "SILENT_PUSH"
	NotifyNoPush     NotificationType = "NO_PUSH"
)

// Recipient names who gets a message; exactly one of its ids is set.
type Recipient struct {
	ID                        PSID       `json:"id,omitempty"`
	UserRef                   string     `json:"user_ref,omitempty"`
	PhoneNumber               string     `json:"phone_number,omitempty"`
	Name                      *HumanName `json:"name,omitempty"` // only beside PhoneNumber
	PostID                    string     `json:"post_id,omitempty"`
	CommentID                 string     `json:"comment_id,omitempty"`
	OneTimeNotifToken         string     `json:"one_time_notif_token,omitempty"`
	NotificationMessagesToken string     `json:"notification_messages_token,omitempty"`
}

// HumanName helps to find the person behind a phone number.
type HumanName struct {
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
}

// SendRequest is one message to one person.
type SendRequest struct {
	PageID           PageID // set: POST /{page}/messages, else /me/messages
	Recipient        Recipient
	MessagingType    MessagingType
	Tag              Tag
	NotificationType NotificationType
	PersonaID        string
	ReplyTo          MessageID // the message that this one answers; since 2026
	Message          Message
}

// SendResult is the platform's answer to a message. RecipientID is empty for
// recipients that were not named by id; MessageID is empty for sender actions.
type SendResult struct {
	RecipientID  PSID
	MessageID    MessageID
	AttachmentID string // for attachments that were marked reusable
}

// UnmarshalJSON reads the platform's answer. The error is for what is not a
// JSON object.
func (r *SendResult) UnmarshalJSON(b []byte) error {
	*r = SendResult{}
	ok := json.Valid(b) && eachMember(b, func(key, value []byte) {
		switch string(key) {
		case "recipient_id":
			r.RecipientID = PSID(scalarText(value))
		case "message_id":
			r.MessageID = MessageID(scalarText(value))
		case "attachment_id":
			r.AttachmentID = scalarText(value)
		}
	})
	if !ok {
		return errors.New("send answer is not a JSON object")
	}
	return nil
}

// Send sends one message. What breaks a limit of the platform is a [*FieldError]
// before anything is sent; an answer without a message id is an error that
// matches [ErrUnreadable]. Limits: text up to 2,000 characters, 13 quick
// replies, 300 calls a second for a page (10 for audio and video).
//
// Docs: https://developers.facebook.com/docs/messenger-platform/reference/send-api
func (c *Client) Send(ctx context.Context, req SendRequest) (SendResult, error) {
	path := messagesPath(req.PageID)
	if !c.unchecked {
		var k checker
		if req.check(&k); k.err != nil {
			return SendResult{}, &CallError{http.MethodPost, path, k.err, true}
		}
	}
	body, err := req.AppendJSON(make([]byte, 0, 256+len(req.Message.Raw)))
	if err != nil {
		return SendResult{}, &CallError{http.MethodPost, path, fmt.Errorf("encode message: %w", err), true}
	}
	result, err := c.postMessage(ctx, path, body)
	if err == nil && result.MessageID == "" {
		err = &CallError{http.MethodPost, path, fmt.Errorf("%w: it has no message_id", ErrUnreadable), false}
	}
	return result, err
}

func messagesPath(page PageID) string {
	if page == "" {
		return "me/messages"
	}
	return nodePath(page, "messages")
}

func (c *Client) postMessage(ctx context.Context, path string, body []byte) (SendResult, error) {
	answer, err := c.call(ctx, http.MethodPost, path, "", contentJSON, body)
	if err != nil {
		return SendResult{}, err
	}
	var result SendResult
	if result.UnmarshalJSON(answer) != nil {
		return SendResult{}, &CallError{http.MethodPost, path, fmt.Errorf("%w: it is not a JSON object", ErrUnreadable), false}
	}
	return result, nil
}

// MarshalJSON is the request as it goes on the wire.
func (r SendRequest) MarshalJSON() ([]byte, error) { return r.AppendJSON(nil) }

// AppendJSON appends the request as it goes on the wire. A message given as Raw
// is appended byte for byte.
func (r SendRequest) AppendJSON(dst []byte) ([]byte, error) {
	dst = append(dst, `{"recipient":`...)
	dst, err := r.Recipient.appendJSON(dst)
	if err != nil {
		return nil, err
	}
	dst = appendField(dst, "messaging_type", string(r.MessagingType))
	dst = appendField(dst, "tag", string(r.Tag))
	dst = appendField(dst, "notification_type", string(r.NotificationType))
	dst = appendField(dst, "persona_id", r.PersonaID)
	if r.ReplyTo != "" {
		dst = append(dst, `,"reply_to":{"mid":`...)
		dst = append(appendString(dst, string(r.ReplyTo)), '}')
	}
	dst = append(dst, `,"message":`...)
	switch {
	case r.Message.Raw != nil:
		dst = append(dst, r.Message.Raw...)
	case r.Message.onlyText():
		dst = append(dst, `{"text":`...)
		dst = append(appendString(dst, r.Message.Text), '}')
	default:
		message, err := json.Marshal(r.Message)
		if err != nil {
			return nil, err
		}
		dst = append(dst, message...)
	}
	return append(dst, '}'), nil
}

func (r Recipient) appendJSON(dst []byte) ([]byte, error) {
	if r.ID != "" && r == (Recipient{ID: r.ID}) {
		dst = append(dst, `{"id":`...)
		return append(appendString(dst, string(r.ID)), '}'), nil
	}
	b, err := json.Marshal(r)
	return append(dst, b...), err
}

func appendField(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	dst = append(dst, ',', '"')
	dst = append(dst, name...)
	dst = append(dst, '"', ':')
	return appendString(dst, value)
}

// appendString appends s as a JSON string.
func appendString(dst []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < 0x20 || c >= 0x7f || c == '"' || c == '\\' {
			b, _ := json.Marshal(s) // marshalling a string cannot fail
			return append(dst, b...)
		}
	}
	dst = append(dst, '"')
	dst = append(dst, s...)
	return append(dst, '"')
}

// SenderActionName names what a page shows in a thread without a message.
type SenderActionName string

// The sender actions.
const (
	TypingOn  SenderActionName = "typing_on" // shown for up to 20 seconds
	TypingOff SenderActionName = "typing_off"
	MarkSeen  SenderActionName = "mark_seen"
	React     SenderActionName = "react"
	Unreact   SenderActionName = "unreact"
)

// SenderActionRequest shows something in the thread that is not a message.
type SenderActionRequest struct {
	PageID    PageID
	Recipient Recipient
	Action    SenderActionName
	PersonaID string
	MessageID MessageID // React and Unreact: the message
	Reaction  string    // React: smile, angry, sad, wow, love, like, dislike or an emoji
}

// SenderAction shows typing, marks the thread as seen, or reacts to a message.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/send-messages/sender-actions
func (c *Client) SenderAction(ctx context.Context, req SenderActionRequest) (SendResult, error) {
	type payload struct {
		MessageID MessageID `json:"message_id"`
		Reaction  string    `json:"reaction,omitempty"`
	}
	wire := struct {
		Recipient Recipient        `json:"recipient"`
		Action    SenderActionName `json:"sender_action"`
		PersonaID string           `json:"persona_id,omitempty"`
		Payload   *payload         `json:"payload,omitempty"`
	}{Recipient: req.Recipient, Action: req.Action, PersonaID: req.PersonaID}
	if req.MessageID != "" {
		wire.Payload = &payload{req.MessageID, req.Reaction}
	}
	path := messagesPath(req.PageID)
	err := c.check(http.MethodPost, path, func(k *checker) {
		req.Recipient.check(k)
		k.require(string(req.Action), "sender_action")
		if req.Action == React || req.Action == Unreact {
			k.require(string(req.MessageID), "payload.message_id")
		}
	})
	if err != nil {
		return SendResult{}, err
	}
	body, err := json.Marshal(wire)
	if err != nil {
		return SendResult{}, &CallError{http.MethodPost, path, fmt.Errorf("encode sender action: %w", err), true}
	}
	return c.postMessage(ctx, path, body)
}
