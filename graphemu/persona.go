package graphemu

import (
	"net/url"
	"slices"

	"github.com/chasqui/chasqui/messenger"
)

// persona is a name and a picture under which the page may write.
type persona struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Picture string `json:"profile_picture_url"`
}

func (p *persona) nodeID() string { return p.ID }

func (p *persona) item() item {
	return item{p.ID, map[string]any{"id": p.ID, "name": p.Name, "profile_picture_url": p.Picture}}
}

// createPersona is POST /{page}/personas.
func (s *Server) createPersona(c *call, page *pageState) (any, *messenger.Error) {
	p := &persona{Name: c.params.text("name"), Picture: c.params.text("profile_picture_url")}
	if p.Name == "" {
		return nil, refuse(100, 0, "(#100) The parameter name is required.")
	}
	if e := tooLong("name", p.Name, 50); e != nil {
		return nil, e
	}
	if p.Picture == "" {
		return nil, refuse(100, 0, "(#100) The parameter profile_picture_url is required.")
	}
	if !isWebURL(p.Picture) {
		return nil, refuse(100, 0, "(#100) profile_picture_url should represent a valid URL")
	}
	p.ID = s.newNode("persona", page)
	page.Personas = append(page.Personas, p)
	s.announce(change{Type: "pages"})
	return map[string]string{"id": p.ID}, nil
}

// getPersona is GET /{persona}.
func (s *Server) getPersona(c *call, page *pageState) (any, *messenger.Error) {
	p, _ := findByID(page.Personas, c.node)
	return selectFields(c, "Persona", p.item().fields, "name", "profile_picture_url", "id")
}

// listPersonas is GET /{page}/personas.
func (s *Server) listPersonas(c *call, page *pageState) (any, *messenger.Error) {
	items := []item{}
	for _, p := range page.Personas {
		items = append(items, p.item())
	}
	return list(c, "Persona", items, "name", "profile_picture_url", "id")
}

// deletePersona is DELETE /{persona}.
func (s *Server) deletePersona(c *call, page *pageState) (any, *messenger.Error) {
	_, i := findByID(page.Personas, c.node)
	page.Personas = slices.Delete(page.Personas, i, i+1)
	delete(s.nodes, c.node)
	s.announce(change{Type: "pages"})
	return success(), nil
}

func isWebURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}
