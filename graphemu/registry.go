package graphemu

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"
)

// Errors of the methods of [Server] and of the control API.
var (
	ErrUnknownPage   = errors.New("unknown page")
	ErrUnknownPerson = errors.New("unknown person")
)

// registry holds who and what has an id: apps, pages with their people, and what pages have made.
// The world's lock guards it.
type registry struct {
	apps      map[string]*appState
	appOrder  []string
	pages     map[string]*pageState
	pageOrder []string
	usernames map[string]string  // pages by their name in addresses, in lower case
	nodes     map[string]nodeRef // everything else that has an id
}

// nodeRef says what an id belongs to.
type nodeRef struct{ Kind, Page string }

func newRegistry() registry {
	return registry{
		apps: map[string]*appState{}, pages: map[string]*pageState{},
		usernames: map[string]string{}, nodes: map[string]nodeRef{},
	}
}

func (r *registry) putApp(a *appState) {
	r.apps[a.ID] = a
	r.appOrder = append(r.appOrder, a.ID)
}

func (r *registry) putPage(p *pageState) {
	r.pages[p.ID] = p
	r.pageOrder = append(r.pageOrder, p.ID)
}

// findPage returns a page.
func (r *registry) findPage(pageID string) (*pageState, error) {
	page := r.pages[pageID]
	if page == nil {
		return nil, fmt.Errorf("%w %.40q", ErrUnknownPage, pageID)
	}
	return page, nil
}

// find returns a page and one of its people.
func (r *registry) find(pageID, psid string) (*pageState, *personState, error) {
	page, err := r.findPage(pageID)
	if err != nil {
		return nil, nil, err
	}
	person := page.people[psid]
	if person == nil {
		return nil, nil, fmt.Errorf("%w %.40q", ErrUnknownPerson, psid)
	}
	return page, person, nil
}

// person returns one of a page's people, nil when there is no such page or person.
func (r *registry) person(pageID, psid string) *personState {
	if page := r.pages[pageID]; page != nil {
		return page.people[psid]
	}
	return nil
}

// rename records the username of a page. One that another page has passes to this page.
func (r *registry) rename(before string, p Page) {
	if key := strings.ToLower(before); r.usernames[key] == p.ID {
		delete(r.usernames, key)
	}
	if p.Username != "" {
		r.usernames[strings.ToLower(p.Username)] = p.ID
	}
}

// nameOf returns the name of an app, a page or a person, "" for an unknown id.
func (r *registry) nameOf(id string) string {
	if app := r.apps[id]; app != nil {
		return app.Name
	}
	if page := r.pages[id]; page != nil {
		return page.Name
	}
	for _, page := range r.pages {
		if p := page.people[id]; p != nil {
			return p.Name()
		}
	}
	return ""
}

// errLink is wrapped by the errors of links that a person follows.
var errLink = errors.New("the link does not lead to a page of this emulator")

// readLink returns the page and the referral of a link: one of m.me, of the emulator, or of a
// code.
func (r *registry) readLink(link string) (pageID string, ref *Referral, err error) {
	u, parseErr := url.Parse(strings.TrimSpace(link))
	if parseErr != nil {
		return "", nil, errLink
	}
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	host := strings.TrimPrefix(u.Hostname(), "www.")
	switch {
	case len(parts) == 2 && parts[0] == "m.me", len(parts) == 1 && host == "m.me":
		pageID = path.Base(u.Path)
	default:
		return "", nil, errLink
	}
	if id := r.usernames[strings.ToLower(pageID)]; id != "" && r.pages[pageID] == nil {
		pageID = id
	}
	if r.pages[pageID] == nil {
		return "", nil, errLink
	}
	q := u.Query()
	ref = Referral{Ref: q.Get("ref")}.complete()
	if q.Get("code") != "" {
		ref.Source = "MESSENGER_CODE"
	}
	return pageID, ref, nil
}

// findByID returns the element with an id and its index, -1 when there is none.
func findByID[T interface{ nodeID() string }](list []T, id string) (found T, i int) {
	for i, x := range list {
		if x.nodeID() == id {
			return x, i
		}
	}
	return found, -1
}

// newNode returns an id for an object of a page. The lock is held.
func (w *world) newNode(kind string, page *pageState) string {
	id := w.ids.fresh(kind, 16)
	w.nodes[id] = nodeRef{kind, page.ID}
	return id
}

// hasApp reports whether there is an app with this id.
func (w *world) hasApp(id string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.apps[id] != nil
}

// hasPage reports whether there is a page with this id.
func (w *world) hasPage(id string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.pages[id] != nil
}

// hasPerson reports whether a page has a person with this id.
func (w *world) hasPerson(pageID, psid string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.person(pageID, psid) != nil
}

// belongs reports whether an object belongs to a page.
func (w *world) belongs(id, pageID string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, ok := w.nodes[id]
	return ok && pageID != "" && n.Page == pageID
}

// pageID returns the id of the page with a username, or the argument itself when there is none.
func (w *world) pageID(name string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if id := w.usernames[strings.ToLower(name)]; id != "" {
		return id
	}
	return name
}

// name returns the name of an app, a page or a person.
func (w *world) name(id string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.nameOf(id)
}

// kindOf returns what an id is to a caller: page, app, user, the kind of an object of a page,
// conversation, message, or else profile.
func (w *world) kindOf(id, pageID, user string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case id == "me" || w.pages[id] != nil:
		return "page"
	case w.apps[id] != nil || id == "app":
		return "app"
	case user != "" && id == user:
		return "user"
	}
	if n, ok := w.nodes[id]; ok {
		return n.Kind
	}
	if page := w.pages[pageID]; page != nil {
		if page.conversation(id) != nil {
			return "conversation"
		}
		if _, m := page.messageByID(id); m != nil {
			return "message"
		}
	}
	return "profile"
}

// leads reports whether a link leads straight to a page.
func (w *world) leads(link string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, _, err := w.readLink(link)
	return err == nil
}
