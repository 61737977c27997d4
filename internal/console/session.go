package console

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/guard"
)

const (
	cookieName    = "chasqui_console"
	cookiePurpose = "console session"
	sessionLife   = 12 * time.Hour
)

// sealedSession is what the cookie holds, sealed. The key is authenticated again with each request,
// so that a session ends when its key is revoked.
type sealedSession struct {
	ID      string    `json:"id"`
	Key     string    `json:"key"`
	Expires time.Time `json:"expires"`
}

// session returns the key of whoever is signed in; the error is unauthorized when nobody is.
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
	if json.Unmarshal(opened, &s) != nil || s.ID == "" || !c.o.Now().Before(s.Expires) {
		return nil, nobody
	}
	if over, err := c.o.SignIns.Ended(r.Context(), s.ID); err != nil || over {
		if err != nil {
			return nil, gateway.Errorf(gateway.CodeStoreUnavailable, "the database cannot be asked about the session; try again").WithCause(err)
		}
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
	if err := readForm(w, r, maxSignIn); err != nil {
		c.fail(&visit{w: w, Request: r}, err)
		return
	}
	f := signInForm{Next: ours(r.PostForm.Get("next"))}
	// The key is tried first: it has 256 random bits, so that nobody guesses one, and whoever has
	// one is never kept out by those who guess.
	secret := strings.TrimSpace(r.PostForm.Get("key"))
	key, err := c.o.Keys.Authenticate(r.Context(), "Bearer "+secret)
	if err == nil {
		err = c.allowed(key, gateway.ScopeEntryPointsRead)
	}
	switch code := gateway.CodeOf(err); {
	case err == nil:
	case code == gateway.CodeUnauthorized:
		if wait := c.failed(guard.Client(r), c.o.Now()); wait > 0 {
			seconds := strconv.Itoa(int(wait/time.Second) + 1)
			w.Header().Set("Retry-After", seconds)
			f.Problem = "Too many attempts with keys that are not known. Try again in " + seconds + " seconds."
			c.askKey(w, r, http.StatusTooManyRequests, f)
			return
		}
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
	var id [16]byte
	rand.Read(id[:])
	content, err := json.Marshal(sealedSession{hex.EncodeToString(id[:]), secret, c.o.Now().Add(sessionLife)})
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

// signOut ends the session: its cookie is good no more, wherever it was kept.
func (c *Console) signOut(w http.ResponseWriter, r *http.Request) {
	var s sealedSession
	if cookie, err := r.Cookie(cookieName); err == nil {
		opened, err := c.o.Tokens.Open(r.Context(), cookiePurpose, cookie.Value)
		if err == nil && json.Unmarshal(opened, &s) == nil && s.ID != "" {
			err = c.o.SignIns.End(r.Context(), s.ID, s.Expires)
			if err != nil {
				c.fail(&visit{w: w, Request: r}, err)
				return
			}
		}
	}
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

// failed counts a try that failed, and answers for how long the address has to wait when there were
// too many.
func (g *guesses) failed(from netip.Addr, now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	at := source(from)
	b := g.buckets[at]
	if b == nil {
		if g.buckets == nil || len(g.buckets) >= maxGuessers {
			g.buckets = map[netip.Prefix]*rate.Limiter{}
		}
		b = rate.NewLimiter(rate.Every(guessEvery), guessBurst)
		g.buckets[at] = b
	}
	if b.AllowN(now, 1) {
		return 0
	}
	return time.Duration((1 - b.TokensAt(now)) * float64(guessEvery))
}

// source is whom tries are counted for: an IPv4 address, or the network that one household has of
// IPv6.
func source(ip netip.Addr) netip.Prefix {
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
