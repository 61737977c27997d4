package graphemu

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"
)

// saved is the state as SaveTo writes it.
type saved struct {
	Version   int                   `json:"version"`
	Made      int                   `json:"made"`
	Apps      []savedApp            `json:"apps"`
	Pages     []savedPage           `json:"pages"`
	Tokens    map[string]tokenState `json:"tokens"`
	Retired   []string              `json:"retired_tokens,omitempty"`
	Uploads   map[string]reusable   `json:"uploads,omitempty"`
	Nodes     map[string]nodeRef    `json:"nodes,omitempty"`
	Codes     map[string]codeState  `json:"codes,omitempty"`
	Alerts    []Alert               `json:"alerts,omitempty"`
	Moved     time.Duration         `json:"clock_moved,omitempty"` // nanoseconds from the real time
	Dated     bool                  `json:"clock_dated,omitempty"`
	SavedTime time.Time             `json:"saved_at"`
}

type savedApp struct {
	App      App       `json:"app"`
	Callback *callback `json:"callback,omitempty"`
}

type savedPage struct {
	pageData
	Page       Page                       `json:"page"`
	Profile    map[string]json.RawMessage `json:"profile"`
	Subscribed map[string][]string        `json:"subscribed"`
	People     []savedPerson              `json:"people"`
}

type savedPerson struct {
	personData
	Person     Person           `json:"person"`
	Messages   []*ThreadMessage `json:"messages,omitempty"`
	Seq        int              `json:"seq"`
	LastTime   int64            `json:"last_time"`
	LastActive time.Time        `json:"last_active"`
	Pending    *Referral        `json:"pending,omitempty"`
	Edits      []string         `json:"edits,omitempty"`
}

// SaveTo writes the whole state as JSON: apps, pages, people, threads, tokens,
// subscriptions, profiles. It holds secrets. Webhooks under way, records and
// faults are not part of it.
func (s *Server) SaveTo(w io.Writer) error {
	s.init()
	b, err := s.snapshot()
	if err != nil {
		return fmt.Errorf("save the platform's state: %w", err)
	}
	if _, err := w.Write(b); err != nil {
		return fmt.Errorf("save the platform's state: %w", err)
	}
	return nil
}

func (s *Server) snapshot() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := saved{Version: 1, Made: s.ids.made(), Tokens: s.tokens, Uploads: s.uploads, SavedTime: s.clock.now(),
		Nodes: s.nodes, Codes: s.codes, Alerts: s.courier.allAlerts(), Moved: s.clock.moved(), Dated: s.clock.isDated()}
	for token := range s.retired {
		out.Retired = append(out.Retired, token)
	}
	for _, id := range s.appOrder {
		out.Apps = append(out.Apps, savedApp{s.apps[id].App, s.apps[id].Callback})
	}
	for _, id := range s.pageOrder {
		page := s.pages[id]
		sp := savedPage{pageData: page.pageData, Page: page.Page, Profile: page.Profile, Subscribed: page.Subscribed}
		for _, psid := range page.Order {
			p := page.people[psid]
			sp.People = append(sp.People, savedPerson{p.personData, p.Person, p.Messages, p.Seq, p.LastTime, p.LastActive, p.Pending, p.Edits})
		}
		out.Pages = append(out.Pages, sp)
	}
	return json.Marshal(out)
}

