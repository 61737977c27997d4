package graphemu

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

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
	if err := s.world.exists(pageID, psid); err != nil {
		return ActionResult{}, err
	}
	a, err := s.links.resolve(ctx, a)
	if err != nil {
		return ActionResult{}, err
	}
	return s.world.act(pageID, psid, a)
}

// exists returns an error for a page or a person that is not there.
func (w *world) exists(pageID, psid string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, _, err := w.find(pageID, psid)
	return err
}

// act does what a person does. Links in the action must already lead to pages of the emulator.
func (w *world) act(pageID, psid string, a Action) (ActionResult, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	page, p, err := w.find(pageID, psid)
	if err != nil {
		return ActionResult{}, err
	}
	res, err := turn{w, page, p}.do(a)
	if err != nil {
		return ActionResult{}, fmt.Errorf("%w: %w", ErrAction, err)
	}
	w.announceThread(page, p)
	return res, nil
}

// turn is a person's turn in their thread with a page: its methods do one thing
// each that a person can do. The world's lock is held throughout.
type turn struct {
	*world
	page *pageState
	p    *personState
}

// event makes an event whose sender is the person.
func (t turn) event(field string) event { return t.threads.fromPerson(t.page, t.p, field) }

// send emits an event about the person.
func (t turn) send(e event) { t.emit(t.page, t.p, e) }

// do carries out an action.
func (t turn) do(a Action) (ActionResult, error) {
	switch {
	case a.Referral != nil && !a.GetStarted, a.Link != nil, a.Scan != nil, a.OptIn != nil, a.Accept, a.Notify != nil:
		return t.enter(a)
	case a.Attachment != nil, a.Sticker != 0, a.Location != nil, a.Share != nil, a.Product != nil:
		return t.attach(a)
	case a.Comment != nil:
		return t.comment(*a.Comment)
	case a.Account != nil:
		return t.linkAccount(*a.Account), nil
	case a.Feedback != nil:
		return t.feedback(*a.Feedback)
	case a.Payment != nil:
		return t.pay(*a.Payment)
	case a.Report != "":
		return t.report(a.Report)
	case a.Game != nil:
		return t.tell("messaging_game_plays", func(w *wireEvent) { w.Game = mustJSON(a.Game) }), nil
	case a.Response != nil:
		return t.judge(*a.Response), nil
	case a.Event != nil:
		return t.anyEvent(*a.Event)
	}
	return t.converse(a)
}

// converse carries out the actions that are about the thread itself.
func (t turn) converse(a Action) (ActionResult, error) {
	switch {
	case a.Text != "":
		m := wireMessage{Text: a.Text}
		if a.ReplyTo != "" {
			m.ReplyTo = t.p.replyTo(a.ReplyTo)
		}
		return t.write(m), nil
	case a.QuickReply != nil:
		return t.write(wireMessage{Text: a.QuickReply.Title, QuickReply: &quickReplyTap{a.QuickReply.Payload}}), nil
	case a.Postback != nil:
		return t.postback(*a.Postback, nil), nil
	case a.GetStarted:
		return t.getStarted(a.Referral)
	case a.Reaction != nil:
		return t.react(*a.Reaction)
	case a.Edit != nil:
		return t.edit(*a.Edit)
	}
	return t.read(), nil
}

// write adds a message of the person to the thread and sends it to the apps.
func (t turn) write(m wireMessage) ActionResult {
	e := t.event("messages")
	m.MID = t.threads.newMID(t.page, t.p)
	m.NLP = t.page.NLP.read(m.Text, t.clock.now())
	e.wire.Message, e.mid = &m, m.MID
	t.open()
	if f, err := parseFault(magicWords(m.Text)); err == nil && f.ofWebhooks() {
		e.fault = &f
	}
	m2 := m
	m2.NLP = nil
	t.threads.keep(t.p, &ThreadMessage{MID: m.MID, From: "person", Text: m.Text, Message: mustJSON(m2), SentAt: time.UnixMilli(e.wire.Timestamp).UTC(), ReplyTo: m.replied()})
	t.send(e)
	return ActionResult{MID: m.MID, EventID: e.id}
}

// postback adds a tap on a button to the thread and sends it to the apps.
func (t turn) postback(tap TapAction, ref *Referral) ActionResult {
	e := t.event("messaging_postbacks")
	mid := t.threads.newMID(t.page, t.p)
	e.wire.Postback, e.mid = &wirePostback{MID: mid, Title: tap.Title, Payload: tap.Payload, Referral: ref}, mid
	t.open()
	t.threads.keep(t.p, &ThreadMessage{MID: mid, From: "person", Text: tap.Title, Postback: tap.Payload, SentAt: time.UnixMilli(e.wire.Timestamp).UTC()})
	t.send(e)
	return ActionResult{MID: mid, EventID: e.id}
}

// getStarted begins the thread with a tap on Get Started. The referral comes from the action,
// or else from the link that the person followed before.
func (t turn) getStarted(ref *Referral) (ActionResult, error) {
	var button struct {
		Payload string `json:"payload"`
	}
	if raw := t.page.Profile["get_started"]; raw == nil || json.Unmarshal(raw, &button) != nil {
		return ActionResult{}, errors.New("the page has no Get Started button: set get_started in its messenger profile")
	}
	if t.p.Open && len(t.p.Messages) > 0 {
		return ActionResult{}, errors.New("the thread has begun: Get Started is only shown to people without one")
	}
	switch {
	case ref != nil:
		ref = ref.complete()
	case t.p.Pending != nil:
		ref = t.p.Pending
	}
	t.p.Pending = nil
	return t.postback(TapAction{Title: "Get Started", Payload: button.Payload}, ref), nil
}

// tell sends an event that changes nothing in the thread.
func (t turn) tell(field string, set func(*wireEvent)) ActionResult {
	e := t.event(field)
	set(&e.wire)
	t.send(e)
	return ActionResult{EventID: e.id}
}

// anyEvent sends an event exactly as the action gives it.
func (t turn) anyEvent(a EventAction) (ActionResult, error) {
	var members map[string]json.RawMessage
	switch {
	case !knownField(a.Field):
		return ActionResult{}, errors.New("the event needs a field that apps can subscribe to")
	case a.Value != nil:
		e := t.emitChange(t.page, nil, a.Field, "", a.Value)
		return ActionResult{EventID: e.id}, nil
	case json.Unmarshal(a.Messaging, &members) != nil || len(members) == 0:
		return ActionResult{}, errors.New("the event needs messaging or value, an object")
	}
	e := t.event(a.Field)
	e.raw = a.Messaging
	t.send(e)
	return ActionResult{EventID: e.id}, nil
}
