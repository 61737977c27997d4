package graphemu

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// App is a Facebook app. What is empty when it is added is made.
type App struct {
	ID           string `json:"id"`
	Secret       string `json:"secret,omitempty"` // signs webhooks; 32 hex digits when made
	Name         string `json:"name"`
	LogoURL      string `json:"logo_url,omitempty"`
	RequireProof bool   `json:"require_proof,omitempty"` // refuse calls without appsecret_proof
	Development  bool   `json:"development,omitempty"`   // not live: only people with a role may be written to, and only their events come
}

// Page is a Facebook page together with the access token that one app holds for
// it.
type Page struct {
	ID            string   `json:"id"`
	Name          string   `json:"name"`
	Username      string   `json:"username,omitempty"`    // the page's name in addresses, as in m.me/inca.coffee
	PictureURL    string   `json:"picture_url,omitempty"` // a drawn one when empty
	AccessToken   string   `json:"access_token,omitempty"`
	AppID         string   `json:"app_id,omitempty"`         // whose token it is; the first app when empty
	GetStarted    string   `json:"get_started,omitempty"`    // payload of a Get Started button that is set from the beginning
	RefusedFields []string `json:"refused_fields,omitempty"` // profile fields that the app has no permission for
	AdAccount     string   `json:"ad_account,omitempty"`     // digits, without act_; one is made when empty
	News          bool     `json:"news,omitempty"`           // registered as a news page: keeps the tag NON_PROMOTIONAL_SUBSCRIPTION
	Unpublished   bool     `json:"unpublished,omitempty"`    // sends are refused
	Restricted    bool     `json:"restricted,omitempty"`     // for breaking policy: sends are refused
}

// Person is a Messenger user as one page sees them.
type Person struct {
	ID         string  `json:"id"` // the PSID
	FirstName  string  `json:"first_name"`
	LastName   string  `json:"last_name,omitempty"`
	ProfilePic string  `json:"profile_pic,omitempty"` // a drawn one when empty
	Locale     string  `json:"locale,omitempty"`      // "en_US" when empty
	Timezone   float64 `json:"timezone,omitempty"`    // hours from UTC
	Gender     string  `json:"gender,omitempty"`
	Phone      string  `json:"phone,omitempty"`   // found by sends to a phone number
	UserID     string  `json:"user_id,omitempty"` // the same for one human on several pages; one is made when empty
	Tester     bool    `json:"tester,omitempty"`  // has a role on the app
	Open       bool    `json:"open"`              // has a thread with the page, and the window is open
	Blocks     bool    `json:"blocks,omitempty"`  // has blocked the page: sends answer 551
	Offline    bool    `json:"offline,omitempty"` // messages are not delivered until the person is back
}

// Name is the person's first and last name.
func (p Person) Name() string { return strings.TrimSpace(p.FirstName + " " + p.LastName) }

// ThreadMessage is one message of a thread, whoever wrote it.
type ThreadMessage struct {
	MID         string            `json:"mid"`
	From        string            `json:"from"` // "person" or "page"
	Text        string            `json:"text,omitempty"`
	Message     json.RawMessage   `json:"message,omitempty"` // the page's: as it was sent; a person's: as in the event
	SentAt      time.Time         `json:"sent_at"`
	DeliveredAt time.Time         `json:"delivered_at,omitzero"`
	ReadAt      time.Time         `json:"read_at,omitzero"`
	Metadata    string            `json:"metadata,omitempty"`
	AppID       string            `json:"app_id,omitempty"`     // the page's: which app sent it
	PersonaID   string            `json:"persona_id,omitempty"` // the page's
	Tag         string            `json:"tag,omitempty"`        // the page's
	ReplyTo     string            `json:"reply_to,omitempty"`   // mid of the message that it answers
	Reactions   map[string]string `json:"reactions,omitempty"`  // "person" or "page" to an emoji
	Postback    string            `json:"postback,omitempty"`   // a tapped button: its payload
	Note        string            `json:"note,omitempty"`       // a line of the system, such as a followed link
}

// AddApp adds an app, or changes the one with that id, whose secret, name and
// picture stay where none are given. It returns the app with
// what was made.
func (s *Server) AddApp(a App) App {
	s.init()
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.ids.next()
	if a.ID == "" {
		a.ID = s.ids.id("app", n, 15)
	}
	if old := s.apps[a.ID]; old != nil {
		a.Secret, a.Name, a.LogoURL = cmp.Or(a.Secret, old.Secret), cmp.Or(a.Name, old.Name), cmp.Or(a.LogoURL, old.LogoURL)
	}
	if a.Secret == "" {
		a.Secret = s.ids.hex("secret", n)
	}
	if a.Name == "" {
		a.Name = "App " + a.ID
	}
	if old := s.apps[a.ID]; old != nil {
		old.App = a
		return a
	}
	s.apps[a.ID] = &appState{App: a}
	s.appOrder = append(s.appOrder, a.ID)
	return a
}

