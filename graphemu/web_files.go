package graphemu

import (
	"net/http"
	"strconv"
)

// serveFile shows an upload. Whatever it holds, a browser runs none of it.
func (p webPages) serveFile(w http.ResponseWriter, r *http.Request) {
	found, ok := p.files.get(r.PathValue("file"))
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", found.kind)
	h.Set("Content-Length", strconv.Itoa(len(found.data)))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	w.Write(found.data) //nolint:errcheck // the caller is gone when this fails
}
