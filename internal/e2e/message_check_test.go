package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
)

// While the page's inbox controls a conversation the dry run says so, a message fails with a code
// of its own, and both end when the conversation is given back.
func TestThreadControl(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	ana, bea := p.person("Ana"), p.person("Bea")
	p.says(ana, "hello")
	p.says(bea, "hello")
	check := func(person string) gatewayapi.PolicyAnswer {
		t.Helper()
		a, err := w.client.CheckMessage(t.Context(), p.text(person, "hi"))
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	until := func(person string, allowed bool) {
		t.Helper()
		await(t, fmt.Sprintf("the dry run to say %v", allowed), func() (bool, string) {
			a := check(person)
			return a.Allowed == allowed && (allowed || a.Code == "no_thread_control" && a.Field == "to" && len(a.WouldBeAllowed) == 1), fmt.Sprintf("%+v", a)
		})
	}
	inbox := func(person string, in graphemu.InboxMessage) {
		t.Helper()
		if _, err := w.platform.AnswerFromInbox(p.id, person, in); err != nil {
			t.Fatal(err)
		}
	}
	until(ana, true)

	// By what the person writes, which comes in standby.
	inbox(ana, graphemu.InboxMessage{Take: true})
	p.says(ana, "is anybody there?")
	until(ana, false)
	if m := w.awaitStatus(w.send(p.text(ana, "here I am")), "failed"); m.Failure == nil || m.Failure.Code != "no_thread_control" || m.Failure.PlatformSubcode != 2018300 {
		t.Errorf("%+v", m.Failure)
	}
	inbox(ana, graphemu.InboxMessage{Done: true})
	p.says(ana, "and now?")
	until(ana, true)
	w.awaitStatus(w.send(p.text(ana, "here I am again")), "sent", "delivered", "read")

	// By the refusal, or the word that the thread was taken, though the person writes nothing.
	inbox(bea, graphemu.InboxMessage{Take: true})
	w.awaitStatus(w.send(p.text(bea, "hello Bea")), "failed")
	until(bea, false)
	inbox(bea, graphemu.InboxMessage{Done: true})
	until(bea, true)
	w.awaitStatus(w.send(p.text(bea, "hello again")), "sent", "delivered", "read")
}

// The dry run says what the platform's rules make of a message, and sends nothing.
func TestMessageCheck(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	ana := p.person("Ana")
	p.says(ana, "hello")
	check := func(change func(*gatewayapi.SendMessageRequest)) gatewayapi.PolicyAnswer {
		t.Helper()
		req := p.text(ana, "hi")
		change(&req)
		a, err := w.client.CheckMessage(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	plain := func(*gatewayapi.SendMessageRequest) {}
	await(t, "the window", func() (bool, string) {
		a := check(plain)
		return a.Allowed && !a.AllowedUntil.IsZero(), fmt.Sprintf("%+v", a)
	})
	w.clock.advance(25 * time.Hour)
	if a := check(plain); a.Allowed || a.Code != "outside_window" || len(a.WouldBeAllowed) == 0 || a.Field == "" {
		t.Errorf("%+v", a)
	}
	if a := check(func(r *gatewayapi.SendMessageRequest) {
		r.ChannelOptions = gatewayapi.ChannelOptions{FBMessenger: gatewayapi.MessengerOptions{MessageTag: "ACCOUNT_UPDATE"}}
	}); a.Allowed || !strings.Contains(a.Message, "2026-04-27") {
		t.Errorf("%+v", a)
	}
	_, err := w.client.CheckMessage(t.Context(), gatewayapi.SendMessageRequest{To: gatewayapi.To{FBMessengerID: ana}, Application: p.key})
	wantCode(t, err, 400, "invalid_request")
	if texts := p.thread(ana); len(texts) != 0 {
		t.Errorf("a dry run sent %q", texts)
	}
}
