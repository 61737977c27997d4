package graphemu

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"
)

func (s *Server) report(page *pageState, p *personState, kind string) (ActionResult, error) {
	if !slices.Contains([]string{"spam", "inappropriate", "other"}, kind) {
		return ActionResult{}, errors.New("a report is one of spam, inappropriate, other")
	}
	s.tally(page, func(c *count) {
		if c.Reported == nil {
			c.Reported = map[string]int{}
		}
		c.Reported[kind]++
	})
	return ActionResult{}, nil
}

func (s *Server) pay(page *pageState, p *personState, a PaymentAction) (ActionResult, error) {
	address := map[string]string{"street_1": "1 Hacker Way", "street_2": "", "city": "MENLO PARK", "state": "CA", "country": "US", "postal_code": "94025"}
	amount := map[string]any{"currency": a.Currency, "amount": strconv.FormatFloat(a.Amount, 'f', 2, 64)}
	info := map[string]any{"shipping_address": address, "contact_name": p.Name()}
	field := map[string]string{"payment": "messaging_payments", "checkout_update": "messaging_checkout_updates", "pre_checkout": "messaging_pre_checkouts"}[a.Step]
	if field == "" {
		return ActionResult{}, errors.New("the step of a payment is one of payment, checkout_update, pre_checkout")
	}
	return s.tell(page, p, field, func(w *wireEvent) {
		switch a.Step {
		case "payment":
			w.Payment = mustJSON(map[string]any{"payload": a.Payload, "requested_user_info": info, "amount": amount,
				"payment_credential": map[string]string{"provider_type": "stripe", "charge_id": "ch_emulated", "fb_payment_id": "123456789"}})
		case "pre_checkout":
			w.Before = mustJSON(map[string]any{"payload": a.Payload, "requested_user_info": info, "amount": amount})
		default:
			w.Checkout = mustJSON(map[string]any{"payload": a.Payload, "shipping_address": address})
		}
	}), nil
}

// feedback fills in a feedback template of the page.
func (s *Server) feedback(page *pageState, p *personState, a FeedbackAction) (ActionResult, error) {
	m := p.message(a.MID)
	if m == nil || templateOf(m).Type != "customer_feedback" {
		return ActionResult{}, errors.New("the thread has no feedback template with this mid")
	}
	type answer struct {
		Type     string            `json:"type"`
		Payload  string            `json:"payload"`
		FollowUp map[string]string `json:"follow_up,omitempty"`
	}
	screens := []any{}
	for i, screen := range templateOf(m).Screens {
		questions := map[string]answer{}
		for _, q := range screen.Questions {
			if value, ok := a.Answers[q.ID]; ok {
				got := answer{Type: q.Type, Payload: value}
				if more := a.FollowUp[q.ID]; more != "" {
					got.FollowUp = map[string]string{"type": "free_form", "payload": more}
				}
				questions[q.ID] = got
			}
		}
		screens = append(screens, map[string]any{"screen_id": i, "questions": questions})
	}
	s.open(page, p)
	return s.tell(page, p, "messaging_feedback", func(w *wireEvent) { w.Feedback = mustJSON(map[string]any{"feedback_screens": screens}) }), nil
}

// shownTemplate is a template of the page as a person deals with it.
type shownTemplate struct {
	Type    string `json:"template_type"`
	Title   string `json:"title"`
	Payload string `json:"payload"`
	Screens []struct {
		Questions []struct {
			ID   string `json:"id"`
			Type string `json:"type"`
		} `json:"questions"`
	} `json:"feedback_screens"`
}

func templateOf(m *ThreadMessage) shownTemplate {
	var message struct {
		Attachment struct {
			Payload shownTemplate `json:"payload"`
		} `json:"attachment"`
	}
	if json.Unmarshal(m.Message, &message) != nil {
		return shownTemplate{}
	}
	return message.Attachment.Payload
}

// replyTo is a reference to an earlier message; one to an own message says so.
func (p *personState) replyTo(mid string) *replyTo {
	r := &replyTo{MID: mid}
	if m := p.message(mid); m != nil && m.From == "person" {
		self := true
		r.Self = &self
	}
	return r
}

func (m wireMessage) replied() string {
	if m.ReplyTo == nil {
		return ""
	}
	return m.ReplyTo.MID
}
