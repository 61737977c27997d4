package graphemu

import (
	"errors"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/chasqui/chasqui/internal/qr"
	"github.com/chasqui/chasqui/messenger"
)

// codeState is a Messenger code of a page.
type codeState struct {
	Page string `json:"page"`
	Ref  string `json:"ref"`
	Size int    `json:"size"`

	Made time.Time `json:"made,omitzero"`
}

// codeLife is how long the picture of a code can be fetched. The platform says
// that its address is not permanent, and not how long it lasts: a day is
// presumed. What was fetched can be scanned for ever.
const codeLife = 24 * time.Hour

// codeByID is a code whose picture is still there. The lock is held.
func (s *Server) codeByID(id string) (codeState, bool) {
	code, ok := s.codes[id]
	if ok && !code.Made.IsZero() && s.clock.now().Sub(code.Made) >= codeLife {
		delete(s.codes, id)
		return codeState{}, false
	}
	return code, ok
}

var codeRef = regexp.MustCompile(`^[\w+/=\-.:]{1,250}$`)

// createCode is POST /{page}/messenger_codes. It draws a QR code whose link
// leads into the emulator.
func (s *Server) createCode(c *call, page *pageState) (any, *messenger.Error) {
	if s.calendar.ended(messenger.FeatureMessengerCode) {
		return nil, unsupported(c)
	}
	if c.params.text("type") != "standard" {
		return nil, refuse(100, 0, "(#100) Param type must be one of {STANDARD}")
	}
	code := codeState{Page: page.ID, Size: 1000, Made: s.clock.now()}
	if c.params.has("image_size") {
		n, err := strconv.Atoi(c.params.text("image_size"))
		if err != nil || n < 100 || n > 2000 {
			return nil, refuse(100, 0, "(#100) Param image_size must be an integer between 100 and 2000")
		}
		code.Size = n
	}
	if c.params.has("data") {
		code.Ref = c.params.object("data").text("ref")
		if !codeRef.MatchString(code.Ref) {
			return nil, refuse(100, 0, "(#100) Param data[ref] must have 1 to 250 characters of a-z, A-Z, 0-9 and +/=-.:_")
		}
	}
	id := s.ids.fresh("code", 12)
	s.codes[id] = code
	return map[string]string{"uri": "http://" + c.host + "/_emu/codes/" + id + ".png"}, nil
}

// link is where a code leads.
func (s *Server) codeLink(host, id string, code codeState) string {
	q := url.Values{"code": {id}}
	if code.Ref != "" {
		q.Set("ref", code.Ref)
	}
	return "http://" + host + "/m.me/" + code.Page + "?" + q.Encode()
}

// serveCode draws a code.
func (s *Server) serveCode(w http.ResponseWriter, r *http.Request) {
	id := strings.TrimSuffix(r.PathValue("file"), ".png")
	s.mu.Lock()
	code, ok := s.codeByID(id)
	s.mu.Unlock()
	if !ok {
		http.Error(w, "there is no such code, or its picture has expired: it can be fetched for a day", http.StatusNotFound)
		return
	}
	s.drawCode(w, s.codeLink(r.Host, id, code), code.Size)
}

// serveLinkCode draws the m.me link of a page with a ref: /_emu/links/{page}.png?ref=.
func (s *Server) serveLinkCode(w http.ResponseWriter, r *http.Request) {
	page := strings.TrimSuffix(r.PathValue("file"), ".png")
	link := "http://" + r.Host + "/m.me/" + url.PathEscape(page)
	if ref := r.URL.Query().Get("ref"); ref != "" {
		link += "?" + url.Values{"ref": {ref}}.Encode()
	}
	s.drawCode(w, link, 600)
}

func (s *Server) drawCode(w http.ResponseWriter, link string, size int) {
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

// errLink is wrapped by what is wrong with a link that a person follows.
var errLink = errors.New("the link does not lead to a page of this emulator")

// readLink finds the page and the referral of a link: of m.me, of the
// emulator's own, or of a code. The lock is held.
func (s *Server) readLink(link string) (pageID string, ref *Referral, text string, err error) {
	u, parseErr := url.Parse(strings.TrimSpace(link))
	if parseErr != nil {
		return "", nil, "", errLink
	}
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	host := strings.TrimPrefix(u.Hostname(), "www.")
	switch {
	case len(parts) == 2 && parts[0] == "m.me", len(parts) == 1 && host == "m.me":
		pageID = path.Base(u.Path)
	default:
		return "", nil, "", errLink
	}
	if id := s.usernames[strings.ToLower(pageID)]; id != "" && s.pages[pageID] == nil {
		pageID = id
	}
	if s.pages[pageID] == nil {
		return "", nil, "", errLink
	}
	q := u.Query()
	ref = Referral{Ref: q.Get("ref")}.complete()
	if id := q.Get("code"); id != "" {
		ref.Source = "MESSENGER_CODE"
	}
	return pageID, ref, q.Get("text"), nil
}
