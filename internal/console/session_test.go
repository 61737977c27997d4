package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
)

const list = "/console/entry-points"

func TestSession(t *testing.T) {
	t.Parallel()
	w := setup(t, "")
	v := w.visitor()
	key, secret := w.key(nil, gateway.ScopeEntryPointsRead)
	if p := v.get("/console").wants(t, http.StatusSeeOther); p.header.Get("Location") != list {
		t.Error(p.header)
	}
	if p := v.get(list).wants(t, http.StatusSeeOther); p.header.Get("Location") != "/console/sign-in" {
		t.Error(p.header)
	}
	sheet := v.get(list+"/sheet?tag=a").wants(t, http.StatusSeeOther).header.Get("Location")
	if want := "/console/sign-in?next=" + url.QueryEscape(list+"/sheet?tag=a"); sheet != want {
		t.Errorf("%q, want %q", sheet, want)
	}
	v.get(sheet).wants(t, http.StatusOK, `name="next" value="/console/entry-points/sheet?tag=a"`)
	v.post("/console/sign-in", "key", "chq_nobody").wants(t, http.StatusUnauthorized, "not known, or was revoked", "!chq_nobody")
	v.post("/console/sign-in", "key", "").wants(t, http.StatusUnauthorized)
	if p := v.get(list); p.status != http.StatusSeeOther {
		t.Errorf("a wrong key opens the list: %d", p.status)
	}
	p := v.post("/console/sign-in", "key", " "+secret+"\n", "next", list+"/sheet?tag=a").wants(t, http.StatusSeeOther)
	if p.header.Get("Location") != list+"/sheet?tag=a" {
		t.Error(p.header)
	}
	cookie := p.header.Get("Set-Cookie")
	for _, part := range []string{"chasqui_console=", "Path=/console", "Max-Age=43200", "HttpOnly", "SameSite=Strict"} {
		if !strings.Contains(cookie, part) {
			t.Errorf("the cookie lacks %s: %s", part, cookie)
		}
	}
	if strings.Contains(cookie, secret) || strings.Contains(cookie, "Secure") {
		t.Errorf("the cookie is %s", cookie)
	}
	v.get(list).wants(t, http.StatusOK, "front desk", "There is no code or link yet.", "!"+secret)
	if p := v.get("/console/sign-in"); p.status != http.StatusSeeOther {
		t.Errorf("who has signed in is asked again: %d", p.status)
	}
	w.ahead.Add(int64(12*time.Hour - time.Minute))
	v.get(list).wants(t, http.StatusOK)
	w.ahead.Add(int64(2 * time.Minute))
	v.get(list).wants(t, http.StatusSeeOther)

	v.post("/console/sign-in", "key", secret).wants(t, http.StatusSeeOther)
	v.get(list).wants(t, http.StatusOK)
	v.post("/console/sign-out").wants(t, http.StatusSeeOther)
	v.get(list).wants(t, http.StatusSeeOther)

	v.post("/console/sign-in", "key", secret).wants(t, http.StatusSeeOther)
	if err := w.store.RevokeKey(t.Context(), key.ID); err != nil {
		t.Fatal(err)
	}
	w.ahead.Add(int64(time.Minute))
	v.get(list).wants(t, http.StatusSeeOther)
	v.get(list, "Cookie", "chasqui_console=AAEforged").wants(t, http.StatusSeeOther)
}

func TestNextStaysHere(t *testing.T) {
	t.Parallel()
	w := setup(t, "")
	_, secret := w.key(nil, gateway.ScopeAll)
	for _, next := range []string{"https://example.com/", "//example.com", "/v1/messages", "/console/\\example.com", "/console/sign-in", ""} {
		if p := w.visitor().post("/console/sign-in", "key", secret, "next", next); p.header.Get("Location") != list {
			t.Errorf("after %q on to %q", next, p.header.Get("Location"))
		}
	}
}

func TestCookieIsSecureUnderHTTPS(t *testing.T) {
	t.Parallel()
	w := setup(t, "https://gateway.example.com")
	_, secret := w.key(nil, gateway.ScopeAll)
	if p := w.visitor().post("/console/sign-in", "key", secret); !strings.Contains(p.header.Get("Set-Cookie"), "; Secure") {
		t.Errorf("the cookie is %s", p.header.Get("Set-Cookie"))
	}
}

