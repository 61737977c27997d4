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
	if e := s.checkMenu(menu, s.era(c.ver)); e != nil {
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

// setThreadSettings is POST /{page}/thread_settings, which the messenger profile
// replaced.
func (s *Server) setThreadSettings(c *call, page *pageState) (any, *messenger.Error) {
	if e := s.oldSettings(c); e != nil {
		return nil, e
	}
	var name string
	var value json.RawMessage
	var answer string
	switch kind, state := c.params.text("setting_type"), c.params.text("thread_state"); {
	case kind == "greeting":
		text := c.params.object("greeting").text("text")
		name, value = "greeting", mustJSON([]messenger.Greeting{{Locale: "default", Text: text}})
		answer = "Successfully updated greeting"
	case kind == "call_to_actions" && state == "new_thread":
		var ctas []struct {
			Payload string `json:"payload"`
		}
		if json.Unmarshal(c.params["call_to_actions"], &ctas) != nil || len(ctas) != 1 {
			return nil, refuse(100, 0, "(#100) Param call_to_actions must hold one button")
		}
		name, value, answer = "get_started", mustJSON(ctas[0]), "Successfully added new_thread's CTAs"
	case kind == "call_to_actions" && state == "existing_thread":
		name, answer = "persistent_menu", "Successfully added structured menu CTAs"
		value = mustJSON([]map[string]any{{"locale": "default", "call_to_actions": c.params["call_to_actions"]}})
	case kind == "domain_whitelisting":
		name, value, answer = "whitelisted_domains", c.params["whitelisted_domains"], "Successfully updated whitelisted domains"
	case kind == "account_linking":
		name, value, answer = "account_linking_url", c.params["account_linking_url"], "Successfully added account_linking_url"
	default:
		return nil, refuse(100, 0, "(#100) Param setting_type must be one of {ACCOUNT_LINKING, CALL_TO_ACTIONS, DOMAIN_WHITELISTING, GREETING}")
	}
	if e := s.checkProfileField(name, value, s.era(c.ver)); e != nil {
		return nil, e
	}
	page.Profile[name] = value
	s.announce(change{Type: "pages"})
	return map[string]string{"result": answer}, nil
}

// deleteThreadSettings is DELETE /{page}/thread_settings.
func (s *Server) deleteThreadSettings(c *call, page *pageState) (any, *messenger.Error) {
	if e := s.oldSettings(c); e != nil {
		return nil, e
	}
	switch kind, state := c.params.text("setting_type"), c.params.text("thread_state"); {
	case kind == "greeting":
		delete(page.Profile, "greeting")
	case kind == "account_linking":
		delete(page.Profile, "account_linking_url")
	case kind == "call_to_actions" && state == "existing_thread":
		delete(page.Profile, "persistent_menu")
	case kind == "call_to_actions" && state == "new_thread":
		delete(page.Profile, "get_started")
	default:
		return nil, refuse(100, 0, "(#100) Param setting_type must be one of {ACCOUNT_LINKING, CALL_TO_ACTIONS, GREETING}")
	}
	s.announce(change{Type: "pages"})
	return map[string]string{"result": "Successfully deleted all settings of this kind"}, nil
}

func (s *Server) oldSettings(c *call) *messenger.Error {
	if s.era(c.ver).Before(s.rules.oldMenus) {
		return nil
	}
	return refuse(100, 0, "(#100) thread_settings is no longer available: use messenger_profile")
}
