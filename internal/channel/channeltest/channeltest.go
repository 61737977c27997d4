// Package channeltest is for the tests of channels' providers: a manager over a database of its
// own, and what it reports. It is no part of any program.
package channeltest

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chasqui/chasqui/internal/channel"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/reach"
	"github.com/chasqui/chasqui/internal/store"
)

// PublicURL is the gateway's address as providers know it: the tests reach it through another, as a
// proxy does.
const PublicURL = "https://gateway.example/base"

// Fixture is a manager over a database of its own, with everything it reports.
type Fixture struct {
	*channel.Manager
	Store   *store.Store
	Vault   *store.Vault
	Web     *httptest.Server // answers at the addresses by which providers come in
	Got     *Recorder
	Options channel.Options // of the manager, for another one

	t         *testing.T
	providers []channel.Provider
	logs      *logs
	keyFile   string
	url       string
	clock     atomic.Pointer[time.Time] // nil for the real one

	unwatch  context.CancelFunc
	watching sync.WaitGroup
}

// Recorder takes reports and inbound messages, or refuses them.
type Recorder struct {
	mu      sync.Mutex
	reports []gateway.ChannelReport
	inbound []gateway.ChannelInbound
	refuse  error
	hold    <-chan struct{}
	changed chan struct{}
}

// Report keeps a report.
func (r *Recorder) Report(ctx context.Context, report gateway.ChannelReport) error {
	r.mu.Lock()
	hold := r.hold
	r.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return r.take(func() { r.reports = append(r.reports, report) })
}

// Inbound keeps an inbound message.
func (r *Recorder) Inbound(_ context.Context, in gateway.ChannelInbound) error {
	return r.take(func() { r.inbound = append(r.inbound, in) })
}

func (r *Recorder) take(add func()) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.refuse != nil {
		return r.refuse
	}
	add()
	close(r.changed)
	r.changed = make(chan struct{})
	return nil
}

// Hold lets reports wait until a channel is closed.
func (r *Recorder) Hold(until <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hold = until
}

// Count is how many reports and inbound messages there are.
func (r *Recorder) Count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.reports) + len(r.inbound)
}

// SetRefuse lets whatever comes be refused with an error; nil for none.
func (r *Recorder) SetRefuse(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refuse = err
}

// Wait waits until as many reports and inbound messages are there, and returns them.
func (r *Recorder) Wait(t *testing.T, reports, inbound int) ([]gateway.ChannelReport, []gateway.ChannelInbound) {
	t.Helper()
	deadline := time.After(15 * time.Second)
	for {
		r.mu.Lock()
		gotReports, gotInbound, changed := append([]gateway.ChannelReport(nil), r.reports...), append([]gateway.ChannelInbound(nil), r.inbound...), r.changed
		r.mu.Unlock()
		if len(gotReports) >= reports && len(gotInbound) >= inbound {
			return gotReports, gotInbound
		}
		select {
		case <-changed:
		case <-deadline:
			t.Fatalf("%d reports and %d messages came, %d and %d were expected: %+v %+v", len(gotReports), len(gotInbound), reports, inbound, gotReports, gotInbound)
		}
	}
}

type logs struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) holds(s string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.text.String(), s)
}

// Logged reports whether a text is in the log.
func (f *Fixture) Logged(text string) bool { return f.logs.holds(text) }

// SecretMark stands in every secret of tests, and must not be logged.
const SecretMark = "s3cret"

// Setup starts a manager for accounts at providers.
func Setup(t *testing.T, providers ...channel.Provider) *Fixture {
	t.Helper()
	folder := t.TempDir()
	f := &Fixture{t: t, providers: providers, Got: &Recorder{changed: make(chan struct{})}, logs: &logs{}, keyFile: filepath.Join(folder, "chasqui.key"), url: filepath.Join(folder, "chasqui.db")}
	f.Open()
	t.Cleanup(func() {
		f.Close()
		if f.logs.holds(SecretMark) || f.logs.holds("whsec_") {
			t.Errorf("a secret was logged: %s", f.logs.text.String())
		}
	})
	return f
}

