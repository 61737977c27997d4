package graphemu

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

// creative is a message that is kept to be sent to many.
type creative struct {
	ID      string          `json:"id"`
	Message json.RawMessage `json:"message"`
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
	if s.era(c.ver).Before(s.rules.broadcastsGone) {
		return nil
	}
	return refuse(100, 0, "(#100) The Broadcast API is no longer available since March 4, 2020")
}

// createCreative is POST /{page}/message_creatives.
func (s *Server) createCreative(c *call, page *pageState) (any, *messenger.Error) {
	var messages []json.RawMessage
	if json.Unmarshal(c.params["messages"], &messages) != nil || len(messages) == 0 {
		return nil, refuse(100, 0, "(#100) The parameter messages is required.")
	}
	if e := checkCount("messages", len(messages), 1, 1); e != nil {
		return nil, e
	}
	message := plainText(messages[0])
	if _, e := s.readMessage(message, nil, s.era(c.ver)); e != nil {
		return nil, e
	}
	made := &creative{ID: s.newNode("creative", page), Message: message}
	page.Creatives = append(page.Creatives, made)
	return map[string]string{"message_creative_id": made.ID}, nil
}

// plainText turns the dynamic text of a creative into a text; it is filled in
// for each person.
func plainText(raw json.RawMessage) json.RawMessage {
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
	b := &broadcast{Creative: c.params.text("message_creative_id"), App: c.app, At: s.now(), Status: "IN_PROGRESS"}
	delay := broadcastDelay
	if text := c.params.text("schedule_time"); text != "" {
		at, err := parseMoment(text)
		if err != nil || !at.After(s.now()) {
			return nil, refuse(100, 0, "(#100) Param schedule_time must be a time in the future")
		}
		b.At, b.Scheduled, b.Status, delay = at, true, "SCHEDULED", at.Sub(s.now())
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
			c := &call{node: page.ID, page: page.ID, app: b.App, psid: p.ID, params: params{}}
			msg, e := s.readMessage(fillIn(made.Message, p), nil, s.rules.broadcastsGone.Add(-time.Hour))
			if e != nil {
				continue
			}
			if _, e := s.accept(c, page, p, msg); e == nil {
				b.Sent++
			}
		}
		b.Status = "FINISHED"
	})
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
		"name": "messages_sent", "period": "lifetime", "values": []any{map[string]int{"value": b.Sent}},
		"title": "Lifetime number of messages sent from the page broadcast", "description": "Lifetime: the total number of messages sent from the page broadcast",
		"id": b.ID + "/insights/messages_sent/lifetime",
	}}}, nil
}

// audience finds the people whom labels, joined by operators, mean. The value
// is an id, or {"operator":"AND","values":[…]}.
func audience(page *pageState, labels json.RawMessage) ([]*personState, *messenger.Error) {
	people := make([]*personState, 0, len(page.Order))
	for _, id := range page.Order {
		p := page.people[id]
		in, e := p.matches(page, labels, 0)
		if e != nil {
			return nil, e
		}
		if in {
			people = append(people, p)
		}
	}
	return people, nil
}

func (p *personState) matches(page *pageState, labels json.RawMessage, depth int) (bool, *messenger.Error) {
	if len(labels) == 0 || string(labels) == "null" {
		return true, nil
	}
	var group struct {
		Operator string            `json:"operator"`
		Values   []json.RawMessage `json:"values"`
	}
	if labels[0] != '{' {
		l, i := findByID(page.Labels, params{"id": labels}.text("id"))
		if i < 0 {
			return false, refuse(100, 0, "(#100) Param custom_label_id must be a valid custom label ID")
		}
		return slices.Contains(l.People, p.ID), nil
	}
	if json.Unmarshal(labels, &group) != nil || depth > 10 || !slices.Contains([]string{"AND", "OR", "NOT"}, group.Operator) {
		return false, refuse(100, 0, "(#100) Param targeting must hold labels joined by the operators AND, OR and NOT")
	}
	every, some := true, false
	for _, v := range group.Values {
		in, e := p.matches(page, v, depth+1)
		if e != nil {
			return false, e
		}
		every, some = every && in, some || in
	}
	switch group.Operator {
	case "AND":
		return every, nil
	case "OR":
		return some, nil
	}
	return !some, nil
}

// estimateReach is POST /{page}/broadcast_reach_estimations.
func (s *Server) estimateReach(c *call, page *pageState) (any, *messenger.Error) {
	if e := s.endedBroadcasts(c); e != nil {
		return nil, e
	}
	target := c.params.object("targeting")["labels"]
	if c.params.has("custom_label_id") {
		target = mustJSON(c.params.text("custom_label_id"))
	}
	people, e := audience(page, target)
	if e != nil {
		return nil, e
	}
	made := &estimate{ID: s.newNode("estimate", page)}
	for _, p := range people {
		if p.Open && !p.Blocks {
			made.Reach++
		}
	}
	page.Estimates = append(page.Estimates, made)
	return map[string]string{"reach_estimation_id": made.ID}, nil
}

// getEstimate is GET /{reach estimation}.
func (s *Server) getEstimate(c *call, page *pageState) (any, *messenger.Error) {
	e, _ := findByID(page.Estimates, c.node)
	return selectFields(c, "PageBroadcastReachEstimation", map[string]any{"id": e.ID, "reach_estimation": e.Reach}, "reach_estimation", "id")
}
