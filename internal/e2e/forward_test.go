package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/internal/config"
)

// inboundOnly limits a subscription to what people write.
func inboundOnly(r *gatewayapi.CreateSubscriptionRequest) {
	r.EventTypes = []gatewayapi.EventType{"message.inbound"}
}

// hang returns nothing until the caller gives up.
func hang(r *http.Request) int {
	<-r.Context().Done()
	return http.StatusGatewayTimeout
}

func always(status int) func(*http.Request) int { return func(*http.Request) int { return status } }

// chatter lets people write in turns, and returns what each wrote.
func chatter(p *page, persons []string, from, to int) map[string][]string {
	p.w.t.Helper()
	wrote := map[string][]string{}
	for n := from; n < to; n++ {
		for i, psid := range persons {
			text := fmt.Sprintf("p%d-%d", i, n)
			p.says(psid, text)
			wrote[psid] = append(wrote[psid], text)
		}
	}
	return wrote
}

// arrived returns the events whose delivery was answered with 2xx, in order, after waiting for n of
// them.
func (r *receiver) arrived(n int) []gatewayapi.Event {
	r.t.Helper()
	var events []gatewayapi.Event
	await(r.t, fmt.Sprintf("%d events to be delivered", n), func() (bool, string) {
		events = events[:0]
		for _, d := range r.deliveries() {
			if d.status < 300 {
				events = append(events, d.event)
			}
		}
		return len(events) >= n, fmt.Sprintf("%d of %d POSTs", len(events), len(r.deliveries()))
	})
	return events
}

func TestDeadCustomerBesideAHealthyOne(t *testing.T) {
	t.Parallel()
	const people, each = 8, 15
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	healthy, hanging, failing := startReceiver(t, nil), startReceiver(t, hang), startReceiver(t, always(500))
	w.forward(healthy, inboundOnly)
	hangs, fails := w.forward(hanging, inboundOnly), w.forward(failing, inboundOnly)
	persons := p.people(people)
	wrote := chatter(p, persons, 0, each)
	checkInbound(t, wrote, healthy.arrived(people*each))
	if list, err := w.client.ListDeliveries(t.Context(), gatewayapi.ListDeliveriesRequest{Subscription: fails.ID, Status: "delivered", Limit: 1}); err != nil || len(list.Deliveries) > 0 {
		t.Errorf("the failing customer took %+v, %v", list.Deliveries, err)
	}
	await(t, "failures to be listed", func() (bool, string) {
		list, err := w.client.ListDeliveries(t.Context(), gatewayapi.ListDeliveriesRequest{Subscription: fails.ID, Status: "pending", Limit: 100})
		return err == nil && len(list.Deliveries) > 0 && list.Deliveries[0].NextAt.After(time.Now()), fmt.Sprintf("%+v, %v", list, err)
	})
	if sub, err := w.client.GetSubscription(t.Context(), fails.ID); err != nil || sub.FailingSince.IsZero() || sub.State != "active" {
		t.Errorf("the failing subscription: %+v, %v", sub, err)
	}
	// It comes back: everything arrives, once and in order.
	failing.answers(nil)
	w.clock.advance(6 * time.Second)
	checkInbound(t, wrote, failing.arrived(people*each))
	if list, err := w.client.ListDeliveries(t.Context(), gatewayapi.ListDeliveriesRequest{Subscription: hangs.ID, Status: "delivered", Limit: 100}); err != nil || len(list.Deliveries) > 0 {
		t.Errorf("a customer that answers nothing has %d deliveries, %v", len(list.Deliveries), err)
	}
}

