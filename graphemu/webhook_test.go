package graphemu_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/messenger"
)

func TestConversation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.subscribe()
	wrote := w.act(w.ana, graphemu.Action{Text: "Hóla / 👋"})
	events := w.hook.waitCount(t, 1)
	if e := events[0]; e.Kind != messenger.KindMessage || string(e.Message.MID) != wrote.MID || e.Message.Text != "Hóla / 👋" ||
		string(e.Sender.ID) != w.ana.ID || string(e.PageID) != w.page.ID {
		t.Fatalf("message event %s", e.Raw)
	}
	w.hook.mu.Lock()
	body := w.hook.bodies[0]
	w.hook.mu.Unlock()
	if !strings.Contains(body, `"H\u00f3la \/ \ud83d\udc4b"`) {
		t.Errorf("body is not escaped as the platform does: %s", body)
	}

	sent := w.send(w.ana, messenger.Message{Text: "Hi", Metadata: "meta", QuickReplies: []messenger.QuickReply{messenger.TextReply("Yes", "YES")}})
	events = w.hook.waitCount(t, 3)
	echo, delivered := events[1], events[2]
	if echo.Kind != messenger.KindEcho || echo.Message.MID != sent.MessageID || echo.Message.Metadata != "meta" ||
		string(echo.Message.AppID) != w.app.ID || string(echo.Sender.ID) != w.page.ID || string(echo.Recipient.ID) != w.ana.ID {
		t.Errorf("echo %s", echo.Raw)
	}
	if delivered.Kind != messenger.KindDelivery || !slices.Contains(delivered.Delivery.MIDs, sent.MessageID) || int64(delivered.Delivery.Watermark) < echo.Timestamp.UnixMilli() {
		t.Errorf("delivery %s", delivered.Raw)
	}

	w.act(w.ana, graphemu.Action{Read: true})
	w.act(w.ana, graphemu.Action{QuickReply: &graphemu.TapAction{Title: "Yes", Payload: "YES"}})
	w.act(w.ana, graphemu.Action{Reaction: &graphemu.ReactionAction{MID: string(sent.MessageID), Emoji: "❤️"}})
	w.act(w.ana, graphemu.Action{Edit: &graphemu.EditAction{MID: wrote.MID, Text: "Hello"}})
	events = w.hook.waitCount(t, 7)
	want := []messenger.Kind{
		messenger.KindMessage, messenger.KindEcho, messenger.KindDelivery, messenger.KindRead,
		messenger.KindMessage, messenger.KindReaction, messenger.KindEdit,
	}
	if diff := cmp.Diff(want, kinds(events)); diff != "" {
		t.Fatalf("events (-want +got):\n%s", diff)
	}
	if int64(events[3].Read.Watermark) != echo.Timestamp.UnixMilli() || events[4].Message.QuickReply.Payload != "YES" ||
		events[5].Reaction.Reaction != "love" || events[6].Edit.NumEdit != 1 {
		t.Errorf("events: %s %s %s %s", events[3].Raw, events[4].Raw, events[5].Raw, events[6].Raw)
	}

	thread, err := w.emu.Thread(w.page.ID, w.ana.ID)
	if err != nil || len(thread) != 3 {
		t.Fatalf("thread of %d messages, error %v", len(thread), err)
	}
	if m := thread[1]; m.From != "page" || m.DeliveredAt.IsZero() || m.ReadAt.IsZero() || m.Metadata != "meta" || m.Reactions["person"] != "❤️" {
		t.Errorf("message of the page %+v", m)
	}
	if thread[0].Text != "Hello" || thread[0].DeliveredAt.IsZero() {
		t.Errorf("message of the person %+v", thread[0])
	}
}

func TestGetStartedAndReferrals(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.subscribe()
	if res := w.act(w.ben, graphemu.Action{Referral: &graphemu.Referral{Ref: "poster"}}); !res.Pending || res.EventID != "" {
		t.Errorf("a link followed without a thread gives %+v", res)
	}
	w.act(w.ben, graphemu.Action{GetStarted: true})
	w.act(w.ben, graphemu.Action{Referral: &graphemu.Referral{AdID: "77"}})
	events := w.hook.waitCount(t, 2)
	first := events[0].Postback
	if first == nil || first.Payload != "begin" || first.MID == "" || first.Referral == nil || first.Referral.Ref != "poster" || first.Referral.Source != messenger.SourceShortlink {
		t.Errorf("Get Started %s", events[0].Raw)
	}
	if r := events[1].Referral; r == nil || r.Source != messenger.SourceAds || r.AdID != "77" || r.Type != "OPEN_THREAD" {
		t.Errorf("referral %s", events[1].Raw)
	}
	if _, err := w.emu.Act(t.Context(), w.page.ID, w.ben.ID, graphemu.Action{GetStarted: true}); !errors.Is(err, graphemu.ErrAction) {
		t.Errorf("Get Started in a thread that has begun: %v", err)
	}
	if _, err := w.emu.Act(t.Context(), w.page.ID, w.ben.ID, graphemu.Action{Text: "a", Read: true}); !errors.Is(err, graphemu.ErrAction) {
		t.Errorf("two actions at once: %v", err)
	}
}

