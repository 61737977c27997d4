package messenger

import (
	"fmt"
	"net/url"
	"regexp"
)

func (p Persona) check(k *checker) {
	k.require(p.Name, "name")
	k.chars(p.Name, 50, "name")
	k.require(p.ProfilePictureURL, "profile_picture_url")
}

func (r ThreadRequest) check(k *checker) {
	k.require(string(r.PSID), "recipient.id")
	k.chars(r.Metadata, 1000, "metadata")
}

func (cfg NLPConfig) check(k *checker) { k.within(cfg.NBest, 1, 8, "n_best") }

func (r CodeRequest) check(k *checker) {
	k.within(r.ImageSize, 100, 2000, "image_size")
	k.chars(r.Ref, 250, "data.ref")
	if r.Ref != "" && !regexp.MustCompile(`^[\w+/=\-.:]+$`).MatchString(r.Ref) {
		k.fail(0, 0, "may have only a-z A-Z 0-9 + / = - . : _", "data.ref")
	}
}

// check checks a profile against its limits, which the version of the API decides in the menu's
// case. A raw profile is the caller's own.
func (p MessengerProfile) check(k *checker, nestedMenus bool) {
	if p.Raw != nil {
		return
	}
	if p.GetStarted != nil {
		k.require(p.GetStarted.Payload, "get_started.payload")
		k.chars(p.GetStarted.Payload, 1000, "get_started.payload")
	}
	for i, g := range p.Greeting {
		k.require(g.Locale, "greeting[%d].locale", i)
		k.chars(g.Text, 160, "greeting[%d].text", i)
	}
	for i, b := range p.IceBreakers {
		k.count(len(b.CallToActions), 1, 4, "ice_breakers[%d].call_to_actions", i)
	}
	k.count(len(p.WhitelistedDomains), 0, 50, "whitelisted_domains")
	if p.AccountLinkingURL != "" {
		if u, err := url.Parse(p.AccountLinkingURL); err != nil || u.Scheme != "https" {
			k.fail(0, 0, "must be an https address", "account_linking_url")
		}
	}
	checkMenus(k, p.PersistentMenu, nestedMenus)
}

// checkMenus wants one menu to be the default, and none to be too long: until
// v7.0 3 entries that may nest, since v8.0 20 that may not.
func checkMenus(k *checker, menus []PersistentMenu, nested bool) {
	hasDefault := len(menus) == 0
	for i, m := range menus {
		hasDefault = hasDefault || m.Locale == "default"
		at := fmt.Sprintf("persistent_menu[%d].call_to_actions", i)
		if nested {
			k.count(len(m.CallToActions), 0, 3, "%s", at)
		} else {
			k.count(len(m.CallToActions), 0, 20, "%s", at)
		}
		checkMenuEntries(k, m.CallToActions, nested, 1, at)
	}
	if !hasDefault {
		k.fail(0, 0, `must have one with locale "default"`, "persistent_menu")
	}
}

func checkMenuEntries(k *checker, entries []Button, nested bool, depth int, at string) {
	for i, e := range entries {
		k.chars(e.Title, 30, "%s[%d].title", at, i)
		k.chars(e.Payload, 1000, "%s[%d].payload", at, i)
		if e.Type != "nested" {
			continue
		}
		below := fmt.Sprintf("%s[%d].call_to_actions", at, i)
		if !nested || depth > 2 {
			k.fail(0, 0, "nests too deep: two levels below the first until v7.0, none since v8.0", "%s", below)
			return
		}
		k.count(len(e.CallToActions), 1, 5, "%s", below)
		checkMenuEntries(k, e.CallToActions, nested, depth+1, below)
	}
}
