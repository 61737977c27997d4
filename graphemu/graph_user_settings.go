package graphemu

import (
	"encoding/json"
	"slices"

	"github.com/chasqui/chasqui/messenger"
)

// settingsPerson reads the person of a call into c.psid.
func (a profileAPI) settingsPerson(c *call) *messenger.Error {
	c.psid = c.params.text("psid")
	switch {
	case c.psid == "":
		return refuse(100, 0, "(#100) The parameter psid is required.")
	case !a.hasPerson(c.page, c.psid):
		return refuse(100, 2018001, "(#100) No matching user found")
	}
	return nil
}

// getUserSettings is GET /{page}/custom_user_settings: the menus that a person
// sees.
func (a profileAPI) getUserSettings(c *call) (any, *messenger.Error) {
	if e := a.settingsPerson(c); e != nil {
		return nil, e
	}
	found := map[string]json.RawMessage{}
	own, ofPage := a.menus(c.page, c.psid)
	if own != nil {
		found["user_level_persistent_menu"] = own
	}
	if ofPage != nil {
		found["page_level_persistent_menu"] = ofPage
	}
	if len(found) == 0 {
		return map[string]any{"data": []any{}}, nil
	}
	return map[string]any{"data": []any{found}}, nil
}

// setUserSettings is POST /{page}/custom_user_settings.
func (a profileAPI) setUserSettings(c *call) (any, *messenger.Error) {
	if e := a.settingsPerson(c); e != nil {
		return nil, e
	}
	menu, ok := c.params["persistent_menu"]
	if !ok {
		return nil, refuse(100, 0, "(#100) The parameter persistent_menu is required.")
	}
	if e := a.calendar.checkMenu(menu, a.calendar.era(c.ver)); e != nil {
		return nil, e
	}
	a.setMenu(c.page, c.psid, menu)
	return result("success"), nil
}

// deleteUserSettings is DELETE /{page}/custom_user_settings.
func (a profileAPI) deleteUserSettings(c *call) (any, *messenger.Error) {
	if e := a.settingsPerson(c); e != nil {
		return nil, e
	}
	wanted := c.params.list("params")
	if len(wanted) == 0 || !slices.Contains(wanted, "persistent_menu") {
		return nil, refuse(100, 0, "(#100) Param params must be a list of {persistent_menu}")
	}
	a.setMenu(c.page, c.psid, nil)
	return result("success"), nil
}