// Guessing is slowed, and keeps nobody out who has a key.
func TestFailedSignInsAreSlowed(t *testing.T) {
	t.Parallel()
	w := setup(t, "")
	_, secret := w.key(nil, gateway.ScopeAll)
	v := w.visitor()
	for range 8 {
		v.post("/console/sign-in", "key", "chq_guess").wants(t, http.StatusUnauthorized)
	}
	for range 3 {
		if p := v.post("/console/sign-in", "key", "chq_guess").wants(t, http.StatusTooManyRequests, "Too many attempts"); p.header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
		w.visitor().post("/console/sign-in", "key", secret).wants(t, http.StatusSeeOther)
	}
	w.ahead.Add(int64(11 * time.Second))
	v.post("/console/sign-in", "key", "chq_guess").wants(t, http.StatusUnauthorized)
	v.post("/console/sign-in", "key", strings.Repeat("x", 5000)).wants(t, http.StatusRequestEntityTooLarge)
}

// A cookie that somebody has kept is good no more once its session was signed out of; others of the
// same key are.
func TestSigningOutEndsTheSession(t *testing.T) {
	t.Parallel()
	w := setup(t, "")
	_, secret := w.key(nil, gateway.ScopeAll)
	v, other := w.visitor(), w.visitor()
	v.post("/console/sign-in", "key", secret).wants(t, http.StatusSeeOther)
	other.post("/console/sign-in", "key", secret).wants(t, http.StatusSeeOther)
	address, err := url.Parse(w.url + "/console")
	if err != nil {
		t.Fatal(err)
	}
	kept := v.client.Jar.Cookies(address)
	if len(kept) == 0 {
		t.Fatal("no cookie")
	}
	v.get(list).wants(t, http.StatusOK)
	v.post("/console/sign-out").wants(t, http.StatusSeeOther)
	for _, c := range kept {
		c.Path = "/console"
	}
	v.client.Jar.SetCookies(address, kept)
	if p := v.get(list); p.status != http.StatusSeeOther {
		t.Errorf("the cookie of a session that was ended: %d", p.status)
	}
	other.get(list).wants(t, http.StatusOK)
}

func TestFoldersAreNotListed(t *testing.T) {
	t.Parallel()
	v := setup(t, "").visitor()
	for _, path := range []string{"/console/static/", "/console/static/../", "/console/static/./"} {
		if p := v.get(path); p.status == http.StatusOK && strings.Contains(p.body, "base.css\">") {
			t.Errorf("%s lists its files: %s", path, p.body)
		}
	}
	v.get("/console/static/").wants(t, http.StatusNotFound)
	v.get("/console/static/base.css").wants(t, http.StatusOK)
}

func TestHosts(t *testing.T) {
	t.Parallel()
	w := setup(t, "https://gateway.example.com")
	for host, want := range map[string]int{
		"gateway.example.com": http.StatusOK, "Gateway.Example.com:443": http.StatusOK, "localhost:8080": http.StatusOK, "127.0.0.1": http.StatusOK, "[::1]:8080": http.StatusOK, "10.1.2.3:80": http.StatusOK,
		"example.com": http.StatusMisdirectedRequest, "rebound.example.net:8080": http.StatusMisdirectedRequest, "localhost.example.net": http.StatusMisdirectedRequest, "127.0.0.1.example.net": http.StatusMisdirectedRequest,
	} {
		v := w.visitor()
		v.host = host
		for _, path := range []string{"/console/sign-in", "/console/static/base.css"} {
			if p := v.get(path); p.status != want {
				t.Errorf("%s%s answers %d, want %d", host, path, p.status, want)
			}
		}
	}
}

