package graphemu

import (
	"encoding/json"

	"github.com/chasqui/chasqui/messenger"
)

// Thread settings are the predecessor of the messenger profile. Their calls were answered until
// version 8.0 (https://github.com/rapidpro/rapidpro/issues/1333).

// setThreadSettings is POST /{page}/thread_settings.
func (a profileAPI) setThreadSettings(c *call) (any, *messenger.Error) {
	if e := a.oldSettings(c); e != nil {
		return nil, e
	}
	switch kind, state := c.params.text("setting_type"), c.params.text("thread_state"); {
	case kind == "greeting":
		text := c.params.object("greeting").text("text")
		value := mustJSON([]messenger.Greeting{{Locale: "default", Text: text}})
		return a.setOldField(c, "greeting", value, "Successfully updated greeting")
	case kind == "call_to_actions" && state == "new_thread":
		return a.setNewThread(c)
	case kind == "call_to_actions" && state == "existing_thread":
		const answer = "Successfully added structured menu CTAs"
		if c.params.emptyList("call_to_actions") {
			a.setProfileField(c.page, "persistent_menu", nil)
			return result(answer), nil
		}
		value := mustJSON([]map[string]any{{"locale": "default", "call_to_actions": c.params["call_to_actions"]}})
		return a.setOldField(c, "persistent_menu", value, answer)
	case kind == "domain_whitelisting":
		return a.setDomains(c)
	case kind == "account_linking":
		return a.setOldField(c, "account_linking_url", c.params["account_linking_url"], "Successfully added account_linking_url")
	}
	return nil, refuse(100, 0, "(#100) Param setting_type must be one of {ACCOUNT_LINKING, CALL_TO_ACTIONS, DOMAIN_WHITELISTING, GREETING}")
}

// setOldField sets a field of the profile.
func (a profileAPI) setOldField(c *call, name string, value json.RawMessage, answer string) (any, *messenger.Error) {
	if e := a.calendar.checkProfileField(name, value, a.calendar.era(c.ver)); e != nil {
		return nil, e
	}
	a.setProfileField(c.page, name, value)
	return result(answer), nil
}

// setNewThread sets what a person sees who has never written: the Get Started button, or the
// message of 2016, which is sent when their thread begins. An empty list removes both.
func (a profileAPI) setNewThread(c *call) (any, *messenger.Error) {
	const answer = "Successfully added new_thread's CTAs"
	if c.params.emptyList("call_to_actions") {
		a.setWelcome(c.page, nil)
		a.setProfileField(c.page, "get_started", nil)
		return result(answer), nil
	}
	var ctas []struct {
		Payload string          `json:"payload"`
		Message json.RawMessage `json:"message"`
	}
	if json.Unmarshal(c.params["call_to_actions"], &ctas) != nil || len(ctas) != 1 {
		return nil, refuse(100, 0, "(#100) Param call_to_actions must hold one button")
	}
	if ctas[0].Message == nil {
		return a.setOldField(c, "get_started", mustJSON(map[string]string{"payload": ctas[0].Payload}), answer)
	}
	if _, e := a.calendar.readMessage(ctas[0].Message, nil, a.calendar.era(c.ver)); e != nil {
		return nil, e
	}
	a.setWelcome(c.page, &welcome{c.app, ctas[0].Message})
	a.announce(change{Type: "pages"})
	return result(answer), nil
}

// setDomains adds or removes domains, as domain_action_type says. Without one it replaces all.
func (a profileAPI) setDomains(c *call) (any, *messenger.Error) {
	given, at := c.params.list("whitelisted_domains"), a.calendar.era(c.ver)
	if e := a.calendar.checkProfileField("whitelisted_domains", mustJSON(given), at); e != nil {
		return nil, e
	}
	return result("Successfully updated whitelisted domains"), a.changeDomains(c.page, c.params.text("domain_action_type"), given, at)
}

// deleteThreadSettings is DELETE /{page}/thread_settings. The results are those
// that libraries of the time wait for.
func (a profileAPI) deleteThreadSettings(c *call) (any, *messenger.Error) {
	if e := a.oldSettings(c); e != nil {
		return nil, e
	}
	remove := func(name, answer string) (any, *messenger.Error) {
		a.setProfileField(c.page, name, nil)
		return result(answer), nil
	}
	switch kind, state := c.params.text("setting_type"), c.params.text("thread_state"); {
	case kind == "greeting":
		return remove("greeting", "Successfully deleted greeting")
	case kind == "account_linking":
		return remove("account_linking_url", "Successfully deleted account_linking_url")
	case kind == "domain_whitelisting":
		return remove("whitelisted_domains", "Successfully deleted whitelisted domains")
	case kind == "call_to_actions" && state == "existing_thread":
		return remove("persistent_menu", "Successfully deleted structured menu CTAs")
	case kind == "call_to_actions" && state == "new_thread":
		a.setWelcome(c.page, nil)
		return remove("get_started", "Successfully deleted all new_thread's CTAs")
	}
	return nil, refuse(100, 0, "(#100) Param setting_type must be one of {ACCOUNT_LINKING, CALL_TO_ACTIONS, DOMAIN_WHITELISTING, GREETING}")
}

func (a profileAPI) oldSettings(c *call) *messenger.Error {
	if a.calendar.takes(messenger.FeatureThreadSettings, a.calendar.era(c.ver)) {
		return nil
	}
	return refuse(100, 0, "(#100) thread_settings is no longer available: use messenger_profile")
}
