package e2e

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
)

// batched is one envelope of a batch, of a message that somebody wrote.
type batched struct {
	EventID string
	Payload struct {
		Body string
		From struct{ FBMessengerID string }
	}
}

// lists returns the batches that came, each checked for its signature.
func (h *hook) lists(t *testing.T) [][]batched {
	t.Helper()
	var all [][]batched
	for _, post := range h.posts() {
		mac := hmac.New(sha1.New, []byte(comapiSecret))
		mac.Write(post.body)
		if want := hex.EncodeToString(mac.Sum(nil)); post.signature != want {
			t.Errorf("signature %s, wanted %s", post.signature, want)
		}
		var list []batched
		if err := json.Unmarshal(post.body, &list); err != nil {
			t.Fatalf("%s: %v", post.body, err)
		}
		all = append(all, list)
	}
	return all
}

func bodies(list []batched) []string {
	var texts []string
	for _, b := range list {
		texts = append(texts, b.Payload.Body)
	}
	return texts
}

const batchesOnly = `,"subscriptions":[{"type":"message.inbound"}],"batch":true`

func TestComapiBatchesGather(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	full, slow := startHook(t, http.StatusOK), startHook(t, http.StatusOK)
	w.webhook(p, full.url, batchesOnly+`,"maxBatchSize":5,"batchTimeout":60`)
	second := w.webhook(p, slow.url, batchesOnly+`,"maxBatchSize":500,"batchTimeout":2`)
	people := p.people(3)
	start := time.Now()
	for i, text := range numbered("n", 12) {
		p.says(people[i%3], text)
	}
	await(t, "two full batches", func() (bool, string) { return len(full.posts()) >= 2, "" })
	if took := time.Since(start); took > 58*time.Second {
		t.Errorf("full batches took %s", took)
	}
	await(t, "a batch by its time", func() (bool, string) { return len(slow.posts()) >= 1, "" })
	if got := full.lists(t); len(got) != 2 || len(got[0]) != 5 || len(got[1]) != 5 {
		t.Errorf("full batches: %v", got)
	}
	await(t, "all twelve", func() (bool, string) { return len(slices.Concat(slow.lists(t)...)) == 12, "" })
	if lists := slow.lists(t); len(lists) > 3 {
		t.Errorf("12 events at once came in %d batches", len(lists))
	}
	for i, person := range people {
		var said []string
		for _, b := range slices.Concat(slow.lists(t)...) {
			if b.Payload.From.FBMessengerID == person {
				said = append(said, b.Payload.Body)
			}
		}
		if diff := cmp.Diff([]string{fmt.Sprint("n ", i), fmt.Sprint("n ", i+3), fmt.Sprint("n ", i+6), fmt.Sprint("n ", i+9)}, said); diff != "" {
			t.Errorf("person %d (-want +got):\n%s", i, diff)
		}
	}
	// A webhook that wants single events from now on gets them.
	w.comapi("PUT", "/apispaces/"+p.key+"/webhooks/"+second, `{"name":"n","url":"`+slow.url+`","subscriptions":[{"type":"message.inbound"}]}`).object(t, http.StatusOK)
	p.says(people[0], "single")
	slow.named(t, "message.inbound")
}

