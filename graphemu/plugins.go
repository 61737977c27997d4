package graphemu

import (
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
)

// pluginView is what a plugin shows.
type pluginView struct {
	Kind, Page, App, PageName, Ref, UserRef, Color, Size, Refused, Link string
	Origin                                                              string
	People                                                              []Person
}

// fillPlugin fills in the page of a plugin, its people, and why the plugin is not shown.
func (w *world) fillPlugin(v pluginView) pluginView {
	w.mu.Lock()
	defer w.mu.Unlock()
	page := w.pages[v.Page]
	if page != nil {
		v.PageName, v.People = page.Name, page.persons()
	}
	v.Refused = v.refused(page)
	return v
}

// refused returns why a plugin is not shown on a page, "" when it is. The page may be nil.
func (v pluginView) refused(page *pageState) string {
	switch {
	case !slices.Contains([]string{"send_to_messenger", "messenger_message_us", "messenger_checkbox"}, v.Kind):
		return "There is no plugin " + v.Kind + "."
	case page == nil:
		return fmt.Sprintf("There is no page %.40s.", v.Page)
	case page.Unpublished:
		return "The page is not published."
	case v.App == "":
		return "messenger_app_id is missing."
	case v.App != page.AppID && page.Subscribed[v.App] == nil:
		return fmt.Sprintf("messenger_app_id %.40s is not an app of the page: at Facebook nothing would be drawn.", v.App)
	case len(v.Ref) > 250:
		return "data-ref has at most 250 characters."
	case !page.mayEmbed(v.Origin):
		return "The website " + v.Origin + " is not among the whitelisted_domains of the page."
	}
	return ""
}

// mayEmbed reports whether a website may draw the plugins of the page: those of
// its whitelisted domains, and any on this machine.
func (page *pageState) mayEmbed(origin string) bool {
	u, err := url.Parse(origin)
	if err != nil {
		return false
	}
	if host := u.Hostname(); host == "localhost" || net.ParseIP(host).IsLoopback() {
		return true
	}
	var domains []string
	if json.Unmarshal(page.Profile["whitelisted_domains"], &domains) != nil {
		return false
	}
	return slices.ContainsFunc(domains, func(d string) bool { return strings.TrimSuffix(d, "/") == origin })
}
