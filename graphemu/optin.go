package graphemu

import (
	"errors"
	"fmt"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

// optinToken lets a page write once, or now and then, to who asked for it.
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

// comment is what a person wrote under a post of the page, or the post itself.
type comment struct {
	ID       string    `json:"id"`
	Post     string    `json:"post"`
	PSID     string    `json:"psid"`
	Text     string    `json:"text"`
	IsPost   bool      `json:"is_post,omitempty"`
	At       time.Time `json:"at"`
	Answered bool      `json:"answered,omitempty"`
}

// OptInAction is a person who agrees to be written to: through the Send to
// Messenger button when only Ref is given, the checkbox with a UserRef.
type OptInAction struct {
	Ref     string `json:"ref,omitempty"`      // data-ref of the button or the checkbox
	UserRef string `json:"user_ref,omitempty"` // of the checkbox, made by the website for each time it is drawn
}

// NotifyAction is a tap on a request for a notification in a message of the
// page, with the mid of that message; Stop takes an agreement to marketing
// messages back, Resume renews it.
type NotifyAction struct {
	MID    string `json:"mid"`
	Stop   bool   `json:"stop,omitempty"`
	Resume bool   `json:"resume,omitempty"`
}

// CommentAction is a comment under a post of the page; without a Post a post of
// the person's own on the page.
type CommentAction struct {
	Text string `json:"text"`
	Post string `json:"post,omitempty"`
}

// optIn is a click on a plugin of a website. The lock is held.
func (s *Server) optIn(page *pageState, p *personState, a OptInAction) (ActionResult, error) {
	if len(a.Ref) > 250 {
		return ActionResult{}, errors.New("data-ref has at most 250 characters")
	}
	e := s.fromPerson(page, p, "messaging_optins")
	e.wire.Optin = &wireOptin{Ref: a.Ref, UserRef: a.UserRef}
	if a.UserRef == "" {
		s.begin(page, p)
		s.note(page, p, "You tapped Send to Messenger on a website.")
	} else {
		e.wire.Sender = nil
		if page.Refs == nil {
			page.Refs = map[string]string{}
		}
		page.Refs[a.UserRef] = p.ID
	}
	s.emit(page, p, e)
	return ActionResult{EventID: e.id}, nil
}

// acceptRequest is a person who lets in a page that wrote to their phone number.
func (s *Server) acceptRequest(page *pageState, p *personState) (ActionResult, error) {
	if !p.Request {
		return ActionResult{}, errors.New("the page has not asked to write")
	}
	p.Request = false
	e := s.fromPerson(page, p, "messaging_optins")
	e.wire.Optin = &wireOptin{MessageRequest: "accept"}
	s.begin(page, p)
	s.emit(page, p, e)
	return ActionResult{EventID: e.id}, nil
}

// notify is an answer to a request for notifications. The lock is held.
func (s *Server) notify(page *pageState, p *personState, a NotifyAction) (ActionResult, error) {
	m := p.message(a.MID)
	if m == nil || m.From != "page" {
		return ActionResult{}, fmt.Errorf("the thread has no message %.40q of the page", a.MID)
	}
	t := templateOf(m)
	if t.Type != "one_time_notif_req" && t.Type != "notification_messages" {
		return ActionResult{}, errors.New("the message asks for no notification")
	}
	marketing := t.Type == "notification_messages"
	tok := &optinToken{
		Token: s.ids.id("optin "+a.MID, 0, 20), PSID: p.ID, Payload: t.Payload, Title: t.Title, Marketing: marketing,
		Until: s.clock.now().AddDate(1, 0, 0),
	}
	known := false
	for _, old := range page.Tokens {
		if old.Token == tok.Token {
			tok, known = old, true
		}
	}
	e := s.fromPerson(page, p, "messaging_optins")
	o := &wireOptin{Type: t.Type, Payload: t.Payload}
	switch {
	case !marketing && known:
		return ActionResult{}, errors.New("the notification was asked for already")
	case !marketing:
		o.OneTimeToken = tok.Token
	default:
		tok.Stopped = a.Stop
		o.Token, o.Title, o.Timezone = tok.Token, t.Title, "UTC"
		o.Expiry, o.TokenStatus = tok.Until.UnixMilli(), "NOT_REFRESHED"
		if s.calendar.takes(messenger.FeatureOptinFrequency, s.clock.now()) {
			o.Frequency = "DAILY"
		}
		if a.Stop {
			o.Status = "STOP NOTIFICATIONS"
		} else if a.Resume {
			o.Status = "RESUME NOTIFICATIONS"
		}
	}
	if !known {
		page.Tokens = append(page.Tokens, tok)
	}
	e.wire.Optin = o
	s.emit(page, p, e)
	return ActionResult{EventID: e.id}, nil
}

// comment is something the person writes on the page itself. The lock is held.
func (s *Server) comment(page *pageState, p *personState, a CommentAction) (ActionResult, error) {
	if a.Text == "" {
		return ActionResult{}, errors.New("a comment needs a text")
	}
	n := s.ids.next()
	c := &comment{Post: a.Post, PSID: p.ID, Text: a.Text, IsPost: a.Post == "", At: s.clock.now()}
	if c.IsPost {
		c.Post = page.ID + "_" + s.ids.id("post", n, 15)
		c.ID = c.Post
	} else {
		c.ID = digits(c.Post) + "_" + s.ids.id("comment", n, 15)
	}
	page.Comments = append(page.Comments, c)
	s.nodes[c.ID] = nodeRef{"comment", page.ID}
	value := map[string]any{
		"item": "comment", "verb": "add", "comment_id": c.ID, "post_id": c.Post, "parent_id": c.Post,
		"from": map[string]string{"id": p.ID, "name": p.Name()}, "created_time": c.At.Unix(), "message": c.Text,
	}
	if c.IsPost {
		value["item"] = "post"
		delete(value, "comment_id")
		delete(value, "parent_id")
	}
	e := s.fromPage(page, "feed")
	e.change = mustJSON(map[string]any{"field": "feed", "value": value})
	s.emit(page, p, e)
	return ActionResult{EventID: e.id, ID: c.ID}, nil
}
