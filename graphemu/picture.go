package graphemu

import (
	"fmt"
	"hash/fnv"
	"html"
	"net/http"
	"strings"
	"unicode"
)

// servePicture draws initials on a colour that belongs to the id.
func (s *Server) servePicture(w http.ResponseWriter, r *http.Request) {
	id := strings.TrimSuffix(r.PathValue("file"), ".svg")
	s.mu.Lock()
	name := s.nameOf(id)
	s.mu.Unlock()
	if name == "" {
		http.NotFound(w, r)
		return
	}
	h := fnv.New32a()
	h.Write([]byte(id))
	hue := h.Sum32() % 360
	w.Header().Set("Content-Type", "image/svg+xml")
	w.Header().Set("Cache-Control", "max-age=300")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 80 80"><defs><linearGradient id="g" x1="0" y1="0" x2="1" y2="1">`+
		`<stop offset="0" stop-color="hsl(%d 55%% 60%%)"/><stop offset="1" stop-color="hsl(%d 58%% 43%%)"/></linearGradient></defs>`+
		`<rect width="80" height="80" fill="url(#g)"/><text x="40" y="41" fill="#fff" font-family="system-ui,sans-serif" font-size="32" `+
		`font-weight="600" text-anchor="middle" dominant-baseline="central">%s</text></svg>`, hue, (hue+40)%360, html.EscapeString(initials(name)))
}

// nameOf finds whose picture is asked for. The lock is held.
func (s *Server) nameOf(id string) string {
	if app := s.apps[id]; app != nil {
		return app.Name
	}
	if page := s.pages[id]; page != nil {
		return page.Name
	}
	for _, page := range s.pages {
		if p := page.people[id]; p != nil {
			return p.Name()
		}
	}
	return ""
}

func initials(name string) string {
	out := ""
	words := strings.Fields(name)
	for i, w := range words {
		if i == 0 || i == len(words)-1 {
			for _, r := range w {
				out += string(unicode.ToUpper(r))
				break
			}
		}
	}
	return out
}
