package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
)

// channelOf reads the status of one channel of a message, or of an event about one.
func channelOf(details any, channel string) (status map[string]any, more map[string]any) {
	all, _ := details.(map[string]any)
	channels, _ := all["channelStatus"].(map[string]any)
	status, _ = channels[channel].(map[string]any)
	more, _ = status["details"].(map[string]any)
	return status, more
}

// A message whose tag has ended goes on by SMS when the conversation's window is closed, as the
// documentation of the Messenger channel had it.
func TestComapiFallsBackToSMS(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	x := w.texter("")
	h := startHook(t, http.StatusOK)
	w.webhook(p, h.url, "")
	ana := p.person("Ana")
	p.says(ana, "hello")
	h.named(t, "message.inbound")
	w.clock.advance(25 * 3600e9)
	request := `{"to":{"fbMessengerId":"` + ana + `","mobileNumber":"441234123123","firstName":"Dave","lastName":"Smith"},"body":"My customer message",
		"channelOptions":{"fbMessenger":{"messagingType":"MESSAGE_TAG","messageTag":"NON_PROMOTIONAL_SUBSCRIPTION"}},"metadata":{"ref":"abc"},"rules":["fbMessenger","sms"]}`
	id := w.comapi("POST", "/cpaas/messages", request).object(t, http.StatusCreated)["messageId"].(string)
	await(t, "the SMS", func() (bool, string) {
		x.mu.Lock()
		defer x.mu.Unlock()
		return len(x.sent) == 1, fmt.Sprint(x.sent)
	})
	x.mu.Lock()
	sent := x.sent[0]
	x.mu.Unlock()
	if sent.Get("To") != "+441234123123" || sent.Get("Body") != "My customer message" {
		t.Errorf("SMS %v", sent)
	}
	for _, status := range []string{"sent", "delivered"} {
		if got := x.calls(sent.Get("StatusCallback"), url.Values{"MessageSid": {"SM1"}, "MessageStatus": {status}}); got != http.StatusNoContent {
			t.Fatalf("report %s: %d", status, got)
		}
	}
	m := w.settled("/cpaas/messages/"+id, "delivered")
	status, more := channelOf(m["statusDetails"], "fbMessenger")
	if reason, _ := more["reason"].(string); status["status"] != "failed" || more["skipped"] != true || !strings.Contains(reason, "2020-03-04") {
		t.Errorf("fbMessenger: %v", status)
	}
	if status, _ = channelOf(m["statusDetails"], "sms"); status["status"] != "delivered" || m["statusDetails"].(map[string]any)["channel"] != "sms" {
		t.Errorf("sms: %v", m["statusDetails"])
	}
	post, payload := h.named(t, "message.delivered")
	status, more = channelOf(payload["details"], "fbMessenger")
	if status["status"] != "failed" || more["skipped"] != true || more["reason"] == nil {
		t.Errorf("the event does not say why Messenger was not taken: %s", post.body)
	}
	details, _ := payload["details"].(map[string]any)
	info, _ := details["additionalInfo"].(map[string]any)
	if status, _ = channelOf(details, "sms"); status["status"] != "delivered" || details["channel"] != "sms" || info["to"] != "441234123123" || payload["metadata"].(map[string]any)["ref"] != "abc" {
		t.Errorf("message.delivered: %s", post.body)
	}
	if got := p.thread(ana); len(got) > 0 {
		t.Errorf("sent on Messenger: %q", got)
	}
}

// When no channel is left the event tells of each.
func TestComapiEventsTellOfEveryChannel(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	h := startHook(t, http.StatusOK)
	w.webhook(p, h.url, `,"subscriptions":[{"type":"message.failed"}]`)
	id := w.comapi("POST", "/cpaas/messages", `{"to":{"phoneNumber":"+44 7700 900000"},"body":"x","rules":["fbMessenger","sms","whatsApp"]}`).object(t, http.StatusCreated)["messageId"]
	post, payload := h.named(t, "message.failed")
	if payload["id"] != id {
		t.Fatalf("%s", post.body)
	}
	for channel, code := range map[string]string{"fbMessenger": "no_address", "sms": "no_account", "whatsApp": "no_account"} {
		if status, more := channelOf(payload["details"], channel); status["status"] != "failed" || more["failureCode"] != code || more["reason"] == "" {
			t.Errorf("%s: %v", channel, status)
		}
	}
}

func TestComapiRuleSet(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	x := w.texter("")
	if _, err := w.client.CreateRoute(t.Context(), gatewayapi.SaveRouteRequest{Name: "text first", Rules: rules(`["sms","fbMessenger"]`)}); err != nil {
		t.Fatal(err)
	}
	m := w.comapi("POST", "/apispaces/"+p.key+"/messages", `{"to":{"phoneNumber":"447700900000"},"body":"x","ruleSet":"text first"}`).object(t, http.StatusCreated)
	if m["ruleSet"] != "text first" {
		t.Errorf("answered %v", m)
	}
	await(t, "the SMS", func() (bool, string) {
		x.mu.Lock()
		defer x.mu.Unlock()
		return len(x.sent) == 1, ""
	})
}

