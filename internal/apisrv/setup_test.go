package apisrv_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/internal/apisrv"
	"github.com/chasqui/chasqui/internal/channel"
	"github.com/chasqui/chasqui/internal/channel/providers"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/ingest"
	"github.com/chasqui/chasqui/internal/reach"
	"github.com/chasqui/chasqui/internal/service"
	"github.com/chasqui/chasqui/internal/store"
)

// bundle is a gateway's API with its webhook endpoint over a real socket, beside an emulated
// platform.
type bundle struct {
	t           *testing.T
	url         string
	key         string // opens everything
	client      *gatewayapi.Client
	store       *store.Store
	vault       *store.Vault
	apps        *service.Applications
	platform    *graphemu.Server
	graphURL    string
	app         graphemu.App
	entryPoints *service.EntryPoints
	handler     http.Handler // of the API alone
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{t: t, platform: &graphemu.Server{}}
	graph := httptest.NewServer(b.platform)
	t.Cleanup(func() { b.platform.Close(); graph.Close() })
	b.graphURL = graph.URL
	b.app = b.platform.AddApp(graphemu.App{ID: "4242", Name: "Demo App", RequireProof: true})

	log := &logs{}
	t.Cleanup(func() { log.check(t, b.app.Secret) })
	logger := slog.New(slog.NewTextHandler(io.MultiWriter(log, t.Output()), &slog.HandlerOptions{Level: slog.LevelDebug}))
	var err error
	folder := t.TempDir()
	if b.store, err = store.Open(t.Context(), store.Options{URL: filepath.Join(folder, "chasqui.db"), Logger: logger}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.store.Close() })
	if b.vault, err = store.OpenVault(t.Context(), b.store, filepath.Join(folder, "chasqui.key")); err != nil {
		t.Fatal(err)
	}
	directory, err := service.NewDirectory(t.Context(), b.vault, logger)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	web := httptest.NewServer(mux)
	t.Cleanup(web.Close)
	b.url = web.URL
	b.apps = &service.Applications{Vault: b.vault, Directory: directory, Platform: service.Platform{BaseURL: graph.URL}, PublicURL: web.URL, Logger: logger, Now: time.Now}
	b.entryPoints = &service.EntryPoints{Store: b.store, Directory: directory, Logger: logger, PublicURL: web.URL, Pictures: service.NewPictures(new(reach.Allowed).WithLoopback())}
	services := &service.Services{
		Directory: directory, Keys: service.NewKeys(b.store, time.Now), Messages: &service.Messages{Store: b.store, Directory: directory},
		Applications: b.apps, Profiles: &service.Profiles{Store: b.store, Directory: directory}, Erasures: &service.Erasures{Store: b.store, Directory: directory},
		Subscriptions: &service.Subscriptions{Vault: b.vault, Store: b.store, Directory: directory, Reach: new(reach.Allowed).WithLoopback()},
		Channels: &service.Channels{Providers: channel.Describe(providers.Table()), Vault: b.vault, Store: b.store, Directory: directory, Reach: new(reach.Allowed).WithLoopback(), Probe: func(_ context.Context, a *gateway.ChannelAccount) error {
			if a.Name != "broken" {
				return nil
			}
			return &gateway.ChannelError{Kind: gateway.ChannelRefused, Failure: gateway.Failure{Code: gateway.FailureAccountRefused, Message: "the provider does not know the account"}}
		}},
		EntryPoints: b.entryPoints, Events: &service.Events{Store: b.store, Vault: b.vault, Directory: directory, Projected: b.store.Head},
	}
	b.handler, err = apisrv.New(apisrv.Options{Services: services, Now: b.store.Now, Ready: b.store.Ready, Logger: logger, PublicURL: web.URL, MaxBody: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	ingest.New(ingest.Options{Store: b.store, Directory: directory, Logger: logger}).Register(mux)
	mux.Handle("/", b.handler)
	b.key = b.newKey(nil, gateway.ScopeAll)
	if b.client, err = gatewayapi.New(web.URL, b.key, gatewayapi.WithRetries(0)); err != nil {
		t.Fatal(err)
	}
	return b
}

// logs keeps all that is logged, to be searched for secrets at the end of a test.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// secretForms are what tokens, keys and secrets begin with. Tokens are longer than the keys of
// applications, some of which begin with the same letters.
var secretForms = regexp.MustCompile(`\bEAA[0-9A-Za-z]{30,}|\bchq_|\bchqv_|\bwhsec_|appsecret_proof=`)

// check fails the test when a token, a key or a secret was logged.
func (l *logs) check(t *testing.T, secrets ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if found := secretForms.FindIndex(l.text.Bytes()); found != nil {
		t.Errorf("the log holds a secret: %s", l.text.String()[max(0, found[0]-200):min(l.text.Len(), found[1]+60)])
	}
	for _, secret := range secrets {
		if i := strings.Index(l.text.String(), secret); i >= 0 {
			t.Errorf("the log holds a secret: %s", l.text.String()[max(0, i-200):min(l.text.Len(), i+60)])
		}
	}
}

// newKey makes an API key, limited to applications unless there are none.
func (b *bundle) newKey(applications []string, scopes ...gateway.Scope) string {
	b.t.Helper()
	_, secret, err := service.CreateKey(b.t.Context(), b.store, "test", scopes, applications)
	if err != nil {
		b.t.Fatal(err)
	}
	return secret.Reveal()
}

// connect connects a page of the demo app.
func (b *bundle) connect(page graphemu.Page) gatewayapi.Application {
	b.t.Helper()
	a, err := b.client.ConnectApplication(b.t.Context(), gatewayapi.ConnectApplicationRequest{
		Page:        gatewayapi.PageCredentials{AccessToken: page.AccessToken},
		Application: gatewayapi.AppCredentials{ID: b.app.ID, Secret: b.app.Secret},
	})
	if err != nil {
		b.t.Fatalf("connect page %s: %v", page.ID, err)
	}
	return a
}

// response is an answer as it came.
type response struct {
	status int
	header http.Header
	body   string
}

// call makes a request as it stands, without the client's help.
func (b *bundle) call(method, path, key, body string, header ...string) response {
	b.t.Helper()
	req, err := http.NewRequestWithContext(context.WithoutCancel(b.t.Context()), method, b.url+path, bytes.NewReader([]byte(body)))
	if err != nil {
		b.t.Fatal(err)
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return response{res.StatusCode, res.Header, string(text)}
}

// apiError reads the error body of an answer, and checks its shape.
func (r response) apiError(t *testing.T) gatewayapi.Error {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader([]byte(r.body)))
	d.DisallowUnknownFields()
	var body gatewayapi.ErrorBody
	if err := d.Decode(&body); err != nil {
		t.Fatalf("status %d with body %q is not the API's error: %v", r.status, r.body, err)
	}
	if body.Error.RequestID == "" || body.Error.RequestID != r.header.Get("X-Request-Id") {
		t.Errorf("requestId %q, header %q", body.Error.RequestID, r.header.Get("X-Request-Id"))
	}
	if body.Error.Message == "" || gateway.Code(body.Error.Code).Status() != r.status {
		t.Errorf("status %d does not fit %s", r.status, r.body)
	}
	return body.Error
}
