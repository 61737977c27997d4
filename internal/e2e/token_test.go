package e2e

import (
	"fmt"
	"slices"
	"testing"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
)

func TestTokenDeathAndRecovery(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	broken, healthy := w.connect(graphemu.Page{}), w.connect(graphemu.Page{})
	people, other := broken.people(4), healthy.person("Bea")
	broken.sendTexts(people[0], "before")
	broken.awaitThread(people[0], 1)

	w.platform.SetPageToken(broken.id, "")
	var queued []string
	texts := numbered("text", 12)
	for _, text := range texts {
		for _, psid := range people {
			queued = append(queued, w.send(broken.text(psid, text)))
		}
	}
	a := w.awaitState(broken.key, gatewayapi.ApplicationPaused)
	if a.Paused == nil || a.Paused.Code != "token_invalid" || a.Paused.PlatformCode != 190 {
		t.Errorf("paused because of %+v", a.Paused)
	}
	for _, id := range healthy.sendTexts(other, numbered("fine", 20)...) {
		w.awaitStatus(id, gatewayapi.StatusDelivered)
	}
	if got := healthy.thread(other); !slices.Equal(got, numbered("fine", 20)) {
		t.Errorf("the other page's order: %q", got)
	}
	for _, id := range queued {
		w.awaitStatus(id, gatewayapi.StatusQueued)
	}
	if got := w.metric(fmt.Sprintf(`chasqui_queue_depth{application=%q}`, broken.key)); got != float64(len(queued)) {
		t.Errorf("queue depth %v, wanted %d", got, len(queued))
	}

	w.platform.SetPageToken(broken.id, "EAAnew")
	token := "EAAnew"
	if _, err := w.client.UpdateApplication(t.Context(), broken.key, gatewayapi.UpdateApplicationRequest{Page: &gatewayapi.UpdatePage{AccessToken: &token}}); err != nil {
		t.Fatal(err)
	}
	w.awaitState(broken.key, gatewayapi.ApplicationActive)
	for _, id := range queued {
		w.awaitStatus(id, gatewayapi.StatusDelivered)
	}
	for i, psid := range people {
		want := texts
		if i == 0 {
			want = append([]string{"before"}, texts...)
		}
		if got := broken.thread(psid); !slices.Equal(got, want) {
			t.Errorf("person %d has %q", i, got)
		}
	}
}

// awaitState waits until an application has a state.
func (w *world) awaitState(key string, state gatewayapi.ApplicationState) gatewayapi.Application {
	w.t.Helper()
	var a gatewayapi.Application
	await(w.t, "application to be "+string(state), func() (bool, string) {
		var err error
		a, err = w.client.GetApplication(w.t.Context(), key)
		return err == nil && a.State == state, fmt.Sprint(a.State, err)
	})
	return a
}

// What people write to a page whose token is dead still comes in, and a token of another page does
// not mend it.
func TestBrokenPageStillReceives(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p, q := w.connect(graphemu.Page{}), w.connect(graphemu.Page{})
	ana := p.person("Ana")
	w.platform.SetPageToken(p.id, "")
	p.sendTexts(ana, "to nobody")
	w.awaitState(p.key, gatewayapi.ApplicationPaused)
	r := w.pull("message.inbound")
	p.says(ana, "still here")
	r.awaitCount(1)
	_, err := w.client.UpdateApplication(t.Context(), p.key, gatewayapi.UpdateApplicationRequest{Page: &gatewayapi.UpdatePage{AccessToken: &q.AccessToken}})
	wantCode(t, err, 400, "invalid_request")
	w.awaitState(p.key, gatewayapi.ApplicationPaused)
}