func TestRetriesKeepOrderAndBytes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(s *graphemu.Server) {
		s.Retry = graphemu.RetrySchedule{Delays: []time.Duration{0, time.Millisecond, time.Millisecond, time.Millisecond}}
	})
	w.subscribe()
	w.hook.mu.Lock()
	w.hook.refuse = 3
	w.hook.mu.Unlock()
	for i := range 20 {
		w.act(w.ana, graphemu.Action{Text: fmt.Sprint(i)})
	}
	events := w.hook.waitCount(t, 20)
	for i, e := range events {
		if e.Message.Text != fmt.Sprint(i) {
			t.Fatalf("message %d is %q", i, e.Message.Text)
		}
	}
	w.hook.mu.Lock()
	defer w.hook.mu.Unlock()
	if len(w.hook.bodies) != 23 || w.hook.bodies[0] != w.hook.bodies[3] {
		t.Errorf("%d deliveries; the repeated one has the same bytes: %v", len(w.hook.bodies), w.hook.bodies[0] == w.hook.bodies[3])
	}
}

func TestRetriesEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(s *graphemu.Server) {
		s.Retry = graphemu.RetrySchedule{Delays: []time.Duration{0, 0}}
	})
	w.subscribe()
	w.hook.mu.Lock()
	w.hook.refuse = 3
	w.hook.mu.Unlock()
	w.act(w.ana, graphemu.Action{Text: "lost"})
	w.act(w.ana, graphemu.Action{Text: "kept"})
	events := w.hook.waitCount(t, 1)
	if events[0].Message.Text != "kept" {
		t.Errorf("first accepted message %q", events[0].Message.Text)
	}
	var exhausted, failed int
	for _, a := range w.emu.Webhooks(0) {
		if a.Field == "messages" && !a.OK {
			failed++
			if a.Exhausted {
				exhausted++
			}
		}
	}
	if failed != 3 || exhausted != 1 {
		t.Errorf("%d failed attempts, %d exhausted", failed, exhausted)
	}
}

func TestEverySubscriberGetsItsFields(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.subscribe()
	other := w.emu.AddApp(graphemu.App{Name: "Other"})
	token := w.emu.AddToken(w.page.ID, other.ID, "")
	hook := newReceiver(t, other.Secret)
	c, err := messenger.New(token, messenger.WithBaseURL(w.url), messenger.WithAppSecret(other.Secret))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.As(messenger.AppToken(other.ID, other.Secret)).SubscribeApp(t.Context(), messenger.AppSubscriptionRequest{AppID: other.ID, CallbackURL: hook.URL, VerifyToken: "verify-me", Fields: fields()}); err != nil {
		t.Fatal(err)
	}
	if err := c.SubscribePage(t.Context(), "message_reads"); err != nil {
		t.Fatal(err)
	}
	w.act(w.ana, graphemu.Action{Text: "not for the other"})
	w.act(w.ana, graphemu.Action{Read: true})
	w.hook.waitCount(t, 2)
	if got := kinds(hook.waitCount(t, 1)); len(got) != 1 || got[0] != messenger.KindRead {
		t.Errorf("the other app got %v", got)
	}
	subs, err := w.client.PageSubscriptions(t.Context())
	if err != nil || len(subs) != 2 {
		t.Errorf("page subscriptions %+v, error %v", subs, err)
	}
}

func TestSaveAndLoad(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(s *graphemu.Server) { s.Epoch = "first" })
	w.subscribe()
	w.send(w.ana, messenger.TextMessage("before"))
	path := filepath.Join(t.TempDir(), "state.json")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := w.emu.SaveTo(f); err != nil {
		t.Fatal(err)
	}
	later := w.send(w.ana, messenger.TextMessage("after the state was saved"))

	again := newWorld(t, func(s *graphemu.Server) { s.Epoch = "second" })
	if _, err := f.Seek(0, 0); err != nil {
		t.Fatal(err)
	}
	if err := again.emu.LoadFrom(f); err != nil {
		t.Fatal(err)
	}
	again.client, again.app = again.newClient(w.page.AccessToken), w.app
	thread, err := again.emu.Thread(w.page.ID, w.ana.ID)
	if err != nil || len(thread) != 1 || thread[0].Text != "before" {
		t.Fatalf("thread %+v, error %v", thread, err)
	}
	again.client = again.newClient(w.page.AccessToken)
	sent := again.send(w.ana, messenger.TextMessage("new"))
	if sent.MessageID == later.MessageID || string(sent.MessageID) == thread[0].MID {
		t.Error("a mid came twice")
	}
	w.hook.waitFor(t, "the echo of the second run", func(events []messenger.Event) bool {
		return slices.ContainsFunc(events, func(e messenger.Event) bool { return e.Kind == messenger.KindEcho && e.Message.MID == sent.MessageID })
	})
	if err := again.emu.LoadFrom(strings.NewReader("{}")); err == nil {
		t.Error("a state without a version was loaded")
	}
}

func TestDeterministic(t *testing.T) {
	t.Parallel()
	run := func(epoch string) string {
		s := &graphemu.Server{Epoch: epoch, Quiet: true}
		defer s.Close()
		page := s.AddPage(graphemu.Page{})
		p := s.AddPerson(page.ID, graphemu.Person{})
		res, err := s.Act(t.Context(), page.ID, p.ID, graphemu.Action{Text: "x"})
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal([]any{page, p, res})
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if a, b := run(""), run(""); a != b {
		t.Errorf("two runs differ:\n%s\n%s", a, b)
	}
	if a, b := run("1"), run("2"); a == b {
		t.Errorf("two epochs are the same: %s", a)
	}
}
