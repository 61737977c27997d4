package graphemu

import (
	"crypto/subtle"
	"strings"

	"github.com/chasqui/chasqui/messenger"
)

// adminID is the human who has a role on every app and every page, and to whom user tokens
// belong.
const adminID, adminName = "100000000000001", "Page Admin"

// TokenSettings is what debug_token reports about a page's token, apart from whose it is.
type TokenSettings struct {
	AppID               string   `json:"app_id,omitempty"`                 // whose it says it is, where that is not true
	PageID              string   `json:"page_id,omitempty"`                //
	Type                string   `json:"type,omitempty"`                   // PAGE when empty
	Scopes              []string `json:"scopes,omitempty"`                 // what Messenger needs when nil
	ExpiresAt           int64    `json:"expires_at,omitempty"`             // seconds since 1970; 0 for never
	DataAccessExpiresAt int64    `json:"data_access_expires_at,omitempty"` // the same
}

type tokenState struct {
	AppID, PageID string
	UserID        string        `json:"user_id,omitempty"` // of a user token, which has no page
	Long          bool          `json:"long,omitempty"`    // a user token that was exchanged
	Settings      TokenSettings `json:"settings,omitzero"`
}

// AddToken adds a token of another app for a page and returns it. An empty token is generated.
// It returns "" for an unknown page or app.
func (s *Server) AddToken(pageID, appID, token string) string {
	s.init()
	return s.world.addToken(pageID, appID, token)
}

// SetPageToken sets the token of the page's own app; every older token of that app for the page
// is refused with 190 from then on. With an empty token none is valid until the next one is
// set.
func (s *Server) SetPageToken(pageID, token string) {
	s.init()
	s.world.setPageToken(pageID, token)
}

// SetTokenSettings changes what the platform reports about a page's token. It stays as valid as
// it was.
func (s *Server) SetTokenSettings(pageID string, settings TokenSettings) {
	s.init()
	s.world.setTokenSettings(pageID, settings)
}

// UserToken returns a token of the human who manages the pages, for an app. GET /me/accounts
// and GET /{page}?fields=access_token require it. It returns "" for an unknown app.
func (s *Server) UserToken(appID string) string {
	s.init()
	return s.world.userToken(appID)
}

func (w *world) addToken(pageID, appID, token string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.pages[pageID] == nil || w.apps[appID] == nil {
		return ""
	}
	if token == "" {
		token = w.ids.token(w.ids.next())
	}
	w.tokens.set(token, tokenState{AppID: appID, PageID: pageID})
	return token
}

func (w *world) setPageToken(pageID, token string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	page := w.pages[pageID]
	if page == nil {
		return
	}
	w.tokens.retireOf(pageID, page.AppID)
	page.AccessToken = token
	if token != "" {
		w.tokens.set(token, tokenState{AppID: page.AppID, PageID: pageID})
	}
}

func (w *world) setTokenSettings(pageID string, settings TokenSettings) {
	if page, ok := w.page(pageID); ok {
		w.tokens.configure(page.AccessToken, settings)
	}
}

func (w *world) userToken(appID string) string {
	if !w.hasApp(appID) {
		return ""
	}
	return w.tokens.user(appID, "user token of "+appID)
}

// bearer is what a token opens.
type bearer struct {
	app  App
	page string // of a page token
	user string // of a user token
}

// bearerOf returns what a token opens, or the platform's refusal of it.
func (w *world) bearerOf(token string) (bearer, *messenger.Error) {
	if id, secret, isApp := strings.Cut(token, "|"); isApp {
		app, ok := w.app(id)
		if !ok {
			return bearer{}, refuse(190, 0, "Error validating application. Cannot get application info due to a system error.")
		}
		if subtle.ConstantTimeCompare([]byte(secret), []byte(app.Secret)) != 1 {
			return bearer{}, refuse(190, 0, "Invalid OAuth access token signature.")
		}
		return bearer{app: app}, nil
	}
	info, standing := w.tokens.look(token)
	if standing == tokenRetired {
		return bearer{}, refuse(190, 463, "Error validating access token: Session has expired.")
	}
	app, ok := w.app(info.AppID)
	if standing == tokenUnknown || !ok {
		return bearer{}, refuse(190, 0, "Invalid OAuth access token - Cannot parse access token")
	}
	return bearer{app, info.PageID, info.UserID}, nil
}

// pageToken returns the token of a page for an app. It is "" when the token was taken back and the
// next one is not set.
func (w *world) pageToken(pageID, appID string) string {
	page, ok := w.page(pageID)
	switch {
	case !ok:
		return ""
	case appID == page.AppID:
		return page.AccessToken
	}
	return w.tokens.derived(pageID, appID)
}