// Open starts a manager over the Fixture's database.
func (f *Fixture) Open() {
	f.t.Helper()
	logger := slog.New(slog.NewTextHandler(io.MultiWriter(f.logs, f.t.Output()), &slog.HandlerOptions{Level: slog.LevelDebug}))
	s, err := store.Open(f.t.Context(), store.Options{URL: f.url, Logger: logger})
	if err != nil {
		f.t.Fatal(err)
	}
	v, err := store.OpenVault(f.t.Context(), s, f.keyFile)
	if err != nil {
		f.t.Fatal(err)
	}
	f.Store, f.Vault = s, v
	f.Options = channel.Options{
		Providers: f.providers, Vault: v, Store: s, Logger: logger, Now: f.time, PublicURL: PublicURL, Reach: new(reach.Allowed).WithLoopback(), FirstPause: 10 * time.Millisecond,
	}
	f.Manager = channel.New(f.Options)
	if err := f.Start(f.t.Context(), f.Got); err != nil {
		f.t.Fatal(err)
	}
	watching, stop := context.WithCancel(context.Background())
	f.unwatch = stop
	watcher := store.NewWatcher(s, logger)
	watcher.Follow("accounts", f.Refresh, store.ChangeChannels)
	f.watching.Go(func() { watcher.Run(watching) })
	mux := http.NewServeMux()
	f.Register(mux)
	f.Web = httptest.NewServer(mux)
}

func (f *Fixture) time() time.Time {
	if at := f.clock.Load(); at != nil {
		return *at
	}
	return time.Now()
}

// SetNow stops the clock at a moment.
func (f *Fixture) SetNow(at time.Time) { f.clock.Store(&at) }

// Close stops the manager and everything under it.
func (f *Fixture) Close() {
	f.Web.Close()
	f.unwatch()
	f.watching.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	f.Stop(ctx)
	f.Store.Close()
}

// Add stores an account and begins to work with it.
func (f *Fixture) Add(a *gateway.ChannelAccount) *gateway.ChannelAccount {
	f.t.Helper()
	if _, err := channel.Describe(f.providers).Settle(a); err != nil {
		f.t.Fatal(err)
	}
	if err := f.Vault.CreateChannel(f.t.Context(), a); err != nil {
		f.t.Fatal(err)
	}
	if err := f.Refresh(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
	return a
}

// Post posts to an address by which a provider comes in, with headers by name and value.
func (f *Fixture) Post(path, contentType, body string, header ...string) (int, string) {
	f.t.Helper()
	return f.Call(http.MethodPost, path, contentType, body, header...)
}

// Call calls an address by which a provider comes in.
func (f *Fixture) Call(method, path, contentType, body string, header ...string) (int, string) {
	f.t.Helper()
	req, err := http.NewRequestWithContext(f.t.Context(), method, f.Web.URL+path, strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := f.Web.Client().Do(req)
	if err != nil {
		f.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}

// RefusalOf is the refusal of a channel that an error is.
func RefusalOf(t *testing.T, err error) *gateway.ChannelError {
	t.Helper()
	var e *gateway.ChannelError
	if !errors.As(err, &e) {
		t.Fatalf("%v is not a refusal of a channel", err)
	}
	return e
}

// PortOf is the port of an address.
func PortOf(t *testing.T, address net.Addr) int {
	t.Helper()
	_, text, err := net.SplitHostPort(address.String())
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// SMS is a message with a text.
func SMS(text string) *gateway.ChannelMessage {
	return &gateway.ChannelMessage{ID: "msg_1", Step: 1, Application: "APP", Address: "4479460001", Body: text, AcceptedAt: time.Now()}
}

// WaitFor asks again and again until something is so.
func WaitFor(t *testing.T, so func() bool) {
	t.Helper()
	deadline := time.Now().Add(15 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !so() {
		if time.Now().After(deadline) {
			t.Fatal("it did not come about")
		}
		<-tick.C
	}
}

// Edit changes the settings of an account, which are of type S.
func Edit[S any](t *testing.T, a *gateway.ChannelAccount, change func(*S)) {
	t.Helper()
	s := new(S)
	if err := json.Unmarshal(a.Settings, s); err != nil {
		t.Fatal(err)
	}
	change(s)
	a.Settings = Settings(s)
}

// Settings writes settings as an account holds them.
func Settings(of any) json.RawMessage {
	encoded, err := json.Marshal(of)
	if err != nil {
		panic("channeltest: settings are not JSON: " + err.Error()) // a struct that JSON knows
	}
	return encoded
}
