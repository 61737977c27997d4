package graphemu

import "encoding/json"

// welcome is the message of 2016 that greets somebody whose thread begins.
type welcome struct {
	App     string          `json:"app"`
	Message json.RawMessage `json:"message"`
}

// greet sends the message with which a thread begins, if there is one. The lock
// is held.
func (w *world) greet(page *pageState, p *personState) {
	if page.Welcome == nil {
		return
	}
	w.sendCreative(page, p, page.Welcome.App, &creative{Messages: []json.RawMessage{page.Welcome.Message}})
}

// setWelcome sets the message with which threads of a page begin, nil for none.
func (w *world) setWelcome(pageID string, greeting *welcome) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if page := w.pages[pageID]; page != nil {
		page.Welcome = greeting
	}
}
