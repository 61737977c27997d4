package graphemu

import (
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"slices"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

// profileFields returns the fields of the messenger profile on a day.
func (cal *calendar) profileFields(at time.Time) []string {
	fields := []string{
		"get_started", "greeting", "ice_breakers", "persistent_menu", "whitelisted_domains",
		"account_linking_url", "commands", "title", "description", "subject_to_new_eu_privacy_rules",
	}
	if cal.takes(messenger.FeatureHomeURL, at) {
		fields = append(fields, retiredFields()...)
	}
	return fields
}

// retiredFields returns the fields of the messenger profile that ended with version 7.0.
func retiredFields() []string { return []string{"home_url", "payment_settings", "target_audience"} }

func endedField(name string) *messenger.Error {
	return refuse(100, 0, "(#100) Param "+name+" is no longer a field of the messenger profile: it ended with v7.0 on May 5, 2020")
}

// maxGreeting is how long a greeting may be. The platform's pages say 160, but its own sample
// program sets up to 260 and is not refused, so the emulator refuses only what is far longer.
const maxGreeting = 1000

func (cal *calendar) checkProfileField(name string, raw json.RawMessage, at time.Time) *messenger.Error {
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
			if e := tooLong(fmt.Sprintf("greeting[%d][text]", i), g.Text, maxGreeting); e != nil {
				return e
			}
		}
	case "ice_breakers":
		return checkIceBreakers(raw)
	case "persistent_menu":
		return cal.checkMenu(raw, at)
	case "whitelisted_domains":
		var v []string
		if json.Unmarshal(raw, &v) != nil || len(v) == 0 || len(v) > 50 {
			return bad("must be a list of at most 50 domains")
		}
		for _, d := range v {
			if !whitelistable(d) {
				return bad("must hold https domains, such as https://www.example.com: " + fmt.Sprintf("%.80q", d) + " is none")
			}
		}
	case "home_url", "target_audience", "payment_settings":
		return checkRetiredField(name, raw)
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

// checkRetiredField checks a field that ended with version 7.0.
func checkRetiredField(name string, raw json.RawMessage) *messenger.Error {
	bad := func(why string) *messenger.Error { return refuse(100, 0, "(#100) Param "+name+" "+why) }
	switch name {
	case "home_url":
		var v struct {
			URL         string `json:"url"`
			HeightRatio string `json:"webview_height_ratio"`
			InTest      *bool  `json:"in_test"`
		}
		if json.Unmarshal(raw, &v) != nil || !isWebURL(v.URL) || v.HeightRatio != "tall" || v.InTest == nil {
			return bad("needs a url, webview_height_ratio tall and in_test")
		}
	case "target_audience":
		var v struct {
			Type string `json:"audience_type"`
		}
		if json.Unmarshal(raw, &v) != nil || !slices.Contains([]string{"all", "custom", "none"}, v.Type) {
			return bad("needs an audience_type of {all, custom, none}")
		}
	case "payment_settings":
		var v map[string]json.RawMessage
		if json.Unmarshal(raw, &v) != nil || v["privacy_url"] == nil && v["public_key"] == nil && v["test_users"] == nil {
			return bad("needs privacy_url, public_key or test_users")
		}
	}
	return nil
}

// whitelistable reports whether a domain may be whitelisted: https domains, and in the emulator
// loopback ones of any scheme.
func whitelistable(domain string) bool {
	u, err := url.Parse(domain)
	if err != nil || u.Host == "" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	if u.Hostname() == "localhost" || ip.IsLoopback() {
		return u.Scheme == "https" || u.Scheme == "http"
	}
	return u.Scheme == "https" && ip == nil
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
			return checkCount("ice_breakers[call_to_actions]", len(b.CallToActions), 0, 4)
		}
	}
	return checkCount("ice_breakers", plain, 0, 4)
}

func (cal *calendar) checkMenu(raw json.RawMessage, at time.Time) *messenger.Error {
	var v []menuRow
	if json.Unmarshal(raw, &v) != nil {
		return refuse(100, 0, "(#100) Param persistent_menu must be a list")
	}
	hasDefault := false
	flat := !cal.takes(messenger.FeatureNestedMenu, at)
	for i, m := range v {
		hasDefault = hasDefault || m.Locale == "default"
		where := fmt.Sprintf("persistent_menu[%d]", i)
		most := 3
		if flat {
			most = 20
		}
		if e := checkMenuItems(where, m.Items, most, 1, flat); e != nil {
			return e
		}
	}
	if !hasDefault && len(v) > 0 {
		return refuse(100, 0, "(#100) Param persistent_menu needs an entry with locale default")
	}
	return nil
}

// checkMenuItems checks one level of a menu. Until version 8.0 a menu had three levels, of
// three and then five items.
func checkMenuItems(where string, items []menuItem, most, level int, flat bool) *messenger.Error {
	if e := checkCount(where+"[call_to_actions]", len(items), 0, most); e != nil {
		return e
	}
	for _, b := range items {
		switch {
		case b.Type == "nested" && !flat && level < 3:
			if e := checkMenuItems(where+"[call_to_actions]", b.Items, 5, level+1, flat); e != nil {
				return e
			}
		case b.Type != "postback" && b.Type != "web_url":
			return refuse(100, 0, "(#100) Param "+where+"[call_to_actions] takes buttons of type postback and web_url")
		case b.Type == "web_url" && !isWebURL(b.URL), b.Type == "postback" && b.Payload == "":
			return refuse(100, 0, "(#100) Param "+where+"[call_to_actions] lacks its payload or url")
		}
		if b.Title == "" {
			return refuse(100, 0, "(#100) Param "+where+"[title] must be a non-empty string")
		}
		if e := tooLong(where+"[title]", b.Title, 30); e != nil {
			return e
		}
		if e := tooLong(where+"[payload]", b.Payload, 1000); e != nil {
			return e
		}
	}
	return nil
}
