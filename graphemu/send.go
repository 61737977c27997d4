package graphemu

import (
	"encoding/json"
	"maps"
	"strings"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

// outgoing is one call of the Send API, as it was read.
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

	psid string // whom the call turned out to be about
}

// sendAnswer is what the Send API answers.
type sendAnswer struct {
	RecipientID  string `json:"recipient_id,omitempty"`
	MessageID    string `json:"message_id,omitempty"`
	AttachmentID string `json:"attachment_id,omitempty"`

	shown string // address of an attachment that was sent by its id
}

// sendMessage carries out a call of the Send API.
func (w *world) sendMessage(o *outgoing) (sendAnswer, *messenger.Error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	page := w.pages[o.page]
	if page == nil {
		return sendAnswer{}, errNoObject
	}
	if o.message != nil {
		if e := w.calendar.checkClass(o.class, page.News, o.era); e != nil {
			return sendAnswer{}, e
		}
	}
	to, e := w.addressee(o, page)
	if e != nil {
		return sendAnswer{}, e
	}
	if o.message == nil {
		return sendAnswer{RecipientID: to.person.ID}, w.senderAction(o, page, to.person)
	}
	return w.write(o, page, to)
}

// replyToComment sends a message to who wrote a comment. Its class is not looked
// at.
func (w *world) replyToComment(o *outgoing) (sendAnswer, *messenger.Error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	page := w.pages[o.page]
	if page == nil {
		return sendAnswer{}, errNoObject
	}
	to, e := w.byComment(o, page, o.to)
	if e != nil {
		return sendAnswer{}, e
	}
	return w.write(o, page, to)
}

// write sends a message to an addressee. The lock is held.
func (w *world) write(o *outgoing, page *pageState, to target) (sendAnswer, *messenger.Error) {
	if e := w.mayWrite(o, page, to); e != nil {
		return sendAnswer{}, e
	}
	to.use()
	answer, e := w.accept(o, page, to.person, *o.message)
	if e == nil && to.hidden {
		answer.RecipientID = ""
	}
	return answer, e
}

// mayWrite checks what stands between the page and the person. The lock is held.
func (w *world) mayWrite(o *outgoing, page *pageState, to target) *messenger.Error {
	p := to.person
	switch {
	case page.Restricted && !w.calendar.takes(messenger.FeatureRestrictedPages, o.era):
		return refuse(368, 0, "(#368) The action attempted has been deemed abusive or is otherwise disallowed")
	case page.Restricted:
		return refuse(10, 1893063, "(#10) This page is temporarily restricted from sending messages")
	case page.Unpublished:
		return refuse(200, 1545041, "(#200) Message Not Sent: This person isn't available right now.")
	case w.apps[o.app].Development && !p.Tester:
		return refuse(200, 2018028, "(#200) Cannot message users who are not admins, developers or testers of the app until pages_messaging permission is reviewed and the app is live.")
	case !page.shared(p) && o.app != page.owner(p):
		return notOwner()
	case p.Blocks:
		e := refuse(551, 1545041, "(#551) This person isn't available right now.")
		e.UserTitle, e.UserMessage = "Message Not Sent", "This person isn't available right now."
		return e
	case to.free:
		return nil
	}
	return w.checkWindow(o, p)
}

// checkWindow holds a message to the 24 hours, or to those of its tag. The lock
// is held.
func (w *world) checkWindow(o *outgoing, p *personState) *messenger.Error {
	standard, _ := messenger.RuleOf(messenger.FeatureStandardMessages)
	window := standard.Window
	if tag := o.class.tag; tag != "" && p.Open {
		rule, _, _ := w.calendar.tagRule(tag, o.era)
		if window = rule.Window; window == 0 {
			return nil
		}
	}
	kind, _ := messenger.RuleOfType(messenger.MessagingType(o.class.kind))
	if kind.Feature == messenger.FeatureSubscriptionMessages && p.Open {
		return nil
	}
	if p.Open && w.clock.now().Sub(p.LastActive) <= window {
		return nil
	}
	if w.calendar.takes(messenger.FeatureSecondChance, o.era) && p.Open && p.Extra <= p.LastActive.UnixMilli() {
		p.Extra = w.clock.now().UnixMilli() // the one promotional message after the window
		return nil
	}
	if w.calendar.takes(messenger.FeatureSubscriptionMessages, o.era) {
		return refuse(10, 2018065, "(#10) This message is sent outside of allowed window. You need page_messaging_subscriptions permission to be able to do it.")
	}
	return refuse(10, 2018278, "(#10) This message is sent outside of allowed window. Learn more about the new policy here: https://developers.facebook.com/docs/messenger-platform/policy-overview")
}

