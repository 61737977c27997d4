package graphemu

import (
	"encoding/json"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// isSDK tells the address of the page script, with or without a language before it.
func isSDK(path string) bool {
	return path == "/sdk.js" || strings.HasSuffix(path, "/sdk.js") && strings.Count(path, "/") == 2
}

// pluginRoutes is the stand-in for Facebook's page script, and the plugins that
// it draws: frames of the emulator on a web page of yours.
func (s *Server) pluginRoutes(mux *http.ServeMux) {
	frame := template.Must(template.ParseFS(chatFiles, "chat/plugin.html"))
	mux.HandleFunc("GET /plugins/{kind}", func(w http.ResponseWriter, r *http.Request) { s.servePlugin(w, r, frame) })
}

// serveSDK is the page script.
func serveSDK(w http.ResponseWriter, r *http.Request) {
	b, err := chatFiles.ReadFile("chat/sdk.js")
	if err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Write(b) //nolint:errcheck // the caller is gone when this fails
}

// pluginView is a plugin as it is drawn.
type pluginView struct {
	Kind, Page, App, PageName, Ref, UserRef, Color, Size, Refused, Link string
	Origin                                                              string
	People                                                              []Person
}

func (s *Server) servePlugin(w http.ResponseWriter, r *http.Request, frame *template.Template) {
	q := r.URL.Query()
	v := pluginView{
		Kind: r.PathValue("kind"), Page: q.Get("page_id"), App: q.Get("app_id"), Ref: q.Get("ref"), UserRef: q.Get("user_ref"), Color: q.Get("color"), Size: q.Get("size"),
		Origin: q.Get("origin"),
	}
	v.Link = "/m.me/" + url.PathEscape(v.Page) + "?" + url.Values{"ref": {v.Ref}}.Encode()
	s.mu.Lock()
	page := s.pages[v.Page]
	if page != nil {
		v.PageName = page.Name
		for _, id := range page.Order {
			v.People = append(v.People, page.people[id].Person)
		}
	}
	v.Refused = refusedPlugin(page, v)
	s.mu.Unlock()
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'")
	if err := frame.Execute(w, v); err != nil {
		s.log().Error("plugin", "error", err)
	}
}

// refusedPlugin says why a plugin is not drawn. The lock is held.
func refusedPlugin(page *pageState, v pluginView) string {
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
		return fmt.Sprintf("messenger_app_id %.40s is no app of the page: at Facebook nothing would be drawn.", v.App)
	case len(v.Ref) > 250:
		return "data-ref has at most 250 characters."
	case !mayEmbed(page, v.Origin):
		return "The website " + v.Origin + " is not among the whitelisted_domains of the page."
	}
	return ""
}

// mayEmbed reports whether a website may draw the plugins of the page: those of
// its whitelisted domains, and any on this machine.
func mayEmbed(page *pageState, origin string) bool {
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
