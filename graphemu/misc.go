package graphemu

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

// featureReview is GET /{page}/messaging_feature_review.
func (s *Server) featureReview(*call, *pageState) (any, *messenger.Error) {
	return map[string]any{"data": []any{map[string]string{"feature": "subscription_messaging", "status": "approved"}}}, nil
}

// messageTags is GET /page_message_tags.
func (s *Server) messageTags(c *call) (any, *messenger.Error) {
	at := s.calendar.era(c.ver)
	if !s.calendar.takes(messenger.FeatureMessageTags, at) {
		return nil, unsupported(c)
	}
	data := []any{}
	list, _ := messenger.RuleOf(messenger.FeatureMessageTags)
	for r := range messenger.Rules() {
		if !s.calendar.takes(r.Feature, at) || !r.Until.Equal(list.Until) {
			continue // the list ended with its tags, and never had the later ones
		}
		for _, tag := range r.Tags {
			name := string(tag)
			words := strings.ToLower(strings.ReplaceAll(name, "_", " "))
			data = append(data, map[string]string{"tag": name, "description": "The " + name + " tag may only be used for: " + words + "."})
		}
	}
	return map[string]any{"data": data}, nil
}

// customEvent is one that an app has logged.
type customEvent struct {
	App    string          `json:"app"`
	PSID   string          `json:"psid,omitempty"`
	Events json.RawMessage `json:"events"`
	Time   time.Time       `json:"time"`
}

// maxEvents is how many custom events of a page are kept.
const maxEvents = 1000

// logEvents is POST /{app}/activities. It needs no token.
func (s *Server) logEvents(c *call) (any, *messenger.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.apps[c.node] == nil {
		return nil, unsupported(c)
	}
	if kind := c.params.text("event"); kind != "CUSTOM_APP_EVENTS" && kind != "MOBILE_APP_INSTALL" {
		return nil, refuse(100, 0, "(#100) Param event must be one of {CUSTOM_APP_EVENTS, MOBILE_APP_INSTALL}")
	}
	raw := c.params["custom_events"]
	if text := c.params.text("custom_events"); text != "" {
		raw = json.RawMessage(text)
	}
	var events []map[string]any
	if json.Unmarshal(raw, &events) != nil || len(events) == 0 {
		return nil, refuse(100, 0, "(#100) Param custom_events must be a list of events")
	}
	for _, e := range events {
		if name, ok := e["_eventName"].(string); !ok || name == "" {
			return nil, refuse(100, 0, "(#100) Every custom event needs an _eventName")
		}
	}
	pageID, psid := c.params.text("page_id"), c.params.text("page_scoped_user_id")
	c.psid = psid
	page := s.pages[pageID]
	if page == nil || page.people[psid] == nil {
		return nil, refuse(100, 0, "(#100) Param page_scoped_user_id must be a person of the page page_id")
	}
	page.Events = append(page.Events, customEvent{c.node, psid, mustJSON(events), s.clock.now()})
	if n := len(page.Events); n > maxEvents {
		page.Events = slices.Clone(page.Events[n-maxEvents:])
	}
	return success(), nil
}

// idsForApps is GET /{user}/ids_for_apps.
func (s *Server) idsForApps(c *call) (any, *messenger.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	user, e := s.userOf(c)
	if e != nil {
		return nil, e
	}
	items := []item{}
	for _, id := range s.appOrder {
		if wanted := c.params.text("app"); wanted == "" || wanted == id {
			asid := s.appScoped(id, user)
			items = append(items, item{asid, map[string]any{"id": asid, "app": map[string]string{
				"link": "https://www.facebook.com/games/?app_id=" + id, "name": s.apps[id].Name, "id": id,
			}}})
		}
	}
	return list(c, "User", items, "id", "app")
}

// idsForPages is GET /{user}/ids_for_pages.
func (s *Server) idsForPages(c *call) (any, *messenger.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	user, e := s.userOf(c)
	if e != nil {
		return nil, e
	}
	items := []item{}
	for _, id := range s.pageOrder {
		page := s.pages[id]
		if wanted := c.params.text("page"); wanted != "" && wanted != id {
			continue
		}
		for _, psid := range page.Order {
			if page.people[psid].UserID == user {
				items = append(items, item{psid, map[string]any{"id": psid, "page": map[string]string{"name": page.Name, "id": page.ID}}})
			}
		}
	}
	return list(c, "User", items, "id", "page")
}

// appScoped is the id of a human for one app. The lock is held.
func (s *Server) appScoped(appID, user string) string {
	return s.ids.id("user "+user+" of app "+appID, 0, 16)
}

// userOf finds the human whom a page-scoped or an app-scoped id means.
func (s *Server) userOf(c *call) (string, *messenger.Error) {
	if !c.params.has("appsecret_proof") {
		return "", refuseProof("API calls from the server require an appsecret_proof argument")
	}
	if page := s.pages[c.page]; page != nil && page.people[c.node] != nil {
		c.psid = c.node
		return page.people[c.node].UserID, nil
	}
	for _, page := range s.pages {
		for _, p := range page.people {
			if s.appScoped(c.app, p.UserID) == c.node {
				return p.UserID, nil
			}
		}
	}
	return "", unsupported(c)
}

// unlinkAccounts is POST /{page}/unlink_accounts.
func (s *Server) unlinkAccounts(c *call, page *pageState) (any, *messenger.Error) {
	p := page.people[c.params.text("psid")]
	if p == nil {
		return nil, refuse(100, 2018001, "(#100) No matching user found")
	}
	s.link(page, p, "unlinked", "")
	return map[string]string{"result": "unlink account success"}, nil
}
