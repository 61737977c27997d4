package messengertest_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/messenger"
	"github.com/chasqui/chasqui/messengertest"
)

// bot is a small program of the kind this package is for.
func bot(t *testing.T, p *messengertest.Platform) http.Handler {
	client := p.Client()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			challenge, err := messenger.Challenge(r.URL.Query(), "verify-token")
			if err != nil {
				http.Error(w, "no", http.StatusForbidden)
				return
			}
			io.WriteString(w, challenge)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil || messenger.Verify(p.App.Secret, body, r.Header.Get(messenger.SignatureHeader)) != nil {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		hook, err := messenger.Parse(body)
		if err != nil {
			t.Error(err)
		}
		for _, ev := range hook.Events {
			if answer, ok := reply(ev); ok {
				if _, err := client.Send(r.Context(), messenger.SendRequest{Recipient: messenger.Recipient{ID: ev.Sender.ID}, Message: answer}); err != nil && r.Context().Err() == nil { // a test may end while the bot still answers
					t.Errorf("send: %v", err)
				}
			}
		}
	})
}

func reply(ev messenger.Event) (messenger.Message, bool) {
	switch {
	case ev.Postback != nil && ev.Postback.Referral != nil:
		return messenger.TextMessage("Welcome from " + ev.Postback.Referral.Ref), true
	case ev.Postback != nil:
		return messenger.TextMessage("Tapped " + ev.Postback.Payload), true
	case ev.Referral != nil:
		return messenger.TextMessage("Back from " + ev.Referral.Ref), true
	case ev.Kind == messenger.KindMessage && ev.Message.QuickReply != nil:
		return messenger.Message{Attachment: &messenger.Attachment{Template: &messenger.Template{Button: &messenger.ButtonTemplate{
			Text: "One " + ev.Message.Text, Buttons: []messenger.Button{messenger.PostbackButton("Pay", "PAY")},
		}}}}, true
	case ev.Kind == messenger.KindMessage:
		return messenger.Message{Text: "What to drink?", QuickReplies: []messenger.QuickReply{messenger.TextReply("Tea", "T")}}, true
	}
	return messenger.Message{}, false
}

func TestConversation(t *testing.T) {
	t.Parallel()
	platform := messengertest.Start(t)
	srv := httptest.NewServer(bot(t, platform))
	defer srv.Close()
	platform.Connect(srv.URL, "verify-token")

	ana := platform.Person("Ana")
	ana.Says("hello")
	ana.Expects("What to drink?")
	ana.Taps("Tea")
	ana.ExpectsMatch("^One (Tea|Coffee)$")
	ana.Taps("Pay")
	ana.Expects("Tapped PAY")
	ana.Follows("flyer")
	ana.Expects("Back from flyer")
	ana.Reads()

	ben := platform.Newcomer("Ben")
	ben.GetsStarted("poster")
	ben.Expects("Welcome from poster")
	platform.Answered()
}

// failing collects failures in place of the test that is looked at.
type failing struct {
	testing.TB
	failures []string
}

func (f *failing) Helper() {}
func (f *failing) Errorf(format string, args ...any) {
	f.failures = append(f.failures, fmt.Sprintf(format, args...))
}

func (f *failing) Fatalf(format string, args ...any) {
	f.Errorf(format, args...)
	panic(f)
}

func (f *failing) Fatal(args ...any) { f.Fatalf("%s", fmt.Sprint(args...)) }

// run gives the failures of do, which end it as they end a test.
func (f *failing) run(do func()) (failures string) {
	defer func() {
		if r := recover(); r != nil && r != any(f) {
			panic(r)
		}
		failures = strings.Join(f.failures, "\n")
	}()
	do()
	return ""
}

// TestFailures holds that the expectations of this package can fail.
func TestFailures(t *testing.T) {
	t.Parallel()
	var refuse atomic.Bool
	tests := []struct {
		name string
		do   func(*messengertest.Platform, *messengertest.Person)
		want string
	}{
		{"another text", func(_ *messengertest.Platform, p *messengertest.Person) { p.Says("hi"); p.Expects("Bye") }, `wrote "What to drink?", expected "Bye"`},
		{"no match", func(_ *messengertest.Platform, p *messengertest.Person) { p.Says("hi"); p.ExpectsMatch("^Bye$") }, "expected a match"},
		{"no message", func(_ *messengertest.Platform, p *messengertest.Person) { p.Expects("Bye") }, "no further message"},
		{"nothing to tap", func(_ *messengertest.Platform, p *messengertest.Person) { p.Says("hi"); p.Next(); p.Taps("Coffee") }, `no "Coffee" to tap, only ["Tea"]`},
		{"impossible", func(_ *messengertest.Platform, p *messengertest.Person) { p.Says("hi"); p.GetsStarted("") }, "Get Started"},
		{"refused webhook", func(pl *messengertest.Platform, p *messengertest.Person) {
			refuse.Store(true)
			p.Says("hi")
			pl.Answered()
		}, "was refused 4 times"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := &failing{TB: t}
			patience := 5 * time.Second // what is waited for in vain takes so long
			if tt.name == "refused webhook" {
				patience = time.Minute // it ends by itself, and a busy machine takes its time
			}
			platform := messengertest.Start(f, messengertest.WithTimeout(patience), messengertest.WithApp(graphemu.App{Name: "A"}))
			inner := bot(t, platform)
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if refuse.Load() && r.Method == http.MethodPost {
					http.Error(w, "down", http.StatusServiceUnavailable)
					return
				}
				inner.ServeHTTP(w, r)
			}))
			defer srv.Close()
			platform.Connect(srv.URL, "verify-token")
			if got := f.run(func() { tt.do(platform, platform.Person("Ana")) }); !strings.Contains(got, tt.want) {
				t.Errorf("failures %q, want %q", got, tt.want)
			}
		})
	}
}
