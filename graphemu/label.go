package graphemu

import (
	"slices"

	"github.com/chasqui/chasqui/messenger"
)

// label is a custom label with the people who have it.
type label struct {
	ID     string   `json:"id"`
	Name   string   `json:"name"`
	People []string `json:"people,omitempty"`
}

func (l *label) nodeID() string { return l.ID }

func (l *label) item() item {
	return item{l.ID, map[string]any{"id": l.ID, "name": l.Name, "page_label_name": l.Name}}
}

// createLabel is POST /{page}/custom_labels.
func (s *Server) createLabel(c *call, page *pageState) (any, *messenger.Error) {
	name := c.params.text("name")
	if name == "" {
		name = c.params.text("page_label_name")
	}
	if name == "" {
		return nil, refuse(100, 0, "(#100) The parameter name is required.")
	}
	if e := tooLong("name", name, 80); e != nil {
		return nil, e
	}
	l := &label{ID: s.newNode("custom_label", page), Name: name}
	page.Labels = append(page.Labels, l)
	return map[string]string{"id": l.ID}, nil
}

// getLabels is GET /{page}/custom_labels and GET /{psid}/custom_labels.
func (s *Server) getLabels(c *call) (any, *messenger.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	page := s.pages[c.page]
	if page == nil || c.node != page.ID && page.people[c.node] == nil {
		return nil, unsupported(c)
	}
	items := []item{}
	for _, l := range page.Labels {
		if c.node == page.ID || slices.Contains(l.People, c.node) {
			items = append(items, l.item())
		}
	}
	return list(c, "PageUserMessageThreadLabel", items, "id", "name")
}

// getLabel is GET /{label}.
func (s *Server) getLabel(c *call, page *pageState) (any, *messenger.Error) {
	l, _ := findByID(page.Labels, c.node)
	return selectFields(c, "PageUserMessageThreadLabel", l.item().fields, "name", "id")
}

// deleteLabel is DELETE /{label}.
func (s *Server) deleteLabel(c *call, page *pageState) (any, *messenger.Error) {
	_, i := findByID(page.Labels, c.node)
	page.Labels = slices.Delete(page.Labels, i, i+1)
	delete(s.nodes, c.node)
	return success(), nil
}

// associateLabel is POST /{label}/label.
func (s *Server) associateLabel(c *call, page *pageState) (any, *messenger.Error) {
	l, psid, e := labelled(c, page)
	if e != nil {
		return nil, e
	}
	if !slices.Contains(l.People, psid) {
		l.People = append(l.People, psid)
		s.emitLabel(page, psid, l.ID, "add")
	}
	return success(), nil
}

// dissociateLabel is DELETE /{label}/label.
func (s *Server) dissociateLabel(c *call, page *pageState) (any, *messenger.Error) {
	l, psid, e := labelled(c, page)
	if e != nil {
		return nil, e
	}
	if i := slices.Index(l.People, psid); i >= 0 {
		l.People = slices.Delete(l.People, i, i+1)
		s.emitLabel(page, psid, l.ID, "remove")
	}
	return success(), nil
}

func labelled(c *call, page *pageState) (*label, string, *messenger.Error) {
	l, i := findByID(page.Labels, c.node)
	if i < 0 {
		return nil, "", unsupported(c)
	}
	psid := c.params.text("user")
	c.psid = psid
	switch {
	case psid == "":
		return nil, "", refuse(100, 0, "(#100) The parameter user is required.")
	case page.people[psid] == nil:
		return nil, "", refuse(100, 2018001, "(#100) No matching user found")
	}
	return l, psid, nil
}

// emitLabel tells that a person has a label, or no longer has it. The lock is
// held.
func (s *Server) emitLabel(page *pageState, psid, labelID, action string) {
	e := s.fromPage(page, "inbox_labels")
	e.change = mustJSON(map[string]any{"field": "inbox_labels", "value": map[string]any{
		"action": action, "user": map[string]string{"id": psid}, "label": map[string]string{"id": labelID, "page_label_name": page.labelName(labelID)},
	}})
	s.emit(page, nil, e)
}

func (page *pageState) labelName(id string) string {
	if l, i := findByID(page.Labels, id); i >= 0 {
		return l.Name
	}
	return ""
}
