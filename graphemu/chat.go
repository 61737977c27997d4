package graphemu

import (
	"embed"
	"html/template"
	"io/fs"
	"net/http"
	"strings"
)

//go:embed chat
var chatFiles embed.FS

// chatRoutes is the chat page and what it is made of.
func (s *Server) chatRoutes(mux *http.ServeMux) {
	page := template.Must(template.ParseFS(chatFiles, "chat/chat.html"))
	static, err := fs.Sub(chatFiles, "chat/static")
	if err != nil {
		panic("graphemu: embedded files: " + err.Error())
	}
	mux.HandleFunc("GET /chat", func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "+
			"img-src * data: blob:; media-src * data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		if err := page.Execute(w, nil); err != nil {
			s.log().Error("chat page", "error", err)
		}
	})
	files := http.StripPrefix("/chat/static/", http.FileServerFS(static))
	mux.HandleFunc("GET /chat/static/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-cache")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		files.ServeHTTP(w, r)
	})
	// The emulator's m.me: a link with a ref leads into the chat page.
	mux.HandleFunc("GET /m.me/{page}", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		page := r.PathValue("page")
		s.mu.Lock()
		if id := s.usernames[strings.ToLower(page)]; id != "" {
			page = id
		}
		s.mu.Unlock()
		q.Set("page", page)
		q.Set("ref", q.Get("ref"))
		http.Redirect(w, r, "/chat?"+q.Encode(), http.StatusSeeOther)
	})
	mux.Handle("GET /chat/{$}", http.RedirectHandler("/chat", http.StatusSeeOther))
}
