package graphemu

import (
	"embed"
	"html/template"
	"io/fs"
	"net/http"
)

//go:embed chat
var chatFiles embed.FS

// webPages are what a browser sees: the chat page, the plugins of websites, and
// the pictures, codes and files that these show.
type webPages struct{ *world }

func (p webPages) routes(mux *http.ServeMux) {
	p.chatRoutes(mux)
	frame := template.Must(template.ParseFS(chatFiles, "chat/plugin.html"))
	mux.HandleFunc("GET /plugins/{kind}", func(w http.ResponseWriter, r *http.Request) { p.servePlugin(w, r, frame) })
	mux.HandleFunc("GET /_emu/login/{page}/{psid}", p.serveLogin)
	mux.HandleFunc("GET /_emu/linked/{page}/{psid}", p.serveLinked)
	mux.HandleFunc("GET /_emu/pictures/{file}", p.servePicture)
	mux.HandleFunc("GET /_emu/files/{file}", p.serveFile)
	mux.HandleFunc("GET /_emu/codes/{file}", p.serveCode)
	mux.HandleFunc("GET /_emu/links/{file}", p.serveLinkCode)
	mux.HandleFunc("GET /_emu/qr.png", func(w http.ResponseWriter, r *http.Request) { drawCode(w, r.URL.Query().Get("text"), 300) })
}

// chatRoutes is the chat page and what it is made of.
func (p webPages) chatRoutes(mux *http.ServeMux) {
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
			p.log.Error("chat page", "error", err)
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
		q.Set("page", p.pageID(r.PathValue("page")))
		q.Set("ref", q.Get("ref"))
		http.Redirect(w, r, "/chat?"+q.Encode(), http.StatusSeeOther)
	})
	mux.Handle("GET /chat/{$}", http.RedirectHandler("/chat", http.StatusSeeOther))
}
