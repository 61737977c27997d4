package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/internal/app"
	"github.com/chasqui/chasqui/internal/config"
)

// strangers open connections that say this and nothing more.
func (w *world) strangers(n int, says ...string) {
	w.t.Helper()
	for i := range n {
		c, err := net.DialTimeout("tcp", strings.TrimPrefix(w.url, "http://"), patience)
		if err != nil {
			w.t.Fatalf("connection %d: %v", i, err)
		}
		w.t.Cleanup(func() { c.Close() })
		io.WriteString(c, says[i%len(says)]) // one that is closed by then has said enough
	}
}

// A gateway with few files to open goes on working, for others and for its own database, while
// strangers hold as many connections as they can.
func TestConnectionsThatSayNothing(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such limit")
	}
	w := newWorld(t, startPlatform(t))
	w.config.Addr = freeAddr(t)
	w.url = "http://" + w.config.Addr
	program, err := build()
	if err != nil {
		t.Fatal(err)
	}
	args := append([]string{"-c", `ulimit -n 128 && exec "$0" "$@"`, program}, w.serveArgs()...)
	w.spawn(command(context.Background(), "/bin/sh", args...))
	w.use(strings.TrimSpace(w.run("key", "create")))
	p := w.connect(graphemu.Page{})
	ana := p.person("Ana")
	w.strangers(300, "", "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n", "POST /console/sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nke",
		"POST /webhooks/"+p.key+" HTTP/1.1\r\nHost: a\r\nX-Hub-Signature-256: sha256=00\r\nContent-Length: 1000000\r\n\r\n{", "GET /openapi.json HTTP/1.1\r\nHost: a\r\n")
	for range 20 {
		if status := probe(w.url + "/healthz"); status != http.StatusOK {
			t.Fatalf("/healthz: %d", status)
		}
		if status := probe(w.url + "/readyz"); status != http.StatusOK {
			t.Fatalf("/readyz: %d", status)
		}
	}
	p.says(ana, "hello")
	w.send(p.text(ana, "still here"))
	p.awaitThread(ana, 1)
}

// Large bodies of strangers cost no memory before they come, and those who sign in or begin a
// session need little.
func TestBodiesBeforeAKey(t *testing.T) {
	t.Parallel()
	w := startWorld(t, func(c *config.Config) { c.Sessions.Secret = tenantSecret })
	p := w.connect(graphemu.Page{})
	large := strings.Repeat("x", 20<<10)
	for path, want := range map[string]int{
		"/auth/1/session":                       http.StatusRequestEntityTooLarge,
		"/apispaces/" + p.key + "/sessions":     http.StatusRequestEntityTooLarge,
		"/console/sign-in":                      http.StatusRequestEntityTooLarge,
		"/v1/messages":                          http.StatusUnauthorized,
		"/cpaas/messages":                       http.StatusUnauthorized,
		"/facebook/1/single":                    http.StatusUnauthorized,
		"/webhooks/" + p.key:                    http.StatusForbidden,
		"/channels/x/status":                    http.StatusForbidden,
		"/me/messenger_codes":                   http.StatusBadRequest,
		"/webhooks/" + p.key + "/data-deletion": http.StatusBadRequest,
	} {
		kind := "application/json"
		if path == "/console/sign-in" {
			kind = "application/x-www-form-urlencoded"
		}
		got := w.comapi("POST", path, `{"password":"`+large+`"}`, "Authorization", "", "Content-Type", kind)
		if got.status != want {
			t.Errorf("%s: %d %.200s, wanted %d", path, got.status, got.body, want)
		}
	}
}

// Metrics have an address of their own, and the gateway's says nothing of them.
func TestMetricsAreNotForStrangers(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	if status, body := w.get("/metrics"); status != http.StatusNotFound || strings.Contains(body, p.key) {
		t.Errorf("/metrics: %d %s", status, body)
	}
	await(t, "the application in the figures", func() (bool, string) { body := w.metrics(); return strings.Contains(body, p.key), "" })
	for _, name := range []string{"chasqui_connections_open ", "chasqui_queue_depth{"} {
		if !strings.Contains(w.metrics(), "\n"+name) {
			t.Errorf("there is no %s", name)
		}
	}
	if !w.app.MetricsAddr().(*net.TCPAddr).IP.IsLoopback() {
		t.Errorf("metrics are served on %s", w.app.MetricsAddr())
	}
}

// lines counts the lines of a log.
type lines struct {
	mu  sync.Mutex
	all []map[string]any
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(string(b)) {
		var v map[string]any
		if json.Unmarshal([]byte(line), &v) == nil {
			l.all = append(l.all, v)
		}
	}
	return len(b), nil
}

// A flood of nonsense is counted, and no flood of lines.
func TestNonsenseIsOneLine(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	w.stop()
	log := &lines{}
	listener, err := net.Listen("tcp", w.config.Addr)
	if err != nil {
		t.Fatal(err)
	}
	w.app, err = app.New(t.Context(), app.Options{Config: w.config, Logger: slog.New(slog.NewJSONHandler(log, nil)), Version: "test", AllowLoopback: true, Listener: listener, Now: w.clock.now})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	x := w.texter("")
	for i := range 50 {
		w.comapi("POST", fmt.Sprintf("/channels/x%d/status", i), "a=b")
		w.comapi("POST", "/channels/"+x.account.ID+"/inbound", "a=b", "X-Twilio-Signature", "x")
		w.comapi("POST", "/webhooks/"+p.key, "{}", "X-Hub-Signature-256", "sha256=00")
		w.comapi("POST", "/webhooks/"+p.key+"/data-deletion", "signed_request=x.y")
	}
	log.mu.Lock()
	defer log.mu.Unlock()
	warned := map[any]int{}
	for _, line := range log.all {
		if strings.HasPrefix(fmt.Sprint(line["msg"]), "requests were refused") {
			warned[line["reason"]]++
		} else if line["level"] == "WARN" && strings.Contains(fmt.Sprint(line["msg"]), "refused") {
			t.Errorf("a line for each: %v", line)
		}
	}
	for _, reason := range []string{"unknown_account", "bad_account_signature", "bad_signature", "bad_deletion_signature"} {
		if warned[reason] < 1 || warned[reason] > 2 {
			t.Errorf("%s has %d lines", reason, warned[reason])
		}
	}
	for reason, want := range map[string]float64{"unknown_account": 50, "bad_account_signature": 50} {
		if got := w.metric(`chasqui_webhooks_refused_total{reason="` + reason + `"}`); got != want {
			t.Errorf("%s is counted %v times", reason, got)
		}
	}
}

// With an https address browsers are told to use no other.
func TestStrictTransport(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{"https://gateway.example.com": "max-age=31536000", "http://gateway.example.com": ""} {
		w := newWorld(t, startPlatform(t))
		w.config.PublicURL = address
		a, err := app.New(t.Context(), app.Options{Config: w.config, Logger: discard(), Version: "test"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			a.Stop(ctx)
		})
		if err := a.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		resp, err := http.Get("http://" + a.Addr().String() + "/healthz")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got := resp.Header.Get("Strict-Transport-Security"); got != want {
			t.Errorf("%s: %q", address, got)
		}
	}
}
