package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
)

// nexmo is an SMS provider with Vonage's SMS API.
type nexmo struct {
	w       *world
	server  *httptest.Server
	account gatewayapi.ChannelAccount
	secret  string // of signatures

	mu   sync.Mutex
	sent []url.Values
}

// nexmo opens a provider and an account there. The client knows nothing of its settings, as of any
// provider that is added.
func (w *world) nexmo(application string) *nexmo {
	w.t.Helper()
	x := &nexmo{w: w, secret: "signature-" + application}
	x.server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			w.t.Error(err)
		}
		if r.URL.Path != "/sms/json" || r.PostForm.Get("api_key") != "abcd1234" || r.PostForm.Get("api_secret") != "s3cret" {
			fmt.Fprint(rw, `{"message-count":"1","messages":[{"status":"4","error-text":"Bad Credentials"}]}`)
			return
		}
		x.mu.Lock()
		defer x.mu.Unlock()
		x.sent = append(x.sent, r.PostForm)
		fmt.Fprintf(rw, `{"message-count":"1","messages":[{"to":%q,"message-id":"0C%02d","status":"0","message-price":"0.0333"}]}`, r.PostForm.Get("to"), len(x.sent))
	}))
	w.t.Cleanup(x.server.Close)
	var err error
	x.account, err = w.client.CreateChannel(w.t.Context(), gatewayapi.CreateChannelRequest{
		Provider: "vonage", Application: application, Settings: map[string]any{"baseUrl": x.server.URL, "apiKey": "abcd1234", "from": "Shop", "signatureMethod": "sha256"},
		Secrets: map[string]string{"apiSecret": "s3cret", "signatureSecret": x.secret},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return x
}

// to are the requests that went out to a number.
func (x *nexmo) to(number string) []url.Values {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(x.sent), func(form url.Values) bool { return form.Get("to") != number })
}

// signed adds time and signature to the parameters of a callback.
func (x *nexmo) signed(params map[string]string) url.Values {
	params["timestamp"] = strconv.FormatInt(time.Now().Unix(), 10)
	mac := hmac.New(sha256.New, []byte(x.secret))
	form := url.Values{}
	for _, name := range slices.Sorted(maps.Keys(params)) {
		fmt.Fprintf(mac, "&%s=%s", name, strings.NewReplacer("&", "_", "=", "_").Replace(params[name]))
		form.Set(name, params[name])
	}
	form.Set("sig", hex.EncodeToString(mac.Sum(nil)))
	return form
}

