package e2e

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
)

// jitter is the latency of a platform that answers now sooner, now later.
var jitter = graphemu.Latency{Min: 30 * time.Millisecond, Max: 90 * time.Millisecond, Seed: 7}

func TestOrderOfConversations(t *testing.T) {
	t.Parallel()
	const people, each = 6, 12
	w := startBeside(t, startPlatform(t, func(s *graphemu.Server) { s.Latency = jitter }))
	p := w.connect(graphemu.Page{})
	customer := startReceiver(t, nil)
	w.forward(customer, func(r *gatewayapi.CreateSubscriptionRequest) {
		r.EventTypes = []gatewayapi.EventType{"message.inbound"}
	})
	pulled := w.pull("message.inbound")
	persons := p.people(people)
	texts := map[string][]string{} // what each person is to get
	for i, psid := range persons {
		for n := range each {
			texts[psid] = append(texts[psid], message(i, n))
		}
	}
	var all sync.WaitGroup
	for _, psid := range persons {
		all.Go(func() {
			for _, text := range texts[psid] {
				w.send(p.text(psid, text))
				p.says(psid, text)
			}
		})
	}
	all.Wait()
	for i, psid := range persons {
		want := strings.Join(texts[psid], " ")
		got := p.awaitThread(psid, wires(texts[psid]))
		if diff := cmp.Diff(want, strings.Join(got, " ")); diff != "" {
			t.Errorf("person %d: -want +got:\n%s", i, diff)
		}
	}
	checkInbound(t, texts, pulled.awaitCount(people*each))
	await(t, "all to be forwarded", func() (bool, string) {
		return len(customer.deliveries()) >= people*each, fmt.Sprint(len(customer.deliveries()))
	})
	var pushed []gatewayapi.Event
	for _, d := range customer.deliveries() {
		pushed = append(pushed, d.event)
	}
	checkInbound(t, texts, pushed)
}

// message makes the n-th text of a person; every fifth is too long for one send.
func message(person, n int) string {
	if n%5 == 4 {
		words := make([]string, 700)
		for i := range words {
			words[i] = fmt.Sprintf("p%d-%d-%d", person, n, i)
		}
		return strings.Join(words, " ")
	}
	return fmt.Sprintf("p%d-%d", person, n)
}

// wires is how many sends the texts take.
func wires(texts []string) int {
	n := 0
	for _, text := range texts {
		// A part ends at the last space that fits.
		for ; len(text) > 2000; n++ {
			text = text[strings.LastIndexByte(text[:2001], ' ')+1:]
		}
		n++
	}
	return n
}

// checkInbound holds events to what each person wrote: everything once, in order.
func checkInbound(t *testing.T, want map[string][]string, events []gatewayapi.Event) {
	t.Helper()
	got := map[string][]string{}
	for _, e := range events {
		got[e.Person.ID] = append(got[e.Person.ID], dataOf[struct{ Text string }](t, e).Text)
	}
	for psid, texts := range want {
		if !slices.Equal(texts, got[psid]) {
			t.Errorf("person %s wrote %.80q, and came through as %.80q", psid, texts, got[psid])
		}
	}
}
