package e2e

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
)

// A person writes, the business's system gets it pushed and pulled, answers over HTTP, and sees the
// answer delivered and read.
func TestTheMainJob(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{Name: "Bakery"})
	customer := startReceiver(t, nil)
	sub := w.forward(customer)
	pulled := w.pull()
	ana := w.platform.AddPerson(p.id, graphemu.Person{FirstName: "Ana", LastName: "Quispe", Gender: "female", Timezone: -5}).ID

	p.says(ana, "hello")
	in := pulled.await("what Ana wrote", func(e gatewayapi.Event) bool { return e.Type == "message.inbound" })
	if got := dataOf[struct{ Text string }](t, in); got.Text != "hello" || in.Person.ID != ana || in.Application != p.key || in.PageID != p.id || in.ProfileID == "" {
		t.Errorf("event %+v says %q", in, got.Text)
	}
	awaitProfile(w, in.ProfileID)

	id := w.send(gatewayapi.SendMessageRequest{To: gatewayapi.To{ProfileID: in.ProfileID}, Title: "Bakery", Body: "Good day", Metadata: []byte(`{"ticket":7}`)})
	w.awaitStatus(id, gatewayapi.StatusDelivered)
	if got := p.thread(ana); !slices.Equal(got, []string{"Bakery\nGood day"}) {
		t.Errorf("Ana has %q", got)
	}
	p.act(ana, graphemu.Action{Read: true})
	m := w.awaitStatus(id, gatewayapi.StatusRead)
	var states []string
	for _, s := range m.Timeline {
		states = append(states, string(s.Status))
	}
	if diff := cmp.Diff([]string{"queued", "sending", "sent", "delivered", "read"}, states); diff != "" {
		t.Errorf("timeline, -want +got:\n%s", diff)
	}
	read := pulled.await("message.read", func(e gatewayapi.Event) bool { return e.Type == "message.read" })
	if got := dataOf[struct {
		MessageID string
		Metadata  struct{ Ticket int }
	}](t, read); got.MessageID != id || got.Metadata.Ticket != 7 {
		t.Errorf("message.read says %+v", got)
	}
	checkStory(t, pulled.events)
	checkPushed(t, customer, sub.Secrets[0].Secret, pulled.events)
}

// awaitProfile waits until the profile holds what the platform knows.
func awaitProfile(w *world, id string) {
	w.t.Helper()
	await(w.t, "the profile to be filled", func() (bool, string) {
		profile, err := w.client.GetProfile(w.t.Context(), id)
		if err != nil {
			return false, err.Error()
		}
		var facebook struct {
			First  string `json:"first_name"`
			Last   string `json:"last_name"`
			Gender string
			Locale string
		}
		raw := profile.Profile["facebook"]
		ok := raw != nil && jsonInto(raw, &facebook) && facebook.First == "Ana" && facebook.Last == "Quispe" && facebook.Gender == "female" && facebook.Locale == "en_US"
		return ok, string(raw)
	})
}

// checkStory holds the events to the order in which things happened.
func checkStory(t *testing.T, events []gatewayapi.Event) {
	t.Helper()
	checkOnce(t, events)
	at := func(kind string) int {
		return slices.IndexFunc(events, func(e gatewayapi.Event) bool { return string(e.Type) == kind })
	}
	last := -1
	for _, kind := range []string{"message.inbound", "message.sent", "message.delivered", "message.read"} {
		if at(kind) <= last {
			t.Errorf("%s is not where it belongs in %q", kind, types(events))
		}
		last = at(kind)
	}
	for _, kind := range []string{"message.echo", "profile.created"} {
		if at(kind) < 0 {
			t.Errorf("there is no %s in %q", kind, types(events))
		}
	}
}

// checkPushed holds what was pushed to what was pulled: the same events, each once, signed, and in
// the same order for the conversation.
func checkPushed(t *testing.T, r *receiver, secret string, pulled []gatewayapi.Event) {
	t.Helper()
	await(t, "every event to be pushed", func() (bool, string) {
		return len(r.deliveries()) >= len(pulled), fmt.Sprintf("%d of %d", len(r.deliveries()), len(pulled))
	})
	pushed := []gatewayapi.Event{}
	for _, d := range r.deliveries() {
		d.verify(t, secret)
		if d.header.Get("webhook-id") != d.event.ID {
			t.Errorf("webhook-id %s of event %s", d.header.Get("webhook-id"), d.event.ID)
		}
		pushed = append(pushed, d.event)
	}
	if diff := cmp.Diff(idsOf(pulled), idsOf(pushed)); diff != "" {
		t.Errorf("-pulled +pushed:\n%s", diff)
	}
}

func idsOf(events []gatewayapi.Event) []string {
	ids := make([]string, len(events))
	for i, e := range events {
		ids[i] = e.ID
	}
	return ids
}