func TestRetrySchedule(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	customer := startReceiver(t, always(503))
	sub := w.forward(customer, inboundOnly)
	ana := p.person("Ana")
	p.says(ana, "dead")
	p.says(ana, "behind it")
	pauses := []time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour}
	tries := func(n int) gatewayapi.Delivery {
		t.Helper()
		var first gatewayapi.Delivery
		await(t, fmt.Sprintf("try %d", n), func() (bool, string) {
			list, err := w.client.ListDeliveries(t.Context(), gatewayapi.ListDeliveriesRequest{Subscription: sub.ID, Limit: 10})
			if err != nil || len(list.Deliveries) == 0 {
				return false, fmt.Sprint(err)
			}
			first = list.Deliveries[len(list.Deliveries)-1]
			return first.Tries >= n, fmt.Sprintf("%d tries, %s", first.Tries, first.Status)
		})
		return first
	}
	for i, pause := range pauses {
		d := tries(i + 1)
		last := d.Attempts[len(d.Attempts)-1]
		if got := d.NextAt.Sub(last.StartedAt.Time); got < pause || got > pause+20*time.Second || d.Status != "pending" || last.Status != 503 {
			t.Errorf("after try %d, %+v, it is %s and the next comes in %s instead of %s", i+1, last, d.Status, got, pause)
		}
		if len(customer.deliveries()) > i+1 && customer.deliveries()[i].event.ID != customer.deliveries()[0].event.ID {
			t.Errorf("the event behind was tried before its turn")
		}
		w.clock.advance(pause + time.Second)
	}
	d := tries(len(pauses) + 1)
	for d.Status == "pending" {
		n := d.Tries
		w.clock.advance(4*time.Hour + time.Second)
		d = tries(n + 1)
	}
	if d.Status != "dead" || d.Tries != 13 {
		t.Errorf("it is %s after %d tries", d.Status, d.Tries)
	}
	// The event behind a dead one has its turn, and the dead one can be replayed.
	customer.answers(nil)
	behind := customer.arrived(1)[0]
	if text := dataOf[struct{ Text string }](t, behind).Text; text != "behind it" {
		t.Errorf("after the dead one came %q", text)
	}
	if err := w.client.Replay(t.Context(), sub.ID, gatewayapi.ReplayRequest{Event: d.Event}); err != nil {
		t.Fatal(err)
	}
	if again := customer.arrived(2)[1]; again.ID != d.Event {
		t.Errorf("replayed %s instead of %s", again.ID, d.Event)
	}
}

func TestSubscriptionsThatAreDisabled(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	gone, failing := startReceiver(t, always(410)), startReceiver(t, always(500))
	goneSub, failingSub := w.forward(gone, inboundOnly), w.forward(failing, inboundOnly)
	ana := p.person("Ana")
	p.says(ana, "one")
	disabled := func(id, code string) {
		t.Helper()
		await(t, "subscription to be disabled", func() (bool, string) {
			sub, err := w.client.GetSubscription(t.Context(), id)
			return err == nil && sub.State == "disabled" && sub.Disabled != nil && string(sub.Disabled.Code) == code, fmt.Sprintf("%s %+v, %v", sub.State, sub.Disabled, err)
		})
	}
	disabled(goneSub.ID, "endpoint_gone")
	await(t, "a failure", func() (bool, string) { return len(failing.deliveries()) > 0, "none" })
	w.clock.advance(5*24*time.Hour + time.Minute)
	p.says(ana, "two")
	disabled(failingSub.ID, "endpoint_failed")
	before := len(gone.deliveries())
	p.says(ana, "three")

	// Enabled again it goes on where it stopped, with nothing left out.
	gone.answers(nil)
	active := gatewayapi.SubscriptionActive
	if _, err := w.client.UpdateSubscription(t.Context(), goneSub.ID, gatewayapi.UpdateSubscriptionRequest{State: &active}); err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, e := range gone.arrived(3) {
		texts = append(texts, dataOf[struct{ Text string }](t, e).Text)
	}
	if !slices.Equal(texts, []string{"one", "two", "three"}) || before != 1 {
		t.Errorf("it got %q after %d POSTs before", texts, before)
	}
}

