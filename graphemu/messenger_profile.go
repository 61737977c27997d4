package graphemu

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

// profile returns those of the named fields of a page's messenger profile that are set.
func (w *world) profile(pageID string, names ...string) map[string]json.RawMessage {
	w.mu.Lock()
	defer w.mu.Unlock()
	found := map[string]json.RawMessage{}
	if page := w.pages[pageID]; page != nil {
		for _, name := range names {
			if value, ok := page.Profile[name]; ok {
				found[name] = value
			}
		}
	}
	return found
}

func needsGetStarted() *messenger.Error {
	return refuse(100, 2018145, "(#100) You must set a Get Started button if you also wish to use persistent menu")
}

// setProfile sets fields of a page's messenger profile, which have been checked. A menu
// requires a Get Started button.
func (w *world) setProfile(pageID string, given map[string]json.RawMessage) *messenger.Error {
	w.mu.Lock()
	defer w.mu.Unlock()
	page := w.pages[pageID]
	if page == nil {
		return errNoObject
	}
	_, menu := given["persistent_menu"]
	if menu && given["get_started"] == nil && page.Profile["get_started"] == nil {
		return needsGetStarted()
	}
	maps.Copy(page.Profile, given)
	w.announce(change{Type: "pages"})
	return nil
}

// deleteProfile removes fields of a page's messenger profile. The Get Started button cannot be
// removed while there is a menu.
func (w *world) deleteProfile(pageID string, fields []string) *messenger.Error {
	w.mu.Lock()
	defer w.mu.Unlock()
	page := w.pages[pageID]
	if page == nil {
		return errNoObject
	}
	if slices.Contains(fields, "get_started") && page.Profile["persistent_menu"] != nil && !slices.Contains(fields, "persistent_menu") {
		return needsGetStarted()
	}
	for _, name := range fields {
		delete(page.Profile, name)
	}
	w.announce(change{Type: "pages"})
	return nil
}

// setProfileField sets one field of a page's messenger profile, or removes it with nil. Unlike
// setProfile it looks at no other field, as calls of thread settings did not.
func (w *world) setProfileField(pageID, name string, value json.RawMessage) {
	w.mu.Lock()
	defer w.mu.Unlock()
	page := w.pages[pageID]
	if page == nil {
		return
	}
	if value == nil {
		delete(page.Profile, name)
	} else {
		page.Profile[name] = value
	}
	w.announce(change{Type: "pages"})
}

// changeDomains changes the domains that may show the page's plugins. how is add or remove;
// anything else replaces them.
func (w *world) changeDomains(pageID, how string, given []string, at time.Time) *messenger.Error {
	w.mu.Lock()
	defer w.mu.Unlock()
	page := w.pages[pageID]
	if page == nil {
		return errNoObject
	}
	var domains []string
	json.Unmarshal(page.Profile["whitelisted_domains"], &domains) //nolint:errcheck // then there are none
	switch how {
	case "add":
		for _, d := range given {
			domains = once(domains, d)
		}
	case "remove":
		domains = slices.DeleteFunc(domains, func(d string) bool { return slices.Contains(given, d) })
		if len(domains) == 0 {
			delete(page.Profile, "whitelisted_domains")
			w.announce(change{Type: "pages"})
			return nil
		}
	default:
		domains = given
	}
	value := mustJSON(domains)
	if e := w.calendar.checkProfileField("whitelisted_domains", value, at); e != nil {
		return e
	}
	page.Profile["whitelisted_domains"] = value
	w.announce(change{Type: "pages"})
	return nil
}
