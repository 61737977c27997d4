package graphemu

import (
	"encoding/json"
	"maps"
	"strings"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

type sendAnswer struct {
	RecipientID  string `json:"recipient_id,omitempty"`
	MessageID    string `json:"message_id,omitempty"`
	AttachmentID string `json:"attachment_id,omitempty"`

	shown string // address of an attachment that was sent by its id
}

// send is POST /{page}/messages.
func (s *Server) send(c *call) (any, *messenger.Error) {
	if c.page == "" || c.node != c.page {
		return nil, unsupported(c)
	}
	hasMessage, action := c.params.has("message"), c.params.text("sender_action")
	var msg outMessage
	if e := checkRecipient(c.recipient()); e != nil {
		return nil, e
	}
	switch {
	case hasMessage && action != "":
		return nil, refuse(100, 0, "(#100) Cannot send both message and state")
	case hasMessage:
		var e *messenger.Error
		if msg, e = s.readMessage(c.params["message"], c.file, s.calendar.era(c.ver)); e != nil {
			return nil, e
		}
		if e := s.fetchAttachment(c, msg); e != nil {
			return nil, e
		}
	case action == "":
		return nil, refuse(100, 2018034, "(#100) Message cannot be empty, must provide valid attachment or text")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	page := s.pages[c.page]
	if hasMessage {
		if e := s.checkTyping(c, page); e != nil {
			return nil, e
		}
	}
	to, e := s.recipient(c, page)
	if e != nil {
		return nil, e
	}
	if !hasMessage {
		return s.senderAction(c, page, to.person, action)
	}
	if e := s.mayWrite(c, page, to); e != nil {
		return nil, e
	}
	to.use()
	answer, e := s.accept(c, page, to.person, msg)
	if e == nil && to.hidden {
		answer.RecipientID = ""
	}
	return answer, e
}

// mayWrite checks what stands between the page and the person. The lock is held.
func (s *Server) mayWrite(c *call, page *pageState, to target) *messenger.Error {
	p := to.person
	switch {
	case page.Restricted && !s.calendar.takes(messenger.FeatureRestrictedPages, s.calendar.era(c.ver)):
		return refuse(368, 0, "(#368) The action attempted has been deemed abusive or is otherwise disallowed")
	case page.Restricted:
		return refuse(10, 1893063, "(#10) This page is temporarily restricted from sending messages")
	case page.Unpublished:
		return refuse(200, 1545041, "(#200) Message Not Sent: This person isn't available right now.")
	case s.apps[c.app].Development && !p.Tester:
		return refuse(200, 2018028, "(#200) Cannot message users who are not admins, developers or testers of the app until pages_messaging permission is reviewed and the app is live.")
	case !page.shared(p) && c.app != page.owner(p):
		return notOwner()
	case p.Blocks:
		e := refuse(551, 1545041, "(#551) This person isn't available right now.")
		e.UserTitle, e.UserMessage = "Message Not Sent", "This person isn't available right now."
		return e
	case to.free:
		return nil
	}
	return s.checkWindow(c, p)
}

// checkWindow holds a message to the 24 hours, or to those of its tag. The lock
// is held.
func (s *Server) checkWindow(c *call, p *personState) *messenger.Error {
	at := s.calendar.era(c.ver)
	standard, _ := messenger.RuleOf(messenger.FeatureStandardMessages)
	window := standard.Window
	if tag := c.params.text("tag"); tag != "" && p.Open {
		rule, _, _ := s.calendar.tagRule(tag, at)
		if window = rule.Window; window == 0 {
			return nil
		}
	}
	kind, _ := messenger.RuleOfType(messenger.MessagingType(c.params.text("messaging_type")))
	if kind.Feature == messenger.FeatureSubscriptionMessages && p.Open {
		return nil
	}
	if p.Open && s.clock.now().Sub(p.LastActive) <= window {
		return nil
	}
	if s.calendar.takes(messenger.FeatureSecondChance, at) && p.Open && p.Extra <= p.LastActive.UnixMilli() {
		p.Extra = s.clock.now().UnixMilli() // the one promotional message after the window
		return nil
	}
	if s.calendar.takes(messenger.FeatureSubscriptionMessages, at) {
		return refuse(10, 2018065, "(#10) This message is sent outside of allowed window. You need page_messaging_subscriptions permission to be able to do it.")
	}
	return refuse(10, 2018278, "(#10) This message is sent outside of allowed window. Learn more about the new policy here: https://developers.facebook.com/docs/messenger-platform/policy-overview")
}

// accept takes a message of the page. The lock is held.
func (s *Server) accept(c *call, page *pageState, p *personState, msg outMessage) (sendAnswer, *messenger.Error) {
	answer := sendAnswer{RecipientID: p.ID}
	persona := c.params.text("persona_id")
	if _, i := findByID(page.Personas, persona); persona != "" && i < 0 {
		return answer, refuse(100, 0, "(#100) Param persona_id must be the id of a persona of the page")
	}
	if c.file != nil && msg.Attachment != nil && msg.Attachment.Type != "template" {
		msg = msg.withURL(fileURL(c.host, s.files.add(*c.file)))
	}
	attachments, e := s.resolveAttachment(page, p, msg, &answer)
	if e != nil {
		return answer, e
	}
	if answer.shown != "" {
		msg = msg.withURL(answer.shown)
	}
	m := &ThreadMessage{
		MID: s.newMID(page, p), From: "page", Text: msg.Text, Message: msg.raw, Metadata: msg.Metadata,
		SentAt: time.UnixMilli(s.timestamp(p)).UTC(), AppID: c.app, Tag: c.params.text("tag"), PersonaID: persona,
		ReplyTo: c.params.object("reply_to").text("mid"),
	}
	answer.MessageID = m.MID
	p.TypingUntil = time.Time{}
	s.keep(p, m)
	if today := s.clock.now().Unix() / 86400; p.openedDay != today {
		p.openedDay = today
		s.tally(page, func(c *count) { c.Opened = once(c.Opened, p.ID) })
	}
	if s.listened() {
		s.emit(page, p, s.echo(page, p, m, attachments))
	}
	s.deliverSoon(page, p)
	s.announceThread(page, p)
	return answer, nil
}

// resolveAttachment gives the attachments as an echo shows them, and an id to
// those that are to be used again. The lock is held.
func (s *Server) resolveAttachment(page *pageState, p *personState, msg outMessage, answer *sendAnswer) (json.RawMessage, *messenger.Error) {
	switch {
	case msg.Sticker != "":
		return mustJSON([]any{map[string]any{"type": "image", "payload": map[string]any{"sticker_id": msg.Sticker}}}), nil
	case len(msg.Grid) > 0:
		return mustJSON(msg.Grid), nil
	case msg.Attachment == nil:
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
			stored, e := s.checkSaved(page, p, msg.Attachment.Type, media.AttachmentID)
			if e != nil {
				return nil, e
			}
			s.uploads[media.AttachmentID] = stored
			payload = mustJSON(map[string]string{"url": stored.URL})
			answer.shown = stored.URL
		case media.Reusable:
			answer.AttachmentID = s.keepUpload(page, msg.Attachment.Type, media.URL, false)
			payload = mustJSON(map[string]string{"url": media.URL})
		default:
			payload = mustJSON(map[string]string{"url": media.URL})
		}
		return mustJSON([]any{map[string]any{"type": msg.Attachment.Type, "payload": payload}}), nil
	}
	used, e := s.checkMediaTemplate(page, p, payload)
	if e != nil {
		return nil, e
	}
	maps.Copy(s.uploads, used)
	return mustJSON([]any{map[string]any{"title": msg.title(), "url": nil, "type": "template", "payload": payload}}), nil
}

// senderAction is typing, seen and reactions of the page. The lock is held.
func (s *Server) senderAction(c *call, page *pageState, p *personState, action string) (any, *messenger.Error) {
	if e := s.mayWrite(c, page, target{person: p, free: true}); e != nil {
		return nil, e
	}
	persona := c.params.text("persona_id")
	if _, i := findByID(page.Personas, persona); persona != "" && i < 0 {
		return nil, refuse(100, 0, "(#100) Param persona_id must be the id of a persona of the page")
	}
	now := s.clock.now()
	switch strings.ToLower(action) {
	case "typing_on":
		p.TypingUntil, p.typingAs = now.Add(20*time.Second), persona
	case "typing_off":
		p.TypingUntil = time.Time{}
	case "mark_seen":
		s.seen(p)
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
