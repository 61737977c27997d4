package graphemu

import "github.com/chasqui/chasqui/messenger"

// matchingAPI answers the calls that list the ids of one human.
type matchingAPI struct{ *world }

// apps is GET /{user}/ids_for_apps.
func (a matchingAPI) apps(c *call) (any, *messenger.Error) {
	user, e := a.user(c)
	if e != nil {
		return nil, e
	}
	items := []item{}
	for _, s := range a.idsForApps(user, c.params.text("app")) {
		items = append(items, item{s.id, map[string]any{"id": s.id, "app": map[string]string{
			"link": "https://www.facebook.com/games/?app_id=" + s.holder, "name": s.name, "id": s.holder,
		}}})
	}
	return list(c, "User", items, "id", "app")
}

// pages is GET /{user}/ids_for_pages.
func (a matchingAPI) pages(c *call) (any, *messenger.Error) {
	user, e := a.user(c)
	if e != nil {
		return nil, e
	}
	items := []item{}
	for _, s := range a.idsForPages(user, c.params.text("page")) {
		items = append(items, item{s.id, map[string]any{"id": s.id, "page": map[string]string{"name": s.name, "id": s.holder}}})
	}
	return list(c, "User", items, "id", "page")
}

// user finds the human behind a page-scoped or an app-scoped id.
func (a matchingAPI) user(c *call) (string, *messenger.Error) {
	if !c.params.has("appsecret_proof") {
		return "", refuseProof("API calls from the server require an appsecret_proof argument")
	}
	user, psid, ok := a.userBehind(c.page, c.app, c.node)
	if !ok {
		return "", errNoObject
	}
	if psid != "" {
		c.psid = psid
	}
	return user, nil
}
