package graphemu

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// pageView is a page as the chat page needs it: without tokens.
type pageView struct {
	ID      string                     `json:"id"`
	Name    string                     `json:"name"`
	Picture string                     `json:"picture"`
	Profile map[string]json.RawMessage `json:"profile"`
	People  []personView               `json:"people"`

	Personas []*persona `json:"personas"`
	Posts    []*comment `json:"posts,omitempty"`
}

type personView struct {
	Person
	Picture string         `json:"picture"`
	Last    *ThreadMessage `json:"last,omitempty"`
	Unread  int            `json:"unread"` // messages of the page that the person has not seen

	Menu    json.RawMessage `json:"menu,omitempty"`    // user-level menu
	Request bool            `json:"request,omitempty"` // the page asks to write
	Waiting int             `json:"waiting"`           // messages of the person that the page has not seen
	Owner   string          `json:"owner"`             // app that has the thread, by name
}

// view makes the view of one page.
func (s *Server) view(pageID string) (pageView, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	page := s.pages[pageID]
	if page == nil {
		return pageView{}, fmt.Errorf("%w %.40q", ErrUnknownPage, pageID)
	}
	v := pageView{ID: page.ID, Name: page.Name, Picture: page.PictureURL, Profile: map[string]json.RawMessage{}, People: []personView{}}
	if v.Picture == "" {
		v.Picture = "/_emu/pictures/" + page.ID + ".svg"
	}
	for name, raw := range page.Profile {
		v.Profile[name] = raw
	}
	v.Personas = append([]*persona{}, page.Personas...)
	for _, c := range page.Comments {
		copied := *c
		v.Posts = append(v.Posts, &copied)
	}
	for _, id := range page.Order {
		p := page.people[id]
		pv := personView{Person: p.Person, Picture: p.ProfilePic}
		if pv.Picture == "" {
			pv.Picture = "/_emu/pictures/" + p.ID + ".svg"
		}
		pv.Menu, pv.Request, pv.Owner = p.Menu, p.Request, s.nameOf(page.owner(p))
		if page.owner(p) == pageInbox {
			pv.Owner = "Page Inbox"
		}
		for _, m := range p.Messages {
			if m.ReadAt.IsZero() && m.Note == "" {
				if m.From == "page" {
					pv.Unread++
				} else {
					pv.Waiting++
				}
			}
		}
		if n := len(p.Messages); n > 0 {
			last := *p.Messages[n-1]
			last.Reactions = nil
			pv.Last = &last
		}
		v.People = append(v.People, pv)
	}
	return v, nil
}

func (s *Server) controlPage(w http.ResponseWriter, r *http.Request) {
	v, err := s.view(r.PathValue("page"))
	if err != nil {
		rejectFor(w, err)
		return
	}
	reply(w, http.StatusOK, v)
}

func (s *Server) controlPages(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	ids := append([]string{}, s.pageOrder...)
	s.mu.Unlock()
	views := []pageView{}
	for _, id := range ids {
		if v, err := s.view(id); err == nil {
			views = append(views, v)
		}
	}
	reply(w, http.StatusOK, map[string]any{"pages": views})
}
