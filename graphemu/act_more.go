package graphemu

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"

	"github.com/chasqui/chasqui/messenger"
)

// AccountAction links or unlinks the person's account with the business.
type AccountAction struct {
	Code   string `json:"code,omitempty"` // authorization_code that the website gave
	Unlink bool   `json:"unlink,omitempty"`
}

// FeedbackAction is a filled-in feedback template: answers by question id.
type FeedbackAction struct {
	MID      string            `json:"mid"`
	Answers  map[string]string `json:"answers"`
	FollowUp map[string]string `json:"follow_up,omitempty"`
}

// LocationAction is a place.
type LocationAction struct {
	Lat  float64 `json:"lat"`
	Long float64 `json:"long"`
}

// ShareAction is a link shared into the thread, with a text of its own or none.
type ShareAction struct {
	URL   string `json:"url"`
	Title string `json:"title,omitempty"`
	Text  string `json:"text,omitempty"`
}

// ProductAction is a question about a product.
type ProductAction struct {
	ID       string `json:"id"`
	Title    string `json:"title,omitempty"`
	Subtitle string `json:"subtitle,omitempty"`
	ImageURL string `json:"image_url,omitempty"`
	Text     string `json:"text,omitempty"`
}

// GameAction is an instant game that was played.
type GameAction struct {
	GameID      string `json:"game_id"`
	PlayerID    string `json:"player_id"`
	ContextType string `json:"context_type"`
	ContextID   string `json:"context_id"`
	Score       int    `json:"score,omitempty"`
	Payload     string `json:"payload,omitempty"`
}

// PaymentAction is a tap on a buy button, up to a step of the payment: payment,
// checkout_update or pre_checkout.
type PaymentAction struct {
	Step     string  `json:"step"`
	Payload  string  `json:"payload"`
	Currency string  `json:"currency,omitempty"`
	Amount   float64 `json:"amount,omitempty"`
}

// ResponseAction is a thumb under an answer of the page's AI.
type ResponseAction struct {
	MID  string `json:"mid"`
	Good bool   `json:"good"`
}

// EventAction is any event as it is, for what no other action makes: of a field
// of Messenger's the members of the event beside sender, recipient and timestamp,
// which are added unless given; of another field of the page the value.
type EventAction struct {
	Field     string          `json:"field"`
	Messaging json.RawMessage `json:"messaging,omitempty"` // {"message_context":{…}}
	Value     json.RawMessage `json:"value,omitempty"`     // of leadgen, ratings, mention, ...
}

// PolicyAction is what the platform does to a page that breaks its policy:
// warning, block or unblock.
type PolicyAction struct {
	Action string `json:"action"`
	Reason string `json:"reason,omitempty"`
}

// actMore does the rarer things. The lock is held.
func (s *Server) actMore(page *pageState, p *personState, a Action) (ActionResult, error) {
	switch {
	case a.Link != nil:
		return s.followLink(page, p, a.Link.URL)
	case a.Scan != nil:
		return s.scan(page, p, *a.Scan)
	case a.OptIn != nil:
		return s.optIn(page, p, *a.OptIn)
	case a.Accept:
		return s.acceptRequest(page, p)
	case a.Notify != nil:
		return s.notify(page, p, *a.Notify)
	case a.Comment != nil:
		return s.comment(page, p, *a.Comment)
	case a.Account != nil:
		return s.linkAccount(page, p, *a.Account), nil
	case a.Feedback != nil:
		return s.feedback(page, p, *a.Feedback)
	case a.Game != nil:
		return s.tell(page, p, "messaging_game_plays", func(w *wireEvent) { w.Game = mustJSON(a.Game) }), nil
	case a.Payment != nil:
		return s.pay(page, p, *a.Payment)
	case a.Report != "":
		return s.report(page, p, a.Report)
	case a.Event != nil:
		return s.anyEvent(page, p, *a.Event)
	case a.Response != nil:
		r := wireResponse{Feedback: "Bad response", MID: a.Response.MID}
		if a.Response.Good {
			r.Feedback = "Good response"
		}
		return s.tell(page, p, "response_feedback", func(w *wireEvent) { w.Response = &r }), nil
	}
	return s.sendSpecial(page, p, a)
}