func TestForeignForms(t *testing.T) {
	t.Parallel()
	w := setup(t, "")
	app := w.connect("Café")
	v := w.signedIn(nil, gateway.ScopeAll)
	form := url.Values{"application": {app}, "kind": {"code"}, "ref": {"x"}}
	for _, header := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://example.com"}, {"Origin", "null"}} {
		v.do(http.MethodPost, list, form, header...).wants(t, http.StatusForbidden)
	}
	if got := v.get(list + "?ref=x"); !strings.Contains(got.body, "No entry point fits these filters.") {
		t.Error("a foreign form has made something")
	}
	v.do(http.MethodPost, list, form, "Sec-Fetch-Site", "same-origin").wants(t, http.StatusSeeOther)
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	w := setup(t, "")
	v := w.signedIn(nil, gateway.ScopeAll)
	for _, path := range []string{"/console/sign-in", list, list + "/none", "/console/nowhere"} {
		h := v.get(path).header
		if csp := h.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") || h.Get("Cache-Control") != "no-store" ||
			h.Get("X-Frame-Options") != "DENY" || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", path, h)
		}
	}
	v.get("/console/nowhere").wants(t, http.StatusNotFound, "There is no such page.")
	v.get(list+"/ent_none").wants(t, http.StatusNotFound)
	v.get("/console/static/console.js").wants(t, http.StatusOK)
	if p := v.do(http.MethodPost, list, url.Values{"name": {strings.Repeat("x", 70<<10)}}); p.status != http.StatusRequestEntityTooLarge {
		t.Errorf("a huge form: %d", p.status)
	}
}

func TestScopes(t *testing.T) {
	t.Parallel()
	w := setup(t, "")
	e := w.point(gateway.EntryPoint{Application: w.connect("Café"), Ref: "table-7"})
	_, secret := w.key(nil, gateway.ScopeMessagesRead)
	w.visitor().post("/console/sign-in", "key", secret).wants(t, http.StatusForbidden, "lacks the scope entry-points:read")

	v := w.signedIn(nil, gateway.ScopeEntryPointsRead)
	v.get(list).wants(t, http.StatusOK, "table-7", "!New code or link", "!/many")
	v.get(list+"/"+e.ID).wants(t, http.StatusOK, "!Keep changes", "!Retire", "Text in the composer")
	for _, path := range []string{"/new", "/many", "/" + e.ID + "/retire"} {
		v.get(list+path).wants(t, http.StatusForbidden, "entry-points:write")
	}
	for _, path := range []string{"", "/many", "/" + e.ID, "/" + e.ID + "/retire", "/" + e.ID + "/restore"} {
		v.post(list+path, "name", "other").wants(t, http.StatusForbidden)
	}
	if got, err := w.points.Get(t.Context(), everyone, e.ID); err != nil || got.Name != "" || !got.RetiredAt.IsZero() {
		t.Errorf("%+v %v", got, err)
	}
}

// Whoever is limited to an application sees nothing of another.
func TestLimitedKeys(t *testing.T) {
	t.Parallel()
	w := setup(t, "")
	mine, other := w.connect("My Café"), w.connect("Their Shop")
	own, theirs := w.point(gateway.EntryPoint{Application: mine, Ref: "own-ref"}), w.point(gateway.EntryPoint{Application: other, Ref: "their-ref"})
	w.count(own, time.Now(), 5)
	w.count(theirs, time.Now(), 1000)
	v := w.signedIn([]string{mine}, gateway.ScopeAll)
	v.get(list).wants(t, http.StatusOK, "own-ref", "My Café", "!their-ref", "!Their Shop", "!1,000")
	v.get(list+"?application="+other).wants(t, http.StatusForbidden)
	v.get(list+"/sheet.pdf?application="+other).wants(t, http.StatusForbidden)
	for _, path := range []string{"", "/image", "/thumbnail", "/retire"} {
		v.get(list+"/"+theirs.ID+path).wants(t, http.StatusNotFound)
		v.get(list+"/"+own.ID+path).wants(t, http.StatusOK)
	}
	v.post(list+"/"+theirs.ID+"/retire").wants(t, http.StatusNotFound)
	v.post(list+"/"+theirs.ID, "name", "mine now").wants(t, http.StatusNotFound)
	v.post(list, "application", other, "kind", "code", "ref", "z").wants(t, http.StatusUnprocessableEntity, "There is no application")
	v.get(list+"/sheet").wants(t, http.StatusOK, `<b id="count">1</b>`, "!Their Shop")
}
