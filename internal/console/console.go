// Package console is the gateway's pages in the browser: entry points with their codes, print
// sheets and what came of them. They are made on the server, work without JavaScript, and bring all
// they need along. Whoever signs in does so with an API key, and may do there what the key may.
package console

import (
	"embed"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/guard"
	"github.com/chasqui/chasqui/internal/service"
)

// Options says what the console works with. All fields but PublicURL are required.
type Options struct {
	EntryPoints *service.EntryPoints
	Directory   *service.Directory
	Keys        *service.Keys
	// Tokens seals sessions.
	Tokens *service.Tokens
	// SignIns remembers which sessions were signed out of.
	SignIns *service.SignIns
	Logger  *slog.Logger
	// PublicURL is the gateway's own address: its host may be asked for besides localhost and IP
	// addresses, and with https cookies are sent over TLS only.
	PublicURL string
	// Now is the clock.
	Now func() time.Time
}

// Console answers requests for pages. It is made by New.
type Console struct {
	o      Options
	host   string // of PublicURL, without port
	secure bool
	pages  pages
	guesses
}

//go:embed static
var static embed.FS

// New makes a console. The error says which template is wrong, which a test shows before any user
// does.
func New(o Options) (*Console, error) {
	all, err := parsePages()
	if err != nil {
		return nil, err
	}
	c := &Console{o: o, pages: all}
	if u, err := url.Parse(o.PublicURL); err == nil {
		c.host, c.secure = strings.ToLower(u.Hostname()), u.Scheme == "https"
	}
	return c, nil
}

const (
	home   = "/console/entry-points"
	signIn = "/console/sign-in"
)

// Register puts the pages on a mux, all below /console.
func (c *Console) Register(mux *http.ServeMux) {
	origin := http.NewCrossOriginProtection()
	origin.SetDenyHandler(http.HandlerFunc(c.foreign))
	add := func(pattern string, h http.Handler) { mux.Handle(pattern, c.guard(origin.Handler(h))) }
	page := func(pattern string, scope gateway.Scope, do func(*visit) error) { add(pattern, c.signedIn(scope, do)) }

	assets, err := fs.Sub(static, "static")
	if err != nil {
		panic("console: " + err.Error()) // the folder is embedded above
	}
	add("GET /console/static/", http.StripPrefix("/console/static/", cached(filesOnly(http.FileServerFS(assets)))))
	add("GET "+signIn, http.HandlerFunc(c.showSignIn))
	add("POST "+signIn, http.HandlerFunc(c.signIn))
	add("POST /console/sign-out", http.HandlerFunc(c.signOut))

	read, write := gateway.ScopeEntryPointsRead, gateway.ScopeEntryPointsWrite
	for _, pattern := range []string{"GET /console", "GET /console/{$}"} {
		add(pattern, http.RedirectHandler(home, http.StatusSeeOther))
	}
	page("GET /console/", read, func(*visit) error { return gateway.Errorf(gateway.CodeNotFound, "there is no such page") })
	page("GET "+home, read, c.overview)
	page("GET "+home+"/new", write, c.newForm)
	page("POST "+home, write, c.create)
	page("GET "+home+"/many", write, c.manyForm)
	page("POST "+home+"/many", write, c.createMany)
	page("GET "+home+"/sheet", read, c.sheetForm)
	page("GET "+home+"/sheet.pdf", read, c.sheetPDF)
	page("GET "+home+"/{id}", read, c.show)
	page("POST "+home+"/{id}", write, c.change)
	page("GET "+home+"/{id}/thumbnail", read, c.thumbnail)
	page("GET "+home+"/{id}/image", read, c.image)
	page("GET "+home+"/{id}/retire", write, c.retireForm)
	page("POST "+home+"/{id}/retire", write, c.retire)
	page("POST "+home+"/{id}/restore", write, c.restore)
}

