package graphemu

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

// creative is messages that are kept to be sent to many.
type creative struct {
	ID       string            `json:"id"`
	Messages []json.RawMessage `json:"messages"`
}

func (c *creative) nodeID() string { return c.ID }

// broadcast is a creative that goes, or went, to many people.
type broadcast struct {
	ID        string          `json:"id"`
	Creative  string          `json:"creative"`
	App       string          `json:"app"`
	Targeting json.RawMessage `json:"targeting,omitempty"` // label ids and operators; everybody when empty
	At        time.Time       `json:"at"`
	Scheduled bool            `json:"scheduled"`
	Status    string          `json:"status"` // SCHEDULED, IN_PROGRESS, FINISHED, CANCELED
	Sent      int             `json:"sent"`
}

func (b *broadcast) nodeID() string { return b.ID }

// estimate is how many people a broadcast would reach.
type estimate struct {
	ID    string `json:"id"`
	Reach int    `json:"reach"`
}

func (e *estimate) nodeID() string { return e.ID }

// broadcastDelay is how long a broadcast that is not scheduled takes to begin;
// it can be cancelled until then.
const broadcastDelay = 500 * time.Millisecond

// endedBroadcasts refuses broadcasts where there are none any more.
func (s *Server) endedBroadcasts(c *call) *messenger.Error {
	if s.calendar.takes(messenger.FeatureBroadcast, s.calendar.era(c.ver)) {
		return nil
	}
	return refuse(100, 0, "(#100) The Broadcast API is no longer available since March 4, 2020")
}

// createCreative is POST /{page}/message_creatives.
func (s *Server) createCreative(c *call, page *pageState) (any, *messenger.Error) {
	if e := s.endedBroadcasts(c); e != nil {
		return nil, e
	}
	var messages []json.RawMessage
	if json.Unmarshal(c.params["messages"], &messages) != nil || len(messages) == 0 {
		return nil, refuse(100, 0, "(#100) The parameter messages is required.")
	}
	if e := checkCount("messages", len(messages), 1, 10); e != nil {
		return nil, e
	}
	for i, m := range messages {
		messages[i] = spokenText(m)
		msg, e := s.readMessage(messages[i], nil, s.calendar.era(c.ver))
		if e == nil {
			e = s.broadcastable(page, msg)
		}
		if e != nil {
			return nil, e
		}
	}
	made := &creative{ID: s.newNode("creative", page), Messages: messages}
	page.Creatives = append(page.Creatives, made)
	return map[string]string{"message_creative_id": made.ID}, nil
}

// broadcastable refuses what a broadcast may not hold: the templates that are
// about one person, and attachments that are not there. The lock is held.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/send-messages/broadcast-messages
func (s *Server) broadcastable(page *pageState, msg outMessage) *messenger.Error {
	if msg.Attachment == nil {
		return nil
	}
	if msg.Attachment.Type == "template" {
		var t outTemplate
		if json.Unmarshal(msg.Attachment.Payload, &t) == nil && slices.Contains([]string{"receipt", "open_graph", "airline_boardingpass", "airline_checkin", "airline_itinerary", "airline_update"}, t.Type) {
			return refuse(100, 0, "(#100) Message creatives do not support the template "+t.Type)
		}
		_, e := s.checkMediaTemplate(page, nil, msg.Attachment.Payload)
		return e
	}
	var media struct {
		AttachmentID string `json:"attachment_id"`
	}
	if json.Unmarshal(msg.Attachment.Payload, &media) == nil && media.AttachmentID != "" {
		_, e := s.checkSaved(page, nil, msg.Attachment.Type, media.AttachmentID)
		return e
	}
	return nil
}

// spokenText turns the dynamic text of a creative into a text; it is filled in
// for each person.
func spokenText(raw json.RawMessage) json.RawMessage {
	var m map[string]json.RawMessage
	var dynamic struct {
		Text     string `json:"text"`
		Fallback string `json:"fallback_text"`
	}
	if json.Unmarshal(raw, &m) != nil || json.Unmarshal(m["dynamic_text"], &dynamic) != nil || dynamic.Text == "" {
		return raw
	}
	delete(m, "dynamic_text")
	m["text"] = mustJSON(dynamic.Text)
	return mustJSON(m)
}

