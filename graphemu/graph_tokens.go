package graphemu

import (
	"cmp"
	"crypto/subtle"
	"strings"

	"github.com/chasqui/chasqui/messenger"
)

// tokensAPI answers the calls about access tokens.
type tokensAPI struct{ *world }

// longLife is for how many seconds a long-lived user token is valid, about sixty days.
const longLife = 5183944

// get is GET and POST /oauth/access_token: the token of an app, or a token for
// another that lives longer.
//
// Docs: https://developers.facebook.com/docs/facebook-login/guides/access-tokens
func (a tokensAPI) get(c *call) (any, *messenger.Error) {
	if c.node != "oauth" {
		return nil, errNoObject
	}
	id, secret := c.params.text("client_id"), c.params.text("client_secret")
	app, ok := a.app(id)
	switch {
	case id == "":
		return nil, refuse(101, 0, "Missing client_id parameter.")
	case !ok:
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
		return a.exchange(c)
	}
	// Anything else is the code of a login dialog, which the emulator does not have.
	if !c.params.has("redirect_uri") {
		return nil, refuse(191, 0, "Missing redirect_uri parameter.")
	}
	return nil, refuse(100, 0, "Invalid verification code format.")
}

func (a tokensAPI) exchange(c *call) (any, *messenger.Error) {
	token, long, e := a.tokens.lengthen(c.app, c.params.text("fb_exchange_token"))
	answer := map[string]any{"access_token": token, "token_type": "bearer"}
	if long {
		answer["expires_in"] = longLife
	}
	return answer, e
}

// debug is GET /debug_token.
func (a tokensAPI) debug(c *call) (any, *messenger.Error) {
	input := c.params.text("input_token")
	if input == "" {
		return nil, refuse(100, 0, "(#100) The parameter input_token is required.")
	}
	answer := func(data map[string]any) (any, *messenger.Error) { return map[string]any{"data": data}, nil }
	if app, _ := a.app(c.app); input == messenger.AppToken(app.ID, app.Secret) {
		return answer(map[string]any{"app_id": app.ID, "type": "APP", "application": app.Name, "is_valid": true, "scopes": []string{}})
	}
	info, standing := a.tokens.look(input)
	if id, _, isApp := strings.Cut(input, "|"); standing == tokenValid && info.AppID != c.app || isApp && id != c.app {
		return nil, refuse(100, 0, "(#100) The App_id in the input_token did not match the Viewing App")
	}
	if standing != tokenValid {
		why := map[string]any{"code": 190, "message": "Invalid OAuth access token - Cannot parse access token"}
		if standing == tokenRetired {
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
		"app_id": cmp.Or(info.Settings.AppID, info.AppID), "type": kind, "application": a.name(info.AppID), "expires_at": info.Settings.ExpiresAt,
		"data_access_expires_at": info.Settings.DataAccessExpiresAt, "is_valid": true, "issued_at": 1700000000,
		"profile_id": cmp.Or(info.Settings.PageID, info.PageID), "user_id": adminID, "scopes": scopes,
	})
}
