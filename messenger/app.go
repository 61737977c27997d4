package messenger

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
)

// App is what the platform reports about an app.
type App struct {
	ID      AppID           `json:"id"`
	Name    string          `json:"name"`
	LogoURL string          `json:"logo_url"`
	Raw     json.RawMessage `json:"-"` // the answer as received
}

// App reads an app. It needs the app's own token: c.As(AppToken(id, secret)).
// Without fields it asks for id, name and logo_url.
//
// Docs: https://developers.facebook.com/docs/graph-api/reference/application
func (c *Client) App(ctx context.Context, appID string, fields ...string) (App, error) {
	if len(fields) == 0 {
		fields = []string{"id", "name", "logo_url"}
	}
	var a App
	err := c.getFields(ctx, nodePath(appID, ""), fields, &a, &a.Raw)
	return a, err
}

// TokenInfo is what the platform reports about an access token.
type TokenInfo struct {
	AppID               AppID           `json:"app_id"`
	Type                string          `json:"type"` // USER, PAGE, APP
	Application         string          `json:"application"`
	ExpiresAt           int64           `json:"expires_at"` // seconds since 1970; 0 means never
	DataAccessExpiresAt int64           `json:"data_access_expires_at"`
	IssuedAt            int64           `json:"issued_at"`
	IsValid             bool            `json:"is_valid"`
	ProfileID           PageID          `json:"profile_id"` // the page of a page token
	UserID              PSID            `json:"user_id"`
	Scopes              []string        `json:"scopes"`
	Error               *TokenError     `json:"error,omitempty"` // why the token is not valid
	Raw                 json.RawMessage `json:"-"`               // the answer's data as received
}

// TokenError is why a token is not valid.
type TokenError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Subcode int    `json:"subcode"`
}

// DebugToken reports about an access token whether it is valid, whose it is and what it may do. It
// needs a token of the same app: c.As(AppToken(id, secret)). An invalid token is not an error:
// IsValid is false. The call goes out as a POST with the method in its form, so that the token in
// question does not stand in a URL.
//
// Docs: https://developers.facebook.com/docs/graph-api/reference/debug_token
func (c *Client) DebugToken(ctx context.Context, inputToken string) (TokenInfo, error) {
	var answer struct {
		Data json.RawMessage `json:"data"`
	}
	form := url.Values{"input_token": {inputToken}, "method": {"get"}}
	if err := c.Do(ctx, http.MethodPost, "debug_token", nil, form, &answer); err != nil {
		return TokenInfo{}, err
	}
	info := TokenInfo{Raw: answer.Data}
	err := c.decode(http.MethodPost, "debug_token", answer.Data, &info)
	return info, err
}
