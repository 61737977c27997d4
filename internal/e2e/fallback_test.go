package e2e

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/internal/config"
)

func rules(text string) []gatewayapi.Rule {
	var all []gatewayapi.Rule
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		panic(err)
	}
	return all
}

// outcomes says in short what came of the steps of a message.
func outcomes(m gatewayapi.Message) []string {
	var all []string
	for _, s := range m.Steps {
		out := s.Channel + " " + string(s.Outcome)
		if s.Failure != nil {
			out += " " + string(s.Failure.Code)
		}
		if s.Late {
			out += " late"
		}
		all = append(all, out)
	}
	return all
}

// awaitSteps waits until the steps of a message came to what is wanted.
func (w *world) awaitSteps(id, status string, want ...string) gatewayapi.Message {
	w.t.Helper()
	var m gatewayapi.Message
	await(w.t, "message "+id+" to be "+status, func() (bool, string) {
		m = w.message(id)
		return string(m.Status) == status && slices.Equal(outcomes(m), want), string(m.Status) + " " + string(mustJSON(m.Steps))
	})
	return m
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

func TestFallback(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	c := w.carrier(func(h handed) (int, string) {
		switch h.Body {
		case "refuse":
			return http.StatusForbidden, "no"
		case "sent":
			return http.StatusOK, `{"ref":"x","status":"sent"}`
		}
		return http.StatusOK, ""
	})
	ana := p.person("Ana")
	w.platform.SetFaults([]graphemu.Fault{{Endpoint: "messages", Page: p.id, PSID: ana, Times: 0, Code: 551}})
	send := func(body, rulesText string) string {
		t.Helper()
		return w.send(gatewayapi.SendMessageRequest{To: gatewayapi.To{FBMessengerID: ana}, Body: body, Rules: rules(rulesText), Application: p.key})
	}

	failed := w.awaitSteps(send("x", `["fbMessenger","webhook"]`), "sent", "fbMessenger failed person_unreachable", "webhook reached")
	if len(failed.Attempts) != 2 || failed.Attempts[1].Channel != "webhook" || failed.Attempts[1].Step != 1 || failed.Failure != nil {
		t.Errorf("attempts %+v", failed.Attempts)
	}
	w.awaitSteps(send("sent", `["fbMessenger",{"channel":"webhook","until":"sent"}]`), "sent", "fbMessenger failed person_unreachable", "webhook reached")
	both := w.awaitSteps(send("refuse", `["fbMessenger","sms","webhook"]`), "failed", "fbMessenger failed person_unreachable", "sms skipped no_account", "webhook failed provider_refused")
	if both.Failure == nil || both.Failure.Code != "provider_refused" {
		t.Errorf("failed for %+v", both.Failure)
	}
	w.awaitSteps(send("x", `["webhook","fbMessenger"]`), "sent", "webhook reached", "fbMessenger not_used")

	// A provider that fails with what it took: before the goal the next step is taken, after it the
	// message is failed.
	id := send("x", `[{"channel":"webhook","until":"delivered"},{"channel":"webhook","body":"sent"}]`)
	await(t, "the first step", func() (bool, string) { return len(c.taken(id)) == 1, "" })
	if got := c.says(c.taken(id)[0], `{"status":"sent"}`); got != http.StatusNoContent && got != http.StatusOK {
		t.Fatalf("the report was answered %d", got)
	}
	c.says(c.taken(id)[0], `{"status":"failed","failure":{"message":"no such customer"}}`)
	w.awaitSteps(id, "sent", "webhook failed provider_refused", "webhook reached")
	if second := c.taken(id)[1]; second.Step != 1 || second.Body != "sent" {
		t.Errorf("the second step got %+v", second)
	}
	c.says(c.taken(id)[1], `{"status":"failed","failure":{"message":"after all"}}`)
	w.awaitSteps(id, "failed", "webhook failed provider_refused", "webhook failed provider_refused")

	for name, want := range map[string]float64{
		`chasqui_steps_left_total{application="` + p.key + `",channel="fbMessenger",outcome="failed"}`: 3,
		`chasqui_steps_left_total{application="` + p.key + `",channel="webhook",outcome="failed"}`:     2,
		`chasqui_send_attempts_total{application="` + p.key + `",channel="webhook",outcome="failed"}`:  1,
	} {
		if got := w.metric(name); got != want {
			t.Errorf("%s is %v, wanted %v", name, got, want)
		}
	}

	// Receipts of the current step, up to read; what comes after that changes nothing.
	id = send("x", `["webhook"]`)
	await(t, "the step", func() (bool, string) { return len(c.taken(id)) == 1, "" })
	c.says(c.taken(id)[0], `{"status":"read"}`)
	c.says(c.taken(id)[0], `{"status":"failed"}`)
	c.says(c.taken(id)[0], `{"status":"delivered"}`)
	if m := w.awaitStatus(id, "read"); m.DeliveredAt.IsZero() || m.ReadAt.IsZero() {
		t.Errorf("read: %+v", m)
	}
}

func TestFallbackByTime(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	c := w.carrier(nil)
	r := startReceiver(t, nil)
	w.forward(r, func(s *gatewayapi.CreateSubscriptionRequest) {
		s.EventTypes = []gatewayapi.EventType{"message.sent", "message.delivered", "message.read", "message.failed", "message.expired"}
	})
	ana, bea, carla := p.person("Ana"), p.person("Bea"), p.person("Carla")
	send := func(psid, rulesText string) string {
		t.Helper()
		return w.send(gatewayapi.SendMessageRequest{To: gatewayapi.To{FBMessengerID: psid}, Body: "x", Rules: rules(rulesText), Application: p.key})
	}
	const byRead = `[{"channel":"fbMessenger","until":"read","within":"10m"},{"channel":"webhook","body":"again"}]`
	unread, read, last := send(ana, byRead), send(bea, byRead), send(carla, `[{"channel":"fbMessenger","until":"read","within":"10m"}]`)
	for _, id := range []string{unread, read, last} {
		w.awaitStatus(id, "delivered")
	}
	p.act(bea, graphemu.Action{Read: true})
	w.awaitSteps(read, "read", "fbMessenger reached", "webhook not_used")
	if m := w.message(unread); m.Steps[0].Outcome != "active" || len(c.taken(unread)) > 0 {
		t.Errorf("before its time: %+v", m.Steps)
	}
	w.clock.advance(10 * time.Minute)
	m := w.awaitSteps(unread, "sent", "fbMessenger passed not_reached", "webhook reached")
	if m.Steps[0].DeliveredAt.IsZero() || m.Steps[0].Within.String() != "10m" || m.Steps[0].Until != "read" || !m.DeliveredAt.IsZero() {
		t.Errorf("the step that was left: %+v", m.Steps[0])
	}
	w.awaitSteps(last, "expired", "fbMessenger passed not_reached")

	// Receipts that come later are noted, and start nothing; a message that had come to nothing is
	// corrected.
	p.act(ana, graphemu.Action{Read: true})
	p.act(carla, graphemu.Action{Read: true})
	m = w.awaitSteps(unread, "sent", "fbMessenger passed not_reached late", "webhook reached")
	if m.Steps[0].ReadAt.IsZero() || len(c.taken(unread)) != 1 {
		t.Errorf("after the late receipt: %+v", m.Steps)
	}
	if m := w.awaitSteps(last, "read", "fbMessenger reached not_reached late"); !m.Late || m.Failure != nil {
		t.Errorf("corrected: late %v, %+v", m.Late, m.Failure)
	}
	type fact struct {
		MessageID, Channel, Status string
		Step                       int
		Late                       bool
	}
	await(t, "the facts", func() (bool, string) {
		var facts []fact
		for _, d := range r.deliveries() {
			if f := dataOf[fact](t, d.event); f.MessageID == unread {
				f.Status = string(d.event.Type)
				facts = append(facts, f)
			}
		}
		want := []fact{{unread, "fbMessenger", "message.sent", 0, false}, {unread, "fbMessenger", "message.delivered", 0, false},
			{unread, "webhook", "message.sent", 1, false}, {unread, "fbMessenger", "message.read", 0, true}}
		return slices.Equal(facts, want), string(mustJSON(facts))
	})
}

// The deadline is kept to the millisecond: on a clock that stands, what is due a millisecond later
// stays, and a receipt of the last moment counts.
func TestFallbackToTheMillisecond(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	w.carrier(nil)
	people := p.people(4)
	began := time.Now().Truncate(time.Millisecond)
	w.clock.stand(began)
	send := func(i int, within string) string {
		t.Helper()
		id := w.send(gatewayapi.SendMessageRequest{To: gatewayapi.To{FBMessengerID: people[i]}, Body: "x", Application: p.key,
			Rules: rules(`[{"channel":"fbMessenger","until":"read","within":"` + within + `"},"webhook"]`)})
		w.awaitStatus(id, "delivered")
		return id
	}
	before, at, read, after := send(0, "9m59.999s"), send(1, "10m"), send(2, "10m"), send(3, "10m0.001s")
	w.clock.stand(began.Add(10*time.Minute - time.Millisecond))
	w.awaitSteps(before, "sent", "fbMessenger passed not_reached", "webhook reached")
	p.act(people[2], graphemu.Action{Read: true})
	w.awaitSteps(read, "read", "fbMessenger reached", "webhook not_used")
	if m := w.message(at); m.Steps[0].Outcome != "active" {
		t.Errorf("a millisecond before its deadline: %+v", m.Steps[0])
	}
	w.clock.stand(began.Add(10 * time.Minute))
	m := w.awaitSteps(at, "sent", "fbMessenger passed not_reached", "webhook reached")
	if left := m.Steps[0].EndedAt; !left.Equal(began.Add(10 * time.Minute)) {
		t.Errorf("left at %s, wanted %s", left, began.Add(10*time.Minute))
	}
	if m := w.message(after); m.Steps[0].Outcome != "active" {
		t.Errorf("a millisecond before its deadline: %+v", m.Steps[0])
	}
	w.clock.stand(began.Add(10*time.Minute + time.Millisecond))
	w.awaitSteps(after, "sent", "fbMessenger passed not_reached", "webhook reached")
}

// Trouble that passes is tried again as long as the step may take, and no longer.
func TestFallbackAfterTrouble(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	fail := true
	var mu sync.Mutex
	c := w.carrier(func(handed) (int, string) {
		mu.Lock()
		defer mu.Unlock()
		if fail {
			return http.StatusServiceUnavailable, ""
		}
		return http.StatusOK, ""
	})
	ana, bea := p.person("Ana"), p.person("Bea")
	w.platform.SetFaults([]graphemu.Fault{{Endpoint: "messages", Page: p.id, Code: 2}})
	send := func(psid, rulesText string) string {
		t.Helper()
		return w.send(gatewayapi.SendMessageRequest{To: gatewayapi.To{FBMessengerID: psid}, Body: "x", Rules: rules(rulesText), Application: p.key})
	}
	passes := send(ana, `[{"channel":"fbMessenger","within":"10m"},{"channel":"webhook","within":"20m"},"sms"]`)
	heals := send(bea, `[{"channel":"webhook","within":"10m"},"fbMessenger"]`)
	await(t, "a try on each", func() (bool, string) {
		return len(w.message(passes).Attempts) > 0 && len(c.taken(heals)) > 0, ""
	})
	mu.Lock()
	fail = false
	mu.Unlock()
	if m := w.awaitSteps(heals, "sent", "webhook reached", "fbMessenger not_used"); len(m.Attempts) < 2 {
		t.Errorf("tried %d times", len(m.Attempts))
	}
	w.clock.advance(10 * time.Minute)
	m := w.awaitSteps(passes, "sent", "fbMessenger passed not_reached", "webhook reached", "sms not_used")
	if f := m.Steps[0].Failure; f == nil || !strings.Contains(f.Message, "the last attempt") {
		t.Errorf("why it was left: %+v", f)
	}
}

// A page whose token is refused holds up its own channel only, and no longer than the step may
// take.
func TestFallbackFromAPageThatIsHeld(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	c := w.carrier(nil)
	ana, bea := p.person("Ana"), p.person("Bea")
	w.platform.SetFaults([]graphemu.Fault{{Endpoint: "messages", Page: p.id, Code: 190}})
	send := func(psid, rulesText string) string {
		t.Helper()
		return w.send(gatewayapi.SendMessageRequest{To: gatewayapi.To{FBMessengerID: psid}, Body: "x", Rules: rules(rulesText), Application: p.key})
	}
	first := send(ana, `[{"channel":"fbMessenger","within":"10m"},"webhook"]`)
	w.awaitState(p.key, gatewayapi.ApplicationPaused)
	behind := send(ana, `[{"channel":"fbMessenger","within":"5m"},"webhook"]`) // in line behind the first
	w.awaitStatus(send(bea, `["webhook"]`), "sent")
	w.clock.advance(6 * time.Minute)
	await(t, "the second to have moved on", func() (bool, string) {
		m := w.message(behind)
		return m.Steps[0].Outcome == "passed", string(mustJSON(m))
	})
	w.clock.advance(5 * time.Minute)
	w.awaitSteps(first, "sent", "fbMessenger passed not_reached", "webhook reached")
	w.awaitSteps(behind, "sent", "fbMessenger passed not_reached", "webhook reached")
	if len(c.taken(first)) != 1 || len(c.taken(behind)) != 1 {
		t.Errorf("handed over %d and %d times", len(c.taken(first)), len(c.taken(behind)))
	}
	canceled := send(ana, `["fbMessenger","webhook"]`)
	if _, err := w.client.CancelMessage(t.Context(), canceled); err != nil {
		t.Fatal(err)
	}
	w.awaitSteps(canceled, "canceled", "fbMessenger not_used", "webhook not_used")
	if got := p.thread(ana); len(got) > 0 {
		t.Errorf("Messenger has %q", got)
	}
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	w.carrier(nil)
	ctx := t.Context()
	made, err := w.client.CreateRoute(ctx, gatewayapi.SaveRouteRequest{Name: "reach", Rules: rules(`[{"channel":"sms","within":"10m"},"webhook"]`), Default: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{made.ID, "reach"} {
		id := w.send(gatewayapi.SendMessageRequest{To: gatewayapi.To{FBMessengerID: p.person("x"), PhoneNumber: "+44 7700 900000"}, Body: "x", Route: name, Application: p.key})
		m := w.awaitSteps(id, "sent", "sms skipped no_account", "webhook reached")
		if m.To.PhoneNumber != "447700900000" || m.Route != name {
			t.Errorf("to %+v by %q", m.To, m.Route)
		}
	}
	if _, err := w.client.CreateRoute(ctx, gatewayapi.SaveRouteRequest{Name: "reach", Rules: gatewayapi.Rules("sms")}); !errors.Is(err, &gatewayapi.Error{Code: "conflict"}) {
		t.Errorf("a name that is taken: %v", err)
	}
	if _, err := w.client.ReplaceRoute(ctx, made.ID, gatewayapi.SaveRouteRequest{Name: "other", Rules: gatewayapi.Rules("webhook")}); err != nil {
		t.Fatal(err)
	}
	if got, err := w.client.GetRoute(ctx, "other"); err != nil || got.ID != made.ID || len(got.Rules) != 1 || got.Default {
		t.Errorf("replaced: %+v, %v", got, err)
	}
	if all, err := w.client.ListRoutes(ctx); err != nil || len(all) != 1 {
		t.Errorf("%d routes, %v", len(all), err)
	}
	if err := w.client.DeleteRoute(ctx, made.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := w.client.GetRoute(ctx, made.ID); !errors.Is(err, &gatewayapi.Error{Code: "not_found"}) {
		t.Errorf("deleted: %v", err)
	}
}

// Whom a message is for, what it says and which channels it may take are settled when it is
// accepted, from what the profile knows.
func TestFallbackKnowsTheCustomer(t *testing.T) {
	t.Parallel()
	w := startWorld(t, func(c *config.Config) { c.GraphVersion = "v26.0" })
	p := w.connect(graphemu.Page{})
	c := w.carrier(nil)
	ctx := t.Context()
	ana := p.person("Ana")
	for _, profile := range []string{
		`{"id":"ana@example.com","firstName":"Ana","phoneNumber":"+44 7700 900000","points":12,"fbMessengerIds":{"` + p.key + `":"` + ana + `"},"optInChannels":["webhook"]}`, `{"id":"no address"}`,
	} {
		w.comapi("POST", "/v1/profiles", profile).object(t, http.StatusCreated)
	}
	to := gatewayapi.To{ProfileID: "ana@example.com"}
	send := func(m gatewayapi.SendMessageRequest) string {
		t.Helper()
		m.Application = p.key
		return w.send(m)
	}

	id := send(gatewayapi.SendMessageRequest{To: to, Title: "For {{profile.firstName}}", Body: "You have {{profile.points}} points, {{profile.nothing}}{{profileId}}", Metadata: json.RawMessage(`{"n":"{{profile.firstName}}"}`)})
	w.awaitStatus(id, "delivered")
	if got := p.thread(ana); !slices.Equal(got, []string{"For Ana\nYou have 12 points, ana@example.com"}) {
		t.Errorf("merged: %q", got)
	}
	if m := w.message(id); string(m.Metadata) != `{"n":"Ana"}` {
		t.Errorf("metadata %s", m.Metadata)
	}

	id = send(gatewayapi.SendMessageRequest{To: to, Body: "x", RequireOptIn: true, Rules: gatewayapi.Rules("fbMessenger", "webhook")})
	w.awaitSteps(id, "sent", "fbMessenger skipped not_opted_in", "webhook reached")

	// A template that the next channel cannot show goes there in words.
	id = send(gatewayapi.SendMessageRequest{To: to, Rules: gatewayapi.Rules("webhook"), CustomBody: map[string]json.RawMessage{
		"fbMessenger": json.RawMessage(`{"attachment":{"type":"template","payload":{"template_type":"button","text":"Choose","buttons":[{"type":"web_url","title":"Shop","url":"https://shop.example"}]}}}`)}})
	w.awaitSteps(id, "sent", "webhook reached")
	if got := c.taken(id); len(got) != 1 || got[0].Body != "Choose\nShop: https://shop.example" {
		t.Errorf("in words: %+v", got)
	}

	// Opting out of a channel holds for whatever is sent later, also to the bare id.
	out := func(method, channel, address string, want int) {
		t.Helper()
		if got := w.comapi(method, "/v1/opt-outs/"+channel+"/"+address, ""); got.status != want {
			t.Fatalf("%s of an opt-out: %d %s", method, got.status, got.body)
		}
	}
	out("PUT", "fbMessenger", ana, http.StatusOK)
	id = send(gatewayapi.SendMessageRequest{To: gatewayapi.To{FBMessengerID: ana}, Body: "x", Rules: gatewayapi.Rules("fbMessenger", "webhook")})
	w.awaitSteps(id, "sent", "fbMessenger skipped opted_out", "webhook reached")
	out("DELETE", "fbMessenger", ana, http.StatusNoContent)
	w.awaitStatus(send(gatewayapi.SendMessageRequest{To: gatewayapi.To{FBMessengerID: ana}, Body: "again"}), "delivered")

	for name, m := range map[string]gatewayapi.SendMessageRequest{
		"to.profileId":   {To: gatewayapi.To{ProfileID: "no address"}, Body: "x"},
		"to.phoneNumber": {To: gatewayapi.To{PhoneNumber: "12"}, Body: "x"},
		"to.email":       {To: gatewayapi.To{Email: "nobody"}, Body: "x"},
		"to":             {To: gatewayapi.To{PhoneNumber: "447700900001"}, Body: "x"}, // Customer Matching is suspended
		"route":          {To: to, Body: "x", Route: "none"},
		"body":           {To: to, Rules: gatewayapi.Rules("webhook")},
	} {
		m.Application = p.key
		_, err := w.client.SendMessage(ctx, m)
		var e *gatewayapi.Error
		if !errors.As(err, &e) || e.Field != name {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Customer Matching, for those who still have an old version of the Graph API: a phone number alone
// reaches its owner, who has to let the page in.
func TestCustomerMatching(t *testing.T) {
	t.Parallel()
	w := newWorld(t, startPlatform(t), func(c *config.Config) { c.CustomerMatching, c.GraphVersion = true, "v3.0" })
	w.clock.ahead.Store(int64(time.Until(time.Date(2019, 6, 1, 12, 0, 0, 0, time.UTC))))
	w.start()
	w.login()
	p := w.connect(graphemu.Page{})
	bea := w.platform.AddPerson(p.id, graphemu.Person{FirstName: "Bea", Phone: "+44 7700 900005", Open: true}).ID
	id := w.send(gatewayapi.SendMessageRequest{To: gatewayapi.To{PhoneNumber: "+447700900005", FirstName: "Bea", LastName: "X"}, Body: "hello", Application: p.key})
	w.awaitSteps(id, "sent", "fbMessenger reached")
	if got := p.thread(bea); !slices.Equal(got, []string{"hello"}) {
		t.Errorf("her thread: %q", got)
	}
}
