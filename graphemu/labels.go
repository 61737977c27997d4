package graphemu

import (
	"slices"

	"github.com/chasqui/chasqui/messenger"
)

// label is a custom label, with the people who have it.
type label struct {
	ID     string   `json:"id"`
	Name   string   `json:"name"`
	People []string `json:"people,omitempty"`
}

func (l *label) nodeID() string { return l.ID }

// addLabel adds a label of a page and returns its id.
func (w *world) addLabel(pageID, name string) (string, *messenger.Error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	page := w.pages[pageID]
	if page == nil {
		return "", errNoObject
	}
	l := &label{ID: w.newNode("custom_label", page), Name: name}
	page.Labels = append(page.Labels, l)
	return l.ID, nil
}

// labels returns the labels of a page, or those of one of its people. It returns
// false when the id is neither.
func (w *world) labels(pageID, id string) ([]label, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	page := w.pages[pageID]
	if page == nil || id != page.ID && page.people[id] == nil {
		return nil, false
	}
	var out []label
	for _, l := range page.Labels {
		if id == page.ID || slices.Contains(l.People, id) {
			out = append(out, label{ID: l.ID, Name: l.Name})
		}
	}
	return out, true
}

// label returns a label of a page, without its people.
func (w *world) label(pageID, id string) (label, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	l := w.pages[pageID].label(id)
	if l == nil {
		return label{}, false
	}
	return label{ID: l.ID, Name: l.Name}, true
}

// deleteLabel deletes a label of a page.
func (w *world) deleteLabel(pageID, id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if l := w.pages[pageID].label(id); l != nil {
		page := w.pages[pageID]
		page.Labels = slices.DeleteFunc(page.Labels, func(x *label) bool { return x == l })
		delete(w.nodes, id)
	}
}

// setLabel adds or removes the label of a person, and tells the apps if that changes anything.
func (w *world) setLabel(pageID, id, psid string, has bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	l := w.pages[pageID].label(id)
	if l == nil || slices.Contains(l.People, psid) == has {
		return
	}
	action := "add"
	if has {
		l.People = append(l.People, psid)
	} else {
		action = "remove"
		l.People = slices.DeleteFunc(l.People, func(x string) bool { return x == psid })
	}
	w.emitChange(w.pages[pageID], nil, "inbox_labels", "", map[string]any{
		"action": action, "user": map[string]string{"id": psid}, "label": map[string]string{"id": id, "page_label_name": l.Name},
	})
}

// label returns a label, nil when there is none with this id. The page may be nil.
func (page *pageState) label(id string) *label {
	if page == nil {
		return nil
	}
	l, _ := findByID(page.Labels, id)
	return l
}
