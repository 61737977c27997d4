package graphemu

import (
	"encoding/json"
	"slices"
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
// it can be canceled until then.
const broadcastDelay = 500 * time.Millisecond

// addCreative keeps messages of a page to be sent to many, and returns their id.
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

// broadcastable refuses what a broadcast may not hold: the templates that are
// about one person, and attachments that are not there.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/send-messages/broadcast-messages
func (w *world) broadcastable(pageID string, msg outMessage) *messenger.Error {
	w.mu.Lock()
	defer w.mu.Unlock()
	page := w.pages[pageID]
	if page == nil {
		return errNoObject
	}
	if msg.Attachment == nil {
		return nil
	}
	if msg.Attachment.Type == "template" {
		var t outTemplate
		if json.Unmarshal(msg.Attachment.Payload, &t) == nil && slices.Contains([]string{"receipt", "open_graph", "airline_boardingpass", "airline_checkin", "airline_itinerary", "airline_update"}, t.Type) {
			return refuse(100, 0, "(#100) Message creatives do not support the template "+t.Type)
		}
		_, e := w.checkMediaTemplate(page, nil, msg.Attachment.Payload)
		return e
	}
	var media struct {
		AttachmentID string `json:"attachment_id"`
	}
	if json.Unmarshal(msg.Attachment.Payload, &media) == nil && media.AttachmentID != "" {
		_, e := w.checkSaved(page, nil, msg.Attachment.Type, media.AttachmentID)
		return e
	}
	return nil
}

// addBroadcast arranges a broadcast, and returns its id. It goes at once unless
// it is scheduled.
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

// cancelBroadcast cancels a broadcast that has not gone.
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

// addEstimate counts the people whom a broadcast would reach, and returns the id of
// the figure.
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

// estimate returns how many people a broadcast would reach.
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

// runBroadcast sends the broadcast after the delay, unless it is canceled
// before. The lock is held.
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
	o := &outgoing{page: page.ID, app: app}
	for _, m := range made.Messages {
		msg, e := w.calendar.readMessage(fillIn(m, p.Person), nil, w.calendar.lastHour(messenger.FeatureBroadcast))
		if e != nil {
			continue
		}
		if _, e := w.accept(o, page, p, msg); e == nil {
			sent = true
		}
	}
	return sent
}

// fillIn puts a person's names into a text.
func fillIn(raw json.RawMessage, p Person) json.RawMessage {
	var m map[string]json.RawMessage
	var text string
	if json.Unmarshal(raw, &m) != nil || json.Unmarshal(m["text"], &text) != nil {
		return raw
	}
	m["text"] = mustJSON(p.filledIn(text))
	return mustJSON(m)
}
