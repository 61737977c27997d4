package graphemu

import (
	"slices"

	"github.com/chasqui/chasqui/messenger"
)

// personasAPI answers the calls about personas.
type personasAPI struct{ *world }

func (p persona) item() item {
	return item{p.ID, map[string]any{"id": p.ID, "name": p.Name, "profile_picture_url": p.Picture}}
}

// create is POST /{page}/personas.
func (a personasAPI) create(c *call) (any, *messenger.Error) {
	name, picture := c.params.text("name"), c.params.text("profile_picture_url")
	if name == "" {
		return nil, refuse(100, 0, "(#100) The parameter name is required.")
	}
	if e := tooLong("name", name, 50); e != nil {
		return nil, e
	}
	if picture == "" {
		return nil, refuse(100, 0, "(#100) The parameter profile_picture_url is required.")
	}
	if !isWebURL(picture) {
		return nil, refuse(100, 0, "(#100) profile_picture_url should represent a valid URL")
	}
	id, e := a.addPersona(c.page, name, picture)
	return map[string]string{"id": id}, e
}

// get is GET /{persona}.
func (a personasAPI) get(c *call) (any, *messenger.Error) {
	all := a.personas(c.page)
	i := slices.IndexFunc(all, func(p persona) bool { return p.ID == c.node })
	if i < 0 {
		return nil, errNoObject
	}
	return selectFields(c, "Persona", all[i].item().fields, "name", "profile_picture_url", "id")
}

// list is GET /{page}/personas.
func (a personasAPI) list(c *call) (any, *messenger.Error) {
	items := []item{}
	for _, p := range a.personas(c.page) {
		items = append(items, p.item())
	}
	return list(c, "Persona", items, "name", "profile_picture_url", "id")
}

// delete is DELETE /{persona}.
func (a personasAPI) delete(c *call) (any, *messenger.Error) {
	a.deletePersona(c.page, c.node)
	return success(), nil
}
