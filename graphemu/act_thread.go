package graphemu

import (
	"errors"
	"fmt"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

// read is the person looking at the thread.
func (s *Server) read(page *pageState, p *personState) ActionResult {
	var mids []string
	var watermark int64
	e := s.fromPerson(page, p, "message_reads")
	now := time.UnixMilli(e.wire.Timestamp).UTC()
	for _, m := range p.Messages {
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
		d := s.fromPerson(page, p, "message_deliveries")
		d.wire.Delivery = &wireDelivery{MIDs: mids, Watermark: watermark}
		s.emit(page, p, d)
	}
	e.wire.Read = &wireRead{Watermark: watermark}
	s.emit(page, p, e)
	return ActionResult{EventID: e.id}
}

func (s *Server) react(page *pageState, p *personState, a ReactionAction) (ActionResult, error) {
	m := p.message(a.MID)
	if m == nil {
		return ActionResult{}, fmt.Errorf("the thread has no message %.40q", a.MID)
	}
	e := s.fromPerson(page, p, "message_reactions")
	e.wire.Reaction = &wireReaction{MID: a.MID, Action: "react", Emoji: a.Emoji, Reaction: reactionName(a.Emoji)}
	if a.Emoji == "" {
		e.wire.Reaction = &wireReaction{MID: a.MID, Action: "unreact"}
	}
	m.react("person", a.Emoji)
	s.open(page, p)
	s.emit(page, p, e)
	return ActionResult{EventID: e.id}, nil
}

func (s *Server) edit(page *pageState, p *personState, a EditAction) (ActionResult, error) {
	m := p.message(a.MID)
	if !s.calendar.takes(messenger.FeatureMessageEdits, s.clock.now()) {
		return ActionResult{}, errors.New("messages cannot be changed before April 9, 2024")
	}
	if m == nil || m.From != "person" || m.Message == nil || a.Text == "" {
		return ActionResult{}, errors.New("an edit needs the mid of a message of the person and a text")
	}
	n := 1
	for _, mid := range p.Edits {
		if mid == a.MID {
			n++
		}
	}
	if n > 5 {
		return ActionResult{}, errors.New("a message can be changed five times")
	}
	m.Text = a.Text
	p.Edits = append(p.Edits, a.MID)
	e := s.fromPerson(page, p, "message_edits")
	e.wire.Edit = &wireEdit{MID: a.MID, Text: a.Text, NumEdit: n}
	s.emit(page, p, e)
	return ActionResult{EventID: e.id}, nil
}
