package graphemu

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Action is what a person does; exactly one of its parts is set, apart from
// Referral, which may stand beside GetStarted, and ReplyTo beside Text.
type Action struct {
	Text       string            `json:"text,omitempty"`
	ReplyTo    string            `json:"reply_to,omitempty"` // the mid that the text answers
	QuickReply *TapAction        `json:"quick_reply,omitempty"`
	Postback   *TapAction        `json:"postback,omitempty"`
	GetStarted bool              `json:"get_started,omitempty"`
	Referral   *Referral         `json:"referral,omitempty"`
	Attachment *AttachmentAction `json:"attachment,omitempty"`
	Read       bool              `json:"read,omitempty"`
	Reaction   *ReactionAction   `json:"reaction,omitempty"`
	Edit       *EditAction       `json:"edit,omitempty"`

	Link     *LinkAction     `json:"link,omitempty"`
	Scan     *ScanAction     `json:"scan,omitempty"`
	OptIn    *OptInAction    `json:"optin,omitempty"`
	Accept   bool            `json:"accept,omitempty"` // lets in a page that wrote to the person's phone number
	Notify   *NotifyAction   `json:"notify,omitempty"`
	Comment  *CommentAction  `json:"comment,omitempty"`
	Account  *AccountAction  `json:"account,omitempty"`
	Feedback *FeedbackAction `json:"feedback,omitempty"`
	Sticker  int64           `json:"sticker,omitempty"`  // a sticker; 369239263222822 is the small thumb
	Location *LocationAction `json:"location,omitempty"` // where the person is
	Share    *ShareAction    `json:"share,omitempty"`    // a link that is shared into the thread
	Product  *ProductAction  `json:"product,omitempty"`  // a product of a shop
	Game     *GameAction     `json:"game,omitempty"`
	Payment  *PaymentAction  `json:"payment,omitempty"`
	Report   string          `json:"report,omitempty"` // reports the conversation: spam, inappropriate, other
	Response *ResponseAction `json:"response,omitempty"`
	Event    *EventAction    `json:"event,omitempty"`
}

// TapAction is a tapped quick reply or button.
type TapAction struct {
	Title   string `json:"title"`
	Payload string `json:"payload"`
}

// AttachmentAction is something a person sends that is no text.
type AttachmentAction struct {
	Type string `json:"type"` // image, audio, video, file
	URL  string `json:"url"`
}

// ReactionAction is a reaction to a message; without an emoji it is taken back.
type ReactionAction struct {
	MID   string `json:"mid"`
	Emoji string `json:"emoji"`
}

// EditAction changes the text of a message of the person, at most five times.
type EditAction struct {
	MID  string `json:"mid"`
	Text string `json:"text"`
}

// ActionResult says what became of an action. MID is set for messages and
// postbacks. Pending is true for a link followed by a person who has no thread:
// the referral comes with Get Started, as on the platform.
type ActionResult struct {
	MID     string `json:"mid,omitempty"`
	EventID string `json:"event_id,omitempty"`
	Pending bool   `json:"pending,omitempty"`
	ID      string `json:"id,omitempty"` // of a comment or a post
}

// ErrAction is matched by the errors of [Server.Act] for an action that makes
// no sense.
var ErrAction = errors.New("action is not possible")

