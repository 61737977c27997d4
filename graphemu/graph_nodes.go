package graphemu

import (
	"cmp"
	"net/http"
	"slices"

	"github.com/chasqui/chasqui/messenger"
)

// nodesAPI answers the calls that read pages, apps, people, and the human who manages the
// pages.
type nodesAPI struct{ *world }

// page is GET /me and GET /{page}.
func (a nodesAPI) page(c *call) (any, *messenger.Error) {
	page, ok := a.world.page(c.node)
	if !ok || (c.page != "" && c.page != page.ID) {
		return nil, errNoObject
	}
	if c.params.has("account_linking_token") {
		return linkingAPI(a).recipient(c)
	}
	return selectFields(c, "Page", a.pageFields(c, page), "name", "id")
}

// postPage is POST /me with an account_linking_token, which some libraries send
// where the platform's pages have a GET. Nothing else of a page can be changed.
func (a nodesAPI) postPage(c *call) (any, *messenger.Error) {
	if !c.params.has("account_linking_token") {
		return nil, errNoObject
	}
	return a.page(c)
}

// pageFields returns the fields of a page.
func (a nodesAPI) pageFields(c *call, page Page) map[string]any {
	picture := page.PictureURL
	if picture == "" {
		picture = pictureURL(c.r, page.ID)
	}
	all := map[string]any{
		"id": page.ID, "name": page.Name, "is_published": !page.Unpublished, "category": "Community", "link": "https://www.facebook.com/" + cmp.Or(page.Username, page.ID),
		"category_list": []any{map[string]string{"id": "2612", "name": "Community"}}, "username": nil,
		"tasks":        []string{"ADVERTISE", "ANALYZE", "CREATE_CONTENT", "MESSAGING", "MODERATE", "MANAGE"},
		"access_token": nil,
		"picture":      map[string]any{"data": map[string]any{"url": picture, "is_silhouette": false, "width": 50, "height": 50}},
	}
	if page.Username != "" {
		all["username"] = page.Username
	}
	if token := a.tokenOf(c, page); token != "" {
		all["access_token"] = token
	}
	return all
}

// tokenOf returns the token of a page for the caller's app, "" when the caller may
// not see one.
func (a nodesAPI) tokenOf(c *call, page Page) string {
	switch {
	case c.page == page.ID:
		return c.token
	case c.user == "":
		return ""
	}
	return a.pageToken(page.ID, c.app)
}

// app is GET /{app}.
func (a nodesAPI) app(c *call) (any, *messenger.Error) {
	if c.node == "app" {
		c.node = c.app
	}
	app, ok := a.world.app(c.node)
	if !ok || app.ID != c.app {
		return nil, errNoObject
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

// profile is GET /{psid}.
func (a nodesAPI) profile(c *call) (any, *messenger.Error) {
	c.psid = c.node
	p, refused, ok := a.profileOf(c.page, c.node)
	if !ok {
		return nil, errNoObject
	}
	for _, name := range c.params.list("fields") {
		if slices.Contains(refused, name) {
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
	if a.calendar.takes(messenger.FeatureWideUserProfile, a.calendar.era(c.ver)) {
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

// user is GET /me with a user token.
func (a nodesAPI) user(c *call) (any, *messenger.Error) {
	if c.user == "" {
		return nil, errNoObject
	}
	return selectFields(c, "User", map[string]any{"id": adminID, "name": adminName}, "name", "id")
}

// accounts is GET /me/accounts with a user token: the pages that the human
// manages, each with its token.
//
// Docs: https://developers.facebook.com/docs/graph-api/reference/user/accounts
func (a nodesAPI) accounts(c *call) (any, *messenger.Error) {
	if c.page != "" && c.node == c.page {
		return nil, refuse(100, 0, "(#100) Tried accessing nonexisting field (accounts) on node type (Page)")
	}
	if c.user == "" || c.node != c.user {
		return nil, errNoObject
	}
	items := []item{}
	for _, page := range a.allPages() {
		items = append(items, item{page.ID, a.pageFields(c, page)})
	}
	return list(c, "Page", items, "access_token", "category", "category_list", "name", "id", "tasks")
}

// pictureURL returns the address at which the emulator draws a picture for what has
// none.
func pictureURL(r *http.Request, id string) string {
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	return scheme + r.Host + "/_emu/pictures/" + id + ".svg"
}
