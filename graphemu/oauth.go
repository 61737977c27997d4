package graphemu

import (
	"crypto/subtle"

	"github.com/chasqui/chasqui/messenger"
)

// adminID is the human who has a role on every app and every page: whose user
// tokens are.
const adminID, adminName = "100000000000001", "Page Admin"

// longLife is for how many seconds a user token holds that was exchanged; about
// sixty days.
const longLife = 5183944

// UserToken makes a token of the human who manages the pages, for an app; it is
// what GET /me/accounts and GET /{page}?fields=access_token want. It returns ""
// for an unknown app.
func (s *Server) UserToken(appID string) string {
	s.init()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.apps[appID] == nil {
		return ""
	}
	return s.userToken(appID, "user token of "+appID)
}

// userToken makes a user token; the same words make the same token. The lock is
// held.
func (s *Server) userToken(appID, words string) string {
	token := s.ids.tokenFor(words)
	s.tokens[token] = tokenState{AppID: appID, UserID: adminID}
	return token
}

// getAccessToken is GET and POST /oauth/access_token: the token of an app, or a
// token for another that lives longer.
//
// Docs: https://developers.facebook.com/docs/facebook-login/guides/access-tokens
func (s *Server) getAccessToken(c *call) (any, *messenger.Error) {
	if c.node != "oauth" {
		return nil, unsupported(c)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	id, secret := c.params.text("client_id"), c.params.text("client_secret")
	app := s.apps[id]
	switch {
	case id == "":
		return nil, refuse(101, 0, "Missing client_id parameter.")
	case app == nil:
		return nil, refuse(101, 0, "Error validating application. Cannot get application info due to a system error.")
	case secret == "":
		return nil, refuse(1, 0, "Missing client_secret parameter.")
	case subtle.ConstantTimeCompare([]byte(secret), []byte(app.Secret)) != 1:
		return nil, refuse(1, 0, "Error validating client secret.")
	}
	c.app = app.ID
	switch c.params.text("grant_type") {
	case "client_credentials":
		return map[string]any{"access_token": messenger.AppToken(app.ID, app.Secret), "token_type": "bearer"}, nil
	case "fb_exchange_token":
		return s.exchange(c, app)
	}
	// What is left is the code of a login dialog, which the emulator does not have.
	if !c.params.has("redirect_uri") {
		return nil, refuse(191, 0, "Missing redirect_uri parameter.")
	}
	return nil, refuse(100, 0, "Invalid verification code format.")
}

// exchange gives a token that lives longer. A page's token has no end, and stays
// what it is. The lock is held.
func (s *Server) exchange(c *call, app *appState) (any, *messenger.Error) {
	given := c.params.text("fb_exchange_token")
	info, ok := s.tokens[given]
	switch {
	case given == "":
		return nil, refuse(1, 0, "fb_exchange_token parameter not specified")
	case !ok && s.retired[given]:
		return nil, refuse(190, 463, "Error validating access token: Session has expired.")
	case !ok:
		return nil, refuse(190, 0, "Invalid OAuth access token - Cannot parse access token")
	case info.AppID != app.ID:
		return nil, refuse(190, 0, "Error validating access token: the token belongs to another application.")
	case info.UserID == "":
		return map[string]any{"access_token": given, "token_type": "bearer"}, nil
	}
	// The exchange of a token that lives long gives one that does, too: itself.
	long := given
	if !info.Long {
		long = s.userToken(app.ID, "long "+given)
		info.Long = true
		s.tokens[long] = info
	}
	return map[string]any{"access_token": long, "token_type": "bearer", "expires_in": longLife}, nil
}

// getUser is GET /me with a user token.
func (s *Server) getUser(c *call) (any, *messenger.Error) {
	if c.user == "" {
		return nil, unsupported(c)
	}
	return selectFields(c, "User", map[string]any{"id": adminID, "name": adminName}, "name", "id")
}

// getAccounts is GET /me/accounts with a user token: the pages that the human
// manages, each with its token.
//
// Docs: https://developers.facebook.com/docs/graph-api/reference/user/accounts
func (s *Server) getAccounts(c *call) (any, *messenger.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.page != "" && c.node == c.page {
		return nil, refuse(100, 0, "(#100) Tried accessing nonexisting field (accounts) on node type (Page)")
	}
	if c.user == "" || c.node != c.user {
		return nil, unsupported(c)
	}
	items := []item{}
	for _, id := range s.pageOrder {
		items = append(items, item{id, s.pageFields(c, s.pages[id])})
	}
	return list(c, "Page", items, "access_token", "category", "category_list", "name", "id", "tasks")
}

// pageToken is the token of the page for the caller's app, nil when the caller
// may not see one. The lock is held.
func (s *Server) pageToken(c *call, page *pageState) any {
	switch {
	case c.page == page.ID:
		return c.token
	case c.user == "":
		return nil
	case c.app == page.AppID && page.AccessToken == "":
		return nil // it was taken back, and there is none until the next one is set
	case c.app == page.AppID:
		return page.AccessToken
	}
	token := s.ids.tokenFor("page token " + page.ID + " " + c.app)
	if s.retired[token] {
		return nil
	}
	s.tokens[token] = tokenState{AppID: c.app, PageID: page.ID}
	return token
}
