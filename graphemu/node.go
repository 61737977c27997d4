package graphemu

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/chasqui/chasqui/messenger"
)

// selectFields keeps what was asked for; id always comes along.
func selectFields(c *call, node string, all map[string]any, byDefault ...string) (any, *messenger.Error) {
	wanted := parseFields(c.params.list("fields"))
	if len(wanted) == 0 {
		for _, name := range byDefault {
			wanted = append(wanted, field{name: name})
		}
	}
	return pick(node, all, wanted)
}

func pick(node string, all map[string]any, wanted []field) (map[string]any, *messenger.Error) {
	out := map[string]any{}
	if id, ok := all["id"]; ok {
		out["id"] = id
	}
	for _, f := range wanted {
		value, ok := all[f.name]
		if !ok {
			return nil, refuse(100, 0, "(#100) Tried accessing nonexistent field ("+f.name+") on node type ("+node+")")
		}
		if value == nil {
			continue
		}
		inner, e := pickInner(f, value)
		if e != nil {
			return nil, e
		}
		out[f.name] = inner
	}
	return out, nil
}

// pickInner applies what stands in braces after a field, to an object or to each
// of a list in data.
func pickInner(f field, value any) (any, *messenger.Error) {
	object, ok := value.(map[string]any)
	if !ok {
		return value, nil
	}
	data, isList := object["data"].([]any)
	if !isList {
		if len(f.inner) == 0 {
			return value, nil
		}
		return pick(f.name, object, f.inner)
	}
	if f.limit > 0 {
		data = data[:min(f.limit, len(data))]
	}
	inner := f.inner
	if len(inner) == 0 && f.name == "messages" {
		inner = []field{{name: "id"}, {name: "created_time"}}
	}
	if len(inner) == 0 {
		return map[string]any{"data": data}, nil
	}
	out := []any{}
	for _, v := range data {
		m, ok := v.(map[string]any)
		if !ok {
			continue
		}
		picked, e := pick(f.name, m, inner)
		if e != nil {
			return nil, e
		}
		out = append(out, picked)
	}
	return map[string]any{"data": out}, nil
}

// getPage is GET /me and GET /{page}.
func (s *Server) getPage(c *call) (any, *messenger.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	page := s.pages[c.node]
	if page == nil || (c.page != "" && c.page != page.ID) {
		return nil, unsupported(c)
	}
	if c.params.has("account_linking_token") {
		return s.linkedRecipient(c, page)
	}
	return selectFields(c, "Page", s.pageFields(c, page), "name", "id")
}

// postPage is POST /me with an account_linking_token, which some libraries send
// where the platform's pages have a GET. Nothing else of a page can be changed.
func (s *Server) postPage(c *call) (any, *messenger.Error) {
	if !c.params.has("account_linking_token") {
		return nil, unsupported(c)
	}
	return s.getPage(c)
}

// pageFields are the fields of a page. The lock is held.
func (s *Server) pageFields(c *call, page *pageState) map[string]any {
	picture := page.PictureURL
	if picture == "" {
		picture = pictureURL(c.r, page.ID)
	}
	all := map[string]any{
		"id": page.ID, "name": page.Name, "is_published": !page.Unpublished, "category": "Community", "link": "https://www.facebook.com/" + cmp.Or(page.Username, page.ID),
		"category_list": []any{map[string]string{"id": "2612", "name": "Community"}}, "username": nil,
		"tasks":        []string{"ADVERTISE", "ANALYZE", "CREATE_CONTENT", "MESSAGING", "MODERATE", "MANAGE"},
		"access_token": s.pageToken(c, page),
		"picture":      map[string]any{"data": map[string]any{"url": picture, "is_silhouette": false, "width": 50, "height": 50}},
	}
	if page.Username != "" {
		all["username"] = page.Username
	}
	return all
}

// getApp is GET /{app}.
func (s *Server) getApp(c *call) (any, *messenger.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.node == "app" {
		c.node = c.app
	}
	app := s.apps[c.node]
	if app == nil || app.ID != c.app {
		return nil, unsupported(c)
	}
	logo := app.LogoURL
	if logo == "" {
		logo = pictureURL(c.r, app.ID)
	}
	return selectFields(c, "Application", map[string]any{
		"id": app.ID, "name": app.Name, "logo_url": logo, "icon_url": logo, "category": "Business", "namespace": nil,
		"link": "https://www.facebook.com/games/?app_id=" + app.ID,
	}, "category", "link", "name", "id")
}

