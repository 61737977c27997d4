package graphemu

import "encoding/json"

// Page is a Facebook page, together with the access token that one app has for it.
type Page struct {
	ID            string   `json:"id"`
	Name          string   `json:"name"`
	Username      string   `json:"username,omitempty"`    // the page's name in addresses, as in m.me/inca.coffee
	PictureURL    string   `json:"picture_url,omitempty"` // drawn when empty
	AccessToken   string   `json:"access_token,omitempty"`
	AppID         string   `json:"app_id,omitempty"`         // whose token it is; the first app when empty
	GetStarted    string   `json:"get_started,omitempty"`    // payload of a Get Started button that is set from the beginning
	RefusedFields []string `json:"refused_fields,omitempty"` // profile fields that the app has no permission for
	AdAccount     string   `json:"ad_account,omitempty"`     // digits, without act_; generated when empty
	News          bool     `json:"news,omitempty"`           // registered as a news page: keeps the tag NON_PROMOTIONAL_SUBSCRIPTION
	Unpublished   bool     `json:"unpublished,omitempty"`    // sends are refused
	Restricted    bool     `json:"restricted,omitempty"`     // for breaking policy: sends are refused
}

type pageState struct {
	Page
	pageData
	people     map[string]*personState
	Order      []string                   // of the people
	Profile    map[string]json.RawMessage // messenger profile
	Subscribed map[string][]string        // app id to page-level fields
}

// pageData is what apps have created at a page.
type pageData struct {
	Labels     []*label          `json:"labels,omitempty"`
	Personas   []*persona        `json:"personas,omitempty"`
	Creatives  []*creative       `json:"creatives,omitempty"`
	Broadcasts []*broadcast      `json:"broadcasts,omitempty"`
	Estimates  []*estimate       `json:"estimates,omitempty"`
	NLP        nlpConfig         `json:"nlp,omitzero"`
	Events     []customEvent     `json:"events,omitempty"`
	Counts     map[string]count  `json:"counts,omitempty"`  // by day, for insights
	Primary    string            `json:"primary,omitempty"` // app with the role of primary receiver
	Refs       map[string]string `json:"refs,omitempty"`    // user_ref of a checkbox to the person
	Comments   []*comment        `json:"comments,omitempty"`
	Tokens     []*optinToken     `json:"optin_tokens,omitempty"`
	Welcome    *welcome          `json:"welcome,omitempty"`
}

func newPage(p Page) *pageState {
	return &pageState{Page: p, people: map[string]*personState{}, Subscribed: map[string][]string{}, Profile: map[string]json.RawMessage{}}
}

// AddPage adds a page, or renames the one with that id and adds the token. It returns the page
// with the fields that were filled in. When there is no app yet, it adds one.
func (s *Server) AddPage(p Page) Page {
	s.init()
	return s.world.addPage(p)
}

// First returns the first page with its app and its people, and false when there is none. A
// program that loads a saved state continues with them.
func (s *Server) First() (Page, App, []Person, bool) {
	s.init()
	return s.world.first()
}

// SetPublished says whether a page is published. Sends of one that is not are
// refused.
func (s *Server) SetPublished(pageID string, published bool) {
	s.init()
	s.world.setPublished(pageID, published)
}

func (w *world) addPage(p Page) Page {
	w.mu.Lock()
	defer w.mu.Unlock()
	if p.AppID == "" {
		p.AppID = w.firstApp()
	}
	n := w.ids.next()
	if p.ID == "" {
		p.ID = w.ids.id("page", n, 15)
	}
	if p.AccessToken == "" {
		p.AccessToken = w.ids.token(n)
	}
	if p.Name == "" {
		p.Name = "Page " + p.ID
	}
	state := w.pages[p.ID]
	if p.AdAccount == "" && state != nil {
		p.AdAccount = state.AdAccount
	}
	if p.AdAccount == "" {
		p.AdAccount = w.ids.id("ad account", n, 15)
	}
	if state == nil {
		state = newPage(Page{ID: p.ID})
		w.putPage(state)
	}
	w.rename(state.Page.Username, p)
	state.Page = p
	if p.GetStarted != "" {
		state.Profile["get_started"] = mustJSON(map[string]string{"payload": p.GetStarted})
	}
	w.tokens.set(p.AccessToken, tokenState{AppID: p.AppID, PageID: p.ID})
	w.announce(change{Type: "pages"})
	return p
}

// firstApp returns the id of the first app, and makes one when there is none. The
// lock is held.
func (w *world) firstApp() string {
	if len(w.appOrder) > 0 {
		return w.appOrder[0]
	}
	return w.makeApp(App{Name: "Demo App"}).ID
}

// page returns a page.
func (w *world) page(id string) (Page, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if page := w.pages[id]; page != nil {
		return page.Page, true
	}
	return Page{}, false
}

// allPages returns all pages in the order in which they were added.
func (w *world) allPages() []Page {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := make([]Page, len(w.pageOrder))
	for i, id := range w.pageOrder {
		out[i] = w.pages[id].Page
	}
	return out
}

func (w *world) first() (Page, App, []Person, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.pageOrder) == 0 {
		return Page{}, App{}, nil, false
	}
	page := w.pages[w.pageOrder[0]]
	app := w.apps[page.AppID]
	if app == nil {
		return Page{}, App{}, nil, false
	}
	return page.Page, app.App, page.persons(), true
}

func (w *world) setPublished(pageID string, published bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if page := w.pages[pageID]; page != nil {
		page.Unpublished = !published
	}
}

// carryOut applies the lasting effects of a fault rule to the token, the page and the person of
// a call.
func (w *world) carryOut(f Fault, token, pageID, psid string) {
	if f.ExpireToken {
		w.tokens.retire(token)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	page := w.pages[pageID]
	if page == nil {
		return
	}
	page.Unpublished = page.Unpublished || f.Unpublish
	if p := page.people[psid]; p != nil && f.PersonBlocks {
		p.block(page, w.clock.now(), true)
	}
}
