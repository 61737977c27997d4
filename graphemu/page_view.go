package graphemu

import "encoding/json"

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
func (w *world) view(pageID string) (pageView, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	page, err := w.findPage(pageID)
	if err != nil {
		return pageView{}, err
	}
	v := pageView{ID: page.ID, Name: page.Name, Picture: page.PictureURL, Profile: map[string]json.RawMessage{}, People: []personView{}}
	if v.Picture == "" {
		v.Picture = "/_emu/pictures/" + page.ID + ".svg"
	}
	for name, raw := range page.Profile {
		v.Profile[name] = raw
	}
	v.Personas = []*persona{}
	for _, p := range page.Personas {
		copied := *p
		v.Personas = append(v.Personas, &copied)
	}
	for _, c := range page.Comments {
		copied := *c
		v.Posts = append(v.Posts, &copied)
	}
	for _, id := range page.Order {
		p := page.people[id]
		owner := w.nameOf(page.owner(p))
		if page.owner(p) == pageInbox {
			owner = "Page Inbox"
		}
		v.People = append(v.People, p.view(owner))
	}
	return v, nil
}

// view returns the view of a person, whose thread an app has.
func (p *personState) view(owner string) personView {
	v := personView{Person: p.Person, Picture: p.ProfilePic, Menu: p.Menu, Request: p.Request, Owner: owner}
	if v.Picture == "" {
		v.Picture = "/_emu/pictures/" + p.ID + ".svg"
	}
	for _, m := range p.Messages {
		if m.ReadAt.IsZero() && m.Note == "" {
			if m.From == "page" {
				v.Unread++
			} else {
				v.Waiting++
			}
		}
	}
	if n := len(p.Messages); n > 0 {
		last := *p.Messages[n-1]
		last.Reactions = nil
		v.Last = &last
	}
	return v
}
