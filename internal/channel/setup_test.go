package channel

import (
	"context"
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

	"go.uber.org/goleak"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/reach"
	"github.com/chasqui/chasqui/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// publicURL is the gateway's address as providers know it: the tests reach it through another, as a proxy does.
const publicURL = "https://gateway.example/base"

// fixture is a manager over a database of its own, with everything it reports.
type fixture struct {
	*Manager
	t       *testing.T
	web     *httptest.Server
	got     *recorder
	logs    *logs
	keyFile string
	url     string
	clock   atomic.Pointer[time.Time] // nil for the real one
}

// recorder takes reports and inbound messages, or refuses them.
type recorder struct {
	mu      sync.Mutex
	reports []gateway.ChannelReport
	inbound []gateway.ChannelInbound
	refuse  error
	changed chan struct{}
}

func (r *recorder) Report(_ context.Context, report gateway.ChannelReport) error {
	return r.take(func() { r.reports = append(r.reports, report) })
}

func (r *recorder) Inbound(_ context.Context, in gateway.ChannelInbound) error {
	return r.take(func() { r.inbound = append(r.inbound, in) })
}

func (r *recorder) take(add func()) error {
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

func (r *recorder) setRefuse(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refuse = err
}

// wait waits until as many reports and inbound messages are there, and answers them.
func (r *recorder) wait(t *testing.T, reports, inbound int) ([]gateway.ChannelReport, []gateway.ChannelInbound) {
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

const testSecretMark = "s3cret"

func setup(t *testing.T) *fixture {
	t.Helper()
	folder := t.TempDir()
	f := &fixture{t: t, got: &recorder{changed: make(chan struct{})}, logs: &logs{}, keyFile: filepath.Join(folder, "chasqui.key"), url: filepath.Join(folder, "chasqui.db")}
	f.open()
	t.Cleanup(func() {
		f.close()
		if f.logs.holds(testSecretMark) || f.logs.holds("whsec_") {
			t.Errorf("a secret was logged: %s", f.logs.text.String())
		}
	})
	return f
}

// open starts a manager over the fixture's database.
func (f *fixture) open() {
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
	f.Manager = New(Options{
		Vault: v, Store: s, Logger: logger, Now: f.time, PublicURL: publicURL, Reach: new(reach.Allowed).WithLoopback(), FirstPause: 10 * time.Millisecond,
	})
	if err := f.Start(f.t.Context(), f.got); err != nil {
		f.t.Fatal(err)
	}
	mux := http.NewServeMux()
	f.Register(mux)
	f.web = httptest.NewServer(mux)
}

func (f *fixture) time() time.Time {
	if at := f.clock.Load(); at != nil {
		return *at
	}
	return time.Now()
}

func (f *fixture) setNow(at time.Time) { f.clock.Store(&at) }

// close stops the manager and everything under it.
func (f *fixture) close() {
	f.web.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	f.Stop(ctx)
	f.o.Store.Close()
}

// account stores an account and begins to work with it.
func (f *fixture) account(a *gateway.ChannelAccount) *gateway.ChannelAccount {
	f.t.Helper()
	a.Defaults()
	if err := a.Validate(); err != nil {
		f.t.Fatal(err)
	}
	if err := f.o.Vault.CreateChannel(f.t.Context(), a); err != nil {
		f.t.Fatal(err)
	}
	if err := f.Refresh(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
	return a
}

// post calls one of the doors.
func (f *fixture) post(path, contentType, body string, header ...string) (int, string) {
	f.t.Helper()
	req, err := http.NewRequestWithContext(f.t.Context(), http.MethodPost, f.web.URL+path, strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := f.web.Client().Do(req)
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

func refusalOf(t *testing.T, err error) *gateway.ChannelError {
	t.Helper()
	var e *gateway.ChannelError
	if !errors.As(err, &e) {
		t.Fatalf("%v is no refusal of a channel", err)
	}
	return e
}

func portOf(t *testing.T, address net.Addr) int {
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

func sms(text string) *gateway.ChannelMessage {
	return &gateway.ChannelMessage{ID: "msg_1", Step: 1, Application: "APP", Address: "4479460001", Body: text, AcceptedAt: time.Now()}
}

// waitFor asks again and again until something is so.
func waitFor(t *testing.T, so func() bool) {
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
