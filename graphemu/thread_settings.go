package graphemu

import (
	"encoding/json"

	"github.com/chasqui/chasqui/messenger"
)

// Thread settings are what the messenger profile was before. Their calls were
// answered until version 8.0 (https://github.com/rapidpro/rapidpro/issues/1333).

// setThreadSettings is POST /{page}/thread_settings.
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
		return s.setNewThread(c, page)
	case kind == "call_to_actions" && state == "existing_thread":
		name, answer = "persistent_menu", "Successfully added structured menu CTAs"
		value = mustJSON([]map[string]any{{"locale": "default", "call_to_actions": c.params["call_to_actions"]}})
		if c.params.emptyList("call_to_actions") {
			return s.changed(page, answer, name)
		}
	case kind == "domain_whitelisting":
		return s.setDomains(c, page)
	case kind == "account_linking":
		name, value, answer = "account_linking_url", c.params["account_linking_url"], "Successfully added account_linking_url"
	default:
		return nil, refuse(100, 0, "(#100) Param setting_type must be one of {ACCOUNT_LINKING, CALL_TO_ACTIONS, DOMAIN_WHITELISTING, GREETING}")
	}
	if e := s.checkProfileField(name, value, s.calendar.era(c.ver)); e != nil {
		return nil, e
	}
	page.Profile[name] = value
	return s.changed(page, answer)
}

// setNewThread sets what somebody meets who has never written: the Get Started
// button, or the message of 2016, which is sent when their thread begins. An
// empty list takes both away.
func (s *Server) setNewThread(c *call, page *pageState) (any, *messenger.Error) {
	const answer = "Successfully added new_thread's CTAs"
	if c.params.emptyList("call_to_actions") {
		page.Welcome = nil
		return s.changed(page, answer, "get_started")
	}
	var ctas []struct {
		Payload string          `json:"payload"`
		Message json.RawMessage `json:"message"`
	}
	if json.Unmarshal(c.params["call_to_actions"], &ctas) != nil || len(ctas) != 1 {
		return nil, refuse(100, 0, "(#100) Param call_to_actions must hold one button")
	}
	if ctas[0].Message != nil {
		if _, e := s.readMessage(ctas[0].Message, nil, s.calendar.era(c.ver)); e != nil {
			return nil, e
		}
		page.Welcome = &welcome{c.app, ctas[0].Message}
		return s.changed(page, answer)
	}
	value := mustJSON(map[string]string{"payload": ctas[0].Payload})
	if e := s.checkProfileField("get_started", value, s.calendar.era(c.ver)); e != nil {
		return nil, e
	}
	page.Profile["get_started"] = value
	return s.changed(page, answer)
}

// setDomains adds or removes the domains of domain_action_type; without one it
// replaces all.
func (s *Server) setDomains(c *call, page *pageState) (any, *messenger.Error) {
	const answer = "Successfully updated whitelisted domains"
	given := c.params.list("whitelisted_domains")
	value := mustJSON(given)
	if e := s.checkProfileField("whitelisted_domains", value, s.calendar.era(c.ver)); e != nil {
		return nil, e
	}
	var have []string
	json.Unmarshal(page.Profile["whitelisted_domains"], &have) //nolint:errcheck // then there are none
	switch c.params.text("domain_action_type") {
	case "add":
		for _, d := range given {
			have = once(have, d)
		}
		value = mustJSON(have)
	case "remove":
		left := []string{}
		for _, d := range have {
			if len(once(given, d)) > len(given) {
				left = append(left, d)
			}
		}
		if len(left) == 0 {
			return s.changed(page, answer, "whitelisted_domains")
		}
		value = mustJSON(left)
	}
	if e := s.checkProfileField("whitelisted_domains", value, s.calendar.era(c.ver)); e != nil {
		return nil, e
	}
	page.Profile["whitelisted_domains"] = value
	return s.changed(page, answer)
}

// changed answers with a result, after fields of the profile were removed.
func (s *Server) changed(page *pageState, result string, removed ...string) (any, *messenger.Error) {
	for _, name := range removed {
		delete(page.Profile, name)
	}
	s.announce(change{Type: "pages"})
	return map[string]string{"result": result}, nil
}

// deleteThreadSettings is DELETE /{page}/thread_settings. The results are those
// that libraries of the time wait for.
func (s *Server) deleteThreadSettings(c *call, page *pageState) (any, *messenger.Error) {
	if e := s.oldSettings(c); e != nil {
		return nil, e
	}
	switch kind, state := c.params.text("setting_type"), c.params.text("thread_state"); {
	case kind == "greeting":
		return s.changed(page, "Successfully deleted greeting", "greeting")
	case kind == "account_linking":
		return s.changed(page, "Successfully deleted account_linking_url", "account_linking_url")
	case kind == "domain_whitelisting":
		return s.changed(page, "Successfully deleted whitelisted domains", "whitelisted_domains")
	case kind == "call_to_actions" && state == "existing_thread":
		return s.changed(page, "Successfully deleted structured menu CTAs", "persistent_menu")
	case kind == "call_to_actions" && state == "new_thread":
		page.Welcome = nil
		return s.changed(page, "Successfully deleted all new_thread's CTAs", "get_started")
	}
	return nil, refuse(100, 0, "(#100) Param setting_type must be one of {ACCOUNT_LINKING, CALL_TO_ACTIONS, DOMAIN_WHITELISTING, GREETING}")
}

func (s *Server) oldSettings(c *call) *messenger.Error {
	if s.calendar.takes(messenger.FeatureThreadSettings, s.calendar.era(c.ver)) {
		return nil
	}
	return refuse(100, 0, "(#100) thread_settings is no longer available: use messenger_profile")
}

// welcome is the message of 2016 that greets somebody whose thread begins.
type welcome struct {
	App     string          `json:"app"`
	Message json.RawMessage `json:"message"`
}

// greet sends the message with which a thread begins, if there is one. The lock
// is held.
func (s *Server) greet(page *pageState, p *personState) {
	if page.Welcome == nil {
		return
	}
	s.sendCreative(page, p, page.Welcome.App, &creative{Messages: []json.RawMessage{page.Welcome.Message}})
}
