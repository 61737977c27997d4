package graphemu

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

// outgoing is a call of the Send API.
type outgoing struct {
	page, app string
	era       time.Time // whose rules hold
	to        recipient
	class     messageClass
	message   *outMessage // nil for a sender action
	file      *upload     // that came with the message
	host      string      // where kept files are shown
	persona   string
	replyTo   string // mid of the message that it answers

	action   string // typing_on, typing_off, mark_seen, react, unreact
	reactTo  string // mid of the message that gets a reaction
	reaction string

	psid string // the person the call is about, once found
}

// sendAnswer is what the Send API answers.
type sendAnswer struct {
	RecipientID  string `json:"recipient_id,omitempty"`
	MessageID    string `json:"message_id,omitempty"`
	AttachmentID string `json:"attachment_id,omitempty"`

	shown string // address of an attachment that was sent by its id
}

// sending is a call of the Send API while it is carried out: what a page sends to
// one of its people. The world's lock is held throughout.
type sending struct {
	*world
	o    *outgoing
	page *pageState
}

// sendMessage carries out a call of the Send API.
func (w *world) sendMessage(o *outgoing) (sendAnswer, *messenger.Error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	page := w.pages[o.page]
	if page == nil {
		return sendAnswer{}, errNoObject
	}
	return sending{w, o, page}.do()
}

// replyToComment sends a message to the person who wrote a comment. Its class is not checked.
func (w *world) replyToComment(o *outgoing) (sendAnswer, *messenger.Error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	page := w.pages[o.page]
	if page == nil {
		return sendAnswer{}, errNoObject
	}
	s := sending{w, o, page}
	to, e := s.byComment(o.to)
	if e != nil {
		return sendAnswer{}, e
	}
	return s.write(to)
}

// do carries the call out.
func (s sending) do() (sendAnswer, *messenger.Error) {
	if s.o.message != nil {
		if e := s.calendar.checkClass(s.o.class, s.page.News, s.o.era); e != nil {
			return sendAnswer{}, e
		}
	}
	to, e := s.addressee()
	if e != nil {
		return sendAnswer{}, e
	}
	if s.o.message == nil {
		return sendAnswer{RecipientID: to.person.ID}, s.senderAction(to.person)
	}
	return s.write(to)
}

// write sends a message to a person, if that is allowed.
func (s sending) write(to target) (sendAnswer, *messenger.Error) {
	if e := s.mayWrite(to); e != nil {
		return sendAnswer{}, e
	}
	to.use()
	answer, e := s.accept(to.person, *s.o.message)
	if e == nil && to.hidden {
		answer.RecipientID = ""
	}
	return answer, e
}

// mayWrite checks whether the page may write to the person.
func (s sending) mayWrite(to target) *messenger.Error {
	p := to.person
	switch {
	case s.page.Restricted && !s.calendar.takes(messenger.FeatureRestrictedPages, s.o.era):
		return refuse(368, 0, "(#368) The action attempted has been deemed abusive or is otherwise disallowed")
	case s.page.Restricted:
		return refuse(10, 1893063, "(#10) This page is temporarily restricted from sending messages")
	case s.page.Unpublished:
		return refuse(200, 1545041, "(#200) Message Not Sent: This person isn't available right now.")
	case s.apps[s.o.app].Development && !p.Tester:
		return refuse(200, 2018028, "(#200) Cannot message users who are not admins, developers or testers of the app until pages_messaging permission is reviewed and the app is live.")
	case !s.page.shared(p) && s.o.app != s.page.owner(p):
		return notOwner()
	case p.Blocks:
		e := refuse(551, 1545041, "(#551) This person isn't available right now.")
		e.UserTitle, e.UserMessage = "Message Not Sent", "This person isn't available right now."
		return e
	case to.free:
		return nil
	}
	return s.checkWindow(p)
}

// checkWindow checks a message against the window of 24 hours, or that of its tag.
func (s sending) checkWindow(p *personState) *messenger.Error {
	standard, _ := messenger.RuleOf(messenger.FeatureStandardMessages)
	window := standard.Window
	if tag := s.o.class.tag; tag != "" && p.Open {
		rule, _, _ := s.calendar.tagRule(tag, s.o.era)
		if window = rule.Window; window == 0 {
			return nil
		}
	}
	kind, _ := messenger.RuleOfType(messenger.MessagingType(s.o.class.kind))
	if kind.Feature == messenger.FeatureSubscriptionMessages && p.Open {
		return nil
	}
	if p.Open && s.clock.now().Sub(p.LastActive) <= window {
		return nil
	}
	if s.calendar.takes(messenger.FeatureSecondChance, s.o.era) && p.Open && p.Extra <= p.LastActive.UnixMilli() {
		p.Extra = s.clock.now().UnixMilli() // the one promotional message after the window
		return nil
	}
	if s.calendar.takes(messenger.FeatureSubscriptionMessages, s.o.era) {
		return refuse(10, 2018065, "(#10) This message is sent outside of allowed window. You need page_messaging_subscriptions permission to be able to do it.")
	}
	return refuse(10, 2018278, "(#10) This message is sent outside of allowed window. Learn more about the new policy here: https://developers.facebook.com/docs/messenger-platform/policy-overview")
}

