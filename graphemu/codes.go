package graphemu

import (
	"maps"
	"net/url"
	"sync"
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

// codeStore keeps the Messenger codes that can be fetched. It is safe for concurrent use.
type codeStore struct {
	ids   *ids
	clock *clock

	mu    sync.Mutex
	codes map[string]codeState
}

// add saves a code of a page and returns its id.
func (s *codeStore) add(pageID, ref string, size int) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := s.ids.fresh("code", 12)
	s.codes[id] = codeState{Page: pageID, Ref: ref, Size: size, Made: s.clock.now()}
	return id
}

// get returns a code whose picture can still be fetched.
func (s *codeStore) get(id string) (codeState, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	code, ok := s.codes[id]
	if ok && !code.Made.IsZero() && s.clock.now().Sub(code.Made) >= codeLife {
		delete(s.codes, id)
		return codeState{}, false
	}
	return code, ok
}

// all returns all codes by id.
func (s *codeStore) all() map[string]codeState {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.codes)
}

// restore replaces all codes.
func (s *codeStore) restore(codes map[string]codeState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.codes = map[string]codeState{}
	maps.Copy(s.codes, codes)
}

// link returns the address to which a code leads.
func (c codeState) link(host, id string) string {
	q := url.Values{"code": {id}}
	if c.Ref != "" {
		q.Set("ref", c.Ref)
	}
	return "http://" + host + "/m.me/" + c.Page + "?" + q.Encode()
}
