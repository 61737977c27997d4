package graphemu

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"github.com/chasqui/chasqui/messenger"
)

// outMessage is a message of the page as it came in.
type outMessage struct {
	Text         string           `json:"text"`
	Attachment   *outAttachment   `json:"attachment"`
	QuickReplies *[]outQuickReply `json:"quick_replies"`
	Metadata     string           `json:"metadata"`

	raw json.RawMessage
}

type outAttachment struct {
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload"`
}

type outQuickReply struct {
	ContentType string `json:"content_type"`
	Title       string `json:"title"`
	Payload     string `json:"payload"`
}

type outTemplate struct {
	Type     string       `json:"template_type"`
	Text     string       `json:"text"`
	Buttons  []outButton  `json:"buttons"`
	Elements []outElement `json:"elements"`
}

type outElement struct {
	Title         string          `json:"title"`
	Subtitle      string          `json:"subtitle"`
	ImageURL      string          `json:"image_url"`
	DefaultAction json.RawMessage `json:"default_action"`
	Buttons       []outButton     `json:"buttons"`
}

type outButton struct {
	Type    string `json:"type"`
	Title   string `json:"title"`
	URL     string `json:"url"`
	Payload string `json:"payload"`
}

// readMessage reads a message and holds it, and the file that came with it, to
// the platform's limits.
func readMessage(raw json.RawMessage, file *upload) (outMessage, *messenger.Error) {
	m := outMessage{raw: raw}
	if json.Unmarshal(raw, &m) != nil {
		return m, refuse(100, 2018032, "(#100) Invalid data")
	}
	switch {
	case m.Text != "" && m.Attachment != nil:
		return m, refuse(100, 0, "(#100) Message must have either text or attachment, not both")
	case m.Text == "" && m.Attachment == nil:
		return m, refuse(100, 2018034, "(#100) Message cannot be empty, must provide valid attachment or text")
	}
	if e := tooLong("message[text]", m.Text, 2000); e != nil {
		return m, e
	}
	if e := tooLong("message[metadata]", m.Metadata, 1000); e != nil {
		return m, e
	}
	if e := m.checkQuickReplies(); e != nil {
		return m, e
	}
	if m.Attachment != nil {
		return m, m.Attachment.check(file)
	}
	return m, nil
}

// withURL is the message with its file at an address.
func (m outMessage) withURL(url string) outMessage {
	var payload, whole map[string]json.RawMessage
	if json.Unmarshal(m.Attachment.Payload, &payload) != nil || payload == nil {
		payload = map[string]json.RawMessage{}
	}
	payload["url"] = mustJSON(url)
	m.Attachment = &outAttachment{m.Attachment.Type, mustJSON(payload)}
	if json.Unmarshal(m.raw, &whole) == nil {
		whole["attachment"] = mustJSON(map[string]any{"type": m.Attachment.Type, "payload": payload})
		m.raw = mustJSON(whole)
	}
	return m
}

func (m outMessage) checkQuickReplies() *messenger.Error {
	if m.QuickReplies == nil {
		return nil
	}
	if e := count("message[quick_replies]", len(*m.QuickReplies), 1, 13); e != nil {
		return e
	}
	for i, q := range *m.QuickReplies {
		at := fmt.Sprintf("message[quick_replies][%d]", i)
		switch q.ContentType {
		case "user_phone_number", "user_email":
			continue
		case "text":
		default:
			return refuse(100, 0, "(#100) Param "+at+"[content_type] must be one of {TEXT, USER_PHONE_NUMBER, USER_EMAIL}")
		}
		if q.Title == "" {
			return refuse(100, 0, "(#100) Param "+at+"[title] must be a non-empty string")
		}
		if e := tooLong(at+"[title]", q.Title, 20); e != nil {
			return e
		}
		if e := tooLong(at+"[payload]", q.Payload, 1000); e != nil {
			return e
		}
	}
	return nil
}