// Act does what a person does: it changes the thread and sends the webhooks
// that follow from it. It returns before they are delivered.
func (s *Server) Act(ctx context.Context, pageID, psid string, a Action) (ActionResult, error) {
	s.init()
	if err := ctx.Err(); err != nil {
		return ActionResult{}, err
	}
	if err := a.check(); err != nil {
		return ActionResult{}, err
	}
	if err := s.exists(pageID, psid); err != nil {
		return ActionResult{}, err
	}
	a, err := s.resolve(ctx, a)
	if err != nil {
		return ActionResult{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	page, person, err := s.find(pageID, psid)
	if err != nil {
		return ActionResult{}, err
	}
	res, err := s.act(page, person, a)
	if err != nil {
		return ActionResult{}, fmt.Errorf("%w: %w", ErrAction, err)
	}
	s.announceThread(page, person)
	return res, nil
}

func (a Action) check() error {
	n := 0
	for _, set := range []bool{
		a.Text != "", a.QuickReply != nil, a.Postback != nil, a.GetStarted,
		a.Referral != nil && !a.GetStarted, a.Attachment != nil, a.Read, a.Reaction != nil, a.Edit != nil,
		a.Link != nil, a.Scan != nil, a.OptIn != nil, a.Accept, a.Notify != nil, a.Comment != nil, a.Account != nil, a.Feedback != nil,
		a.Sticker != 0, a.Location != nil, a.Share != nil, a.Product != nil, a.Game != nil, a.Payment != nil, a.Report != "", a.Response != nil, a.Event != nil,
	} {
		if set {
			n++
		}
	}
	if n != 1 {
		return fmt.Errorf("%w: exactly one of text, quick_reply, postback, get_started, referral, attachment, read, reaction, edit, link, scan, optin and their like must be given", ErrAction)
	}
	return nil
}

func (s *Server) act(page *pageState, p *personState, a Action) (ActionResult, error) {
	switch {
	case a.Text != "":
		m := wireMessage{Text: a.Text}
		if a.ReplyTo != "" {
			m.ReplyTo = p.replyTo(a.ReplyTo)
		}
		return s.write(page, p, m), nil
	case a.QuickReply != nil:
		return s.write(page, p, wireMessage{Text: a.QuickReply.Title, QuickReply: &quickReplyTap{a.QuickReply.Payload}}), nil
	case a.Attachment != nil:
		return s.attach(page, p, *a.Attachment)
	case a.Postback != nil:
		return s.postback(page, p, *a.Postback, nil), nil
	case a.GetStarted:
		return s.getStarted(page, p, a.Referral)
	case a.Referral != nil:
		return s.follow(page, p, a.Referral.complete()), nil
	case a.Read:
		return s.read(page, p), nil
	case a.Reaction != nil:
		return s.react(page, p, *a.Reaction)
	case a.Edit != nil:
		return s.edit(page, p, *a.Edit)
	}
	return s.actMore(page, p, a)
}

// write is a message of the person.
func (s *Server) write(page *pageState, p *personState, m wireMessage) ActionResult {
	e := s.fromPerson(page, p, "messages")
	m.MID = s.newMID(page, p)
	m.NLP = page.NLP.read(m.Text, s.clock.now())
	e.wire.Message, e.mid = &m, m.MID
	s.open(page, p)
	if f, err := parseFault(magicWords(m.Text)); err == nil && f.ofWebhooks() {
		e.fault = &f
	}
	m2 := m
	m2.NLP = nil
	s.keep(p, &ThreadMessage{MID: m.MID, From: "person", Text: m.Text, Message: mustJSON(m2), SentAt: time.UnixMilli(e.wire.Timestamp).UTC(), ReplyTo: m.replied()})
	s.emit(page, p, e)
	return ActionResult{MID: m.MID, EventID: e.id}
}

func (s *Server) attach(page *pageState, p *personState, a AttachmentAction) (ActionResult, error) {
	if !slices.Contains([]string{"image", "audio", "video", "file"}, a.Type) || a.URL == "" {
		return ActionResult{}, errors.New("an attachment needs a type (image, audio, video, file) and a url")
	}
	attachments := mustJSON([]any{map[string]any{"type": a.Type, "payload": map[string]string{"url": a.URL}}})
	return s.write(page, p, wireMessage{Attachments: attachments}), nil
}

func (s *Server) postback(page *pageState, p *personState, tap TapAction, ref *Referral) ActionResult {
	e := s.fromPerson(page, p, "messaging_postbacks")
	mid := s.newMID(page, p)
	e.wire.Postback, e.mid = &wirePostback{MID: mid, Title: tap.Title, Payload: tap.Payload, Referral: ref}, mid
	s.open(page, p)
	s.keep(p, &ThreadMessage{MID: mid, From: "person", Text: tap.Title, Postback: tap.Payload, SentAt: time.UnixMilli(e.wire.Timestamp).UTC()})
	s.emit(page, p, e)
	return ActionResult{MID: mid, EventID: e.id}
}

func (s *Server) getStarted(page *pageState, p *personState, ref *Referral) (ActionResult, error) {
	var button struct {
		Payload string `json:"payload"`
	}
	if raw := page.Profile["get_started"]; raw == nil || json.Unmarshal(raw, &button) != nil {
		return ActionResult{}, errors.New("the page has no Get Started button: set get_started in its messenger profile")
	}
	if p.Open && len(p.Messages) > 0 {
		return ActionResult{}, errors.New("the thread has begun: Get Started is only shown to people without one")
	}
	switch {
	case ref != nil:
		ref = ref.complete()
	case p.Pending != nil:
		ref = p.Pending
	}
	p.Pending = nil
	return s.postback(page, p, TapAction{Title: "Get Started", Payload: button.Payload}, ref), nil
}

// maxThread is how many messages of a thread are kept.
const maxThread = 10_000

func (s *Server) keep(p *personState, m *ThreadMessage) {
	if len(p.Messages) >= maxThread {
		p.Messages = append([]*ThreadMessage(nil), p.Messages[maxThread/10:]...)
	}
	p.Messages = append(p.Messages, m)
	s.bound(p)
}

// maxKept is how many messages all threads together keep.
const maxKept = 50_000

// bound drops the oldest message of all when there are too many. The lock is held.
func (s *Server) bound(p *personState) {
	s.kept = append(s.kept, p)
	if len(s.kept)-s.keptHead <= maxKept {
		return
	}
	oldest := s.kept[s.keptHead]
	s.kept[s.keptHead] = nil
	s.keptHead++
	if len(oldest.Messages) > 1 {
		oldest.Messages[0] = nil
		oldest.Messages = oldest.Messages[1:]
	}
	if s.keptHead > maxKept {
		s.kept = append(make([]*personState, 0, 2*maxKept), s.kept[s.keptHead:]...)
		s.keptHead = 0
	}
}

func (p *personState) message(mid string) *ThreadMessage {
	for i := len(p.Messages) - 1; i >= 0; i-- {
		if p.Messages[i].MID == mid {
			return p.Messages[i]
		}
	}
	return nil
}

func (m *ThreadMessage) react(who, emoji string) {
	if emoji == "" {
		delete(m.Reactions, who)
		return
	}
	if m.Reactions == nil {
		m.Reactions = map[string]string{}
	}
	m.Reactions[who] = emoji
}

// reactionName is the platform's name of the reactions it offers by itself.
func reactionName(emoji string) string {
	switch emoji {
	case "❤", "❤️", "😍":
		return "love"
	case "😆":
		return "smile"
	case "😮":
		return "wow"
	case "😢":
		return "sad"
	case "😠":
		return "angry"
	case "👍":
		return "like"
	case "👎":
		return "dislike"
	}
	return "other"
}
