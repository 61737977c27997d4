package console_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/internal/console"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/ingest"
	"github.com/chasqui/chasqui/internal/reach"
	"github.com/chasqui/chasqui/internal/service"
	"github.com/chasqui/chasqui/internal/store"
)

// world is a console over a real store and a real socket, with pages of an emulated platform
// connected.
type world struct {
	t      *testing.T
	url    string
	store  *store.Store
	points *service.EntryPoints
	apps   *service.Applications
	ahead  atomic.Int64 // how far the clock is put forward

	platform *graphemu.Server
	app      graphemu.App
}

func setup(t *testing.T, publicURL string) *world {
	t.Helper()
	w := &world{t: t, platform: &graphemu.Server{}}
	graph := httptest.NewServer(w.platform)
	t.Cleanup(func() { w.platform.Close(); graph.Close() })
	w.app = w.platform.AddApp(graphemu.App{Name: "Demo App", RequireProof: true})
	now := func() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) }
	log := &logs{}
	t.Cleanup(func() { log.check(t) })
	logger := slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	folder := t.TempDir()
	var err error
	if w.store, err = store.Open(t.Context(), store.Options{URL: filepath.Join(folder, "chasqui.db"), Logger: logger, Now: now}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.store.Close() })
	vault, err := store.OpenVault(t.Context(), w.store, filepath.Join(folder, "chasqui.key"))
	if err != nil {
		t.Fatal(err)
	}
	directory, err := service.NewDirectory(t.Context(), vault, logger)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	web := httptest.NewServer(mux)
	t.Cleanup(web.Close)
	w.url = web.URL
	if publicURL == "" {
		publicURL = web.URL
	}
	ingest.New(ingest.Options{Store: w.store, Directory: directory, Logger: logger}).Register(mux)
	w.apps = &service.Applications{Vault: vault, Directory: directory, Platform: service.Platform{BaseURL: graph.URL}, PublicURL: web.URL, Logger: logger, Now: now}
	w.points = &service.EntryPoints{Store: w.store, Directory: directory, Logger: logger, PublicURL: publicURL, Pictures: service.NewPictures(new(reach.Allowed).WithLoopback())}
	c, err := console.New(console.Options{EntryPoints: w.points, Directory: directory, Keys: service.NewKeys(w.store, now), Tokens: store.NewTokens(vault), SignIns: &service.SignIns{Store: w.store}, Logger: logger, PublicURL: publicURL, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	c.Register(mux)
	return w
}

// logs keeps what is logged, to be searched for keys and tokens at the end of a test.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) check(t *testing.T) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if found := regexp.MustCompile(`\bchq_\S*|\bEAA[0-9A-Za-z]{30,}`).FindString(l.text.String()); found != "" {
		t.Errorf("the log holds a secret: %s", found)
	}
}

var everyone = gateway.Everything()

// connect connects a page, and returns its application's key.
func (w *world) connect(name string) string {
	w.t.Helper()
	p := w.platform.AddPage(graphemu.Page{Name: name, AppID: w.app.ID})
	a, err := w.apps.Connect(w.t.Context(), everyone, service.ConnectInput{AccessToken: gateway.Secret(p.AccessToken), AppID: w.app.ID, AppSecret: gateway.Secret(w.app.Secret)})
	if err != nil {
		w.t.Fatal(err)
	}
	return a.Key
}

// point makes an entry point.
func (w *world) point(e gateway.EntryPoint) *gateway.EntryPoint {
	w.t.Helper()
	if e.Kind == "" {
		e.Kind = gateway.EntryCode
	}
	if err := w.points.Create(w.t.Context(), everyone, &e); err != nil {
		w.t.Fatal(err)
	}
	return &e
}

func (w *world) key(applications []string, scopes ...gateway.Scope) (*gateway.APIKey, string) {
	w.t.Helper()
	k, secret, err := service.CreateKey(w.t.Context(), w.store, "front desk", scopes, applications)
	if err != nil {
		w.t.Fatal(err)
	}
	return k, secret.Reveal()
}

// visitor is a browser without scripts.
type visitor struct {
	w      *world
	client *http.Client
	host   string // asked for instead of the address's, unless empty
}

func (w *world) visitor() *visitor {
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return &visitor{w: w, client: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// signedIn is a visitor with a key.
func (w *world) signedIn(applications []string, scopes ...gateway.Scope) *visitor {
	w.t.Helper()
	_, secret := w.key(applications, scopes...)
	v := w.visitor()
	if p := v.post("/console/sign-in", "key", secret); p.status != http.StatusSeeOther {
		w.t.Fatalf("sign-in: %d %s", p.status, p.text())
	}
	return v
}

// page is an answer.
type page struct {
	status int
	header http.Header
	body   string
}

var space = regexp.MustCompile(`(?s)<[^>]*>|\s+`)

// text is what can be read on a page.
func (p page) text() string {
	return strings.Join(strings.Fields(space.ReplaceAllString(p.body, " ")), " ")
}

func (v *visitor) do(method, path string, form url.Values, header ...string) page {
	v.w.t.Helper()
	req, err := http.NewRequestWithContext(v.w.t.Context(), method, v.w.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		v.w.t.Fatal(err)
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	req.Host = v.host
	resp, err := v.client.Do(req)
	if err != nil {
		v.w.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		v.w.t.Fatal(err)
	}
	return page{resp.StatusCode, resp.Header, string(b)}
}

func (v *visitor) get(path string, header ...string) page {
	v.w.t.Helper()
	return v.do(http.MethodGet, path, nil, header...)
}

// post sends a form of names and values.
func (v *visitor) post(path string, fields ...string) page {
	v.w.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return v.do(http.MethodPost, path, form)
}

// wants fails the test unless the page has a status and holds texts; one that begins with ! must
// not be there.
func (p page) wants(t *testing.T, status int, texts ...string) page {
	t.Helper()
	if p.status != status {
		t.Errorf("status %d, want %d: %.300s", p.status, status, p.text())
	}
	for _, text := range texts {
		absent, negated := strings.CutPrefix(text, "!")
		if negated && strings.Contains(p.body, absent) {
			t.Errorf("the page holds %q", absent)
		}
		if !negated && !strings.Contains(p.body, text) && !strings.Contains(p.text(), text) {
			t.Errorf("the page does not hold %q: %.2000s", text, p.text())
		}
	}
	return p
}
