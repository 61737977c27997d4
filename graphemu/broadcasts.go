package graphemu

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

// creative is a set of messages that can be sent to many people.
type creative struct {
	ID       string            `json:"id"`
	Messages []json.RawMessage `json:"messages"`
}

func (c *creative) nodeID() string { return c.ID }

// broadcast is the sending of a creative to many people.
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

// estimate says how many people a broadcast would reach.
type estimate struct {
	ID    string `json:"id"`
	Reach int    `json:"reach"`
}

func (e *estimate) nodeID() string { return e.ID }

// broadcastDelay is how long a broadcast that is not scheduled waits before it starts; it can
// be canceled until then.
const broadcastDelay = 500 * time.Millisecond

// addCreative saves messages that can be sent to many people, and returns their id.
func (w *world) addCreative(pageID string, messages []json.RawMessage) (string, *messenger.Error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	page := w.pages[pageID]
	if page == nil {
		return "", errNoObject
	}
	made := &creative{ID: w.newNode("creative", page), Messages: messages}
	page.Creatives = append(page.Creatives, made)
	return made.ID, nil
}

// hasCreative reports whether a page has a creative with this id.
func (w *world) hasCreative(pageID, id string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	page := w.pages[pageID]
	if page == nil {
		return false
	}
	_, i := findByID(page.Creatives, id)
	return i >= 0
}

// broadcastable refuses what a broadcast may not contain: templates that are about one person,
// and attachments that do not exist.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/send-messages/broadcast-messages
func (w *world) broadcastable(pageID string, msg outMessage) *messenger.Error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if msg.Attachment == nil {
		return nil
	}
	if msg.Attachment.Type == "template" {
		var t outTemplate
		if json.Unmarshal(msg.Attachment.Payload, &t) == nil && slices.Contains([]string{"receipt", "open_graph", "airline_boardingpass", "airline_checkin", "airline_itinerary", "airline_update"}, t.Type) {
			return refuse(100, 0, "(#100) Message creatives do not support the template "+t.Type)
		}
		_, e := w.attachments.checkTemplate(pageID, "", msg.Attachment.Payload)
		return e
	}
	var media struct {
		AttachmentID string `json:"attachment_id"`
	}
	if json.Unmarshal(msg.Attachment.Payload, &media) == nil && media.AttachmentID != "" {
		_, e := w.attachments.check(pageID, "", msg.Attachment.Type, media.AttachmentID)
		return e
	}
	return nil
}

// addBroadcast schedules a broadcast and returns its id. Without a schedule it starts at once.
func (w *world) addBroadcast(pageID string, b broadcast) (string, *messenger.Error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	page := w.pages[pageID]
	if page == nil {
		return "", errNoObject
	}
	delay := broadcastDelay
	b.Status = "IN_PROGRESS"
	if b.Scheduled {
		b.Status, delay = "SCHEDULED", b.At.Sub(w.clock.now())
	} else {
		b.At = w.clock.now()
	}
	if _, e := page.audience(b.Targeting); e != nil {
		return "", e
	}
	b.ID = w.newNode("broadcast", page)
	page.Broadcasts = append(page.Broadcasts, &b)
	w.runBroadcast(page, &b, delay)
	return b.ID, nil
}

// broadcast returns a broadcast of a page.
func (w *world) broadcast(pageID, id string) (broadcast, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if page := w.pages[pageID]; page != nil {
		if b, i := findByID(page.Broadcasts, id); i >= 0 {
			return *b, true
		}
	}
	return broadcast{}, false
}

// cancelBroadcast cancels a broadcast that has not been sent.
func (w *world) cancelBroadcast(pageID, id string) *messenger.Error {
	w.mu.Lock()
	defer w.mu.Unlock()
	page := w.pages[pageID]
	if page == nil {
		return errNoObject
	}
	b, i := findByID(page.Broadcasts, id)
	if i < 0 {
		return errNoObject
	}
	if b.Status != "SCHEDULED" && b.Status != "IN_PROGRESS" {
		return refuse(100, 0, "(#100) The broadcast is "+b.Status+" and cannot be canceled")
	}
	b.Status = "CANCELED"
	return nil
}

// addEstimate estimates how many people a broadcast would reach, and returns the id of the
// estimate.
func (w *world) addEstimate(pageID string, labels json.RawMessage) (string, *messenger.Error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	page := w.pages[pageID]
	if page == nil {
		return "", errNoObject
	}
	people, e := page.audience(labels)
	if e != nil {
		return "", e
	}
	made := &estimate{ID: w.newNode("estimate", page)}
	for _, p := range people {
		if p.Open && !p.Blocks {
			made.Reach++
		}
	}
	page.Estimates = append(page.Estimates, made)
	return made.ID, nil
}

// estimate returns an estimate of how many people a broadcast would reach.
func (w *world) estimate(pageID, id string) (estimate, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if page := w.pages[pageID]; page != nil {
		if e, i := findByID(page.Estimates, id); i >= 0 {
			return *e, true
		}
	}
	return estimate{}, false
}

// runBroadcast sends a broadcast after a delay, unless it is canceled by then. The lock is
// held.
func (w *world) runBroadcast(page *pageState, b *broadcast, delay time.Duration) {
	w.clock.after(delay, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.closed || w.pages[page.ID] != page || b.Status != "SCHEDULED" && b.Status != "IN_PROGRESS" {
			return
		}
		b.Status = "IN_PROGRESS"
		people, _ := page.audience(b.Targeting) //nolint:errcheck // it was checked before
		made, i := findByID(page.Creatives, b.Creative)
		if i < 0 {
			b.Status = "CANCELED"
			return
		}
		for _, p := range people {
			if !p.Open || p.Blocks {
				continue
			}
			if w.sendCreative(page, p, b.App, made) {
				b.Sent++
			}
		}
		b.Status = "FINISHED"
	})
}

// sendCreative sends the messages of a creative to one person. The lock is held.
func (w *world) sendCreative(page *pageState, p *personState, app string, made *creative) (sent bool) {
	s := sending{w, &outgoing{page: page.ID, app: app}, page}
	for _, m := range made.Messages {
		msg, e := w.calendar.readMessage(fillIn(m, p.Person), nil, w.calendar.lastHour(messenger.FeatureBroadcast))
		if e != nil {
			continue
		}
		if _, e := s.accept(p, msg); e == nil {
			sent = true
		}
	}
	return sent
}

// fillIn returns a message with a person's names in place of the variables in its text.
func fillIn(raw json.RawMessage, p Person) json.RawMessage {
	var m map[string]json.RawMessage
	var text string
	if json.Unmarshal(raw, &m) != nil || json.Unmarshal(m["text"], &text) != nil {
		return raw
	}
	m["text"] = mustJSON(p.filledIn(text))
	return mustJSON(m)
}