// guard refuses requests under a foreign name, which a page elsewhere could have made lead here,
// and says what a browser may do with the answer.
func (c *Console) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if !c.hostAllowed(r.Host) {
			http.Error(w, "The console does not answer under this name. Open it by the gateway's public address, localhost or an IP address.", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (c *Console) hostAllowed(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = strings.ToLower(strings.Trim(strings.TrimSuffix(host, "."), "[]"))
	return host != "" && host == c.host || host == "localhost" || net.ParseIP(host) != nil
}

func cached(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "private, max-age=300")
		next.ServeHTTP(w, r)
	})
}

// filesOnly leaves the lists of folders out.
func filesOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "" || strings.HasSuffix(r.URL.Path, "/") {
			http.NotFound(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// foreign answers a form that another site has sent.
func (c *Console) foreign(w http.ResponseWriter, r *http.Request) {
	c.fail(&visit{w: w, Request: r}, gateway.Errorf(gateway.CodeForbidden, "this form was not sent from the console"))
}

// visit is one request of somebody who has signed in.
type visit struct {
	*http.Request
	w   http.ResponseWriter
	key *gateway.APIKey // nil while nobody has
}

// maxForm is the largest form that is read, in bytes.
const maxForm = 64 << 10

// signedIn makes the handler of a page: it opens the session, checks the key's scope, and turns
// errors into pages.
func (c *Console) signedIn(scope gateway.Scope, do func(*visit) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := &visit{w: w, Request: r}
		key, err := c.session(r)
		if gateway.CodeOf(err) == gateway.CodeUnauthorized {
			c.toSignIn(w, r)
			return
		}
		if err == nil {
			v.key = key
			err = c.allowed(key, scope)
		}
		if err == nil && r.Method == http.MethodPost {
			guard.Trust(r)
			err = readForm(w, r, maxForm)
		}
		if err == nil {
			err = do(v)
		}
		if err != nil {
			c.fail(v, err)
		}
	})
}

func (c *Console) allowed(key *gateway.APIKey, scope gateway.Scope) error {
	if !key.Allows(scope) {
		return gateway.Errorf(gateway.CodeForbidden, "this API key lacks the scope %s", scope)
	}
	return nil
}

// maxSignIn is the largest form of somebody who has not signed in, in bytes.
const maxSignIn = 4 << 10

func readForm(w http.ResponseWriter, r *http.Request, limit int64) error {
	r.Body = http.MaxBytesReader(w, r.Body, limit)
	var tooLarge *http.MaxBytesError
	var known *gateway.Error
	switch err := r.ParseForm(); {
	case errors.As(err, &tooLarge):
		return gateway.Errorf(gateway.CodePayloadTooLarge, "the form is larger than %d kB", limit>>10)
	case errors.As(err, &known):
		return known
	case err != nil:
		return gateway.Errorf(gateway.CodeInvalidRequest, "the form cannot be read")
	}
	return nil
}

// toSignIn asks who it is, and comes back afterwards where a page was asked for.
func (c *Console) toSignIn(w http.ResponseWriter, r *http.Request) {
	target := signIn
	if r.Method == http.MethodGet && r.URL.Path != home {
		target += "?" + url.Values{"next": {r.URL.RequestURI()}}.Encode()
	}
	http.Redirect(w, r, target, http.StatusSeeOther)
}

// fail shows what went wrong. Only what a caller may know is shown; the rest is logged.
func (c *Console) fail(v *visit, err error) {
	if v.Context().Err() != nil {
		return // the caller is gone
	}
	var known *gateway.Error
	if !errors.As(err, &known) {
		known = gateway.Errorf(gateway.CodeInternal, "something went wrong in the gateway; its log says what")
	}
	status := known.Code.Status()
	if status >= http.StatusInternalServerError {
		c.o.Logger.Error("page", "path", v.URL.Path, "err", err)
	}
	if status == http.StatusServiceUnavailable {
		v.w.Header().Set("Retry-After", strconv.Itoa(int(max(1, known.RetryAfter.Seconds()))))
	}
	c.render(v, status, "error", layout{Title: http.StatusText(status)}, sentence(known.Message))
}
