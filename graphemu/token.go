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
	w.setToken(token, tokenState{AppID: appID, PageID: pageID})
	return token
}

func (w *world) setPageToken(pageID, token string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	page := w.pages[pageID]
	if page == nil {
		return
	}
	for old, info := range w.tokens {
		if info.PageID == pageID && info.AppID == page.AppID {
			w.retire(old)
		}
	}
	page.AccessToken = token
	if token != "" {
		w.setToken(token, tokenState{AppID: page.AppID, PageID: pageID})
	}
}

func (w *world) setTokenSettings(pageID string, settings TokenSettings) {
	w.mu.Lock()
	defer w.mu.Unlock()
	page := w.pages[pageID]
	if page == nil {
		return
	}
	if info, ok := w.tokens[page.AccessToken]; ok {
		info.Settings = settings
		w.tokens[page.AccessToken] = info
	}
}

func (w *world) userToken(appID string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.apps[appID] == nil {
		return ""
	}
	return w.makeUserToken(appID, "user token of "+appID)
}

// makeUserToken makes a user token; the same words make the same token. The lock is
// held.
func (w *world) makeUserToken(appID, words string) string {
	token := w.ids.tokenFor(words)
	w.tokens[token] = tokenState{AppID: appID, UserID: adminID}
	return token
}

// bearer is what a token opens.
type bearer struct {
	app  App
	page string // of a page token
	user string // of a user token
}

// bearerOf returns what a token opens, or the platform's refusal of it.
func (w *world) bearerOf(token string) (bearer, *messenger.Error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if id, secret, isApp := strings.Cut(token, "|"); isApp {
		app := w.apps[id]
		if app == nil {
			return bearer{}, refuse(190, 0, "Error validating application. Cannot get application info due to a system error.")
		}
		if subtle.ConstantTimeCompare([]byte(secret), []byte(app.Secret)) != 1 {
			return bearer{}, refuse(190, 0, "Invalid OAuth access token signature.")
		}
		return bearer{app: app.App}, nil
	}
	info, ok := w.tokens[token]
	if !ok && w.retired[token] {
		return bearer{}, refuse(190, 463, "Error validating access token: Session has expired.")
	}
	app := w.apps[info.AppID]
	if !ok || app == nil {
		return bearer{}, refuse(190, 0, "Invalid OAuth access token - Cannot parse access token")
	}
	return bearer{app.App, info.PageID, info.UserID}, nil
}

// tokenReport is what the platform knows of a token.
type tokenReport struct {
	tokenState
	appName string
	known   bool
	retired bool
}

func (w *world) reportToken(token string) tokenReport {
	w.mu.Lock()
	defer w.mu.Unlock()
	info, ok := w.tokens[token]
	report := tokenReport{tokenState: info, known: ok, retired: w.retired[token]}
	if app := w.apps[info.AppID]; app != nil {
		report.appName = app.Name
	}
	return report
}

// lengthen exchanges a user token for one that lives longer; one that was
// exchanged before is its own. Any other token stays what it is, and long is
// false.
func (w *world) lengthen(appID, given string) (token string, long bool, e *messenger.Error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	info, ok := w.tokens[given]
	switch {
	case given == "":
		return "", false, refuse(1, 0, "fb_exchange_token parameter not specified")
	case !ok && w.retired[given]:
		return "", false, refuse(190, 463, "Error validating access token: Session has expired.")
	case !ok:
		return "", false, refuse(190, 0, "Invalid OAuth access token - Cannot parse access token")
	case info.AppID != appID:
		return "", false, refuse(190, 0, "Error validating access token: the token belongs to another application.")
	case info.UserID == "":
		return given, false, nil // a page's token has no end
	case info.Long:
		return given, true, nil
	}
	token = w.makeUserToken(appID, "long "+given)
	info.Long = true
	w.tokens[token] = info
	return token, true, nil
}

// pageToken returns the token of a page for an app. It is "" when the token was
// taken back and the next one is not set.
func (w *world) pageToken(pageID, appID string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	page := w.pages[pageID]
	if page == nil {
		return ""
	}
	if appID == page.AppID {
		return page.AccessToken
	}
	token := w.ids.tokenFor("page token " + pageID + " " + appID)
	if w.retired[token] {
		return ""
	}
	w.tokens[token] = tokenState{AppID: appID, PageID: pageID}
	return token
}
