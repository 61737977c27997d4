package graphemu

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

type sendAnswer struct {
	RecipientID  string `json:"recipient_id,omitempty"`
	MessageID    string `json:"message_id,omitempty"`
	AttachmentID string `json:"attachment_id,omitempty"`
}

// send is POST /{page}/messages.
func (s *Server) send(c *call) (any, *messenger.Error) {
	if c.page == "" || c.node != c.page {
		return nil, unsupported(c)
	}
	hasMessage, action := c.params.has("message"), c.params.text("sender_action")
	var msg outMessage
	if e := checkRecipient(c.params); e != nil {
		return nil, e
	}
	switch {
	case hasMessage && action != "":
		return nil, refuse(100, 0, "(#100) Cannot send both message and state")
	case hasMessage:
		var e *messenger.Error
		if msg, e = readMessage(c.params["message"], c.file); e != nil {
			return nil, e
		}
		if e := checkTyping(c.params); e != nil {
			return nil, e
		}
	case action == "":
		return nil, refuse(100, 2018034, "(#100) Message cannot be empty, must provide valid attachment or text")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	page, person, err := s.find(c.page, c.psid)
	if err != nil {
		return nil, refuse(100, 2018001, "(#100) No matching user found")
	}
	if !hasMessage {
		return s.senderAction(c, page, person, action)
	}
	if e := s.mayWrite(person, c.params.text("tag")); e != nil {
		return nil, e
	}
	return s.accept(c, page, person, msg)
}

// mayWrite checks block and window. The lock is held.
func (s *Server) mayWrite(p *personState, tag string) *messenger.Error {
	if p.Blocks {
		e := refuse(551, 1545041, "(#551) This person isn't available right now.")
		e.UserTitle, e.UserMessage = "Message Not Sent", "This person isn't available right now."
		return e
	}
	window := 24 * time.Hour
	if tag == string(messenger.TagHumanAgent) {
		window = 7 * 24 * time.Hour
	}
	if !p.Open || s.now().Sub(p.LastActive) > window {
		return refuse(10, 2018278, "(#10) This message is sent outside of allowed window. Learn more about the new policy here: https://developers.facebook.com/docs/messenger-platform/policy-overview")
	}
	return nil
}

// accept takes a message of the page. The lock is held.
func (s *Server) accept(c *call, page *pageState, p *personState, msg outMessage) (any, *messenger.Error) {
	answer := sendAnswer{RecipientID: p.ID}
	if c.file != nil && msg.Attachment != nil && msg.Attachment.Type != "template" {
		msg = msg.withURL(s.storeFile(c, c.file))
	}
	attachments, e := s.resolveAttachment(msg, &answer)
	if e != nil {
		return nil, e
	}
	m := &ThreadMessage{
		MID: s.newID("m_", page, p), From: "page", Text: msg.Text, Message: msg.raw, Metadata: msg.Metadata,
		SentAt: time.UnixMilli(s.timestamp(p)).UTC(), AppID: c.app, Tag: c.params.text("tag"), PersonaID: c.params.text("persona_id"),
	}
	answer.MessageID = m.MID
	p.TypingUntil = time.Time{}
	s.keep(p, m)
	s.emit(page, p, s.echo(page, p, m, attachments))
	s.deliverSoon(page, p)
	s.announceThread(page, p)
	return answer, nil
}

// resolveAttachment gives the attachments as an echo shows them, and an id to
// those that are to be used again. The lock is held.
func (s *Server) resolveAttachment(msg outMessage, answer *sendAnswer) (json.RawMessage, *messenger.Error) {
	if msg.Attachment == nil {
		return nil, nil
	}
	payload := msg.Attachment.Payload
	var media struct {
		URL          string `json:"url"`
		AttachmentID string `json:"attachment_id"`
		Reusable     bool   `json:"is_reusable"`
	}
	if msg.Attachment.Type != "template" {
		if json.Unmarshal(payload, &media) != nil {
			return nil, refuse(100, 2018032, "(#100) Invalid data")
		}
		switch {
		case media.AttachmentID != "":
			stored, ok := s.uploads[media.AttachmentID]
			if !ok {
				return nil, refuse(100, 2018074, "(#100) The attachment id is not valid")
			}
			payload = stored
		case media.Reusable:
			s.madeCount++
			answer.AttachmentID = s.madeID("attachment", s.madeCount, 16)
			payload = mustJSON(map[string]string{"url": media.URL})
			s.uploads[answer.AttachmentID] = payload
		default:
			payload = mustJSON(map[string]string{"url": media.URL})
		}
		return mustJSON([]any{map[string]any{"type": msg.Attachment.Type, "payload": payload}}), nil
	}
	return mustJSON([]any{map[string]any{"title": msg.title(), "url": nil, "type": "template", "payload": payload}}), nil
}

// senderAction is typing, seen and reactions of the page. The lock is held.
func (s *Server) senderAction(c *call, page *pageState, p *personState, action string) (any, *messenger.Error) {
	if p.Blocks {
		return nil, s.mayWrite(p, "")
	}
	now := s.now()
	switch action {
	case "typing_on":
		p.TypingUntil = now.Add(20 * time.Second)
	case "typing_off":
		p.TypingUntil = time.Time{}
	case "mark_seen":
		for _, m := range p.Messages {
			if m.From == "person" && m.ReadAt.IsZero() {
				m.ReadAt = now
			}
		}
	case "react", "unreact":
		payload := c.params.object("payload")
		m := p.message(payload.text("message_id"))
		if m == nil {
			return nil, refuse(100, 0, "(#100) Invalid message_id")
		}
		emoji := reactionEmoji(payload.text("reaction"))
		if action == "unreact" {
			emoji = ""
		}
		m.react("page", emoji)
	default:
		return nil, refuse(100, 0, "(#100) Param sender_action must be one of {TYPING_ON, TYPING_OFF, MARK_SEEN, REACT, UNREACT}")
	}
	s.announceThread(page, p)
	return sendAnswer{RecipientID: p.ID}, nil
}

func reactionEmoji(name string) string {
	names := map[string]string{"love": "❤️", "smile": "😆", "wow": "😮", "sad": "😢", "angry": "😠", "like": "👍", "dislike": "👎"}
	if emoji, ok := names[name]; ok {
		return emoji
	}
	return name
}

func checkRecipient(p params) *messenger.Error {
	recipient := p.object("recipient")
	if recipient == nil {
		return refuse(100, 0, "(#100) The parameter recipient is required")
	}
	n := 0
	for _, name := range []string{"id", "user_ref", "phone_number", "post_id", "comment_id", "one_time_notif_token", "notification_messages_token"} {
		if recipient.has(name) {
			n++
		}
	}
	if n != 1 {
		return refuse(100, 0, "(#100) Param recipient must have exactly one of id, user_ref, phone_number, post_id, comment_id")
	}
	return nil
}

func checkTyping(p params) *messenger.Error {
	kind, tag := p.text("messaging_type"), p.text("tag")
	if kind != "" && !slices.Contains([]string{"RESPONSE", "UPDATE", "MESSAGE_TAG", "UTILITY"}, kind) {
		return refuse(100, 0, "(#100) Param messaging_type must be one of {RESPONSE, UPDATE, MESSAGE_TAG, UTILITY}")
	}
	switch tag {
	case "", "HUMAN_AGENT", "CUSTOMER_FEEDBACK":
	case "CONFIRMED_EVENT_UPDATE", "ACCOUNT_UPDATE", "POST_PURCHASE_UPDATE":
		return refuse(100, 1893061, "Invalid parameter")
	default:
		return refuse(100, 0, "(#100) Param tag is not a valid message tag")
	}
	if kind == "MESSAGE_TAG" && tag == "" {
		return refuse(100, 0, "(#100) Param tag is required with messaging_type MESSAGE_TAG")
	}
	if n := p.text("notification_type"); n != "" && !slices.Contains([]string{"REGULAR", "SILENT_PUSH", "NO_PUSH"}, n) {
		return refuse(100, 0, "(#100) Param notification_type must be one of {REGULAR, SILENT_PUSH, NO_PUSH}")
	}
	return nil
}
