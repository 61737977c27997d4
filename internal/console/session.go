package console

import (
	"encoding/json"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/chasqui/chasqui/internal/gateway"
)

const (
	cookieName    = "chasqui_console"
	cookiePurpose = "console session"
	sessionLife   = 12 * time.Hour
)

// sealedSession is what the cookie holds, sealed. The key is authenticated again with each request, so that a session ends when its key is revoked.
type sealedSession struct {
	Key     string    `json:"key"`
	Expires time.Time `json:"expires"`
}

// session answers the key of whoever is signed in; the error is unauthorized when nobody is.
func (c *Console) session(r *http.Request) (*gateway.APIKey, error) {
	nobody := gateway.Errorf(gateway.CodeUnauthorized, "sign in first")
	cookie, err := r.Cookie(cookieName)
	if err != nil {
		return nil, nobody
	}
	opened, err := c.o.Tokens.Open(r.Context(), cookiePurpose, cookie.Value)
	if err != nil {
		return nil, nobody
	}
	var s sealedSession
	if json.Unmarshal(opened, &s) != nil || !c.o.Now().Before(s.Expires) {
		return nil, nobody
	}
	return c.o.Keys.Authenticate(r.Context(), "Bearer "+s.Key)
}

func (c *Console) setCookie(w http.ResponseWriter, value string, age time.Duration) {
	cookie := &http.Cookie{Name: cookieName, Value: value, Path: "/console", MaxAge: int(age / time.Second), HttpOnly: true, Secure: c.secure, SameSite: http.SameSiteStrictMode}
	if value == "" {
		cookie.MaxAge = -1
	}
	http.SetCookie(w, cookie)
}

type signInForm struct{ Next, Problem string }

func (c *Console) showSignIn(w http.ResponseWriter, r *http.Request) {
	next := ours(r.URL.Query().Get("next"))
	if key, err := c.session(r); err == nil && key.Allows(gateway.ScopeEntryPointsRead) {
		http.Redirect(w, r, next, http.StatusSeeOther)
		return
	}
	c.askKey(w, r, http.StatusOK, signInForm{Next: next})
}

func (c *Console) askKey(w http.ResponseWriter, r *http.Request, status int, f signInForm) {
	c.render(&visit{w: w, Request: r}, status, "signin", layout{Title: "Sign in"}, f)
}

func (c *Console) signIn(w http.ResponseWriter, r *http.Request) {
	if err := readForm(w, r); err != nil {
		c.fail(&visit{w: w, Request: r}, err)
		return
	}
	f := signInForm{Next: ours(r.PostForm.Get("next"))}
	if wait := c.wait(r.RemoteAddr, c.o.Now()); wait > 0 {
		seconds := strconv.Itoa(int(wait/time.Second) + 1)
		w.Header().Set("Retry-After", seconds)
		f.Problem = "Too many attempts. Try again in " + seconds + " seconds."
		c.askKey(w, r, http.StatusTooManyRequests, f)
		return
	}
	secret := strings.TrimSpace(r.PostForm.Get("key"))
	key, err := c.o.Keys.Authenticate(r.Context(), "Bearer "+secret)
	if err == nil {
		err = c.allowed(key, gateway.ScopeEntryPointsRead)
	}
	switch code := gateway.CodeOf(err); {
	case err == nil:
	case code == gateway.CodeUnauthorized:
		c.failed(r.RemoteAddr, c.o.Now())
		f.Problem = "This API key is not known, or was revoked."
		c.askKey(w, r, http.StatusUnauthorized, f)
		return
	case code == gateway.CodeForbidden:
		f.Problem = "This API key lacks the scope " + string(gateway.ScopeEntryPointsRead) + "."
		c.askKey(w, r, http.StatusForbidden, f)
		return
	default:
		c.fail(&visit{w: w, Request: r}, err)
		return
	}
	content, err := json.Marshal(sealedSession{secret, c.o.Now().Add(sessionLife)})
	if err == nil {
		secret, err = c.o.Tokens.Seal(r.Context(), cookiePurpose, content)
	}
	if err != nil {
		c.fail(&visit{w: w, Request: r}, err)
		return
	}
	c.setCookie(w, secret, sessionLife)
	http.Redirect(w, r, f.Next, http.StatusSeeOther)
}

func (c *Console) signOut(w http.ResponseWriter, r *http.Request) {
	c.setCookie(w, "", 0)
	http.Redirect(w, r, signIn, http.StatusSeeOther)
}

// ours is an address of the console to go on to: the list unless it is one.
func ours(next string) string {
	if !strings.HasPrefix(next, "/console/") || strings.ContainsAny(next, "\\\r\n") || strings.HasPrefix(next, signIn) {
		return home
	}
	return next
}

// How often a sign-in may fail from one address: a few at once, then one each ten seconds.
const (
	guessBurst   = 8
	guessEvery   = 10 * time.Second
	maxGuessers  = 10_000
	prefixV6Bits = 64
)

// guesses slows failed sign-ins. The zero value is ready.
type guesses struct {
	mu      sync.Mutex
	buckets map[netip.Prefix]*rate.Limiter
}

// wait answers for how long an address has to wait before the next try.
func (g *guesses) wait(remote string, now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	b := g.buckets[source(remote)]
	if b == nil {
		return 0
	}
	if left := b.TokensAt(now); left < 1 {
		return time.Duration((1 - left) * float64(guessEvery))
	}
	return 0
}

// failed counts a try that failed.
func (g *guesses) failed(remote string, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	from := source(remote)
	b := g.buckets[from]
	if b == nil {
		if g.buckets == nil || len(g.buckets) >= maxGuessers {
			g.buckets = map[netip.Prefix]*rate.Limiter{}
		}
		b = rate.NewLimiter(rate.Every(guessEvery), guessBurst)
		g.buckets[from] = b
	}
	b.AllowN(now, 1)
}

// source is whom tries are counted for: an IPv4 address, or the network that one household has of IPv6.
func source(remote string) netip.Prefix {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		host = remote
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Prefix{}
	}
	ip = ip.Unmap().WithZone("")
	bits := ip.BitLen()
	if ip.Is6() {
		bits = prefixV6Bits
	}
	p, err := ip.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}