func TestReplay(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	customer := startReceiver(t, nil)
	sub := w.forward(customer, inboundOnly)
	pulled := w.pull("message.inbound")
	ana, bea := p.person("Ana"), p.person("Bea")
	for _, text := range numbered("text", 4) {
		p.says(ana, text)
		p.says(bea, text)
	}
	events := append([]gatewayapi.Event(nil), pulled.awaitCount(8)...)
	first := customer.arrived(8)
	if err := w.client.Replay(t.Context(), sub.ID, gatewayapi.ReplayRequest{Event: events[2].ID}); err != nil {
		t.Fatal(err)
	}
	again := customer.arrived(9)[8]
	if diff := cmp.Diff(events[2], again); diff != "" {
		t.Errorf("replayed event, -first +again:\n%s", diff)
	}
	d := customer.deliveries()[8]
	d.verify(t, sub.Secrets[0].Secret)
	if d.header.Get("webhook-id") != events[2].ID {
		t.Errorf("webhook-id %s on replay of %s", d.header.Get("webhook-id"), events[2].ID)
	}
	await(t, "the replayed delivery to be settled", func() (bool, string) {
		list, err := w.client.ListDeliveries(t.Context(), gatewayapi.ListDeliveriesRequest{Subscription: sub.ID, Status: "pending", Limit: 10})
		return err == nil && len(list.Deliveries) == 0, fmt.Sprintf("%+v, %v", list, err)
	})
	if err := w.client.Replay(t.Context(), sub.ID, gatewayapi.ReplayRequest{From: events[0].CreatedAt.Add(-time.Second).Format(time.RFC3339Nano)}); err != nil {
		t.Fatal(err)
	}
	all := customer.arrived(17)[9:]
	for _, psid := range []string{ana, bea} {
		of := func(e gatewayapi.Event) bool { return e.Person.ID != psid }
		want, got := slices.DeleteFunc(slices.Clone(first), of), slices.DeleteFunc(slices.Clone(all), of)
		if diff := cmp.Diff(idsOf(want), idsOf(got)); diff != "" {
			t.Errorf("replay from a time, -first +again:\n%s", diff)
		}
	}
	if err := w.client.Replay(t.Context(), pulled.id, gatewayapi.ReplayRequest{From: "earliest"}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(idsOf(events), idsOf(pulled.awaitCount(16)[8:])); diff != "" {
		t.Errorf("pulled again, -first +again:\n%s", diff)
	}
	wantCode(t, w.client.Replay(t.Context(), sub.ID, gatewayapi.ReplayRequest{Event: "evt_nothing"}), 400, "invalid_request")
}

func TestSecretsWithOverlap(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	customer := startReceiver(t, nil)
	sub := w.forward(customer, inboundOnly)
	ana := p.person("Ana")
	old := sub.Secrets[0].Secret
	overlap := 60
	changed, err := w.client.AddSecret(t.Context(), sub.ID, gatewayapi.AddSecretRequest{OverlapSeconds: &overlap})
	if err != nil {
		t.Fatal(err)
	}
	fresh := ""
	for _, s := range changed.Secrets {
		if s.Secret != "" && s.ID != sub.Secrets[0].ID {
			fresh = s.Secret
		}
	}
	p.says(ana, "both")
	customer.arrived(1)
	d := customer.deliveries()[0]
	d.verify(t, old)
	d.verify(t, fresh)
	if n := len(strings.Fields(d.header.Get("webhook-signature"))); n != 2 {
		t.Errorf("%d signatures", n)
	}
	w.clock.advance(61 * time.Second) // the library takes timestamps within five minutes
	p.says(ana, "new only")
	customer.arrived(2)
	d = customer.deliveries()[1]
	d.verify(t, fresh)
	if d.check(old) == nil {
		t.Error("a secret goes on signing after its overlap")
	}
	tampered := d
	tampered.body = []byte(strings.Replace(string(d.body), "new only", "new  only", 1))
	if tampered.check(fresh) == nil {
		t.Error("a changed body is taken for a signed one")
	}
}

func TestPrivateAddressesAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, startPlatform(t), func(c *config.Config) { c.Forward.AllowPrivate = "true" })
	w.start()
	w.login()
	p := w.connect(graphemu.Page{})
	customer := startReceiver(t, nil)
	_, port, _ := strings.Cut(strings.TrimPrefix(customer.server.URL, "http://"), ":")
	refused := []string{"http://169.254.169.254/latest", "http://[fe80::1]:80/", "http://[::ffff:169.254.169.254]/", "http://100.100.100.200/", "http://2852039166/latest"}
	private := []string{customer.server.URL, "http://localhost:" + port, "http://[::ffff:127.0.0.1]:" + port, "http://10.255.255.1:9"}
	try := func(address string) error {
		_, err := w.client.CreateSubscription(t.Context(), gatewayapi.CreateSubscriptionRequest{Kind: "forward", URL: address})
		return err
	}
	for _, address := range refused {
		wantRefused(t, try(address), "url")
	}
	var subs []gatewayapi.Subscription
	for _, address := range private {
		subs = append(subs, w.forward(customer, inboundOnly, func(r *gatewayapi.CreateSubscriptionRequest) { r.URL = address }))
	}
	w.stop() // and without the setting what was stored leads nowhere either
	w.config.Forward.AllowPrivate, w.strict = "192.0.2.0/24", true
	w.start()
	p.says(p.person("Ana"), "hello")
	for _, sub := range subs {
		await(t, "the attempt to be refused", func() (bool, string) {
			list, err := w.client.ListDeliveries(t.Context(), gatewayapi.ListDeliveriesRequest{Subscription: sub.ID, Status: "pending", Limit: 10})
			if err != nil || len(list.Deliveries) != 1 || len(list.Deliveries[0].Attempts) == 0 {
				return false, fmt.Sprintf("%+v, %v", list, err)
			}
			said := list.Deliveries[0].Attempts[0].Error
			return strings.Contains(said, "private or reserved"), said
		})
	}
	if n := len(customer.deliveries()); n > 0 {
		t.Errorf("%d POSTs went to this machine", n)
	}
	for _, address := range append(private, refused...) {
		wantRefused(t, try(address), "url")
	}
	for field, request := range map[string]gatewayapi.CreateChannelRequest{
		"webhook.url":    {Provider: "webhook", Webhook: &gatewayapi.WebhookSettings{URL: customer.server.URL}},
		"twilio.baseUrl": {Provider: "twilio", Secrets: map[string]string{"authToken": "t"}, Twilio: &gatewayapi.TwilioSettings{BaseURL: "http://169.254.169.254/latest", AccountSID: "AC1", From: "+1"}},
		"smtp.host":      {Provider: "smtp", SMTP: &gatewayapi.SMTPSettings{Host: "localhost", From: "a@b.example"}},
	} {
		_, err := w.client.CreateChannel(t.Context(), request)
		wantRefused(t, err, field)
	}
}

// wantRefused wants an error that names a field.
func wantRefused(t *testing.T, err error, field string) {
	t.Helper()
	var e *gatewayapi.Error
	if !errors.As(err, &e) || e.Code != "invalid_request" || e.Field != field || !strings.Contains(e.Message, "private or reserved") {
		t.Errorf("%v, wanted a refusal of %s", err, field)
	}
}

// A receiver that sends the gateway elsewhere is not followed.
func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	elsewhere := startReceiver(t, nil)
	redirecting := startReceiver(t, always(http.StatusTemporaryRedirect))
	redirecting.location = elsewhere.server.URL
	sub := w.forward(redirecting, inboundOnly)
	p.says(p.person("Ana"), "hello")
	await(t, "the redirect to be a failure", func() (bool, string) {
		list, err := w.client.ListDeliveries(t.Context(), gatewayapi.ListDeliveriesRequest{Subscription: sub.ID, Status: "pending", Limit: 10})
		return err == nil && len(list.Deliveries) == 1 && list.Deliveries[0].Attempts[0].Status == http.StatusTemporaryRedirect, fmt.Sprintf("%+v, %v", list, err)
	})
	if n := len(elsewhere.deliveries()); n > 0 {
		t.Errorf("the redirect was followed")
	}
}
