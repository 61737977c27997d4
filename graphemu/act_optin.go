package graphemu

import (
	"errors"
	"fmt"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

// optinToken allows a page to write to a person who asked for it: once, or every now and then.
type optinToken struct {
	Token     string    `json:"token"`
	PSID      string    `json:"psid"`
	Payload   string    `json:"payload"`
	Title     string    `json:"title,omitempty"`
	Marketing bool      `json:"marketing,omitempty"`
	Until     time.Time `json:"until"`
	Used      bool      `json:"used,omitempty"`
	Stopped   bool      `json:"stopped,omitempty"`
	Last      time.Time `json:"last,omitzero"` // when it was used last
}

// optIn opts the person in through a plugin on a website.
func (t turn) optIn(a OptInAction) (ActionResult, error) {
	if len(a.Ref) > 250 {
		return ActionResult{}, errors.New("data-ref has at most 250 characters")
	}
	e := t.event("messaging_optins")
	e.wire.Optin = &wireOptin{Ref: a.Ref, UserRef: a.UserRef}
	if a.UserRef == "" {
		t.begin()
		t.threads.note(t.page, t.p, "You tapped Send to Messenger on a website.")
	} else {
		e.wire.Sender = nil
		if t.page.Refs == nil {
			t.page.Refs = map[string]string{}
		}
		t.page.Refs[a.UserRef] = t.p.ID
	}
	t.send(e)
	return ActionResult{EventID: e.id}, nil
}

// acceptRequest accepts the message request of a page that wrote to the person's phone number.
func (t turn) acceptRequest() (ActionResult, error) {
	if !t.p.Request {
		return ActionResult{}, errors.New("the page has not asked to write")
	}
	t.p.Request = false
	e := t.event("messaging_optins")
	e.wire.Optin = &wireOptin{MessageRequest: "accept"}
	t.begin()
	t.send(e)
	return ActionResult{EventID: e.id}, nil
}

// notify answers a request for notifications.
func (t turn) notify(a NotifyAction) (ActionResult, error) {
	m := t.p.message(a.MID)
	if m == nil || m.From != "page" {
		return ActionResult{}, fmt.Errorf("the thread has no message %.40q of the page", a.MID)
	}
	asked := templateOf(m)
	if asked.Type != "one_time_notif_req" && asked.Type != "notification_messages" {
		return ActionResult{}, errors.New("the message asks for no notification")
	}
	marketing := asked.Type == "notification_messages"
	tok := &optinToken{
		Token: t.ids.id("optin "+a.MID, 0, 20), PSID: t.p.ID, Payload: asked.Payload, Title: asked.Title, Marketing: marketing,
		Until: t.clock.now().AddDate(1, 0, 0),
	}
	known := false
	for _, old := range t.page.Tokens {
		if old.Token == tok.Token {
			tok, known = old, true
		}
	}
	e := t.event("messaging_optins")
	o := &wireOptin{Type: asked.Type, Payload: asked.Payload}
	switch {
	case !marketing && known:
		return ActionResult{}, errors.New("the notification was asked for already")
	case !marketing:
		o.OneTimeToken = tok.Token
	default:
		tok.Stopped = a.Stop
		o.Token, o.Title, o.Timezone = tok.Token, asked.Title, "UTC"
		o.Expiry, o.TokenStatus = tok.Until.UnixMilli(), "NOT_REFRESHED"
		if t.calendar.takesNow(messenger.FeatureOptinFrequency) {
			o.Frequency = "DAILY"
		}
		if a.Stop {
			o.Status = "STOP NOTIFICATIONS"
		} else if a.Resume {
			o.Status = "RESUME NOTIFICATIONS"
		}
	}
	if !known {
		t.page.Tokens = append(t.page.Tokens, tok)
	}
	e.wire.Optin = o
	t.send(e)
	return ActionResult{EventID: e.id}, nil
}
