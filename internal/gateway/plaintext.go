package gateway

import (
	"encoding/json"
	"slices"
	"strings"
)

// shownMessage is what of a message object of the Send API can be said in words.
type shownMessage struct {
	Text       string `json:"text"`
	Attachment struct {
		Type    string `json:"type"`
		Payload struct {
			URL      string         `json:"url"`
			Text     string         `json:"text"`
			Buttons  []shownButton  `json:"buttons"`
			Elements []shownElement `json:"elements"`

			OrderNumber string `json:"order_number"`
			OrderURL    string `json:"order_url"`
			Currency    string `json:"currency"`
			Summary     struct {
				TotalCost json.Number `json:"total_cost"`
			} `json:"summary"`
		} `json:"payload"`
	} `json:"attachment"`
	QuickReplies []struct {
		Title string `json:"title"`
	} `json:"quick_replies"`
}

type shownElement struct {
	Title    string        `json:"title"`
	Subtitle string        `json:"subtitle"`
	URL      string        `json:"url"`
	Buttons  []shownButton `json:"buttons"`
	Action   struct {
		URL string `json:"url"`
	} `json:"default_action"`
}

type shownButton struct {
	Title string `json:"title"`
	URL   string `json:"url"`
	Phone string `json:"payload"`
	Type  string `json:"type"`
}

// PlainText renders a message object of the Send API as plain text, for channels that have no more:
// its texts, the titles of its elements and buttons with their links, and the addresses of its
// files. It is empty when there is nothing to say.
func PlainText(message json.RawMessage) string {
	var m shownMessage
	if len(message) == 0 || json.Unmarshal(message, &m) != nil {
		return ""
	}
	p := m.Attachment.Payload
	lines := []string{m.Text, p.Text, p.URL}
	if p.OrderNumber != "" {
		lines = append(lines, strings.TrimSpace(p.OrderNumber+" "+p.Summary.TotalCost.String()+" "+p.Currency), p.OrderURL)
	}
	for _, e := range p.Elements {
		lines = append(lines, join(": ", e.Title, e.Subtitle), e.URL, e.Action.URL)
		lines = append(lines, buttons(e.Buttons)...)
	}
	lines = append(lines, buttons(p.Buttons)...)
	var replies []string
	for _, q := range m.QuickReplies {
		if q.Title != "" {
			replies = append(replies, q.Title)
		}
	}
	lines = append(lines, strings.Join(replies, " / "))
	return strings.Join(slices.DeleteFunc(lines, func(s string) bool { return s == "" }), "\n")
}

func buttons(all []shownButton) []string {
	var lines []string
	for _, b := range all {
		switch {
		case b.URL != "":
			lines = append(lines, join(": ", b.Title, b.URL))
		case b.Type == "phone_number":
			lines = append(lines, join(": ", b.Title, b.Phone))
		}
	}
	return lines
}

// join puts what is there of two texts together.
func join(between, a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + between + b
}
