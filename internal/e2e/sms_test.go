package e2e

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
)

// texter is an SMS provider in Twilio's shape.
type texter struct {
	w       *world
	server  *httptest.Server
	account gatewayapi.ChannelAccount

	mu   sync.Mutex
	sent []url.Values
}

const texterToken = "texter-token"

func (w *world) texter(application string) *texter {
	w.t.Helper()
	x := &texter{w: w}
	x.server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			w.t.Error(err)
		}
		x.mu.Lock()
		defer x.mu.Unlock()
		x.sent = append(x.sent, r.PostForm)
		rw.WriteHeader(http.StatusCreated)
		fmt.Fprintf(rw, `{"sid":"SM%d","status":"queued"}`, len(x.sent))
	}))
	w.t.Cleanup(x.server.Close)
	var err error
	x.account, err = w.client.CreateChannel(w.t.Context(), gatewayapi.CreateChannelRequest{
		Provider: "twilio", Application: application, Twilio: &gatewayapi.TwilioSettings{BaseURL: x.server.URL, AccountSID: "AC1", From: "+4470000"},
		Keywords: &gatewayapi.KeywordSettings{StopAnswer: "You will get no more."}, Secrets: map[string]string{"authToken": texterToken},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return x
}

// calls calls the gateway back at an address, signed, and returns the status.
func (x *texter) calls(address string, form url.Values) int {
	x.w.t.Helper()
	mac := hmac.New(sha1.New, []byte(texterToken))
	io.WriteString(mac, address)
	for _, name := range slices.Sorted(maps.Keys(form)) {
		io.WriteString(mac, name+form.Get(name))
	}
	req, err := http.NewRequestWithContext(x.w.t.Context(), http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		x.w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("X-Twilio-Signature", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		x.w.t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// says lets a person write a text message.
func (x *texter) says(from, sid, text string) {
	x.w.t.Helper()
	form := url.Values{"MessageSid": {sid}, "From": {from}, "To": {"+4470000"}, "Body": {text}, "NumMedia": {"0"}}
	if status := x.calls(x.account.InboundURL, form); status != http.StatusOK {
		x.w.t.Fatalf("%s was answered with %d", text, status)
	}
}

// bodies are the texts that went out to a number.
func (x *texter) bodies(to string) []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	var all []string
	for _, form := range x.sent {
		if form.Get("To") == to {
			all = append(all, form.Get("Body"))
		}
	}
	return all
}

func TestInboundSMS(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	p.script("+ *\n- The bot heard you.\n")
	x := w.texter(p.key)
	r := startReceiver(t, nil)
	sub := w.forward(r, func(s *gatewayapi.CreateSubscriptionRequest) {
		s.EventTypes = []gatewayapi.EventType{"message.inbound", "profile.created"}
	})
	pull, err := w.client.CreateSubscription(t.Context(), gatewayapi.CreateSubscriptionRequest{Kind: "pull", EventTypes: []gatewayapi.EventType{"message.inbound"}, Applications: []string{p.key}, From: "earliest"})
	if err != nil {
		t.Fatal(err)
	}
	w.comapi("POST", "/v1/profiles", `{"id":"ann","phoneNumber":"+44 7700 900001"}`).object(t, http.StatusCreated)

	x.says("+447700900001", "SM901", "When do you open?")
	x.says("+447700900001", "SM901", "When do you open?") // the provider had not seen the answer
	x.says("+447700900002", "SM902", "Hello")
	ana := p.person("Ana")
	p.says(ana, "over Messenger")
	p.awaitSaid(ana, "The bot heard you.") // so the bot has seen the others too

	var got []gatewayapi.Event
	await(t, "the messages to be forwarded", func() (bool, string) {
		got = nil
		for _, d := range r.deliveries() {
			if d.event.Type == "message.inbound" {
				got = append(got, d.event)
			}
		}
		return len(got) >= 3, fmt.Sprint(len(got))
	})
	if len(got) != 3 {
		t.Fatalf("%d messages were forwarded", len(got))
	}
	for _, d := range r.deliveries() {
		d.verify(t, sub.Secrets[0].Secret)
	}
	first := got[slices.IndexFunc(got, func(e gatewayapi.Event) bool { return e.ProfileID == "ann" })]
	type fact struct{ Channel, From, To, PlatformMessageID, Text, Account, ProfileID string }
	want := fact{"sms", "447700900001", "4470000", "SM901", "When do you open?", x.account.ID, "ann"}
	if diff := cmp.Diff(want, dataOf[fact](t, first)); diff != "" || first.Person.ID != "sms:447700900001" || first.Application != p.key || len(first.Raw) == 0 {
		t.Errorf("%s %+v", diff, first)
	}
	page, err := w.client.PullEvents(t.Context(), gatewayapi.PullRequest{Subscription: pull.ID})
	if err != nil || len(page.Events) != 3 {
		t.Errorf("%d events were pulled, %v", len(page.Events), err)
	}
	// The unknown number has a profile of its own now, and the bot said nothing to either.
	profiles, err := w.client.ListProfiles(t.Context(), gatewayapi.ListProfilesRequest{PhoneNumber: "+447700900002"})
	if err != nil || len(profiles.Profiles) != 1 {
		t.Errorf("%+v %v", profiles, err)
	}
	if said := append(x.bodies("+447700900001"), x.bodies("+447700900002")...); len(said) != 0 {
		t.Errorf("somebody answered: %q", said)
	}
}

func TestStopWordsOnSMS(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	x := w.texter("")
	c := w.carrier(nil)
	const number = "447700900003"
	send := func() string {
		return w.send(gatewayapi.SendMessageRequest{Application: p.key, To: gatewayapi.To{PhoneNumber: number}, Body: "Sale!", Rules: rules(`["sms","webhook"]`)})
	}
	first := send()
	await(t, "the message to go out", func() (bool, string) { return len(x.bodies("+"+number)) == 1, "" })
	w.awaitStatus(first, "sending", "sent")

	x.says("+"+number, "SM911", " stop. ")
	x.says("+"+number, "SM911", " stop. ") // once more is answered once
	outs, err := w.client.ListOptOuts(t.Context(), gatewayapi.ListOptOutsRequest{Channel: "sms", Address: "+" + number})
	if err != nil || len(outs.OptOuts) != 1 || outs.OptOuts[0].Word != "STOP" {
		t.Fatalf("%+v %v", outs, err)
	}
	if said := x.bodies("+" + number); !slices.Equal(said, []string{"Sale!", "You will get no more."}) {
		t.Errorf("%q", said)
	}
	id := send()
	await(t, "the webhook to get it", func() (bool, string) { return len(c.taken(id)) == 1, "" })
	if m := w.message(id); !strings.Contains(string(mustJSON(m)), "opted_out") {
		t.Errorf("the trace does not say why: %s", mustJSON(m))
	}
	x.says("+"+number, "SM912", "START")
	third := send()
	await(t, "the message to go out again", func() (bool, string) { return len(x.bodies("+"+number)) == 3, fmt.Sprint(x.bodies("+" + number)) })
	w.awaitStatus(third, "sending", "sent")
}

func TestSMSReports(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	x := w.texter(p.key)
	const number = "447700900004"
	id := w.send(gatewayapi.SendMessageRequest{Application: p.key, To: gatewayapi.To{PhoneNumber: number}, Body: "Hello", Rules: rules(`["sms"]`)})
	await(t, "the message to go out", func() (bool, string) { return len(x.bodies("+"+number)) == 1, "" })
	x.mu.Lock()
	callback := x.sent[0].Get("StatusCallback")
	x.mu.Unlock()
	if status := x.calls(callback, url.Values{"MessageSid": {"SM1"}, "MessageStatus": {"delivered"}}); status != http.StatusNoContent {
		t.Errorf("status %d", status)
	}
	w.awaitStatus(id, "delivered")
}
