package graphemu

import (
	"html/template"
	"net/http"
	"net/url"
	"strings"
)

// isSDK reports whether a path is that of the page script, with or without a
// language before it.
func isSDK(path string) bool {
	return path == "/sdk.js" || strings.HasSuffix(path, "/sdk.js") && strings.Count(path, "/") == 2
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

// servePlugin draws a plugin: a frame of the emulator on somebody's website.
func (p webPages) servePlugin(w http.ResponseWriter, r *http.Request, frame *template.Template) {
	q := r.URL.Query()
	v := pluginView{
		Kind: r.PathValue("kind"), Page: q.Get("page_id"), App: q.Get("app_id"), Ref: q.Get("ref"), UserRef: q.Get("user_ref"), Color: q.Get("color"), Size: q.Get("size"),
		Origin: q.Get("origin"),
	}
	v.Link = "/m.me/" + url.PathEscape(v.Page) + "?" + url.Values{"ref": {v.Ref}}.Encode()
	v = p.fillPlugin(v)
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'")
	if err := frame.Execute(w, v); err != nil {
		p.log.Error("plugin", "error", err)
	}
}
