package graphemu

import (
	"encoding/json"
	"slices"

	"github.com/chasqui/chasqui/messenger"
)

// profileAPI answers the calls about the messenger profile, about thread settings, its
// predecessor, and about the menus of single people.
type profileAPI struct{ *world }

// get is GET /{page}/messenger_profile.
func (a profileAPI) get(c *call) (any, *messenger.Error) {
	names := c.params.list("fields")
	known := a.calendar.profileFields(a.calendar.era(c.ver))
	for _, name := range names {
		switch {
		case slices.Contains(known, name):
		case slices.Contains(retiredFields(), name):
			return nil, endedField(name)
		default:
			return nil, refuse(100, 0, "(#100) Param fields must be one of the fields of the messenger profile: "+name+" is not")
		}
	}
	found := a.profile(c.page, names...)
	if len(found) == 0 {
		return map[string]any{"data": []any{}}, nil
	}
	return map[string]any{"data": []any{found}}, nil
}

// set is POST /{page}/messenger_profile.
func (a profileAPI) set(c *call) (any, *messenger.Error) {
	given := map[string]json.RawMessage{}
	at := a.calendar.era(c.ver)
	for _, name := range a.calendar.profileFields(at) {
		if raw, ok := c.params[name]; ok {
			if e := a.calendar.checkProfileField(name, raw, at); e != nil {
				return nil, e
			}
			given[name] = raw
		}
	}
	for _, name := range retiredFields() {
		if _, ok := c.params[name]; ok && given[name] == nil {
			return nil, endedField(name)
		}
	}
	if len(given) == 0 {
		return nil, refuse(100, 0, "(#100) The messenger profile needs at least one field")
	}
	return result("success"), a.setProfile(c.page, given)
}

// delete is DELETE /{page}/messenger_profile.
func (a profileAPI) delete(c *call) (any, *messenger.Error) {
	fields := c.params.list("fields")
	if len(fields) == 0 {
		return nil, refuse(100, 0, "(#100) The parameter fields is required")
	}
	return result("success"), a.deleteProfile(c.page, fields)
}

// result returns the answer that names what was done.
func result(text string) any { return map[string]string{"result": text} }
