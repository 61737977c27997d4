package e2e

import (
	"fmt"
	"testing"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
)

// While the page's inbox controls a conversation the dry run says so, a message fails with a code of its own, and both end when the conversation is given back.
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