// A channel of the business's own is a webhook account of its name: what goes over it is reported,
// and what comes over it is brought, through the API.
func TestComapiChannelsOfOnesOwn(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	c := w.carrier(nil)
	if _, err := w.client.UpdateChannel(t.Context(), c.account.ID, gatewayapi.UpdateChannelRequest{Name: ptr("whatsApp")}); err != nil {
		t.Fatal(err)
	}
	h := startHook(t, http.StatusOK)
	w.webhook(p, h.url, "")
	base := "/apispaces/" + p.key + "/messages"
	request := `{"to":{"profileId":"dave@example.com","phoneNumber":"447700900000"},"body":"Plain","customBody":{"whatsApp":{"template":"x"}},"rules":["fbMessenger","whatsApp"],"metadata":{"n":1}}`
	id := w.comapi("POST", base, request).object(t, http.StatusCreated)["messageId"].(string)
	await(t, "the message to be handed over", func() (bool, string) { return len(c.taken(id)) == 1, "" })
	tell := func(status, body string) call {
		t.Helper()
		return w.comapi("POST", base+"/"+id+"/statuses/"+status, body)
	}
	told := tell("delivered", `{"channel":"whatsApp","timestamp":"2026-01-31T12:00:00Z","channelStatus":{"code":7}}`).object(t, http.StatusOK)
	if diff := cmp.Diff(map[string]any{"channel": "whatsApp", "timestamp": "2026-01-31T12:00:00Z", "channelStatus": map[string]any{"code": 7.0}}, told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	m := w.settled(base+"/"+id, "delivered")
	if status, _ := channelOf(m["statusDetails"], "whatsApp"); status["status"] != "delivered" {
		t.Errorf("%v", m)
	}
	h.named(t, "message.delivered")
	tell("read", `{"channel":"whatsApp"}`).object(t, http.StatusOK)
	w.settled(base+"/"+id, "read")
	tell("eaten", `{"channel":"whatsApp"}`).wantProblem(t, http.StatusBadRequest, "status", "StatusInvalid", "none of")
	tell("sent", `{"channel":"fbMessenger"}`).wantProblem(t, http.StatusBadRequest, "channel", "ChannelInvalid", "of your own")
	tell("sent", `{"channel":"rcs"}`).wantProblem(t, http.StatusBadRequest, "channel", "ChannelInvalid", "not handed")
	w.comapi("POST", base+"/none/statuses/sent", `{"channel":"whatsApp"}`).wantProblem(t, http.StatusNotFound, "", "NotFound", "none")
	// One that fails goes on with the next rule, with the words that were said.
	id = w.comapi("POST", base, `{"to":{"profileId":"dave@example.com"},"body":"x","rules":["whatsApp","sms"]}`).object(t, http.StatusCreated)["messageId"].(string)
	await(t, "the second", func() (bool, string) { return len(c.taken(id)) == 1, "" })
	tell("failed", `{"channel":"whatsApp","failureReason":"no such number"}`).object(t, http.StatusOK)
	m = w.settled(base+"/"+id, "failed")
	if status, more := channelOf(m["statusDetails"], "whatsApp"); status["status"] != "failed" || more["reason"] != "no such number" {
		t.Errorf("%v", m["statusDetails"])
	}

	brought := `{"channel":"whatsApp","from":{"profileId":"dave@example.com","whatsApp":"447700900000"},"to":{"whatsApp":"441"},"body":"Hello","metadata":{"a":1},"channelData":{"body":{"wamid":"1"}}}`
	in := w.comapi("POST", base+"/inbounds", brought).object(t, http.StatusCreated)
	post, payload := h.named(t, "message.inbound")
	if diff := cmp.Diff(in, payload); diff != "" {
		t.Errorf("the event differs from the answer (-answer +event):\n%s", diff)
	}
	if payload["channel"] != "whatsApp" || payload["body"] != "Hello" || payload["from"].(map[string]any)["whatsApp"] != "447700900000" || payload["status"] != "received" || payload["messageId"] == "" {
		t.Errorf("%s", post.body)
	}
	inbound := base + "/inbounds/" + in["messageId"].(string) + "/statuses/"
	read := w.comapi("POST", inbound+"read", `{"timestamp":"2026-01-31T12:00:00Z"}`).object(t, http.StatusOK)
	if read["status"] != "read" || read["messageId"] != in["messageId"] {
		t.Errorf("read: %v", read)
	}
	w.comapi("POST", inbound+"sent", `{"timestamp":"2026-01-31T12:00:00Z"}`).wantProblem(t, http.StatusBadRequest, "status", "StatusInvalid", "neither")
	w.comapi("POST", inbound+"read", `{}`).wantProblem(t, http.StatusBadRequest, "timestamp", "TimestampInvalid", "given")
	w.comapi("POST", base+"/inbounds/evt_1/statuses/read", `{"timestamp":"2026-01-31T12:00:00Z"}`).wantProblem(t, http.StatusNotFound, "", "NotFound", "evt_1")
	w.comapi("POST", base+"/inbounds", `{"channel":"rcs","from":{"id":"1"}}`).wantProblem(t, http.StatusBadRequest, "channel", "ChannelInvalid", "no account")
	w.comapi("POST", base+"/inbounds", `{"channel":"sms","from":{"phoneNumber":"1"}}`).wantProblem(t, http.StatusBadRequest, "channel", "ChannelInvalid", "itself")
	w.comapi("POST", base+"/inbounds", `{"channel":"whatsApp","from":{}}`).wantProblem(t, http.StatusBadRequest, "from", "FromInvalid", "who sent it")
}

func TestComapiHistory(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	x := w.texter("")
	h := startHook(t, http.StatusOK)
	w.webhook(p, h.url, `,"subscriptions":[{"type":"message.inbound","filters":[{"name":"channel","value":"sms"}]}]`)
	ana := p.person("Ana")
	w.comapi("POST", "/cpaas/profiles", `{"id":"ana","phoneNumber":"+447700900000","fbMessengerId":"`+ana+`"}`).object(t, http.StatusCreated)
	first := w.comapi("POST", "/cpaas/messages", `{"to":{"profileId":"ana"},"title":"T","body":"One","rules":["fbMessenger"]}`).object(t, http.StatusCreated)["messageId"].(string)
	w.settled("/cpaas/messages/"+first, "delivered")
	// What the platform adds to a message may be what no program can read.
	event := fmt.Sprintf(`{"sender":{"id":%q},"recipient":{"id":%q},"timestamp":%d,"message":{"mid":"m_two","text":"Two","nlp":{"a":[-1e400,{"b":1E+999}],"c":"\u0000"}}}`, ana, p.id, w.clock.now().UnixMilli())
	if status := w.post(webhook{door: "/webhooks/" + p.key, body: batch(entry{p.id, "messaging", []string{event}})}); status != http.StatusOK {
		t.Fatal(status)
	}
	await(t, "Ana's words", func() (bool, string) {
		list := answered[[]any](t, w.comapi("GET", "/cpaas/profiles/ana/messages", ""), http.StatusOK)
		return len(list) == 2, fmt.Sprint(list)
	})
	if got := x.calls(w.url+"/channels/"+x.account.ID+"/inbound", url.Values{"From": {"+447700900000"}, "To": {"+4470000"}, "Body": {"Three"}, "MessageSid": {"SMin"}}); got != http.StatusOK {
		t.Fatalf("inbound: %d", got)
	}
	post, payload := h.named(t, "message.inbound")
	if from, _ := payload["from"].(map[string]any); payload["channel"] != "sms" || payload["body"] != "Three" || from["phoneNumber"] != "447700900000" || from["profileId"] != "ana" || from["fbMessengerId"] != nil {
		t.Errorf("inbound SMS: %s", post.body)
	}
	for query, want := range map[string][]string{
		"": {"Three", "Two", "One"}, "?direction=inbound": {"Three", "Two"}, "?direction=outbound": {"One"}, "?channelId=sms": {"Three"}, "?limit=1": {"Three"}, "?from=2020-01-01T00:00:00Z": nil,
	} {
		var got []string
		for _, entry := range answered[[]struct {
			Direction, ChannelID, MessageID string
			Message                         struct{ Title, Body string }
		}](t, w.comapi("GET", "/cpaas/profiles/ana/messages"+query, ""), http.StatusOK) {
			got = append(got, entry.Message.Body)
			if entry.Message.Body == "One" && (entry.Message.Title != "T" || entry.MessageID != first || entry.Direction != "outbound" || entry.ChannelID != "fbMessenger") {
				t.Errorf("outbound: %+v", entry)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("history%s (-want +got):\n%s", query, diff)
		}
	}
	w.comapi("GET", "/cpaas/profiles/ana/messages?direction=x", "").wantProblem(t, http.StatusBadRequest, "direction", "DirectionInvalid", "neither")
	w.comapi("GET", "/cpaas/profiles/ana/messages?from=x", "").wantProblem(t, http.StatusBadRequest, "from", "FromInvalid", "a time")
	w.comapi("GET", "/cpaas/profiles/none/messages", "").wantProblem(t, http.StatusNotFound, "", "NotFound", "none")
}