func (a outAttachment) check(file *upload) *messenger.Error {
	switch a.Type {
	case "image", "audio", "video", "file":
		var media struct {
			URL          string `json:"url"`
			AttachmentID string `json:"attachment_id"`
		}
		if len(a.Payload) > 0 && json.Unmarshal(a.Payload, &media) != nil {
			return refuse(100, 2018032, "(#100) Invalid data")
		}
		given := 0
		for _, is := range []bool{media.URL != "", media.AttachmentID != "", file != nil} {
			if is {
				given++
			}
		}
		if given != 1 {
			return refuse(100, 2018032, "(#100) Attachment must have one of url, attachment_id and a file")
		}
		if file != nil {
			return file.check()
		}
		return nil
	case "template":
		var t outTemplate
		if json.Unmarshal(a.Payload, &t) != nil {
			return refuse(100, 2018032, "(#100) Invalid data")
		}
		return t.check()
	}
	return refuse(100, 0, "(#100) Param message[attachment][type] must be one of {AUDIO, FILE, IMAGE, TEMPLATE, VIDEO}")
}

func (t outTemplate) check() *messenger.Error {
	switch t.Type {
	case "":
		return refuse(100, 0, "(#100) Param template_type is required")
	case "button":
		if t.Text == "" {
			return refuse(100, 0, "(#100) Param text must be a non-empty string")
		}
		if e := tooLong("name_placeholder[text]", t.Text, 640); e != nil {
			return e
		}
		if e := count("name_placeholder[buttons]", len(t.Buttons), 1, 3); e != nil {
			return e
		}
		return checkButtons("name_placeholder", t.Buttons)
	case "generic":
		return t.checkGeneric()
	case "media":
		if e := count("name_placeholder[elements]", len(t.Elements), 1, 1); e != nil {
			return e
		}
		return checkButtons("name_placeholder[elements][0]", t.Elements[0].Buttons)
	case "receipt":
		return count("name_placeholder[elements]", len(t.Elements), 0, 100)
	}
	return nil
}

func (t outTemplate) checkGeneric() *messenger.Error {
	if e := count("name_placeholder[elements]", len(t.Elements), 1, 10); e != nil {
		return e
	}
	for i, el := range t.Elements {
		at := fmt.Sprintf("name_placeholder[elements][%d]", i)
		if el.Title == "" {
			return refuse(100, 0, "(#100) Param "+at+"[title] must be a non-empty string")
		}
		if el.Subtitle == "" && el.ImageURL == "" && len(el.Buttons) == 0 && el.DefaultAction == nil {
			return refuse(100, 0, "(#100) Param "+at+" must have at least one property beside title")
		}
		if e := tooLong(at+"[title]", el.Title, 80); e != nil {
			return e
		}
		if e := tooLong(at+"[subtitle]", el.Subtitle, 80); e != nil {
			return e
		}
		if e := checkButtons(at, el.Buttons); e != nil {
			return e
		}
	}
	return nil
}

func checkButtons(at string, buttons []outButton) *messenger.Error {
	if e := count(at+"[buttons]", len(buttons), 0, 3); e != nil {
		return e
	}
	for i, b := range buttons {
		here := fmt.Sprintf("%s[buttons][%d]", at, i)
		if b.Type == "" {
			return refuse(100, 0, "(#100) Param "+here+"[type] is required")
		}
		if b.Title == "" && b.Type != "account_link" && b.Type != "account_unlink" {
			return refuse(100, 0, "(#100) Param "+here+"[title] must be a non-empty string")
		}
		if e := tooLong(here+"[title]", b.Title, 20); e != nil {
			return e
		}
		if e := tooLong(here+"[payload]", b.Payload, 1000); e != nil {
			return e
		}
		if b.Type == "postback" && b.Payload == "" || b.Type == "web_url" && b.URL == "" {
			return refuse(100, 0, "(#100) Param "+here+" lacks its payload or url")
		}
	}
	return nil
}

// title is what an echo shows of a template.
func (m outMessage) title() string {
	var t outTemplate
	if json.Unmarshal(m.Attachment.Payload, &t) != nil {
		return ""
	}
	title := t.Text
	for i, e := range t.Elements {
		if i > 0 {
			title += ", "
		}
		title += e.Title
	}
	return title
}

func tooLong(name, text string, limit int) *messenger.Error {
	if utf8.RuneCountInString(text) > limit {
		return refuse(100, 0, fmt.Sprintf("(#100) Length of param %s must be less than or equal to %d", name, limit))
	}
	return nil
}

func count(name string, n, low, high int) *messenger.Error {
	if n < low {
		return refuse(194, 0, "(#194) param "+name+" has too few elements.")
	}
	if n > high {
		return refuse(105, 0, "(#105) param "+name+" has too many elements.")
	}
	return nil
}
