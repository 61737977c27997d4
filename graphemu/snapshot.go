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
	Uploads   map[string]attachment `json:"uploads,omitempty"`
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

// SaveTo writes the whole state as JSON: apps, pages, people, threads, tokens, subscriptions
// and profiles. It contains secrets. Webhooks in flight, records and faults are not part of it.
func (s *Server) SaveTo(w io.Writer) error {
	s.init()
	b, err := s.world.snapshot()
	if err != nil {
		return fmt.Errorf("save the platform's state: %w", err)
	}
	if _, err := w.Write(b); err != nil {
		return fmt.Errorf("save the platform's state: %w", err)
	}
	return nil
}

// snapshot returns the whole state as JSON.
func (w *world) snapshot() ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := saved{Version: 1, Made: w.ids.made(), Uploads: w.attachments.saved, SavedTime: w.clock.now(),
		Nodes: w.nodes, Codes: w.codes.all(), Alerts: w.courier.allAlerts(), Moved: w.clock.moved(), Dated: w.clock.isDated()}
	out.Tokens, out.Retired = w.tokens.all()
	for _, id := range w.appOrder {
		out.Apps = append(out.Apps, savedApp{w.apps[id].App, w.apps[id].Callback})
	}
	for _, id := range w.pageOrder {
		page := w.pages[id]
		sp := savedPage{pageData: page.pageData, Page: page.Page, Profile: page.Profile, Subscribed: page.Subscribed}
		for _, psid := range page.Order {
			p := page.people[psid]
			sp.People = append(sp.People, savedPerson{p.personData, p.Person, p.Messages, p.Seq, p.LastTime, p.LastActive, p.Pending, p.Edits})
		}
		out.Pages = append(out.Pages, sp)
	}
	return json.Marshal(out)
}

// LoadFrom replaces the state by one that SaveTo wrote. With an epoch that was not used before
// no mid is ever reused, even when the state is older than the last message.
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
	s.world.restore(in)
	return nil
}

// restore replaces the state by a sound one.
func (w *world) restore(in saved) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.courier.reset()
	w.threads.reset()
	w.ids.resume(in.Made)
	w.registry = newRegistry()
	for _, a := range in.Apps {
		w.putApp(&appState{a.App, a.Callback})
	}
	w.tokens.restore(in.Tokens, in.Retired)
	w.attachments.saved = map[string]attachment{}
	maps.Copy(w.attachments.saved, in.Uploads)
	w.courier.setAlerts(in.Alerts)
	maps.Copy(w.nodes, in.Nodes)
	w.codes.restore(in.Codes)
	w.clock.restore(in.Moved, in.Dated)
	for _, page := range in.Pages {
		w.restorePage(page)
	}
	w.announce(change{Type: "reset"})
}

// sound reports whether nothing is missing in a saved state.
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

// restorePage adds a page and continues what was in progress there. The lock is held.
func (w *world) restorePage(in savedPage) {
	page := newPage(in.Page)
	page.pageData = in.pageData
	if in.Profile != nil {
		page.Profile = in.Profile
	}
	if in.Subscribed != nil {
		page.Subscribed = in.Subscribed
	}
	w.putPage(page)
	w.rename("", in.Page)
	for _, p := range in.People {
		page.people[p.Person.ID] = &personState{
			Person: p.Person, personData: p.personData, Messages: p.Messages, Seq: p.Seq, LastTime: p.LastTime,
			LastActive: p.LastActive, Pending: p.Pending, Edits: p.Edits,
		}
		page.Order = append(page.Order, p.Person.ID)
	}
	// Messages whose receipt was under way are delivered now.
	for _, psid := range page.Order {
		p := page.people[psid]
		w.deliverSoon(page, p)
		for range p.Messages {
			w.threads.bound(p)
		}
	}
	for _, b := range page.Broadcasts {
		if b.Status == "SCHEDULED" || b.Status == "IN_PROGRESS" {
			w.runBroadcast(page, b, max(b.At.Sub(w.clock.now()), 0))
		}
	}
}
