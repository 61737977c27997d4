package messenger

import (
	"encoding/json"
	"fmt"
)

// NLP is what the platform's built-in language analysis found in a message.
type NLP struct {
	Entities        map[string][]NLPEntity `json:"entities,omitempty"` // by name, since v9.0 such as wit$datetime:datetime
	Intents         []NLPIntent            `json:"intents,omitempty"`
	Traits          map[string][]NLPEntity `json:"traits,omitempty"`
	DetectedLocales []NLPLocale            `json:"detected_locales,omitempty"`
	Errors          []NLPError             `json:"errors,omitempty"` // why there is no analysis
}

// NLPEntity is one meaning that was found.
type NLPEntity struct {
	Confidence float64         `json:"confidence"` // from 0 to 1
	Value      json.RawMessage `json:"value,omitempty"`
	Type       string          `json:"type,omitempty"`
	Grain      string          `json:"grain,omitempty"` // moments: hour, day, ...
	Unit       string          `json:"unit,omitempty"`
	Suggested  bool            `json:"suggested,omitempty"`
	Values     []NLPEntity     `json:"values,omitempty"` // further meanings
}

// Text is the value as text, whether it came as a string or as a number.
func (e NLPEntity) Text() string { return scalarText(e.Value) }

// NLPIntent is what the person may want.
type NLPIntent struct {
	ID         string  `json:"id,omitempty"`
	Name       string  `json:"name"`
	Confidence float64 `json:"confidence"` // from 0 to 1
}

// NLPLocale is a language that the message may be in.
type NLPLocale struct {
	Locale     string  `json:"locale"` // such as en_XX
	Confidence float64 `json:"confidence"`
}

// NLPError is why a message was not analysed.
type NLPError struct {
	Code    string `json:"code"` // such as msg-invalid
	Message string `json:"message"`
}

// Analysis reads the language analysis of the message, which is empty when there
// is none.
func (m *InboundMessage) Analysis() (NLP, error) {
	var out NLP
	if len(m.NLP) == 0 {
		return out, nil
	}
	if err := json.Unmarshal(m.NLP, &out); err != nil {
		return NLP{}, fmt.Errorf("language analysis: %w", err)
	}
	return out, nil
}

// Sticker is the id of the sticker that the message is, "" when it is none:
// wherever the platform puts it in the version that the event has.
func (m *InboundMessage) Sticker() StickerID {
	for _, a := range m.Attachments {
		if a.Payload.StickerID != "" {
			return a.Payload.StickerID
		}
	}
	return m.StickerID
}

// Source says through which plugin the message came, such as customer_chat_plugin, "" for none: the
// platform has sent an object and a list here.
func (m *InboundMessage) Source() string {
	if s := scalarText(member(m.Tags, "source")); s != "" {
		return s
	}
	source := ""
	eachElement(m.Tags, func(tag []byte) {
		if s := scalarText(member(tag, "source")); s != "" {
			source = s
		}
	})
	return source
}

// Link is the title and the address of a link that a person shared: from the
// payload since v6.0, from beside it before.
func (a InboundAttachment) Link() (title, url string) {
	title, url = a.Payload.Title, a.Payload.URL
	if title == "" {
		title = a.Title
	}
	if url == "" {
		url = a.URL
	}
	return title, url
}
