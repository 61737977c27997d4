package graphemu

import "encoding/json"

// menuRow is a persistent menu in one language.
type menuRow struct {
	Locale string     `json:"locale"`
	Items  []menuItem `json:"call_to_actions"`
}

type menuItem struct {
	Type    string     `json:"type"`
	Title   string     `json:"title"`
	URL     string     `json:"url"`
	Payload string     `json:"payload"`
	Items   []menuItem `json:"call_to_actions"`
}

// question is an ice breaker, or the ice breakers of one language.
type question struct {
	Question string     `json:"question"`
	Payload  string     `json:"payload"`
	Inner    []question `json:"call_to_actions"`
}

// MenuRow returns what a person can tap outside of messages: a row of the menu that they see,
// or an ice breaker.
func (s *Server) MenuRow(pageID, psid, title string) (TapAction, bool) {
	s.init()
	return s.world.menuRow(pageID, psid, title)
}

func (w *world) menuRow(pageID, psid, title string) (TapAction, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	page, p, err := w.find(pageID, psid)
	if err != nil {
		return TapAction{}, false
	}
	var menus []menuRow
	raw := p.Menu
	if raw == nil {
		raw = page.Profile["persistent_menu"]
	}
	if json.Unmarshal(raw, &menus) == nil {
		for _, m := range menus {
			if tap, ok := findRow(m.Items, title); ok {
				return tap, true
			}
		}
	}
	var questions []question
	if p.Open || json.Unmarshal(page.Profile["ice_breakers"], &questions) != nil {
		return TapAction{}, false
	}
	for _, q := range questions {
		for _, one := range append(q.Inner, q) {
			if one.Question == title {
				return TapAction{Title: title, Payload: one.Payload}, true
			}
		}
	}
	return TapAction{}, false
}

func findRow(items []menuItem, title string) (TapAction, bool) {
	for _, it := range items {
		if it.Type == "postback" && it.Title == title {
			return TapAction{Title: it.Title, Payload: it.Payload}, true
		}
		if tap, ok := findRow(it.Items, title); ok {
			return tap, true
		}
	}
	return TapAction{}, false
}

// menus returns the menus that apply to a person: their own and that of the page, nil where
// there is none.
func (w *world) menus(pageID, psid string) (own, ofPage json.RawMessage) {
	w.mu.Lock()
	defer w.mu.Unlock()
	page, p, err := w.find(pageID, psid)
	if err != nil {
		return nil, nil
	}
	return p.Menu, page.Profile["persistent_menu"]
}

// setMenu sets a menu for a single person, or removes it with nil.
func (w *world) setMenu(pageID, psid string, menu json.RawMessage) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if p := w.person(pageID, psid); p != nil {
		p.Menu = menu
		w.announce(change{Type: "pages"})
	}
}
