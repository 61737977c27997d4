package e2e

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/internal/app"
	"github.com/chasqui/chasqui/internal/config"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/service"
)

// patience is how long a test waits for what must happen; it only matters when something is wrong.
const patience = 2 * time.Minute

// platform is the emulated platform on a port of its own, with one app.
type platform struct {
	*graphemu.Server
	url string
	app graphemu.App
}

// startPlatform starts the platform. It sends a webhook that was refused again every 20 ms, for as
// long as any test lasts.
func startPlatform(t testing.TB, change ...func(*graphemu.Server)) *platform {
	t.Helper()
	delays := make([]time.Duration, 20_000)
	for i := range delays {
		delays[i] = 20 * time.Millisecond
	}
	p := &platform{Server: &graphemu.Server{ReceiptDelay: time.Millisecond, Retry: graphemu.RetrySchedule{Timeout: 5 * time.Second, Delays: delays}}}
	for _, f := range change {
		f(p.Server)
	}
	server := httptest.NewServer(p.Server)
	t.Cleanup(func() {
		p.Close()
		server.Close()
	})
	p.url = server.URL
	p.app = p.AddApp(graphemu.App{Name: "Demo App", RequireProof: true})
	return p
}

// world is a gateway beside a platform. The gateway can be stopped and started again on the same
// data and address.
type world struct {
	t        testing.TB
	platform *platform
	config   config.Config
	clock    clock
	strict   bool // forwarding to this machine is refused
	app      *app.App
	url      string
	key      string
	client   *gatewayapi.Client
}

// startWorld starts a platform and a gateway; change may alter the gateway's configuration.
func startWorld(t testing.TB, change ...func(*config.Config)) *world {
	t.Helper()
	return startBeside(t, startPlatform(t), change...)
}

// startBeside starts a gateway beside a platform that runs.
func startBeside(t testing.TB, p *platform, change ...func(*config.Config)) *world {
	t.Helper()
	w := newWorld(t, p, change...)
	w.start()
	w.login()
	return w
}

// clock is the gateway's: the real one, but for how far it was put forward, or one that stands.
type clock struct {
	ahead atomic.Int64
	still atomic.Pointer[time.Time]
}

func (c *clock) now() time.Time {
	if t := c.still.Load(); t != nil {
		return *t
	}
	return time.Now().Add(time.Duration(c.ahead.Load()))
}

// stand lets the clock stand at a moment.
func (c *clock) stand(at time.Time) { c.still.Store(&at) }

func (c *clock) advance(d time.Duration) { c.ahead.Add(int64(d)) }

// newWorld prepares a gateway without starting it.
func newWorld(t testing.TB, p *platform, change ...func(*config.Config)) *world {
	t.Helper()
	c := config.Default()
	c.Data, c.Addr, c.GraphURL, c.Store = t.TempDir(), "127.0.0.1:0", p.url, testStore(t)
	c.LowDisk, c.MetricsAddr = 1, "127.0.0.1:0"
	c.Limits.TextPerSecond, c.Limits.MediaPerSecond = 5000, 5000
	for _, f := range change {
		f(&c)
	}
	w := &world{t: t, platform: p, config: c}
	t.Cleanup(w.stop)
	return w
}