// LoadFrom replaces the state by one that SaveTo wrote. With an epoch that was
// not used before no mid is ever made twice, even when the state is older than
// the last message.
func (s *Server) LoadFrom(r io.Reader) error {
	s.init()
	var in saved
	if err := json.NewDecoder(r).Decode(&in); err != nil {
		return fmt.Errorf("load the platform's state: %w", err)
	}
	if in.Version != 1 {
		return fmt.Errorf("load the platform's state: version %d is not known", in.Version)
	}
	if !in.sound() {
		return errors.New("load the platform's state: it is damaged")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.courier.reset()
	s.kept, s.keptHead = nil, 0
	s.ids.resume(in.Made)
	s.apps, s.appOrder = map[string]*appState{}, nil
	for _, a := range in.Apps {
		s.apps[a.App.ID] = &appState{a.App, a.Callback}
		s.appOrder = append(s.appOrder, a.App.ID)
	}
	s.tokens, s.retired, s.uploads = map[string]tokenState{}, map[string]bool{}, map[string]reusable{}
	for token, info := range in.Tokens {
		s.tokens[token] = info
	}
	for _, token := range in.Retired {
		s.retired[token] = true
	}
	for id, upload := range in.Uploads {
		s.uploads[id] = upload
	}
	s.nodes, s.codes = map[string]nodeRef{}, map[string]codeState{}
	s.courier.setAlerts(in.Alerts)
	maps.Copy(s.nodes, in.Nodes)
	maps.Copy(s.codes, in.Codes)
	s.clock.restore(in.Moved, in.Dated)
	s.loadPages(in.Pages)
	s.announce(change{Type: "reset"})
	return nil
}

// sound reports whether everything that has to be there is.
func (in saved) sound() bool {
	apps := map[string]bool{}
	for _, a := range in.Apps {
		apps[a.App.ID] = true
	}
	for _, p := range in.Pages {
		if p.Page.ID == "" || !apps[p.Page.AppID] || !p.pageData.sound() {
			return false
		}
		for _, who := range p.People {
			if who.Person.ID == "" || slices.Contains(who.Messages, nil) {
				return false
			}
		}
	}
	for _, info := range in.Tokens {
		if !apps[info.AppID] {
			return false
		}
	}
	return !apps[""]
}

func (p pageData) sound() bool {
	return !slices.Contains(p.Labels, nil) && !slices.Contains(p.Personas, nil) && !slices.Contains(p.Creatives, nil) && !slices.Contains(p.Broadcasts, nil) &&
		!slices.Contains(p.Estimates, nil) && !slices.Contains(p.Comments, nil) && !slices.Contains(p.Tokens, nil)
}

func (s *Server) loadPages(pages []savedPage) {
	s.pages, s.pageOrder, s.usernames = map[string]*pageState{}, nil, map[string]string{}
	for _, in := range pages {
		page := &pageState{Page: in.Page, pageData: in.pageData, people: map[string]*personState{}, Profile: in.Profile, Subscribed: in.Subscribed}
		if page.Profile == nil {
			page.Profile = map[string]json.RawMessage{}
		}
		if page.Subscribed == nil {
			page.Subscribed = map[string][]string{}
		}
		s.pages[in.Page.ID] = page
		s.rename("", in.Page)
		s.pageOrder = append(s.pageOrder, in.Page.ID)
		for _, p := range in.People {
			page.people[p.Person.ID] = &personState{
				Person: p.Person, personData: p.personData, Messages: p.Messages, Seq: p.Seq, LastTime: p.LastTime,
				LastActive: p.LastActive, Pending: p.Pending, Edits: p.Edits,
			}
			page.Order = append(page.Order, p.Person.ID)
		}
		// Messages whose receipt was under way are delivered now.
		for _, psid := range page.Order {
			s.deliverSoon(page, page.people[psid])
			for range page.people[psid].Messages {
				s.bound(page.people[psid])
			}
		}
		for _, b := range page.Broadcasts {
			if b.Status == "SCHEDULED" || b.Status == "IN_PROGRESS" {
				s.runBroadcast(page, b, max(b.At.Sub(s.clock.now()), 0))
			}
		}
	}
}

// First returns the first page with its app and its people, and false when there
// is none: what a program needs to go on with a loaded state.
func (s *Server) First() (Page, App, []Person, bool) {
	s.init()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.pageOrder) == 0 {
		return Page{}, App{}, nil, false
	}
	page := s.pages[s.pageOrder[0]]
	app := s.apps[page.AppID]
	if app == nil {
		return Page{}, App{}, nil, false
	}
	var people []Person
	for _, id := range page.Order {
		people = append(people, page.people[id].Person)
	}
	return page.Page, app.App, people, true
}
