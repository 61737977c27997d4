package graphemu

import (
	"errors"
	"fmt"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

// read marks the messages of the page as read.
func (t turn) read() ActionResult {
	var mids []string
	var watermark int64
	e := t.event("message_reads")
	now := time.UnixMilli(e.wire.Timestamp).UTC()
	for _, m := range t.p.Messages {
		if m.From != "page" {
			continue
		}
		watermark = max(watermark, m.SentAt.UnixMilli())
		if m.DeliveredAt.IsZero() {
			m.DeliveredAt = now
			mids = append(mids, m.MID)
		}
		if m.ReadAt.IsZero() {
			m.ReadAt = now
		}
	}
	if watermark == 0 {
		watermark = e.wire.Timestamp
	}
	if len(mids) > 0 {
		d := t.event("message_deliveries")
		d.wire.Delivery = &wireDelivery{MIDs: mids, Watermark: watermark}
		t.send(d)
	}
	e.wire.Read = &wireRead{Watermark: watermark}
	t.send(e)
	return ActionResult{EventID: e.id}
}

// react sets or removes the reaction to a message.
func (t turn) react(a ReactionAction) (ActionResult, error) {
	m := t.p.message(a.MID)
	if m == nil {
		return ActionResult{}, fmt.Errorf("the thread has no message %.40q", a.MID)
	}
	e := t.event("message_reactions")
	e.wire.Reaction = &wireReaction{MID: a.MID, Action: "react", Emoji: a.Emoji, Reaction: reactionName(a.Emoji)}
	if a.Emoji == "" {
		e.wire.Reaction = &wireReaction{MID: a.MID, Action: "unreact"}
	}
	m.react("person", a.Emoji)
	t.open()
	t.send(e)
	return ActionResult{EventID: e.id}, nil
}

// edit changes the text of a message, at most five times.
func (t turn) edit(a EditAction) (ActionResult, error) {
	m := t.p.message(a.MID)
	if !t.calendar.takesNow(messenger.FeatureMessageEdits) {
		return ActionResult{}, errors.New("messages cannot be changed before April 9, 2024")
	}
	if m == nil || m.From != "person" || m.Message == nil || a.Text == "" {
		return ActionResult{}, errors.New("an edit needs the mid of a message of the person and a text")
	}
	n := 1
	for _, mid := range t.p.Edits {
		if mid == a.MID {
			n++
		}
	}
	if n > 5 {
		return ActionResult{}, errors.New("a message can be changed five times")
	}
	m.Text = a.Text
	t.p.Edits = append(t.p.Edits, a.MID)
	e := t.event("message_edits")
	e.wire.Edit = &wireEdit{MID: a.MID, Text: a.Text, NumEdit: n}
	t.send(e)
	return ActionResult{EventID: e.id}, nil
}

// reactionName returns the platform's name of a reaction: other for any emoji that it does not
// offer by itself.
func reactionName(emoji string) string {
	switch emoji {
	case "❤", "❤️", "😍":
		return "love"
	case "😆":
		return "smile"
	case "😮":
		return "wow"
	case "😢":
		return "sad"
	case "😠":
		return "angry"
	case "👍":
		return "like"
	case "👎":
		return "dislike"
	}
	return "other"
}

// replyTo returns a reference to an earlier message. A reference to a message of the person
// says so.
func (p *personState) replyTo(mid string) *replyTo {
	r := &replyTo{MID: mid}
	if m := p.message(mid); m != nil && m.From == "person" {
		self := true
		r.Self = &self
	}
	return r
}

// replied returns the mid of the message that m answers, "" for none.
func (m wireMessage) replied() string {
	if m.ReplyTo == nil {
		return ""
	}
	return m.ReplyTo.MID
}