// accept takes a message of the page. The lock is held.
func (w *world) accept(o *outgoing, page *pageState, p *personState, msg outMessage) (sendAnswer, *messenger.Error) {
	answer := sendAnswer{RecipientID: p.ID}
	if _, i := findByID(page.Personas, o.persona); o.persona != "" && i < 0 {
		return answer, refuse(100, 0, "(#100) Param persona_id must be the id of a persona of the page")
	}
	if o.file != nil && msg.Attachment != nil && msg.Attachment.Type != "template" {
		msg = msg.withURL(fileURL(o.host, w.files.add(*o.file)))
	}
	attachments, e := w.resolveAttachment(page, p, msg, &answer)
	if e != nil {
		return answer, e
	}
	if answer.shown != "" {
		msg = msg.withURL(answer.shown)
	}
	m := &ThreadMessage{
		MID: w.threads.newMID(page, p), From: "page", Text: msg.Text, Message: msg.raw, Metadata: msg.Metadata,
		SentAt: time.UnixMilli(w.threads.timestamp(p)).UTC(), AppID: o.app, Tag: o.class.tag, PersonaID: o.persona,
		ReplyTo: o.replyTo,
	}
	answer.MessageID = m.MID
	p.TypingUntil = time.Time{}
	w.threads.keep(p, m)
	if today := w.clock.now().Unix() / 86400; p.openedDay != today {
		p.openedDay = today
		page.tally(w.clock.now(), func(c *count) { c.Opened = once(c.Opened, p.ID) })
	}
	if w.listened() {
		w.emit(page, p, w.threads.echo(page, p, m, attachments))
	}
	w.deliverSoon(page, p)
	w.announceThread(page, p)
	return answer, nil
}

// resolveAttachment gives the attachments as an echo shows them, and an id to
// those that are to be used again. The lock is held.
func (w *world) resolveAttachment(page *pageState, p *personState, msg outMessage, answer *sendAnswer) (json.RawMessage, *messenger.Error) {
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
			stored, e := w.checkSaved(page, p, msg.Attachment.Type, media.AttachmentID)
			if e != nil {
				return nil, e
			}
			w.attachments[media.AttachmentID] = stored
			payload = mustJSON(map[string]string{"url": stored.URL})
			answer.shown = stored.URL
		case media.Reusable:
			answer.AttachmentID = w.keepAttachment(page, msg.Attachment.Type, media.URL, false)
			payload = mustJSON(map[string]string{"url": media.URL})
		default:
			payload = mustJSON(map[string]string{"url": media.URL})
		}
		return mustJSON([]any{map[string]any{"type": msg.Attachment.Type, "payload": payload}}), nil
	}
	used, e := w.checkMediaTemplate(page, p, payload)
	if e != nil {
		return nil, e
	}
	maps.Copy(w.attachments, used)
	return mustJSON([]any{map[string]any{"title": msg.title(), "url": nil, "type": "template", "payload": payload}}), nil
}

// senderAction is typing, seen and reactions of the page. The lock is held.
func (w *world) senderAction(o *outgoing, page *pageState, p *personState) *messenger.Error {
	if e := w.mayWrite(o, page, target{person: p, free: true}); e != nil {
		return e
	}
	if _, i := findByID(page.Personas, o.persona); o.persona != "" && i < 0 {
		return refuse(100, 0, "(#100) Param persona_id must be the id of a persona of the page")
	}
	now := w.clock.now()
	switch strings.ToLower(o.action) {
	case "typing_on":
		p.TypingUntil, p.typingAs = now.Add(20*time.Second), o.persona
	case "typing_off":
		p.TypingUntil = time.Time{}
	case "mark_seen":
		p.seen(now)
	case "react", "unreact":
		m := p.message(o.reactTo)
		if m == nil {
			return refuse(100, 0, "(#100) Invalid message_id")
		}
		emoji := reactionEmoji(o.reaction)
		if o.action == "unreact" {
			emoji = ""
		}
		m.react("page", emoji)
	default:
		return refuse(100, 0, "(#100) Param sender_action must be one of {TYPING_ON, TYPING_OFF, MARK_SEEN, REACT, UNREACT}")
	}
	w.announceThread(page, p)
	return nil
}

func reactionEmoji(name string) string {
	names := map[string]string{"love": "❤️", "smile": "😆", "wow": "😮", "sad": "😢", "angry": "😠", "like": "👍", "dislike": "👎"}
	if emoji, ok := names[name]; ok {
		return emoji
	}
	return name
}
