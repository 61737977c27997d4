package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
)

// A customer that does not answer is given 15 seconds.
func TestCustomerThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	sub := w.forward(startReceiver(t, hang), inboundOnly)
	p.says(p.person("Ana"), "hello")
	var first gatewayapi.DeliveryAttempt
	await(t, "the attempt to end", func() (bool, string) {
		list, err := w.client.ListDeliveries(t.Context(), gatewayapi.ListDeliveriesRequest{Subscription: sub.ID, Status: "pending", Limit: 10})
		if err != nil || len(list.Deliveries) == 0 || len(list.Deliveries[0].Attempts) == 0 {
			return false, fmt.Sprintf("%+v, %v", list, err)
		}
		first = list.Deliveries[0].Attempts[0]
		return true, ""
	})
	if took := time.Duration(first.DurationMs) * time.Millisecond; took < 14900*time.Millisecond || took > patience || first.Error != "no answer in time" {
		t.Errorf("after %s: %q", took, first.Error)
	}
}

// What one event holds back depends on the order that a subscription asks for.
func TestOrdersOfSubscriptions(t *testing.T) {
	t.Parallel()
	cases := []struct {
		order gatewayapi.DeliveryOrder
		want  map[string]bool // texts that get through while the first of Ana's is refused
	}{
		{"conversation", map[string]bool{"Bea 1": true, "Bea 2": true}},
		{"none", map[string]bool{"Ana 2": true, "Ana 3": true, "Bea 1": true, "Bea 2": true}},
	}
	for _, c := range cases {
		t.Run(string(c.order), func(t *testing.T) {
			t.Parallel()
			w := startWorld(t)
			p := w.connect(graphemu.Page{})
			refuseFirst := func(r *http.Request) int { return statusUnless(r, "Ana 1") }
			customer := startReceiver(t, refuseFirst)
			sub := w.forward(customer, inboundOnly, func(r *gatewayapi.CreateSubscriptionRequest) { r.Order = c.order })
			ana, bea := p.person("Ana"), p.person("Bea")
			for _, text := range []string{"Ana 1", "Ana 2", "Ana 3"} {
				p.says(ana, text)
			}
			p.says(bea, "Bea 1")
			p.says(bea, "Bea 2")
			customer.arrived(len(c.want))
			await(t, "what is held back to be listed", func() (bool, string) {
				pending, err := w.client.ListDeliveries(t.Context(), gatewayapi.ListDeliveriesRequest{Subscription: sub.ID, Status: "pending", Limit: 10})
				waiting, err2 := w.client.ListDeliveries(t.Context(), gatewayapi.ListDeliveriesRequest{Subscription: sub.ID, Status: "waiting", Limit: 10})
				return err == nil && err2 == nil && len(pending.Deliveries) == 1 && len(waiting.Deliveries) == 4-len(c.want),
					fmt.Sprintf("%d pending, %d waiting, %v %v", len(pending.Deliveries), len(waiting.Deliveries), err, err2)
			})
			for _, e := range customer.arrived(len(c.want)) {
				if text := dataOf[struct{ Text string }](t, e).Text; !c.want[text] {
					t.Errorf("%q got through", text)
				}
			}
			customer.answers(nil)
			w.clock.advance(6 * time.Second)
			if all := customer.arrived(5); len(all) != 5 {
				t.Errorf("%d events in the end", len(all))
			}
		})
	}
}

// statusUnless is 204, but 500 for the event of a text.
func statusUnless(r *http.Request, text string) int {
	body, err := io.ReadAll(r.Body)
	if err != nil || bytes.Contains(body, []byte(`"text":"`+text+`"`)) {
		return http.StatusInternalServerError
	}
	return http.StatusNoContent
}