// start starts the gateway: the first time on a free port, and then on the same again.
func (w *world) start() {
	w.t.Helper()
	listener, err := net.Listen("tcp", w.config.Addr)
	if err != nil {
		w.t.Fatal(err)
	}
	w.config.Addr = listener.Addr().String()
	w.url = "http://" + w.config.Addr
	w.config.PublicURL = w.url
	logger := slog.New(slog.NewTextHandler(w.t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	w.app, err = app.New(w.t.Context(), app.Options{Config: w.config, Logger: logger, Version: "test", AllowLoopback: !w.strict, Listener: listener, Now: w.clock.now})
	if err != nil {
		listener.Close()
		w.t.Fatalf("make the gateway: %v", err)
	}
	if err := w.app.Start(w.t.Context()); err != nil {
		w.t.Fatalf("start the gateway: %v", err)
	}
}

// stop stops the gateway, which is started again by start; it is done by itself at the end of the
// test.
func (w *world) stop() {
	if w.app == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := w.app.Stop(ctx); err != nil {
		w.t.Errorf("stop the gateway: %v", err)
	}
	w.app = nil
}

// login makes an API key that opens everything, and a client that uses it.
func (w *world) login() {
	w.t.Helper()
	_, secret, err := service.CreateKey(w.t.Context(), w.app.Store, "test", []gateway.Scope{gateway.ScopeAll}, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	w.use(secret.Reveal())
}

func (w *world) use(key string) {
	w.t.Helper()
	var err error
	w.key = key
	if w.client, err = gatewayapi.New(w.url, key, gatewayapi.WithRetries(0)); err != nil {
		w.t.Fatal(err)
	}
}

// testStore is the store setting of a test: empty for SQLite, or the URL of a schema made for the
// test.
func testStore(t testing.TB) string {
	t.Helper()
	base := os.Getenv("CHASQUI_TEST_POSTGRES")
	if base == "" {
		return ""
	}
	db, err := sql.Open("pgx", base)
	if err != nil {
		t.Fatal(err)
	}
	schema := "e2e_" + strconv.Itoa(os.Getpid()) + "_" + strconv.FormatInt(schemas.Add(1), 10)
	if _, err := db.ExecContext(t.Context(), "CREATE SCHEMA "+schema); err != nil {
		t.Fatalf("make schema: %v", err)
	}
	t.Cleanup(func() {
		if _, err := db.Exec("DROP SCHEMA " + schema + " CASCADE"); err != nil {
			t.Errorf("drop schema: %v", err)
		}
		db.Close()
	})
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("search_path", schema)
	u.RawQuery = q.Encode()
	return u.String()
}

var schemas atomic.Int64

// page is a page of the platform, connected to the gateway, with people.
type page struct {
	w   *world
	id  string
	key string // of the application
	graphemu.Page
}

// connect makes a page on the platform and connects it.
func (w *world) connect(p graphemu.Page) *page {
	w.t.Helper()
	if p.AppID == "" {
		p.AppID = w.platform.app.ID
	}
	p = w.platform.AddPage(p)
	a, err := w.client.ConnectApplication(w.t.Context(), gatewayapi.ConnectApplicationRequest{
		Page:        gatewayapi.PageCredentials{AccessToken: p.AccessToken},
		Application: gatewayapi.AppCredentials{ID: w.platform.app.ID, Secret: w.platform.app.Secret},
	})
	if err != nil {
		w.t.Fatalf("connect page %s: %v", p.ID, err)
	}
	return &page{w: w, id: p.ID, key: a.Key, Page: p}
}

// person adds a person who has a thread with the page already.
func (p *page) person(name string) string {
	return p.w.platform.AddPerson(p.id, graphemu.Person{FirstName: name, LastName: "Test", Open: true}).ID
}

// people adds n people.
func (p *page) people(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = p.person(fmt.Sprintf("Person%d", i))
	}
	return ids
}

// act lets a person do something.
func (p *page) act(psid string, a graphemu.Action) graphemu.ActionResult {
	p.w.t.Helper()
	res, err := p.w.platform.Act(p.w.t.Context(), p.id, psid, a)
	if err != nil {
		p.w.t.Fatal(err)
	}
	return res
}

// says lets a person write.
func (p *page) says(psid, text string) { p.w.t.Helper(); p.act(psid, graphemu.Action{Text: text}) }

// text is a request to send a text.
func (p *page) text(psid, body string) gatewayapi.SendMessageRequest {
	return gatewayapi.SendMessageRequest{To: gatewayapi.To{FBMessengerID: psid}, Body: body, Application: p.key}
}

// send hands a message over and returns its id.
func (w *world) send(req gatewayapi.SendMessageRequest) string {
	w.t.Helper()
	res, err := w.client.SendMessage(w.t.Context(), req)
	if err != nil {
		w.t.Fatalf("send: %v", err)
	}
	return res.Message.ID
}

// sendTexts hands texts to one person over in order.
func (p *page) sendTexts(psid string, texts ...string) []string {
	p.w.t.Helper()
	ids := make([]string, len(texts))
	for i, text := range texts {
		ids[i] = p.w.send(p.text(psid, text))
	}
	return ids
}

// numbered makes n texts that say where in the order they stand.
func numbered(prefix string, n int) []string {
	texts := make([]string, n)
	for i := range texts {
		texts[i] = fmt.Sprintf("%s %d", prefix, i)
	}
	return texts
}

// thread returns the texts that the page has written to a person, as the platform has them.
func (p *page) thread(psid string) []string {
	p.w.t.Helper()
	messages, err := p.w.platform.Thread(p.id, psid)
	if err != nil {
		p.w.t.Fatal(err)
	}
	texts := []string{}
	for _, m := range messages {
		if m.From == "page" {
			texts = append(texts, m.Text)
		}
	}
	return texts
}

// awaitThread waits until the page has written n messages to a person, for as long as more of them
// come, and returns their texts.
func (p *page) awaitThread(psid string, n int) []string {
	p.w.t.Helper()
	texts := p.thread(psid)
	for len(texts) < n {
		had := len(texts)
		await(p.w.t, fmt.Sprintf("%d messages to %s", n, psid), func() (bool, string) {
			texts = p.thread(psid)
			return len(texts) > had, fmt.Sprintf("%d have come", len(texts))
		})
	}
	return texts
}

// message reads a message.
func (w *world) message(id string) gatewayapi.Message {
	w.t.Helper()
	m, err := w.client.GetMessage(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

// awaitStatus waits until a message has one of the given states.
func (w *world) awaitStatus(id string, statuses ...gatewayapi.MessageStatus) gatewayapi.Message {
	w.t.Helper()
	var m gatewayapi.Message
	await(w.t, fmt.Sprintf("message %s to be one of %s", id, statuses), func() (bool, string) {
		m = w.message(id)
		for _, s := range statuses {
			if m.Status == s {
				return true, ""
			}
		}
		return false, fmt.Sprintf("it is %s, %+v", m.Status, m.Failure)
	})
	return m
}

// await asks again and again until something is so, ever less often; it fails the test with what
// was seen last when that has stayed the same for too long. A slow machine gets all the time it
// needs, as long as something moves.
func await(t testing.TB, what string, so func() (bool, string)) {
	t.Helper()
	pause := 2 * time.Millisecond
	tick := time.NewTimer(pause)
	defer tick.Stop()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for before := ""; ; {
		ok, seen := so()
		if ok {
			return
		}
		if seen != before {
			before = seen
			deadline.Reset(patience)
		}
		select {
		case <-tick.C:
			pause = min(pause*3/2, 50*time.Millisecond)
			tick.Reset(pause)
		case <-deadline.C:
			t.Fatalf("waited %s in vain for %s: %s", patience, what, seen)
		}
	}
}

// get reads an address of the gateway without a key.
func (w *world) get(path string) (int, string) {
	w.t.Helper()
	resp, err := http.Get(w.url + path)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// metrics reads the figures, which have an address of their own.
func (w *world) metrics() string {
	w.t.Helper()
	resp, err := http.Get("http://" + w.app.MetricsAddr().String() + "/metrics")
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		w.t.Fatalf("metrics: %d %v", resp.StatusCode, err)
	}
	return string(body)
}

// metric reads one figure, such as `chasqui_webhooks_refused_total{reason="not_json"}`; 0 while it
// is not there.
func (w *world) metric(name string) float64 {
	w.t.Helper()
	body := w.metrics()
	for line := range strings.Lines(body) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), name+" "); ok {
			f, err := strconv.ParseFloat(value, 64)
			if err != nil {
				w.t.Fatal(err)
			}
			return f
		}
	}
	return 0
}

// wantCode fails the test unless the error is the API's with that status and code.
func wantCode(t testing.TB, err error, status int, code gatewayapi.ErrorCode) {
	t.Helper()
	var e *gatewayapi.Error
	if !errors.As(err, &e) || e.Status != status || e.Code != code {
		t.Errorf("error %v, wanted %d %s", err, status, code)
	}
}

// dataText is the data of an event as JSON.
func dataText(e gatewayapi.Event) []byte { return e.DataJSON }

// withKey is a request with an idempotency key.
func withKey(req gatewayapi.SendMessageRequest, key string) gatewayapi.SendMessageRequest {
	req.IdempotencyKey = key
	return req
}

// dataOf reads the data of an event.
func dataOf[T any](t testing.TB, e gatewayapi.Event) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(dataText(e), &v); err != nil {
		t.Fatalf("data of %s: %v", e.ID, err)
	}
	return v
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }
