package graphemu

import (
	"encoding/json"
	"slices"
	"time"
)

// customEvent is one that an app has logged.
type customEvent struct {
	App    string          `json:"app"`
	PSID   string          `json:"psid,omitempty"`
	Events json.RawMessage `json:"events"`
	Time   time.Time       `json:"time"`
}

// maxEvents is how many custom events of a page are kept.
const maxEvents = 1000

// logEvents saves custom events about a person. It returns false when there is no such person.
func (w *world) logEvents(appID, pageID, psid string, events json.RawMessage) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.person(pageID, psid) == nil {
		return false
	}
	page := w.pages[pageID]
	page.Events = append(page.Events, customEvent{appID, psid, events, w.clock.now()})
	if n := len(page.Events); n > maxEvents {
		page.Events = slices.Clone(page.Events[n-maxEvents:])
	}
	return true
}
