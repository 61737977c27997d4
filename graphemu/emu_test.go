package graphemu_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/messenger"
)

// world is an emulator with an app, a page and a person, and a receiver of
// webhooks that checks every signature.
type world struct {
	t      *testing.T
	emu    *graphemu.Server
	url    string
	app    graphemu.App
	page   graphemu.Page
	ana    graphemu.Person // has a thread
	ben    graphemu.Person // has none
	client *messenger.Client
	hook   *receiver
}

// receiver keeps deliveries in the order of their arrival.
type receiver struct {
	*httptest.Server
	secret string

	mu     sync.Mutex
	bodies []string
	events []messenger.Event
	refuse int           // how many deliveries to answer with 500
	grew   chan struct{} // closed and replaced with every delivery
}

func newReceiver(t *testing.T, secret string) *receiver {
	t.Helper()
	rec := &receiver{secret: secret, grew: make(chan struct{})}
	rec.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			challenge, err := messenger.Challenge(r.URL.Query(), "verify-me")
			if err != nil {
				http.Error(w, err.Error(), http.StatusForbidden)
				return
			}
			io.WriteString(w, challenge)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		if err := messenger.Verify(rec.secret, body, r.Header.Get(messenger.SignatureHeader)); err != nil {
			t.Errorf("webhook: %v", err)
		}
		if err := messenger.VerifySHA1(rec.secret, body, r.Header.Get(messenger.SignatureHeaderSHA1)); err != nil {
			t.Errorf("webhook: %v", err)
		}
		hook, err := messenger.Parse(body)
		if err != nil {
			t.Errorf("webhook: %v", err)
		}
		rec.mu.Lock()
		defer rec.mu.Unlock()
		rec.bodies = append(rec.bodies, string(body))
		close(rec.grew)
		rec.grew = make(chan struct{})
		if rec.refuse > 0 {
			rec.refuse--
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		rec.events = append(rec.events, hook.Events...)
	}))
	t.Cleanup(rec.Close)
	return rec
}

// waitFor waits until the receiver's accepted events satisfy done.
func (rec *receiver) waitFor(t *testing.T, what string, done func([]messenger.Event) bool) []messenger.Event {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		rec.mu.Lock()
		events, grew := append([]messenger.Event(nil), rec.events...), rec.grew
		rec.mu.Unlock()
		if done(events) {
			return events
		}
		select {
		case <-grew:
		case <-ctx.Done():
			t.Fatalf("waiting for %s: got %v", what, kinds(events))
		}
	}
}

// waitCount waits for n events.
func (rec *receiver) waitCount(t *testing.T, n int) []messenger.Event {
	t.Helper()
	return rec.waitFor(t, "events", func(events []messenger.Event) bool { return len(events) >= n })
}

func kinds(events []messenger.Event) []messenger.Kind {
	var out []messenger.Kind
	for _, e := range events {
		out = append(out, e.Kind)
	}
	return out
}

func fields() []string {
	return []string{
		"messages", "messaging_postbacks", "messaging_referrals", "message_deliveries", "message_reads",
		"message_echoes", "message_reactions", "message_edits",
	}
}

// newWorld starts an emulator; change may set fields before its first use.
func newWorld(t *testing.T, change func(*graphemu.Server)) *world {
	t.Helper()
	w := &world{t: t, emu: &graphemu.Server{ReceiptDelay: time.Millisecond}}
	if change != nil {
		change(w.emu)
	}
	srv := httptest.NewServer(w.emu)
	t.Cleanup(func() {
		if err := w.emu.Close(); err != nil {
			t.Error(err)
		}
		srv.Close()
	})
	w.url = srv.URL
	w.app = w.emu.AddApp(graphemu.App{Name: "Demo App"})
	w.page = w.emu.AddPage(graphemu.Page{Name: "Café Chasqui", AppID: w.app.ID, GetStarted: "begin"})
	w.ana = w.emu.AddPerson(w.page.ID, graphemu.Person{FirstName: "Ana", LastName: "Quispe", Open: true})
	w.ben = w.emu.AddPerson(w.page.ID, graphemu.Person{FirstName: "Ben"})
	w.client = w.newClient(w.page.AccessToken)
	return w
}

func (w *world) newClient(token string) *messenger.Client {
	w.t.Helper()
	c, err := messenger.New(token, messenger.WithBaseURL(w.url), messenger.WithAppSecret(w.app.Secret))
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// subscribe connects a receiver to all fields.
func (w *world) subscribe() {
	w.t.Helper()
	w.hook = newReceiver(w.t, w.app.Secret)
	app := w.client.As(messenger.AppToken(w.app.ID, w.app.Secret))
	if err := app.SubscribeApp(w.t.Context(), messenger.AppSubscriptionRequest{AppID: w.app.ID, CallbackURL: w.hook.URL, VerifyToken: "verify-me", Fields: fields()}); err != nil {
		w.t.Fatal(err)
	}
	if err := w.client.SubscribePage(w.t.Context(), fields()...); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) act(p graphemu.Person, a graphemu.Action) graphemu.ActionResult {
	w.t.Helper()
	res, err := w.emu.Act(w.t.Context(), w.page.ID, p.ID, a)
	if err != nil {
		w.t.Fatal(err)
	}
	return res
}

func (w *world) send(p graphemu.Person, m messenger.Message) messenger.SendResult {
	w.t.Helper()
	res, err := w.client.Send(w.t.Context(), messenger.SendRequest{Recipient: messenger.Recipient{ID: messenger.PSID(p.ID)}, Message: m})
	if err != nil {
		w.t.Fatal(err)
	}
	return res
}
