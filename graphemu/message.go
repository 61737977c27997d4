package graphemu

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

// outMessage is a message of the page, as it was received.
type outMessage struct {
	Text         string           `json:"text"`
	Attachment   *outAttachment   `json:"attachment"`
	QuickReplies *[]outQuickReply `json:"quick_replies"`
	Metadata     string           `json:"metadata"`
	Sticker      json.Number      `json:"sticker_id"`
	Grid         []outAttachment  `json:"attachments"` // two to six images

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
	Title    string       `json:"title"`
	Text     string       `json:"text"`
	Buttons  []outButton  `json:"buttons"`
	Elements []outElement `json:"elements"`
}

type outElement struct {
	Title         string          `json:"title"`
	Subtitle      string          `json:"subtitle"`
	ImageURL      string          `json:"image_url"`
	URL           string          `json:"url"`
	DefaultAction json.RawMessage `json:"default_action"`
	Buttons       []outButton     `json:"buttons"`
}

type outButton struct {
	Type    string `json:"type"`
	Title   string `json:"title"`
	URL     string `json:"url"`
	Payload string `json:"payload"`
}

// readMessage parses a message and checks it, with the file that came with it, against the
// rules of an era.
func (cal *calendar) readMessage(raw json.RawMessage, file *upload, at time.Time) (outMessage, *messenger.Error) {
	m := outMessage{raw: raw}
	if json.Unmarshal(raw, &m) != nil {
		return m, refuse(100, 2018032, "(#100) Invalid data")
	}
	parts := 0
	for _, has := range []bool{m.Text != "", m.Attachment != nil, m.Sticker != "", len(m.Grid) > 0} {
		if has {
			parts++
		}
	}
	switch {
	case parts > 1:
		return m, refuse(100, 0, "(#100) Message must have either text or attachment, not both")
	case parts == 0:
		return m, refuse(100, 2018034, "(#100) Message cannot be empty, must provide valid attachment or text")
	}
	limit := 2000
	if !cal.takes(messenger.FeatureLongText, at) {
		limit = 640
	}
	if e := tooLong("message[text]", m.Text, limit); e != nil {
		return m, e
	}
	if e := tooLong("message[metadata]", m.Metadata, 1000); e != nil {
		return m, e
	}
	if e := cal.checkQuickReplies(m, at); e != nil {
		return m, e
	}
	if m.Attachment != nil {
		return m, m.Attachment.check(file, func(f messenger.Feature) bool { return cal.takes(f, at) })
	}
	return m, checkGrid(m.Grid)
}

// checkGrid checks a grid of pictures.
func checkGrid(grid []outAttachment) *messenger.Error {
	if len(grid) == 0 {
		return nil
	}
	if e := checkCount("message[attachments]", len(grid), 2, 6); e != nil {
		return e
	}
	for _, a := range grid {
		if a.Type != "image" {
			return refuse(100, 0, "(#100) Param message[attachments] takes images only")
		}
		if e := a.check(nil, nil); e != nil {
			return e
		}
	}
	return nil
}

// withURL returns the message with the address of its file.
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

// maxQuickReplies returns how many quick replies a message may have: 10 in 2016, 11 until 2020,
// 13 since then. Without a date it is 13 for every version, because clients of version 4.0 send
// as many.
func (cal *calendar) maxQuickReplies() int {
	switch {
	case !cal.clock.isDated() || cal.takesNow(messenger.FeatureThirteenQuickReplies):
		return 13
	case !cal.takesNow(messenger.FeatureElevenQuickReplies):
		return 10
	}
	return 11
}

func (cal *calendar) checkQuickReplies(m outMessage, when time.Time) *messenger.Error {
	if m.QuickReplies == nil {
		return nil
	}
	if e := checkCount("message[quick_replies]", len(*m.QuickReplies), 1, cal.maxQuickReplies()); e != nil {
		return e
	}
	for i, q := range *m.QuickReplies {
		at := fmt.Sprintf("message[quick_replies][%d]", i)
		switch q.ContentType {
		case "user_phone_number", "user_email":
			continue
		case "location":
			if cal.takes(messenger.FeatureLocationReply, when) {
				continue
			}
			return refuse(100, 0, "(#100) Param "+at+"[content_type] must be one of {TEXT, USER_PHONE_NUMBER, USER_EMAIL}")
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

func (a outAttachment) check(file *upload, takes func(messenger.Feature) bool) *messenger.Error {
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
		if media.URL != "" && !isWebURL(media.URL) {
			return refuse(100, 0, "(#100) url should represent a valid URL")
		}
		if e := checkMedia(a.Type, media.URL); e != nil {
			return e
		}
		if file != nil {
			return file.check(a.Type)
		}
		return nil
	case "template":
		var t outTemplate
		if json.Unmarshal(a.Payload, &t) != nil {
			return refuse(100, 2018032, "(#100) Invalid data")
		}
		return t.check(a.Payload, takes)
	}
	return refuse(100, 0, "(#100) Param message[attachment][type] must be one of {AUDIO, FILE, IMAGE, TEMPLATE, VIDEO}")
}

// title returns what an echo shows of a template.
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
