package graphemu

import (
	"cmp"

	"github.com/chasqui/chasqui/messenger"
)

// labelsAPI answers the calls about custom labels.
type labelsAPI struct{ *world }

func (l label) item() item {
	return item{l.ID, map[string]any{"id": l.ID, "name": l.Name, "page_label_name": l.Name}}
}

// create is POST /{page}/custom_labels.
func (a labelsAPI) create(c *call) (any, *messenger.Error) {
	name := cmp.Or(c.params.text("name"), c.params.text("page_label_name"))
	if name == "" {
		return nil, refuse(100, 0, "(#100) The parameter name is required.")
	}
	if e := tooLong("name", name, 80); e != nil {
		return nil, e
	}
	id, e := a.addLabel(c.page, name)
	return map[string]string{"id": id}, e
}

// list is GET /{page}/custom_labels and GET /{psid}/custom_labels.
func (a labelsAPI) list(c *call) (any, *messenger.Error) {
	labels, ok := a.labels(c.page, c.node)
	if !ok {
		return nil, errNoObject
	}
	items := []item{}
	for _, l := range labels {
		items = append(items, l.item())
	}
	return list(c, "PageUserMessageThreadLabel", items, "id", "name")
}

// get is GET /{label}.
func (a labelsAPI) get(c *call) (any, *messenger.Error) {
	l, ok := a.label(c.page, c.node)
	if !ok {
		return nil, errNoObject
	}
	return selectFields(c, "PageUserMessageThreadLabel", l.item().fields, "name", "id")
}

// delete is DELETE /{label}.
func (a labelsAPI) delete(c *call) (any, *messenger.Error) {
	a.deleteLabel(c.page, c.node)
	return success(), nil
}

// associate is POST /{label}/label.
func (a labelsAPI) associate(c *call) (any, *messenger.Error) { return a.set(c, true) }

// dissociate is DELETE /{label}/label.
func (a labelsAPI) dissociate(c *call) (any, *messenger.Error) { return a.set(c, false) }

func (a labelsAPI) set(c *call, has bool) (any, *messenger.Error) {
	if _, ok := a.label(c.page, c.node); !ok {
		return nil, errNoObject
	}
	c.psid = c.params.text("user")
	switch {
	case c.psid == "":
		return nil, refuse(100, 0, "(#100) The parameter user is required.")
	case !a.hasPerson(c.page, c.psid):
		return nil, refuse(100, 2018001, "(#100) No matching user found")
	}
	a.setLabel(c.page, c.node, c.psid, has)
	return success(), nil
}