// accept adds a message of the page to the thread, sends its echo and schedules its receipt.
func (s sending) accept(p *personState, msg outMessage) (sendAnswer, *messenger.Error) {
	answer := sendAnswer{RecipientID: p.ID}
	if _, i := findByID(s.page.Personas, s.o.persona); s.o.persona != "" && i < 0 {
		return answer, refuse(100, 0, "(#100) Param persona_id must be the id of a persona of the page")
	}
	if s.o.file != nil && msg.Attachment != nil && msg.Attachment.Type != "template" {
		msg = msg.withURL(fileURL(s.o.host, s.files.add(*s.o.file)))
	}
	attachments, e := s.resolveAttachment(p, msg, &answer)
	if e != nil {
		return answer, e
	}
	if answer.shown != "" {
		msg = msg.withURL(answer.shown)
	}
	m := &ThreadMessage{
		MID: s.threads.newMID(s.page, p), From: "page", Text: msg.Text, Message: msg.raw, Metadata: msg.Metadata,
		SentAt: time.UnixMilli(s.threads.timestamp(p)).UTC(), AppID: s.o.app, Tag: s.o.class.tag, PersonaID: s.o.persona,
		ReplyTo: s.o.replyTo,
	}
	answer.MessageID = m.MID
	p.TypingUntil = time.Time{}
	s.threads.keep(p, m)
	if today := s.clock.now().Unix() / 86400; p.openedDay != today {
		p.openedDay = today
		s.page.tally(s.clock.now(), func(c *count) { c.Opened = once(c.Opened, p.ID) })
	}
	if s.listened() {
		s.emit(s.page, p, s.threads.echo(s.page, p, m, attachments))
	}
	s.deliverSoon(s.page, p)
	s.announceThread(s.page, p)
	return answer, nil
}

// resolveAttachment returns the attachments as an echo shows them, and saves those that are to
// be reused.
func (s sending) resolveAttachment(p *personState, msg outMessage, answer *sendAnswer) (json.RawMessage, *messenger.Error) {
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
			stored, e := s.attachments.check(s.page.ID, p.ID, msg.Attachment.Type, media.AttachmentID)
			if e != nil {
				return nil, e
			}
			s.attachments.use(stored)
			payload = mustJSON(map[string]string{"url": stored.URL})
			answer.shown = stored.URL
		case media.Reusable:
			answer.AttachmentID = s.attachments.keep(s.page.ID, msg.Attachment.Type, media.URL, false)
			payload = mustJSON(map[string]string{"url": media.URL})
		default:
			payload = mustJSON(map[string]string{"url": media.URL})
		}
		return mustJSON([]any{map[string]any{"type": msg.Attachment.Type, "payload": payload}}), nil
	}
	used, e := s.attachments.checkTemplate(s.page.ID, p.ID, payload)
	if e != nil {
		return nil, e
	}
	s.attachments.use(used...)
	return mustJSON([]any{map[string]any{"title": msg.title(), "url": nil, "type": "template", "payload": payload}}), nil
}

// senderAction carries out typing, seen and reactions of the page.
func (s sending) senderAction(p *personState) *messenger.Error {
	if e := s.mayWrite(target{person: p, free: true}); e != nil {
		return e
	}
	if _, i := findByID(s.page.Personas, s.o.persona); s.o.persona != "" && i < 0 {
		return refuse(100, 0, "(#100) Param persona_id must be the id of a persona of the page")
	}
	now := s.clock.now()
	switch strings.ToLower(s.o.action) {
	case "typing_on":
		p.TypingUntil, p.typingAs = now.Add(20*time.Second), s.o.persona
	case "typing_off":
		p.TypingUntil = time.Time{}
	case "mark_seen":
		p.seen(now)
	case "react", "unreact":
		m := p.message(s.o.reactTo)
		if m == nil {
			return refuse(100, 0, "(#100) Invalid message_id")
		}
		emoji := reactionEmoji(s.o.reaction)
		if s.o.action == "unreact" {
			emoji = ""
		}
		m.react("page", emoji)
	default:
		return refuse(100, 0, "(#100) Param sender_action must be one of {TYPING_ON, TYPING_OFF, MARK_SEEN, REACT, UNREACT}")
	}
	s.announceThread(s.page, p)
	return nil
}

// reactionEmoji returns the emoji of a reaction, which may be given by the name that the
// platform has for it.
func reactionEmoji(name string) string {
	names := map[string]string{"love": "❤️", "smile": "😆", "wow": "😮", "sad": "😢", "angry": "😠", "like": "👍", "dislike": "👎"}
	if emoji, ok := names[name]; ok {
		return emoji
	}
	return name
}
