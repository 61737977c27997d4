package e2e

import (
	"net/http"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/internal/config"
)

// A customer's session reaches their own profile and nothing else. That the SDK itself works with
// it is shown by compat/comapi.
func TestComapiSessions(t *testing.T) {
	t.Parallel()
	const secret = "a secret of the shop, at least 32 bytes"
	w := startWorld(t, func(c *config.Config) {
		c.Sessions.Secret, c.Sessions.Issuer, c.Sessions.Audience = secret, "shop", "chasqui"
		c.Sessions.Fields = "firstName,lastName"
	})
	p, q := w.connect(graphemu.Page{}), w.connect(graphemu.Page{})
	base := "/apispaces/" + p.key
	type challenge struct{ AuthenticationID, Nonce, Provider, ExpiresOn string }
	begin := func() challenge {
		t.Helper()
		return answered[challenge](t, w.comapi("GET", base+"/sessions/start", "", "Authorization", ""), http.StatusOK)
	}
	sign := func(method jwt.SigningMethod, key any, claims jwt.MapClaims) string {
		t.Helper()
		token, err := jwt.NewWithClaims(method, claims).SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	claims := func(nonce string) jwt.MapClaims {
		return jwt.MapClaims{"sub": "dave@acme.com", "nonce": nonce, "iss": "shop", "aud": "chasqui", "exp": time.Now().Add(time.Minute).Unix()}
	}
	ask := func(c challenge, token string) call {
		t.Helper()
		return w.comapi("POST", base+"/sessions", `{"authenticationId":"`+c.AuthenticationID+`","authenticationToken":"`+token+`","deviceId":"d1","platform":"javascript","push":null}`, "Authorization", "")
	}
	c := begin()
	with := func(name string, value any) jwt.MapClaims {
		all := claims(c.Nonce)
		all[name] = value
		return all
	}
	for name, token := range map[string]string{
		"another secret":    sign(jwt.SigningMethodHS256, []byte("another secret, with 32 bytes at least"), claims(c.Nonce)),
		"no signature":      sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, claims(c.Nonce)),
		"another algorithm": sign(jwt.SigningMethodHS512, []byte(secret), claims(c.Nonce)),
		"too old":           sign(jwt.SigningMethodHS256, []byte(secret), with("exp", time.Now().Add(-time.Hour).Unix())),
		"another nonce":     sign(jwt.SigningMethodHS256, []byte(secret), with("nonce", "x")),
		"another issuer":    sign(jwt.SigningMethodHS256, []byte(secret), with("iss", "x")),
		"another audience":  sign(jwt.SigningMethodHS256, []byte(secret), with("aud", "x")),
		"good for ever":     sign(jwt.SigningMethodHS256, []byte(secret), with("exp", nil)),
		"good for years":    sign(jwt.SigningMethodHS256, []byte(secret), with("exp", time.Now().Add(10000*time.Hour).Unix())),
		"nobody":            sign(jwt.SigningMethodHS256, []byte(secret), with("sub", "")),
		"no token":          "x",
	} {
		if got := ask(c, token); got.status != http.StatusUnauthorized {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	good := sign(jwt.SigningMethodHS256, []byte(secret), claims(c.Nonce))
	if got := ask(challenge{AuthenticationID: "x"}, good); got.status != http.StatusUnauthorized {
		t.Errorf("an authenticationId of somebody's own: %d", got.status)
	}
	type session struct {
		Token   string
		Session struct {
			ID, ProfileID, DeviceID, Platform string
			IsActive                          bool
		}
	}
	made := answered[session](t, ask(c, good), http.StatusOK)
	if got := ask(c, good); got.status != http.StatusUnauthorized {
		t.Errorf("the same challenge again: %d %s", got.status, got.body)
	}
	if s := made.Session; s.ProfileID != "dave@acme.com" || !s.IsActive || s.DeviceID != "d1" {
		t.Errorf("session %+v", s)
	}
	bearer := func(method, path, body string, headers ...string) int {
		t.Helper()
		return w.comapi(method, path, body, append(headers, "Authorization", "Bearer "+made.Token)...).status
	}
	for _, c := range []struct {
		method, path, body string
		want               int
	}{
		{"GET", base + "/profiles/dave@acme.com", "", 200},
		{"PATCH", base + "/profiles/dave@acme.com", `{"id":"dave@acme.com","firstName":"Dave"}`, 200},
		{"GET", "/cpaas/profiles/dave@acme.com", "", 200},
		{"POST", base + "/channels/facebook/state", `{}`, 200},
		{"POST", base + "/channels/facebook/state", `{"profileId":"eve@acme.com"}`, 403},
		{"GET", base + "/profiles/eve@acme.com", "", 403},
		{"GET", base + "/profiles", "", 403},
		{"DELETE", base + "/profiles/dave@acme.com", "", 403},
		{"POST", base + "/messages", `{"to":{"profileId":"dave@acme.com"},"body":"x","rules":["fbMessenger"]}`, 403},
		{"GET", "/apispaces/" + q.key + "/profiles/dave@acme.com", "", 404},
		{"PATCH", base + "/profiles/dave@acme.com", `{"fbMessengerId":"123"}`, 403},
		{"PATCH", base + "/profiles/dave@acme.com", `{"fbMessengerIds":{"` + q.key + `":"123"}}`, 403},
		{"PATCH", base + "/profiles/dave@acme.com", `{"optInChannels":["sms"]}`, 403},
		{"PATCH", base + "/profiles/dave@acme.com", `{"role":"admin"}`, 403},
		{"PATCH", base + "/profiles/dave@acme.com?deletes=firstName,optInChannels", `{"email":null}`, 200},
		{"PATCH", base + "/profiles/dave@acme.com?allowcreate=true", `{"email":"eve@acme.com"}`, 403},
		{"PUT", base + "/profiles/dave@acme.com", `{"id":"dave@acme.com","lastName":"D","firstTouch":{"ref":"x"}}`, 403},
		{"PUT", base + "/profiles/dave@acme.com", `{"id":"dave@acme.com","lastName":"D"}`, 200},
		{"GET", base + "/sessions/" + made.Session.ID, "", 200},
		{"GET", base + "/sessions/ses_other", "", 404},
		{"GET", "/v1/profiles/dave@acme.com", "", 401},
		{"DELETE", base + "/sessions/" + made.Session.ID, "", 204},
		{"GET", base + "/profiles/dave@acme.com", "", 401},
	} {
		if got := bearer(c.method, c.path, c.body); got != c.want {
			t.Errorf("%s %s: %d, wanted %d", c.method, c.path, got, c.want)
		}
	}
	again := begin()
	made = answered[session](t, ask(again, sign(jwt.SigningMethodHS256, []byte(secret), claims(again.Nonce))), http.StatusOK)
	if got := bearer("GET", base+"/profiles/dave@acme.com", ""); got != http.StatusOK {
		t.Errorf("the second session: %d", got)
	}
	w.clock.advance(3 * time.Hour)
	if got := bearer("GET", base+"/profiles/dave@acme.com", ""); got != http.StatusUnauthorized {
		t.Errorf("after its time: %d", got)
	}
	preflight := w.comapi("OPTIONS", base+"/profiles/dave@acme.com", "", "Authorization", "", "Origin", "https://shop.example", "Access-Control-Request-Method", "PATCH")
	if preflight.status != http.StatusNoContent || preflight.header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("preflight: %d %v", preflight.status, preflight.header)
	}
	if got := w.comapi("GET", base+"/webhooks", ""); got.header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("what sessions may not do is open to other origins")
	}
}

func TestComapiSessionsAreOff(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	w.comapi("GET", "/apispaces/"+p.key+"/sessions/start", "", "Authorization", "").wantProblem(t, http.StatusForbidden, "", "Forbidden", "sessions.secret")
}
