package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
)

// After their age events and messages go, but not those that are unfinished; what a subscription
// has not read is counted as it goes.
func TestRetention(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	ana, ben := p.person("Ana"), p.person("Ben")
	lazy := w.pull("message.inbound") // reads nothing
	p.says(ana, "hello")
	done := p.sendTexts(ana, "sent long ago")[0]
	w.awaitStatus(done, gatewayapi.StatusDelivered)
	w.platform.SetPageToken(p.id, "") // dead: what follows stays queued
	far := gatewayapi.At(time.Now().Add(100 * 24 * time.Hour))
	result, err := w.client.SendMessage(t.Context(), gatewayapi.SendMessageRequest{
		Application: p.key, To: gatewayapi.To{FBMessengerID: ben}, Body: "waits for a token", ExpiresOn: &far,
	})
	if err != nil {
		t.Fatal(err)
	}
	waiting := result.Message.ID
	await(t, "the page to be paused", func() (bool, string) {
		a, err := w.client.GetApplication(t.Context(), p.key)
		return err == nil && a.State == "paused", string(a.State)
	})
	w.stop()
	w.clock.advance(31 * 24 * time.Hour)
	w.start()
	await(t, "the old message to be removed", func() (bool, string) {
		_, err := w.client.GetMessage(t.Context(), done)
		return err != nil && strings.Contains(err.Error(), "not_found"), "it is there"
	})
	await(t, "the old events to be removed", func() (bool, string) {
		page, err := w.client.PullEvents(t.Context(), gatewayapi.PullRequest{Subscription: lazy.id, Limit: 10})
		return err == nil && len(page.Events) == 0, "they are there"
	})
	if m := w.message(waiting); m.Status != gatewayapi.StatusQueued {
		t.Errorf("the message that waits is %s", m.Status)
	}
	// A gateway that has just started shows no events at first, whether they are there or not.
	await(t, "the unread events to be counted", func() (bool, string) {
		return w.metric(`chasqui_retired_unread_events_total{subscription="`+lazy.id+`"}`) > 0, "none is"
	})
	if n := w.metric(`chasqui_retired_total{table="messages"}`); n != 1 {
		t.Errorf("%v messages were counted as removed", n)
	}
}

// A page slows down when the platform's headers say that its limits are nearly used up, and waits
// when they say for how long.
func TestUsageHeadersHoldThePage(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p, q := w.connect(graphemu.Page{}), w.connect(graphemu.Page{})
	ana, other := p.person("Ana"), q.person("Other")
	w.platform.SetFaults([]graphemu.Fault{{Endpoint: "messages", Page: p.id, Times: 1, Headers: map[string]string{
		"X-Business-Use-Case-Usage": `{"` + p.id + `":[{"type":"messenger","call_count":99,"total_cputime":1,"total_time":1,"estimated_time_to_regain_access":5}]}`,
	}}})
	p.sendTexts(ana, "the last for a while")
	p.awaitThread(ana, 1)
	held := p.sendTexts(ana, "held")[0]
	q.sendTexts(other, "not held")
	q.awaitThread(other, 1)
	if m := w.message(held); m.Status != gatewayapi.StatusQueued {
		t.Errorf("the message is %s although the platform asked for five minutes", m.Status)
	}
	w.clock.advance(6 * time.Minute)
	// The pause is measured when it begins: a restart looks at the clock again.
	w.stop()
	w.start()
	if got := p.awaitThread(ana, 2); got[1] != "held" {
		t.Errorf("the thread has %q", got)
	}
}
