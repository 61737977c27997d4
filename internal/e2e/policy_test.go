package e2e

import (
	"net/http"
	"testing"
	"time"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/internal/config"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/messenger"
)

func TestPolicyBeforeTheWire(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	w.carrier(nil)
	ana := p.person("Ana")
	p.says(ana, "hello")
	w.awaitHistory(p, ana)
	send := func(change func(*gatewayapi.SendMessageRequest)) string {
		t.Helper()
		m := gatewayapi.SendMessageRequest{To: gatewayapi.To{FBMessengerID: ana}, Body: "x", Application: p.key}
		change(&m)
		return w.send(m)
	}
	tag := func(tag messenger.Tag) gatewayapi.ChannelOptions {
		return gatewayapi.ChannelOptions{FBMessenger: gatewayapi.MessengerOptions{MessagingType: "MESSAGE_TAG", MessageTag: tag}}
	}
	retired := send(func(m *gatewayapi.SendMessageRequest) { m.ChannelOptions = tag("NON_PROMOTIONAL_SUBSCRIPTION") })
	if m := w.awaitStatus(retired, "delivered"); len(m.Steps) != 1 || m.Steps[0].Note == "" {
		t.Errorf("the retired tag inside the window: %+v", m.Steps)
	}
	w.clock.advance(25 * time.Hour)
	before := len(p.thread(ana))
	m := w.awaitStatus(send(func(*gatewayapi.SendMessageRequest) {}), "failed")
	if m.Failure == nil || m.Failure.Code != "outside_window" || len(m.Attempts) != 0 {
		t.Errorf("outside: %+v after %d attempts", m.Failure, len(m.Attempts))
	}
	id := send(func(m *gatewayapi.SendMessageRequest) {
		m.ChannelOptions, m.Rules = tag("ACCOUNT_UPDATE"), gatewayapi.Rules("fbMessenger", "webhook")
	})
	if m := w.awaitSteps(id, "sent", "fbMessenger skipped platform_refused", "webhook reached"); len(m.Attempts) != 1 {
		t.Errorf("a tag that has ended: %+v", m.Attempts)
	}
	program := w.awaitStatus(send(func(m *gatewayapi.SendMessageRequest) { m.ChannelOptions = tag("HUMAN_AGENT") }), "failed")
	if program.Failure == nil || program.Failure.Code != "platform_refused" {
		t.Errorf("HUMAN_AGENT by a program: %+v", program.Failure)
	}
	if got := len(p.thread(ana)); got != before {
		t.Errorf("%d messages reached the platform", got-before)
	}
	w.awaitStatus(send(func(m *gatewayapi.SendMessageRequest) { m.ChannelOptions, m.Human = tag("HUMAN_AGENT"), true }), "delivered")
}

// With observe the platform has the only say, and what it says is remembered.
func TestPolicyObserved(t *testing.T) {
	t.Parallel()
	w := startWorld(t, func(c *config.Config) { c.Policy = "observe" })
	p := w.connect(graphemu.Page{})
	ana := p.person("Ana")
	p.says(ana, "hello")
	w.awaitHistory(p, ana)
	w.clock.advance(25 * time.Hour)
	w.platform.SetFaults([]graphemu.Fault{{Endpoint: "messages", Page: p.id, PSID: ana, Times: 1, Code: 10, Subcode: 2018278}})
	refused := w.awaitStatus(w.send(p.text(ana, "one")), "failed")
	if refused.Failure == nil || refused.Failure.PlatformCode != 10 {
		t.Errorf("refused: %+v", refused.Failure)
	}
	w.awaitStatus(w.send(p.text(ana, "two")), "delivered")
	if got := w.comapi("PUT", "/v1/opt-outs/fbMessenger/"+ana, ""); got.status != http.StatusOK {
		t.Fatalf("opt-out: %d %s", got.status, got.body)
	}
	if out := w.awaitStatus(w.send(p.text(ana, "three")), "failed"); out.Failure == nil || out.Failure.Code != "opted_out" {
		t.Errorf("opted out: %+v", out.Failure)
	}
}

// awaitHistory waits until the gateway knows that a person has done something.
func (w *world) awaitHistory(p *page, psid string) {
	w.t.Helper()
	await(w.t, "the person's history", func() (bool, string) {
		h, err := w.app.Store.History(w.t.Context(), gateway.Lane{Application: p.key, Person: psid})
		return err == nil && !h.LastInbound.IsZero(), ""
	})
}