// getProfile is GET /{psid}.
func (s *Server) getProfile(c *call) (any, *messenger.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.psid = c.node
	page, p, err := s.find(c.page, c.node)
	if err != nil {
		return nil, unsupported(c)
	}
	for _, name := range c.params.list("fields") {
		if slices.Contains(page.RefusedFields, name) {
			return nil, refuse(230, 0, "(#230) The field "+name+" needs a permission that the app does not have")
		}
	}
	picture := p.ProfilePic
	if picture == "" {
		picture = pictureURL(c.r, p.ID)
	}
	all := map[string]any{
		"id": p.ID, "name": p.Name(), "first_name": p.FirstName, "last_name": p.LastName, "profile_pic": picture,
		"locale": p.Locale, "timezone": p.Timezone, "gender": nil,
	}
	if p.Gender != "" {
		all["gender"] = p.Gender
	}
	if s.calendar.takes(messenger.FeatureWideUserProfile, s.calendar.era(c.ver)) {
		all["is_payment_enabled"], all["last_ad_referral"] = false, nil
		return selectFields(c, "User", all, "first_name", "last_name", "profile_pic", "locale", "timezone", "gender", "is_payment_enabled")
	}
	for _, f := range parseFields(c.params.list("fields")) {
		if f.name == "last_ad_referral" || f.name == "is_payment_enabled" {
			return nil, refuse(100, 0, "(#100) The last_ad_referral and is_payment_enabled fields are now deprecated. Please refer to our Developer Document for more info.")
		}
	}
	return selectFields(c, "User", all, "id", "name", "first_name", "last_name", "profile_pic")
}

// debugToken is GET /debug_token.
func (s *Server) debugToken(c *call) (any, *messenger.Error) {
	input := c.params.text("input_token")
	if input == "" {
		return nil, refuse(100, 0, "(#100) The parameter input_token is required.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	answer := func(data map[string]any) (any, *messenger.Error) { return map[string]any{"data": data}, nil }
	if app := s.apps[c.app]; input == messenger.AppToken(app.ID, app.Secret) {
		return answer(map[string]any{"app_id": app.ID, "type": "APP", "application": app.Name, "is_valid": true, "scopes": []string{}})
	}
	info, ok := s.tokens[input]
	if id, _, isApp := strings.Cut(input, "|"); ok && info.AppID != c.app || isApp && id != c.app {
		return nil, refuse(100, 0, "(#100) The App_id in the input_token did not match the Viewing App")
	}
	if !ok {
		why := map[string]any{"code": 190, "message": "Invalid OAuth access token - Cannot parse access token"}
		if s.retired[input] {
			why = map[string]any{"code": 190, "message": "Error validating access token: Session has expired.", "subcode": 463}
		}
		return answer(map[string]any{"error": why, "is_valid": false, "scopes": []string{}})
	}
	kind, scopes := cmp.Or(info.Settings.Type, "PAGE"), info.Settings.Scopes
	if info.UserID != "" {
		kind = cmp.Or(info.Settings.Type, "USER")
	}
	if scopes == nil {
		scopes = []string{"pages_show_list", "pages_messaging", "pages_manage_metadata", "pages_read_engagement"}
	}
	return answer(map[string]any{
		"app_id": cmp.Or(info.Settings.AppID, info.AppID), "type": kind, "application": s.apps[info.AppID].Name, "expires_at": info.Settings.ExpiresAt,
		"data_access_expires_at": info.Settings.DataAccessExpiresAt, "is_valid": true, "issued_at": 1700000000,
		"profile_id": cmp.Or(info.Settings.PageID, info.PageID), "user_id": adminID, "scopes": scopes,
	})
}

// pictureURL is where the emulator draws a picture for what has none.
func pictureURL(r *http.Request, id string) string {
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	return scheme + r.Host + "/_emu/pictures/" + id + ".svg"
}