// What is gathered but not delivered when the gateway stops is delivered after its start: the place
// in the log has not passed it.
func TestComapiBatchesOutliveARestart(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	h := startHook(t, http.StatusOK)
	id := w.webhook(p, h.url, batchesOnly+`,"maxBatchSize":4,"batchTimeout":60`)
	ana := p.person("Ana")
	for _, text := range numbered("n", 6) {
		p.says(ana, text)
	}
	await(t, "the full batch", func() (bool, string) { return len(h.posts()) == 1, "" })
	awaitDeliveries(t, w, id, map[string]int{"delivered": 4})
	w.stop()
	w.start()
	for _, text := range []string{"n 6", "n 7"} {
		p.says(ana, text)
	}
	await(t, "the next", func() (bool, string) { return len(slices.Concat(h.lists(t)...)) >= 8, "" })
	if diff := cmp.Diff(numbered("n", 8), bodies(slices.Concat(h.lists(t)...))); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// awaitDeliveries waits until a subscription has so many deliveries of each state.
func awaitDeliveries(t *testing.T, w *world, id string, want map[string]int) []gatewayapi.Delivery {
	t.Helper()
	var list []gatewayapi.Delivery
	await(t, fmt.Sprint("deliveries ", want), func() (bool, string) {
		page, err := w.client.ListDeliveries(t.Context(), gatewayapi.ListDeliveriesRequest{Subscription: id, Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		list = page.Deliveries
		got := map[string]int{}
		for _, d := range list {
			got[string(d.Status)]++
		}
		return cmp.Equal(want, got), fmt.Sprint(got)
	})
	return list
}

func TestComapiBatchesAreRetriedWhole(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	h := startHook(t, http.StatusServiceUnavailable)
	id := w.webhook(p, h.url, batchesOnly+`,"maxBatchSize":4,"batchTimeout":5`)
	ana, bob, eve := p.person("Ana"), p.person("Bob"), p.person("Eve")
	for i := range 2 {
		p.says(ana, fmt.Sprint("ana ", i))
		p.says(bob, fmt.Sprint("bob ", i))
	}
	now := time.Now()
	w.clock.stand(now) // so that nothing is tried again before it is put forward, however long the test takes
	awaitDeliveries(t, w, id, map[string]int{"pending": 4})
	h.answers(http.StatusOK)
	// What comes after it in the same conversations waits; others do not.
	p.says(ana, "ana 2")
	p.says(bob, "bob 2")
	p.says(eve, "eve 0")
	awaitDeliveries(t, w, id, map[string]int{"pending": 4, "waiting": 2, "delivered": 1})
	w.stop()
	w.start()
	p.says(ana, "ana 3")
	awaitDeliveries(t, w, id, map[string]int{"pending": 4, "waiting": 3, "delivered": 1})
	w.clock.stand(now.Add(20 * time.Second))
	awaitDeliveries(t, w, id, map[string]int{"delivered": 8})
	got := h.lists(t)
	first := bodies(got[0])
	want := [][]string{first, {"eve 0"}, first}
	if diff := cmp.Diff(want, [][]string{bodies(got[0]), bodies(got[1]), bodies(got[2])}); diff != "" {
		t.Errorf("batches (-want +got):\n%s", diff)
	}
	posts := h.posts()
	if string(posts[0].body) != string(posts[2].body) || posts[0].signature != posts[2].signature {
		t.Errorf("tried again with another body:\n%s\n%s", posts[0].body, posts[2].body)
	}
	said := map[string][]string{}
	for _, b := range slices.Concat(got[1:]...) {
		said[b.Payload.From.FBMessengerID] = append(said[b.Payload.From.FBMessengerID], b.Payload.Body)
	}
	if diff := cmp.Diff(map[string][]string{ana: numbered("ana", 4), bob: numbered("bob", 3), eve: {"eve 0"}}, said); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	// The conversations are free again.
	p.says(ana, "ana 4")
	awaitDeliveries(t, w, id, map[string]int{"delivered": 9})
	for _, d := range awaitDeliveries(t, w, id, map[string]int{"delivered": 9}) {
		if n := len(d.Attempts); n < 1 || n > 2 {
			t.Errorf("%d attempts", n)
		}
	}
}

func TestComapiBatchesAreRejectedWhole(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	h := startHook(t, http.StatusBadRequest)
	id := w.webhook(p, h.url, batchesOnly+`,"maxBatchSize":3,"batchTimeout":60`)
	ana := p.person("Ana")
	for _, text := range numbered("no", 3) {
		p.says(ana, text)
	}
	for _, d := range awaitDeliveries(t, w, id, map[string]int{"dead": 3}) {
		if len(d.Attempts) != 1 || d.Attempts[0].Status != http.StatusBadRequest {
			t.Errorf("%+v", d)
		}
	}
	h.answers(http.StatusOK)
	for _, text := range numbered("yes", 3) {
		p.says(ana, text)
	}
	awaitDeliveries(t, w, id, map[string]int{"dead": 3, "delivered": 3})
	if got := h.lists(t); len(got) != 2 {
		t.Errorf("%d batches", len(got))
	}
}
