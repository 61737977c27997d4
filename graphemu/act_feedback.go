package graphemu

import (
	"encoding/json"
	"errors"
	"slices"
)

// report counts a report of the conversation.
func (t turn) report(kind string) (ActionResult, error) {
	if !slices.Contains([]string{"spam", "inappropriate", "other"}, kind) {
		return ActionResult{}, errors.New("a report is one of spam, inappropriate, other")
	}
	t.page.tally(t.clock.now(), func(c *count) {
		if c.Reported == nil {
			c.Reported = map[string]int{}
		}
		c.Reported[kind]++
	})
	return ActionResult{}, nil
}

// feedback fills in a feedback template that the page sent.
func (t turn) feedback(a FeedbackAction) (ActionResult, error) {
	m := t.p.message(a.MID)
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
	t.open()
	return t.tell("messaging_feedback", func(w *wireEvent) { w.Feedback = mustJSON(map[string]any{"feedback_screens": screens}) }), nil
}

// shownTemplate is the part of a template that matters to the person who sees it.
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

// templateOf returns the template of a message, the zero value when it has none.
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

// judge rates an answer of the page's AI.
func (t turn) judge(a ResponseAction) ActionResult {
	r := wireResponse{Feedback: "Bad response", MID: a.MID}
	if a.Good {
		r.Feedback = "Good response"
	}
	return t.tell("response_feedback", func(w *wireEvent) { w.Response = &r })
}
