package graphemu

import (
	"net/url"
	"time"
)

// codeState is a Messenger code of a page.
type codeState struct {
	Page string `json:"page"`
	Ref  string `json:"ref"`
	Size int    `json:"size"`

	Made time.Time `json:"made,omitzero"`
}

// codeLife is how long the picture of a code can be fetched. The platform says that its address
// is not permanent, but not how long it lasts; a day is an assumption. A picture that was
// fetched can be scanned forever.
const codeLife = 24 * time.Hour

// addCode saves a code and returns its id.
func (w *world) addCode(pageID, ref string, size int) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	id := w.ids.fresh("code", 12)
	w.codes[id] = codeState{Page: pageID, Ref: ref, Size: size, Made: w.clock.now()}
	return id
}

// code returns a code whose picture can still be fetched.
func (w *world) code(id string) (codeState, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.codeByID(id)
}

// codeByID returns a code whose picture can still be fetched. The lock is held.
func (w *world) codeByID(id string) (codeState, bool) {
	code, ok := w.codes[id]
	if ok && !code.Made.IsZero() && w.clock.now().Sub(code.Made) >= codeLife {
		delete(w.codes, id)
		return codeState{}, false
	}
	return code, ok
}

// link returns the address to which a code leads.
func (c codeState) link(host, id string) string {
	q := url.Values{"code": {id}}
	if c.Ref != "" {
		q.Set("ref", c.Ref)
	}
	return "http://" + host + "/m.me/" + c.Page + "?" + q.Encode()
}

// leads reports whether a link leads straight to a page.
func (w *world) leads(link string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, _, err := w.readLink(link)
	return err == nil
}
