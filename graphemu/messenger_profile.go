package graphemu

import (
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"slices"

	"github.com/chasqui/chasqui/messenger"
)

func profileFields() []string {
	return []string{
		"get_started", "greeting", "ice_breakers", "persistent_menu", "whitelisted_domains",
		"account_linking_url", "commands", "title", "description", "subject_to_new_eu_privacy_rules",
	}
}

// setMessengerProfile is POST /{page}/messenger_profile.
func (s *Server) setMessengerProfile(c *call) (any, *messenger.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	page, e := s.ownPage(c)
	if e != nil {
		return nil, e
	}
	given := map[string]json.RawMessage{}
	for _, name := range profileFields() {
		if raw, ok := c.params[name]; ok {
			if e := checkProfileField(name, raw); e != nil {
				return nil, e
			}
			given[name] = raw
		}
	}
	if len(given) == 0 {
		return nil, refuse(100, 0, "(#100) The messenger profile needs at least one field")
	}
	_, menu := given["persistent_menu"]
	if menu && given["get_started"] == nil && page.Profile["get_started"] == nil {
		return nil, refuse(100, 2018145, "(#100) You must set a Get Started button if you also wish to use persistent menu")
	}
	for name, raw := range given {
		page.Profile[name] = raw
	}
	s.announce(change{Type: "pages"})
	return map[string]string{"result": "success"}, nil
}

// deleteMessengerProfile is DELETE /{page}/messenger_profile.
func (s *Server) deleteMessengerProfile(c *call) (any, *messenger.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	page, e := s.ownPage(c)
	if e != nil {
		return nil, e
	}
	fields := c.params.list("fields")
	if len(fields) == 0 {
		return nil, refuse(100, 0, "(#100) The parameter fields is required")
	}
	if slices.Contains(fields, "get_started") && page.Profile["persistent_menu"] != nil && !slices.Contains(fields, "persistent_menu") {
		return nil, refuse(100, 2018145, "(#100) You must set a Get Started button if you also wish to use persistent menu")
	}
	for _, name := range fields {
		delete(page.Profile, name)
	}
	s.announce(change{Type: "pages"})
	return map[string]string{"result": "success"}, nil
}

func checkProfileField(name string, raw json.RawMessage) *messenger.Error {
	bad := func(why string) *messenger.Error { return refuse(100, 0, "(#100) Param "+name+" "+why) }
	switch name {
	case "get_started":
		var v messenger.GetStarted
		if json.Unmarshal(raw, &v) != nil || v.Payload == "" {
			return bad("needs a payload")
		}
		return tooLong(name+"[payload]", v.Payload, 1000)
	case "greeting":
		var v []messenger.Greeting
		if json.Unmarshal(raw, &v) != nil || len(v) == 0 {
			return bad("must be a list of locale and text")
		}
		for i, g := range v {
			if e := tooLong(fmt.Sprintf("greeting[%d][text]", i), g.Text, 160); e != nil {
				return e
			}
		}
	case "ice_breakers":
		return checkIceBreakers(raw)
	case "persistent_menu":
		return checkMenu(raw)
	case "whitelisted_domains":
		var v []string
		if json.Unmarshal(raw, &v) != nil || len(v) > 50 {
			return bad("must be a list of at most 50 domains")
		}
		for _, d := range v {
			u, err := url.Parse(d)
			if err != nil || u.Scheme != "https" || net.ParseIP(u.Hostname()) != nil || u.Hostname() == "localhost" || u.Hostname() == "" {
				return bad("must hold https domains")
			}
		}
	case "account_linking_url":
		var v string
		u, err := url.Parse("")
		if json.Unmarshal(raw, &v) == nil {
			u, err = url.Parse(v)
		}
		if err != nil || u.Scheme != "https" {
			return bad("must be an https URL")
		}
	}
	return nil
}

func checkIceBreakers(raw json.RawMessage) *messenger.Error {
	var v []struct {
		messenger.IceBreakers
		messenger.IceBreaker
	}
	if json.Unmarshal(raw, &v) != nil {
		return refuse(100, 0, "(#100) Param ice_breakers must be a list")
	}
	plain := 0
	for _, b := range v {
		if b.Question != "" {
			plain++
		}
		if len(b.CallToActions) > 4 {
			return count("ice_breakers[call_to_actions]", len(b.CallToActions), 0, 4)
		}
	}
	return count("ice_breakers", plain, 0, 4)
}

func checkMenu(raw json.RawMessage) *messenger.Error {
	var v []messenger.PersistentMenu
	if json.Unmarshal(raw, &v) != nil {
		return refuse(100, 0, "(#100) Param persistent_menu must be a list")
	}
	hasDefault := false
	for i, m := range v {
		hasDefault = hasDefault || m.Locale == "default"
		at := fmt.Sprintf("persistent_menu[%d]", i)
		if e := count(at+"[call_to_actions]", len(m.CallToActions), 0, 20); e != nil {
			return e
		}
		for _, b := range m.CallToActions {
			if b.Type != "postback" && b.Type != "web_url" {
				return refuse(100, 0, "(#100) Param "+at+"[call_to_actions] takes buttons of type postback and web_url")
			}
			if e := tooLong(at+"[title]", b.Title, 30); e != nil {
				return e
			}
		}
	}
	if !hasDefault && len(v) > 0 {
		return refuse(100, 0, "(#100) Param persistent_menu needs an entry with locale default")
	}
	return nil
}
