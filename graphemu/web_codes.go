package graphemu

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/chasqui/chasqui/internal/qr"
)

// serveCode draws a code.
func (p webPages) serveCode(w http.ResponseWriter, r *http.Request) {
	id := strings.TrimSuffix(r.PathValue("file"), ".png")
	code, ok := p.codes.get(id)
	if !ok {
		http.Error(w, "there is no such code, or its picture has expired: it can be fetched for a day", http.StatusNotFound)
		return
	}
	drawCode(w, code.link(r.Host, id), code.Size)
}

// serveLinkCode draws the m.me link of a page with a ref: /_emu/links/{page}.png?ref=.
func (p webPages) serveLinkCode(w http.ResponseWriter, r *http.Request) {
	page := strings.TrimSuffix(r.PathValue("file"), ".png")
	link := "http://" + r.Host + "/m.me/" + url.PathEscape(page)
	if ref := r.URL.Query().Get("ref"); ref != "" {
		link += "?" + url.Values{"ref": {ref}}.Encode()
	}
	drawCode(w, link, 600)
}

func drawCode(w http.ResponseWriter, link string, size int) {
	picture, err := qr.PNG(link, size, 4)
	if err != nil {
		picture, err = qr.PNG(link, size, 0)
	}
	if err != nil {
		picture, err = qr.PNG(link, 400, 4)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "image/png")
	w.Header().Set("Cache-Control", "max-age=300")
	w.Write(picture) //nolint:errcheck // the caller is gone when this fails
}
