package e2e

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/internal/config"
	"github.com/chasqui/chasqui/internal/gateway"
)

// What testdata/before.db.gz holds: a database written by the version whose migrations end at 14.
// Its page's token had been refused, so that five messages wait (two over /v1 to 70001, one by
// steps and one of Infobip's API to 70002, one of Comapi's to 70001), and its forward
// subscription's receiver answered 500 to what the two had written.
const (
	beforeApp    = "424242"
	beforeSecret = "00112233445566778899aabbccddeeff"
	beforePage   = "1001"
)

// beforeMoment is shortly after it was written.
var beforeMoment = time.Date(2026, 11, 30, 20, 46, 0, 0, time.UTC)

// unpackBefore makes a data folder with that database.
func unpackBefore(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	packed, err := os.Open("testdata/before.db.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	unpacked, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(unpacked)
	if err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile("testdata/before.key")
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{"chasqui.db": content, "chasqui.key": key} {
		if err := os.WriteFile(filepath.Join(folder, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// A database of the version before opens; what was queued in it is sent in its order, and what was
// parked is forwarded in its order.
func TestADatabaseOfTheVersionBefore(t *testing.T) {
	t.Parallel()
	p := startPlatform(t)
	p.app = p.AddApp(graphemu.App{ID: beforeApp, Secret: beforeSecret, Name: "Before", RequireProof: true})
	const token = "EAAnew1001"
	p.AddPage(graphemu.Page{ID: beforePage, AppID: beforeApp, Name: "Before", AccessToken: token})
	for _, id := range []string{"70001", "70002"} {
		p.AddPerson(beforePage, graphemu.Person{ID: id, FirstName: "P", LastName: "Test", Open: true})
	}
	w := newWorld(t, p, func(c *config.Config) { c.Data, c.Store = unpackBefore(t), "" })
	w.clock.advance(time.Until(beforeMoment))
	w.start()
	w.login()
	apps, err := w.client.ListApplications(t.Context())
	if err != nil || len(apps) != 1 || apps[0].State != gatewayapi.ApplicationPaused || apps[0].Page.ID != beforePage {
		t.Fatalf("applications %+v, %v", apps, err)
	}
	page := &page{w: w, id: beforePage, key: apps[0].Key}

	receiver := startReceiver(t, func(*http.Request) int { return http.StatusNoContent })
	subs, err := w.client.ListSubscriptions(t.Context())
	if err != nil || len(subs) != 2 {
		t.Fatalf("subscriptions %+v, %v", subs, err)
	}
	parked := subs[slices.IndexFunc(subs, func(s gatewayapi.Subscription) bool { return s.Name == "parked" })]
	if _, err := w.client.UpdateSubscription(t.Context(), parked.ID, gatewayapi.UpdateSubscriptionRequest{URL: &receiver.server.URL}); err != nil {
		t.Fatal(err)
	}
	w.clock.advance(10 * time.Minute) // all of it is due
	await(t, "what was parked", func() (bool, string) { n := len(receiver.deliveries()); return n >= 3, fmt.Sprint(n) })
	said := map[string][]string{}
	stored, err := w.app.Subscriptions.Get(t.Context(), gateway.Everything(), parked.ID)
	if err != nil {
		t.Fatal(err)
	}
	hook, err := standardwebhooks.NewWebhook(stored.Secrets[0].Value.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range receiver.deliveries() {
		if err := hook.VerifyIgnoringTimestamp(d.body, d.header); err != nil {
			t.Errorf("delivery of %s: %v", d.event.ID, err)
		}
		person := d.event.Person.ID
		said[person] = append(said[person], dataOf[struct{ Text string }](t, d.event).Text)
	}
	if got := fmt.Sprint(said); got != "map[70001:[first second] 70002:[third]]" {
		t.Errorf("forwarded %s", got)
	}

	if _, err := w.client.UpdateApplication(t.Context(), page.key, gatewayapi.UpdateApplicationRequest{Page: &gatewayapi.UpdatePage{AccessToken: new(token)}}); err != nil {
		t.Fatal(err)
	}
	for person, want := range map[string][]string{"70001": {"one", "two", "of Comapi"}, "70002": {"by steps", "of Infobip"}} {
		if got := page.awaitThread(person, len(want)); !slices.Equal(got, want) {
			t.Errorf("%s got %q, wanted %q", person, got, want)
		}
	}
}