// AddPage adds a page, or renames the one with that id and adds the token. It
// returns the page with what was made. Without any app one is made too.
func (s *Server) AddPage(p Page) Page {
	s.init()
	if p.AppID == "" {
		p.AppID = s.firstApp()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.ids.next()
	if p.ID == "" {
		p.ID = s.ids.id("page", n, 15)
	}
	if p.AccessToken == "" {
		p.AccessToken = s.ids.token(n)
	}
	if p.Name == "" {
		p.Name = "Page " + p.ID
	}
	if old := s.pages[p.ID]; p.AdAccount == "" && old != nil {
		p.AdAccount = old.AdAccount
	}
	if p.AdAccount == "" {
		p.AdAccount = s.ids.id("ad account", n, 15)
	}
	state := s.pages[p.ID]
	if state == nil {
		state = &pageState{people: map[string]*personState{}, Subscribed: map[string][]string{}, Profile: map[string]json.RawMessage{}}
		s.pages[p.ID] = state
		s.pageOrder = append(s.pageOrder, p.ID)
	}
	s.rename(state.Page.Username, p)
	state.Page = p
	if p.GetStarted != "" {
		state.Profile["get_started"] = mustJSON(map[string]string{"payload": p.GetStarted})
	}
	s.tokens[p.AccessToken] = tokenState{AppID: p.AppID, PageID: p.ID}
	delete(s.retired, p.AccessToken)
	s.announce(change{Type: "pages"})
	return p
}

// rename notes the name of a page in addresses. A name that another page has
// goes over to this one. The lock is held.
func (s *Server) rename(before string, p Page) {
	if key := strings.ToLower(before); s.usernames[key] == p.ID {
		delete(s.usernames, key)
	}
	if p.Username != "" {
		s.usernames[strings.ToLower(p.Username)] = p.ID
	}
}

func (s *Server) firstApp() string {
	s.mu.Lock()
	var id string
	if len(s.appOrder) > 0 {
		id = s.appOrder[0]
	}
	s.mu.Unlock()
	if id == "" {
		id = s.AddApp(App{Name: "Demo App"}).ID
	}
	return id
}

// AddPerson adds a person to a page, or changes the one with that id, whose
// thread stays. It returns the person with what was made; for an unknown page
// that is the zero Person.
func (s *Server) AddPerson(pageID string, p Person) Person {
	s.init()
	s.mu.Lock()
	defer s.mu.Unlock()
	page := s.pages[pageID]
	if page == nil {
		return Person{}
	}
	n := s.ids.next()
	if p.ID == "" {
		p.ID = s.ids.id("person", n, 16)
	}
	if p.FirstName == "" {
		p.FirstName = "Person " + p.ID[len(p.ID)-min(4, len(p.ID)):]
	}
	if p.Locale == "" {
		p.Locale = "en_US"
	}
	if old := page.people[p.ID]; p.UserID == "" && old != nil {
		p.UserID = old.UserID
	}
	if p.UserID == "" {
		p.UserID = s.ids.id("user", n, 15)
	}
	state := page.people[p.ID]
	if state == nil {
		state = &personState{}
		page.people[p.ID] = state
		page.Order = append(page.Order, p.ID)
	}
	opened := p.Open && !state.Open
	state.Person = p
	if opened {
		state.LastActive = s.clock.now()
	}
	s.announce(change{Type: "pages"})
	return p
}

// AddToken gives another app a token for a page and returns it; an empty token
// is made. It returns "" for an unknown page or app.
func (s *Server) AddToken(pageID, appID, token string) string {
	s.init()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pages[pageID] == nil || s.apps[appID] == nil {
		return ""
	}
	if token == "" {
		token = s.ids.token(s.ids.next())
	}
	s.tokens[token] = tokenState{AppID: appID, PageID: pageID}
	delete(s.retired, token)
	return token
}

// SetPageToken gives the page's own app a new token; from then on every older
// token of that app for the page answers 190. With an empty token none works
// until the next one is set.
func (s *Server) SetPageToken(pageID, token string) {
	s.init()
	s.mu.Lock()
	defer s.mu.Unlock()
	page := s.pages[pageID]
	if page == nil {
		return
	}
	for old, info := range s.tokens {
		if info.PageID == pageID && info.AppID == page.AppID {
			delete(s.tokens, old)
			s.retired[old] = true
		}
	}
	page.AccessToken = token
	if token != "" {
		s.tokens[token] = tokenState{AppID: page.AppID, PageID: pageID}
		delete(s.retired, token)
	}
}

// SetBlocks says whether the person has blocked the page: sends then answer
// 551/1545041.
func (s *Server) SetBlocks(pageID, psid string, blocks bool) error {
	return s.changePerson(pageID, psid, func(page *pageState, p *personState) { s.block(page, p, blocks) })
}

// SetOffline says whether the person is away: messages then wait undelivered
// until the person is back.
func (s *Server) SetOffline(pageID, psid string, offline bool) error {
	return s.changePerson(pageID, psid, func(_ *pageState, p *personState) { p.Offline = offline })
}

func (s *Server) changePerson(pageID, psid string, f func(*pageState, *personState)) error {
	s.init()
	s.mu.Lock()
	defer s.mu.Unlock()
	page, person, err := s.find(pageID, psid)
	if err != nil {
		return err
	}
	f(page, person)
	s.deliverDue(page, person)
	return nil
}

func mustJSON(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("graphemu: marshal %T: %v", v, err))
	}
	return b
}

// block makes the person block the page, or let it in again. The lock is held.
func (s *Server) block(page *pageState, p *personState, blocks bool) {
	if blocks && !p.Blocks {
		s.tally(page, func(c *count) { c.Blocked++ })
	}
	p.Blocks = blocks
}
