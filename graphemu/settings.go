package graphemu

import (
	"encoding/json"
	"slices"

	"github.com/chasqui/chasqui/messenger"
)

// getUserSettings is GET /{page}/custom_user_settings: the menus that a person
// sees.
func (s *Server) getUserSettings(c *call, page *pageState) (any, *messenger.Error) {
	p, e := settingsOf(c, page)
	if e != nil {
		return nil, e
	}
	found := map[string]json.RawMessage{}
	if p.Menu != nil {
		found["user_level_persistent_menu"] = p.Menu
	}
	if menu := page.Profile["persistent_menu"]; menu != nil {
		found["page_level_persistent_menu"] = menu
	}
	if len(found) == 0 {
		return map[string]any{"data": []any{}}, nil
	}
	return map[string]any{"data": []any{found}}, nil
}

func settingsOf(c *call, page *pageState) (*personState, *messenger.Error) {
	c.psid = c.params.text("psid")
	switch {
	case c.psid == "":
		return nil, refuse(100, 0, "(#100) The parameter psid is required.")
	case page.people[c.psid] == nil:
		return nil, refuse(100, 2018001, "(#100) No matching user found")
	}
	return page.people[c.psid], nil
}

// setUserSettings is POST /{page}/custom_user_settings.
func (s *Server) setUserSettings(c *call, page *pageState) (any, *messenger.Error) {
	p, e := settingsOf(c, page)
	if e != nil {
		return nil, e
	}
	menu, ok := c.params["persistent_menu"]
	if !ok {
		return nil, refuse(100, 0, "(#100) The parameter persistent_menu is required.")
	}
	if e := s.checkMenu(menu, s.calendar.era(c.ver)); e != nil {
		return nil, e
	}
	p.Menu = menu
	s.announce(change{Type: "pages"})
	return map[string]string{"result": "success"}, nil
}

// deleteUserSettings is DELETE /{page}/custom_user_settings.
func (s *Server) deleteUserSettings(c *call, page *pageState) (any, *messenger.Error) {
	p, e := settingsOf(c, page)
	if e != nil {
		return nil, e
	}
	wanted := c.params.list("params")
	if len(wanted) == 0 || !slices.Contains(wanted, "persistent_menu") {
		return nil, refuse(100, 0, "(#100) Param params must be a list of {persistent_menu}")
	}
	p.Menu = nil
	s.announce(change{Type: "pages"})
	return map[string]string{"result": "success"}, nil
}
