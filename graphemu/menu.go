package graphemu

import "encoding/json"

// question is an ice breaker, or those of one language.
type question struct {
	Question string     `json:"question"`
	Payload  string     `json:"payload"`
	Inner    []question `json:"call_to_actions"`
}

// MenuRow finds what a person can tap outside the messages: a row of the menu
// that they see, or an ice breaker.
func (s *Server) MenuRow(pageID, psid, title string) (TapAction, bool) {
	s.init()
	s.mu.Lock()
	defer s.mu.Unlock()
	page, p, err := s.find(pageID, psid)
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