// createBroadcast is POST /{page}/broadcast_messages.
func (s *Server) createBroadcast(c *call, page *pageState) (any, *messenger.Error) {
	if e := s.endedBroadcasts(c); e != nil {
		return nil, e
	}
	if _, i := findByID(page.Creatives, c.params.text("message_creative_id")); i < 0 {
		return nil, refuse(100, 0, "(#100) Param message_creative_id must be a valid message creative ID")
	}
	if e := s.checkTyping(c, page); e != nil {
		return nil, e
	}
	b := &broadcast{Creative: c.params.text("message_creative_id"), App: c.app, At: s.clock.now(), Status: "IN_PROGRESS"}
	delay := broadcastDelay
	if text := c.params.text("schedule_time"); text != "" {
		at, err := parseMoment(text)
		if err != nil || !at.After(s.clock.now()) {
			return nil, refuse(100, 0, "(#100) Param schedule_time must be a time in the future")
		}
		b.At, b.Scheduled, b.Status, delay = at, true, "SCHEDULED", at.Sub(s.clock.now())
	}
	switch {
	case c.params.has("custom_label_id"):
		b.Targeting = mustJSON(c.params.text("custom_label_id"))
	case c.params.has("targeting"):
		b.Targeting = c.params.object("targeting")["labels"]
	}
	if _, e := audience(page, b.Targeting); e != nil {
		return nil, e
	}
	b.ID = s.newNode("broadcast", page)
	page.Broadcasts = append(page.Broadcasts, b)
	s.runBroadcast(page, b, delay)
	return map[string]string{"broadcast_id": b.ID}, nil
}

// parseMoment reads a time as the platform takes it: seconds since 1970 or ISO
// 8601.
func parseMoment(text string) (time.Time, error) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.Unix(n, 0).UTC(), nil
	}
	var err error
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05-0700", "2006-01-02T15:04-07:00", "2006-01-02T15:04:05", time.DateTime, time.DateOnly} {
		var t time.Time
		if t, err = time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, err
}

// runBroadcast sends the broadcast after the delay, unless it is cancelled
// before. The lock is held.
func (s *Server) runBroadcast(page *pageState, b *broadcast, delay time.Duration) {
	s.clock.after(delay, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.closed || s.pages[page.ID] != page || b.Status != "SCHEDULED" && b.Status != "IN_PROGRESS" {
			return
		}
		b.Status = "IN_PROGRESS"
		people, _ := audience(page, b.Targeting) //nolint:errcheck // it was checked before
		made, i := findByID(page.Creatives, b.Creative)
		if i < 0 {
			b.Status = "CANCELED"
			return
		}
		for _, p := range people {
			if !p.Open || p.Blocks {
				continue
			}
			if s.sendCreative(page, p, b.App, made) {
				b.Sent++
			}
		}
		b.Status = "FINISHED"
	})
}

// sendCreative sends the messages of a creative to one person. The lock is held.
func (s *Server) sendCreative(page *pageState, p *personState, app string, made *creative) (sent bool) {
	c := &call{node: page.ID, page: page.ID, app: app, psid: p.ID, params: params{}}
	for _, m := range made.Messages {
		msg, e := s.readMessage(fillIn(m, p), nil, s.calendar.spans[messenger.FeatureBroadcast].until.Add(-time.Hour))
		if e != nil {
			continue
		}
		if _, e := s.accept(c, page, p, msg); e == nil {
			sent = true
		}
	}
	return sent
}

// fillIn puts a person's names into a text.
func fillIn(raw json.RawMessage, p *personState) json.RawMessage {
	var m map[string]json.RawMessage
	var text string
	if json.Unmarshal(raw, &m) != nil || json.Unmarshal(m["text"], &text) != nil {
		return raw
	}
	m["text"] = mustJSON(p.filledIn(text))
	return mustJSON(m)
}

// getBroadcast is GET /{broadcast}.
func (s *Server) getBroadcast(c *call, page *pageState) (any, *messenger.Error) {
	b, _ := findByID(page.Broadcasts, c.node)
	all := map[string]any{"id": b.ID, "status": b.Status, "scheduled_time": nil}
	if b.Scheduled {
		all["scheduled_time"] = b.At.Format(graphTime)
	}
	return selectFields(c, "PageBroadcast", all, "id", "scheduled_time", "status")
}

// cancelBroadcast is POST /{broadcast}.
func (s *Server) cancelBroadcast(c *call, page *pageState) (any, *messenger.Error) {
	b, _ := findByID(page.Broadcasts, c.node)
	if op := c.params.text("operation"); op != "cancel" && op != "CANCEL" {
		return nil, refuse(100, 0, "(#100) Param operation must be one of {CANCEL}")
	}
	if b.Status != "SCHEDULED" && b.Status != "IN_PROGRESS" {
		return nil, refuse(100, 0, "(#100) The broadcast is "+b.Status+" and cannot be canceled")
	}
	b.Status = "CANCELED"
	return success(), nil
}

// broadcastInsights is GET or POST /{broadcast}/insights/messages_sent.
func (s *Server) broadcastInsights(c *call, page *pageState) (any, *messenger.Error) {
	b, i := findByID(page.Broadcasts, c.node)
	if i < 0 {
		return nil, unsupported(c)
	}
	return map[string]any{"data": []any{map[string]any{
		"name": "messages_sent", "period": "lifetime", "values": []any{map[string]any{"value": b.Sent, "end_time": "1970-01-02T00:00:00+0000"}},
		"title": "Lifetime number of messages sent from the page broadcast", "description": "Lifetime: The total number of messages sent from a Page to people.",
		"id": b.ID + "/insights/messages_sent",
	}}}, nil
}
