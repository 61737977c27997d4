package messengertest_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/messenger"
	"github.com/chasqui/chasqui/messengertest"
)

func TestExpect(t *testing.T) {
	t.Parallel()
	m := messengertest.Start(t)
	srv := httptest.NewServer(bot(t, m))
	defer srv.Close()
	m.Connect(srv.URL, "verify-token")

	ana := m.NewPerson(t, messengertest.Named("Ana"))
	ana.Says("hi")
	ana.Expect(30*time.Second, messengertest.All(messengertest.Text("What to drink?"), messengertest.QuickReplies("Tea")))
	ana.Taps("Tea")
	ana.Expect(30*time.Second, messengertest.All(messengertest.Template("button"), messengertest.Buttons("Pay"), messengertest.Contains("One")))
	ana.Taps("Pay")
	ana.Expect(30*time.Second, messengertest.Match("^Tapped"))

	send := func() error {
		_, err := m.Client().Send(t.Context(), messenger.SendRequest{Recipient: messenger.Recipient{ID: messenger.PSID(ana.PSID)}, Message: messenger.TextMessage("still there?")})
		return err
	}
	m.Advance(23 * time.Hour)
	if err := send(); err != nil {
		t.Errorf("within the window: %v", err)
	}
	m.Advance(2 * time.Hour)
	if err := send(); !errors.Is(err, messenger.ErrOutsideWindow) {
		t.Errorf("25 hours later: %v", err)
	}
	m.Answered()
}

// A code is scanned as a picture, by its address, and as the link in it; a
// newcomer taps Get Started first.
func TestScans(t *testing.T) {
	t.Parallel()
	m := messengertest.Start(t)
	srv := httptest.NewServer(bot(t, m))
	defer srv.Close()
	m.Connect(srv.URL, "verify-token")
	var code struct {
		URI string `json:"uri"`
	}
	body := map[string]any{"type": "standard", "data": map[string]string{"ref": "poster-7"}}
	if err := m.Client().Do(t.Context(), http.MethodPost, "me/messenger_codes", nil, body, &code); err != nil {
		t.Fatal(err)
	}
	resp, err := http.Get(code.URI)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	picture, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	ben := m.NewPerson(t)
	if got := ben.Scans(picture); !got.Pending {
		t.Errorf("the ref of a newcomer did not wait for Get Started: %+v", got)
	}
	ben.Taps("Get Started")
	ben.Expect(30*time.Second, messengertest.Text("Welcome from poster-7"))
	for _, again := range []any{strings.NewReader(string(picture)), code.URI, m.URL + "/m.me/" + m.Page.ID + "?ref=poster-7", m.URL + "/_emu/links/" + m.Page.ID + ".png?ref=poster-7"} {
		ben.Scans(again)
		ben.Expect(30*time.Second, messengertest.Text("Back from poster-7"))
	}
}

// The menu and the ice breakers can be tapped.
func TestTapsOutsideMessages(t *testing.T) {
	t.Parallel()
	m := messengertest.Start(t)
	srv := httptest.NewServer(bot(t, m))
	defer srv.Close()
	m.Connect(srv.URL, "verify-token")
	profile := messenger.MessengerProfile{PersistentMenu: []messenger.PersistentMenu{{Locale: "default", CallToActions: []messenger.Button{messenger.PostbackButton("Help", "HELP")}}}}
	if err := m.Client().SetMessengerProfile(t.Context(), profile); err != nil {
		t.Fatal(err)
	}
	ana := m.NewPerson(t, messengertest.WithThread())
	ana.Taps("Help")
	ana.Expect(30*time.Second, messengertest.Text("Tapped HELP"))
}

func TestFailuresPrintTheConversation(t *testing.T) {
	t.Parallel()
	f := &failing{TB: t}
	m := messengertest.Start(t, messengertest.WithApp(graphemu.App{Name: "A"}))
	srv := httptest.NewServer(bot(t, m))
	defer srv.Close()
	m.Connect(srv.URL, "verify-token")
	for want, do := range map[string]func(*messengertest.Person){
		`did not write the text "Bye" within 50ms`: func(p *messengertest.Person) {
			p.Says("hello")
			p.Next()
			p.Expect(50*time.Millisecond, messengertest.Text("Bye"))
		},
		`no "Coffee" to tap`: func(p *messengertest.Person) { p.Says("hello"); p.Next(); p.Taps("Coffee") },
	} {
		f.failures = nil
		got := f.run(func() { do(m.NewPerson(f, messengertest.Named("Ana"))) })
		for _, part := range []string{want, "Ana: hello\n", `page: What to drink?  ["Tea"]`} {
			if !strings.Contains(got, part) {
				t.Errorf("the failure lacks %q:\n%s", part, got)
			}
		}
	}
}