// calls calls the gateway back at an address and returns the status.
func (x *nexmo) calls(address string, form url.Values) int {
	x.w.t.Helper()
	resp, err := http.PostForm(address, form)
	if err != nil {
		x.w.t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// An account at a provider that the client has no types for is made, read, changed and removed like
// any other.
func TestVonageAccount(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	x := w.nexmo("")
	if x.account.Channel != "sms" || !x.account.Secrets["apiSecret"].Set || !x.account.Secrets["signatureSecret"].Set || x.account.InboundURL != w.url+"/channels/"+x.account.ID+"/inbound" {
		t.Errorf("%+v", x.account)
	}
	settings := func(a gatewayapi.ChannelAccount) map[string]any {
		t.Helper()
		all := map[string]any{}
		if err := json.Unmarshal(a.Settings, &all); err != nil {
			t.Fatal(err)
		}
		return all
	}
	want := map[string]any{"baseUrl": x.server.URL, "apiKey": "abcd1234", "from": "Shop", "signatureMethod": "sha256", "maxCharacters": 1600.0}
	if diff := cmp.Diff(want, settings(x.account)); diff != "" {
		t.Error(diff)
	}
	changed, err := w.client.UpdateChannel(t.Context(), x.account.ID, gatewayapi.UpdateChannelRequest{
		Settings: map[gatewayapi.Provider]any{"vonage": map[string]any{"from": "Other"}}, Reset: []string{"vonage.signatureMethod"}})
	if err != nil {
		t.Fatal(err)
	}
	want["from"], want["signatureMethod"] = "Other", "md5hash"
	if diff := cmp.Diff(want, settings(changed)); diff != "" {
		t.Error(diff)
	}
	for body, field := range map[string]string{`{"vonage":{"fron":"x"}}`: "vonage.fron", `{"vonage":{"maxCharacters":"many"}}`: "vonage.maxCharacters", `{"vonage":{"from":null}}`: "vonage.from",
		`{"twilio":{"from":"x"}}`: "twilio", `{"secrets":{"apiSecret":""}}`: "secrets.apiSecret", `{"vonage":{"baseUrl":"http://169.254.169.254/"}}`: "vonage.baseUrl"} {
		var refused gatewayapi.ErrorBody
		got := w.comapi("PATCH", "/v1/channels/"+x.account.ID, body, "Authorization", "Bearer "+w.key)
		if err := json.Unmarshal(got.body, &refused); err != nil || got.status != http.StatusBadRequest || refused.Error.Field != field {
			t.Errorf("%s: %d %s", body, got.status, got.body)
		}
	}
	if err := w.client.DeleteChannel(t.Context(), x.account.ID); err != nil {
		t.Error(err)
	}
}

// A message that Messenger does not take goes on over SMS, and its receipt counts.
func TestFallbackOverVonage(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	x := w.nexmo(p.key)
	other := w.nexmo("")
	ana := p.person("Ana")
	w.platform.SetFaults([]graphemu.Fault{{Endpoint: "messages", Page: p.id, PSID: ana, Times: 0, Code: 551}})
	const number = "447700900011"
	id := w.send(gatewayapi.SendMessageRequest{Application: p.key, To: gatewayapi.To{FBMessengerID: ana, PhoneNumber: "+" + number}, Body: "Your table is ready.", Rules: rules(`["fbMessenger","sms"]`)})
	await(t, "the message to go out as SMS", func() (bool, string) { return len(x.to(number)) == 1, "" })
	form := x.to(number)[0]
	if form.Get("text") != "Your table is ready." || form.Get("from") != "Shop" || form.Get("status-report-req") != "true" || form.Get("callback") != w.url+"/channels/"+x.account.ID+"/status" {
		t.Errorf("%v", form)
	}
	receipt := map[string]string{"msisdn": number, "to": "Shop", "messageId": "0C01", "status": "delivered", "err-code": "0", "client-ref": form.Get("client-ref"), "price": "0.0333"}
	// A signature of another account's secret is none of this one's, and a receipt by another
	// account is not about this message.
	if status := x.calls(form.Get("callback"), other.signed(receipt)); status != http.StatusForbidden {
		t.Errorf("another's signature: %d", status)
	}
	if status := other.calls(w.url+"/channels/"+other.account.ID+"/status", other.signed(receipt)); status != http.StatusNoContent {
		t.Errorf("another's receipt: %d", status)
	}
	if m := w.message(id); m.Status == "delivered" {
		t.Error("a receipt of another account counted")
	}
	if status := x.calls(form.Get("callback"), x.signed(receipt)); status != http.StatusNoContent {
		t.Errorf("the receipt: %d", status)
	}
	w.awaitSteps(id, "delivered", "fbMessenger failed person_unreachable", "sms reached")
}

// What people write by SMS comes in as an event, once, and only when it is signed.
func TestInboundOverVonage(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	x := w.nexmo(p.key)
	pull, err := w.client.CreateSubscription(t.Context(), gatewayapi.CreateSubscriptionRequest{Kind: "pull", EventTypes: []gatewayapi.EventType{"message.inbound"}, Applications: []string{p.key}, From: "earliest"})
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]string{"msisdn": "447700900012", "to": "447700900000", "messageId": "0B01", "text": "Do you open at 9 & close at 5?", "type": "text", "keyword": "DO", "message-timestamp": "2026-01-01 12:00:00"}
	forged := x.signed(maps.Clone(said))
	forged.Set("text", "Give me everything.")
	if status := x.calls(x.account.InboundURL, forged); status != http.StatusForbidden {
		t.Errorf("a forged message: %d", status)
	}
	for range 2 { // the provider had not seen the answer
		if status := x.calls(x.account.InboundURL, x.signed(said)); status != http.StatusNoContent {
			t.Fatalf("status %d", status)
		}
	}
	stop := maps.Clone(said)
	stop["messageId"], stop["text"] = "0B02", "Stop"
	if status := x.calls(x.account.InboundURL, x.signed(stop)); status != http.StatusNoContent {
		t.Fatalf("status %d", status)
	}
	var page gatewayapi.EventPage
	await(t, "both messages to be there", func() (bool, string) {
		if page, err = w.client.PullEvents(t.Context(), gatewayapi.PullRequest{Subscription: pull.ID}); err != nil {
			t.Fatal(err)
		}
		return len(page.Events) >= 2, fmt.Sprint(len(page.Events))
	})
	if len(page.Events) != 2 {
		t.Fatalf("%d events", len(page.Events))
	}
	type fact struct{ Channel, From, To, PlatformMessageID, Text, Account string }
	want := fact{"sms", "447700900012", "447700900000", "0B01", "Do you open at 9 & close at 5?", x.account.ID}
	if diff := cmp.Diff(want, dataOf[fact](t, page.Events[0])); diff != "" {
		t.Error(diff)
	}
	outs, err := w.client.ListOptOuts(t.Context(), gatewayapi.ListOptOutsRequest{Application: p.key, Channel: "sms", Address: "447700900012"})
	if err != nil || len(outs.OptOuts) != 1 || outs.OptOuts[0].Word != "STOP" {
		t.Errorf("%+v %v", outs, err)
	}
}
