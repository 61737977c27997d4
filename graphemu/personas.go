package graphemu

import (
	"slices"

	"github.com/chasqui/chasqui/messenger"
)

// persona is a name and a picture with which the page may write.
type persona struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Picture string `json:"profile_picture_url"`
}

func (p *persona) nodeID() string { return p.ID }

// addPersona adds a persona of a page and returns its id.
func (w *world) addPersona(pageID, name, picture string) (string, *messenger.Error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	page := w.pages[pageID]
	if page == nil {
		return "", errNoObject
	}
	p := &persona{w.newNode("persona", page), name, picture}
	page.Personas = append(page.Personas, p)
	w.announce(change{Type: "pages"})
	return p.ID, nil
}

// personas returns the personas of a page.
func (w *world) personas(pageID string) []persona {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []persona
	if page := w.pages[pageID]; page != nil {
		for _, p := range page.Personas {
			out = append(out, *p)
		}
	}
	return out
}

// deletePersona deletes a persona of a page.
func (w *world) deletePersona(pageID, id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	page := w.pages[pageID]
	if page == nil {
		return
	}
	page.Personas = slices.DeleteFunc(page.Personas, func(p *persona) bool { return p.ID == id })
	delete(w.nodes, id)
	w.announce(change{Type: "pages"})
}
