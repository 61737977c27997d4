// Package messengertest is for the tests of programs that speak with Messenger:
// it starts the emulated platform, speaks as a person and expects answers.
//
//	func TestGreeting(t *testing.T) {
//		platform := messengertest.Start(t)
//		bot := newBot(platform.Page.AccessToken, platform.App.Secret, platform.URL)
//		srv := httptest.NewServer(bot)
//		defer srv.Close()
//		platform.Connect(srv.URL+"/webhook", "verify-token")
//
//		ana := platform.NewPerson(t, messengertest.Named("Ana"))
//		ana.Says("hello")
//		ana.Expect(2*time.Second, messengertest.Text("Hello Ana!"))
//		ana.Taps("Yes")
//		platform.Advance(25 * time.Hour)
//	}
//
// A failure prints the conversation.
// Nothing here sleeps: waiting ends with the first change that fits, and fails
// the test after the timeout.
package messengertest

import (
	"context"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/messenger"
)

// Platform is an emulated platform on a port of its own, with one app and one
// page whose Get Started button has the payload "GET_STARTED".
type Platform struct {
	URL      string           // the base URL for a client; no slash at the end
	Emulator *graphemu.Server // for faults, more pages, and looking inside
	App      graphemu.App
	Page     graphemu.Page

	t       testing.TB
	timeout time.Duration
}

// Option changes a platform before it starts.
type Option func(*settings)

type settings struct {
	emulator graphemu.Server
	timeout  time.Duration
	app      graphemu.App
	page     graphemu.Page
}

// WithTimeout sets how long an expectation waits; the default is 5 s.
func WithTimeout(d time.Duration) Option { return func(s *settings) { s.timeout = d } }

// WithRetry sets when an unanswered webhook is sent again. The default here is
// three times, 10 ms apart, so that a failing program fails its test soon.
func WithRetry(r graphemu.RetrySchedule) Option {
	return func(s *settings) { s.emulator.Retry = r }
}

// WithLatency makes the Graph API slow.
func WithLatency(l graphemu.Latency) Option { return func(s *settings) { s.emulator.Latency = l } }

// WithPage sets the page's name, id or token.
func WithPage(p graphemu.Page) Option { return func(s *settings) { s.page = p } }

// WithApp sets the app's name, id or secret.
func WithApp(a graphemu.App) Option { return func(s *settings) { s.app = a } }

// Start starts a platform that ends with the test.
func Start(t testing.TB, opts ...Option) *Platform {
	t.Helper()
	set := &settings{timeout: 5 * time.Second, app: graphemu.App{Name: "Test App"}}
	set.page = graphemu.Page{Name: "Test Page", GetStarted: "GET_STARTED"}
	set.emulator.Retry = graphemu.RetrySchedule{
		Timeout: 5 * time.Second,
		Delays:  []time.Duration{10 * time.Millisecond, 10 * time.Millisecond, 10 * time.Millisecond},
	}
	set.emulator.ReceiptDelay = time.Millisecond
	for _, opt := range opts {
		opt(set)
	}
	p := &Platform{Emulator: &set.emulator, t: t, timeout: set.timeout}
	srv := httptest.NewServer(p.Emulator)
	t.Cleanup(func() {
		if err := p.Emulator.Close(); err != nil {
			t.Errorf("close the emulated platform: %v", err)
		}
		srv.Close()
	})
	p.URL = srv.URL
	p.App = p.Emulator.AddApp(set.app)
	set.page.AppID = p.App.ID
	p.Page = p.Emulator.AddPage(set.page)
	return p
}

// Client is a client of the platform with the page's token.
func (p *Platform) Client() *messenger.Client {
	p.t.Helper()
	c, err := messenger.New(p.Page.AccessToken, messenger.WithBaseURL(p.URL), messenger.WithAppSecret(p.App.Secret))
	if err != nil {
		p.t.Fatal(err)
	}
	return c
}

// Connect subscribes the program at callbackURL: the platform verifies it with
// the verify token and sends it the page's webhooks from now on. Without fields
// these are messages, postbacks, referrals, opt-ins, deliveries, reads, echoes,
// reactions and edits.
func (p *Platform) Connect(callbackURL, verifyToken string, fields ...string) {
	p.t.Helper()
	if len(fields) == 0 {
		fields = []string{
			"messages", "messaging_postbacks", "messaging_referrals", "messaging_optins", "message_deliveries",
			"message_reads", "message_echoes", "message_reactions", "message_edits",
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), p.timeout)
	defer cancel()
	client := p.Client()
	err := client.As(messenger.AppToken(p.App.ID, p.App.Secret)).SubscribeApp(ctx, messenger.AppSubscriptionRequest{
		AppID: p.App.ID, CallbackURL: callbackURL, VerifyToken: verifyToken, Fields: fields,
	})
	if err != nil {
		p.t.Fatalf("subscribe the app: %v", err)
	}
	if err := client.SubscribePage(ctx, fields...); err != nil {
		p.t.Fatalf("subscribe the page: %v", err)
	}
}

// Advance moves the platform's clock forward: windows close, retries and
// schedules fall due, as if the time had passed.
func (p *Platform) Advance(d time.Duration) { p.Emulator.Advance(d) }

// Answered waits until the program has answered every webhook sent so far, and
// fails the test when one was refused for good.
func (p *Platform) Answered() {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), p.timeout)
	defer cancel()
	if err := p.Emulator.WaitIdle(ctx); err != nil {
		p.t.Fatal(err)
	}
	for _, a := range p.Emulator.Webhooks(0) {
		if a.Exhausted {
			p.t.Errorf("webhook %s was refused %d times: %s", a.Field, a.Attempt, a.Request.Body)
		}
	}
}