// tell sends an event that changes nothing in the thread.
func (s *Server) tell(page *pageState, p *personState, field string, set func(*wireEvent)) ActionResult {
	e := s.fromPerson(page, p, field)
	set(&e.wire)
	s.emit(page, p, e)
	return ActionResult{EventID: e.id}
}

// anyEvent sends an event as it was given.
func (s *Server) anyEvent(page *pageState, p *personState, a EventAction) (ActionResult, error) {
	var members map[string]json.RawMessage
	switch {
	case !s.knownField(a.Field):
		return ActionResult{}, errors.New("the event needs a field that apps can subscribe to")
	case a.Value != nil:
		e := s.fromPage(page, a.Field)
		e.change = mustJSON(map[string]any{"field": a.Field, "value": a.Value})
		s.emit(page, nil, e)
		return ActionResult{EventID: e.id}, nil
	case json.Unmarshal(a.Messaging, &members) != nil || len(members) == 0:
		return ActionResult{}, errors.New("the event needs messaging or value, an object")
	}
	e := s.fromPerson(page, p, a.Field)
	e.raw = a.Messaging
	s.emit(page, p, e)
	return ActionResult{EventID: e.id}, nil
}

// sendSpecial sends what is no text and no file.
func (s *Server) sendSpecial(page *pageState, p *personState, a Action) (ActionResult, error) {
	one := func(kind string, payload any) json.RawMessage {
		return mustJSON([]any{map[string]any{"type": kind, "payload": payload}})
	}
	switch {
	case a.Sticker != 0:
		payload := map[string]any{"url": stickerURL(a.Sticker), "sticker_id": a.Sticker}
		list := []any{map[string]any{"type": "sticker", "payload": payload}, map[string]any{"type": "image", "payload": payload}}
		switch {
		case s.clock.isDated() && !s.calendar.takes(messenger.FeatureStickerType, s.clock.now()):
			list = list[1:]
		case s.calendar.ended(messenger.FeatureStickerImage):
			list = list[:1]
		}
		return s.write(page, p, wireMessage{Attachments: mustJSON(list)}), nil
	case a.Location != nil:
		coordinates := map[string]any{"coordinates": map[string]float64{"lat": a.Location.Lat, "long": a.Location.Long}}
		return s.write(page, p, wireMessage{Attachments: one("location", coordinates)}), nil
	case a.Share != nil:
		if a.Share.URL == "" {
			return ActionResult{}, errors.New("a shared link needs a url")
		}
		return s.write(page, p, wireMessage{Text: a.Share.Text, Attachments: one("fallback", map[string]string{"url": a.Share.URL, "title": a.Share.Title})}), nil
	}
	product := map[string]any{"elements": []any{map[string]string{
		"id": a.Product.ID, "retailer_id": a.Product.ID, "image_url": a.Product.ImageURL, "title": a.Product.Title, "subtitle": a.Product.Subtitle,
	}}}
	m := wireMessage{Text: a.Product.Text, Referral: &Referral{Product: &ProductReferral{a.Product.ID}}, Attachments: one("template", map[string]any{"product": product})}
	return s.write(page, p, m), nil
}

func stickerURL(id int64) string {
	return "https://scontent.xx.fbcdn.net/t39.1997-6/" + strconv.FormatInt(id, 10) + ".png"
}

func (s *Server) linkAccount(page *pageState, p *personState, a AccountAction) ActionResult {
	if a.Unlink {
		return s.link(page, p, "unlinked", "")
	}
	return s.link(page, p, "linked", a.Code)
}

func (s *Server) link(page *pageState, p *personState, status, code string) ActionResult {
	return s.tell(page, p, "messaging_account_linking", func(w *wireEvent) { w.Linking = &wireLinking{status, code} })
}

// EnforcePolicy warns, blocks or unblocks a page, and tells its apps. A blocked
// page cannot send.
func (s *Server) EnforcePolicy(pageID string, a PolicyAction) error {
	s.init()
	s.mu.Lock()
	defer s.mu.Unlock()
	page := s.pages[pageID]
	if page == nil {
		return ErrUnknownPage
	}
	if !slices.Contains([]string{"warning", "block", "unblock"}, a.Action) {
		return errors.New("a policy action is one of warning, block, unblock")
	}
	page.Restricted = a.Action == "block" || page.Restricted && a.Action == "warning"
	e := s.fromPage(page, "messaging_policy_enforcement")
	e.wire.Policy = &a
	s.emit(page, nil, e)
	return nil
}
