package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/service"
)

// call is a request in Comapi's shapes and its answer.
type call struct {
	status int
	header http.Header
	body   []byte
}

// comapi makes a request with the API key as bearer token; headers come in pairs.
func (w *world) comapi(method, path, body string, headers ...string) call {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+w.key)
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return call{resp.StatusCode, resp.Header, answer}
}

// object reads the answer, which must have the status.
func (c call) object(t testing.TB, status int) map[string]any {
	t.Helper()
	return answered[map[string]any](t, c, status)
}

func answered[T any](t testing.TB, c call, status int) T {
	t.Helper()
	var v T
	if c.status != status {
		t.Fatalf("answered %d %s, wanted %d", c.status, c.body, status)
	}
	if err := json.Unmarshal(c.body, &v); err != nil {
		t.Fatalf("%s: %v", c.body, err)
	}
	return v
}

// wantProblem fails the test unless the answer is an error in the API's shape.
func (c call) wantProblem(t testing.TB, status int, property, code, words string) {
	t.Helper()
	var list []struct{ Property, FailureCode, Details string }
	if err := json.Unmarshal(c.body, &list); err != nil || c.status != status || len(list) != 1 {
		t.Errorf("answered %d %s, wanted one problem with %d", c.status, c.body, status)
		return
	}
	if p := list[0]; p.Property != property || p.FailureCode != code || !strings.Contains(p.Details, words) {
		t.Errorf("problem %+v, wanted %q, %q, and %q in it", p, property, code, words)
	}
}

// settled reads a message until it is as wanted.
func (w *world) settled(path, status string) map[string]any {
	w.t.Helper()
	var m map[string]any
	await(w.t, path+" to be "+status, func() (bool, string) {
		m = w.comapi("GET", path, "").object(w.t, http.StatusOK)
		return m["status"] == status, ""
	})
	return m
}

// comapiRequests are the requests that the documentation of the Messenger channel had, in shape:
// PSID stands for a person's id, and profile ana@example.com is hers.
var comapiRequests = []struct {
	name, request string
	text          string // of what arrives; JSON when it is no text
	more          int    // messages that arrive after it
	note          string // in the status of the channel
	skipped       string // channel that has a reason for which it was skipped
	failed        string // in the reason, when the message fails at once
}{
	{name: "by profile", request: `{"to":{"profileId":"ana@example.com"},"body":"By profile","rules":["fbMessenger"]}`, text: "By profile"},
	{name: "a tag that has ended", request: `{"to":{"profileId":"ana@example.com"},"body":"Tagged","channelOptions":{"fbMessenger":{"messagingType":"MESSAGE_TAG","messageTag":"NON_PROMOTIONAL_SUBSCRIPTION"}},"rules":["fbMessenger"]}`,
		text: "Tagged", note: "the tag NON_PROMOTIONAL_SUBSCRIPTION ended on 2020-03-04; inside the 24 hours it is sent as RESPONSE"},
	{name: "another tag that has ended", request: `{"to":{"profileId":"ana@example.com"},"body":"Shipped","channelOptions":{"fbMessenger":{"messagingType":"MESSAGE_TAG","messageTag":"SHIPPING_UPDATE"}},"rules":["fbMessenger"]}`,
		text: "Shipped", note: "the tag SHIPPING_UPDATE ended on 2020-03-04; inside the 24 hours it is sent as RESPONSE"},
	{name: "by phone number", request: `{"to":{"phoneNumber":"447123123123","firstName":"Ana","lastName":"Test"},"body":"By phone","channelOptions":{"fbMessenger":{"messagingType":"MESSAGE_TAG","messageTag":"NON_PROMOTIONAL_SUBSCRIPTION"}},"rules":["fbMessenger"]}`,
		skipped: "fbMessenger", failed: "Customer Matching, which Facebook has suspended"},
	{name: "by Messenger id", request: `{"to":{"fbMessengerId":"PSID"},"body":"By id","channelOptions":{"fbMessenger":{"messagingType":"MESSAGE_TAG","messageTag":"NON_PROMOTIONAL_SUBSCRIPTION"}},"rules":["fbMessenger"]}`,
		text: "By id", note: "ended on 2020-03-04"},
	{name: "title and parts", request: `{"title":"On its way","to":{"profileId":"ana@example.com"},"rules":["fbMessenger"],"messageParts":[{"name":"Body text","type":"text/plain","data":"Order 1 has left."},{"type":"image/png","url":"https://example.com/laptop.png"}]}`,
		text: "On its way\nOrder 1 has left.", more: 1},
	{name: "Messenger, then sms", request: `{"to":{"fbMessengerId":"PSID","mobileNumber":"441234123123","firstName":"Ana","lastName":"Test"},"body":"Both","channelOptions":{"fbMessenger":{"messagingType":"MESSAGE_TAG","messageTag":"NON_PROMOTIONAL_SUBSCRIPTION"}},"rules":["fbMessenger","sms"]}`,
		text: "Both", note: "ended on 2020-03-04"},
	{name: "sms, then Messenger", request: `{"to":{"fbMessengerId":"PSID","phoneNumber":"441234123123"},"body":"Fallback","rules":["sms","fbMessenger"]}`, text: "Fallback", skipped: "sms"},
	{name: "RESPONSE", request: `{"to":{"profileId":"ana@example.com"},"body":"Response","channelOptions":{"fbMessenger":{"messagingType":"RESPONSE"}},"rules":["fbMessenger"]}`, text: "Response"},
	{name: "UPDATE", request: `{"to":{"profileId":"ana@example.com"},"body":"Update","channelOptions":{"fbMessenger":{"messagingType":"UPDATE"}},"rules":["fbMessenger"]}`, text: "Update"},
	{name: "image of one's own", request: `{"body":"Else","to":{"profileId":"ana@example.com"},"customBody":{"fbMessenger":{"attachment":{"type":"image","payload":{"url":"https://example.com/a.jpg"}}}},"rules":["fbMessenger"]}`,
		text: `{"attachment":{"type":"image","payload":{"url":"https://example.com/a.jpg"}}}`},
	{name: "quick replies of one's own", request: `{"body":"Else","to":{"profileId":"ana@example.com"},"customBody":{"fbMessenger":{"text":"Which?","quick_replies":[{"content_type":"text","title":"Red","payload":"R"},{"content_type":"text","title":"Green","payload":"G"}]}},"rules":["fbMessenger"]}`,
		text: "Which?"},
	{name: "receipt of one's own", request: `{"body":"Else","to":{"profileId":"ana@example.com"},"customBody":{"fbMessenger":{"attachment":{"type":"template","payload":{"template_type":"receipt","recipient_name":"Ana Test","order_number":"1","currency":"USD","payment_method":"Visa","summary":{"subtotal":75,"shipping_cost":4.95,"total_tax":6.19,"total_cost":56.14},"elements":[{"title":"Shirt","quantity":2,"price":50,"currency":"USD"}]}}}},"rules":["fbMessenger"]}`,
		text: `{"attachment":{"type":"template","payload":{"template_type":"receipt","recipient_name":"Ana Test","order_number":"1","currency":"USD","payment_method":"Visa","summary":{"subtotal":75,"shipping_cost":4.95,"total_tax":6.19,"total_cost":56.14},"elements":[{"title":"Shirt","quantity":2,"price":50,"currency":"USD"}]}}}`},
	{name: "an expiry that is too short", request: `{"to":{"profileId":"ana@example.com"},"body":"Soon","expiresOn":"2017-05-22T14:53:39Z","rules":["fbMessenger"]}`, text: "Soon"},
	{name: "empty customBody", request: `{"to":{"profileId":"ana@example.com"},"body":"Plain","customBody":{},"rules":["fbMessenger"]}`, text: "Plain"},
}

// customer gives a person a profile under an id of the business's own.
func (p *page) customer(psid, profile string) {
	p.w.t.Helper()
	p.w.comapi("POST", "/v1/profiles", `{"id":"`+profile+`","fbMessengerIds":{"`+p.key+`":"`+psid+`"}}`).object(p.w.t, http.StatusCreated)
}

func TestComapiRequestsAsDocumented(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	for _, c := range comapiRequests {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			request := c.request
			ana := p.person("Ana")
			profile := "ana+" + strings.ReplaceAll(c.name, " ", "") + "@example.com"
			p.customer(ana, profile)
			request = strings.NewReplacer("PSID", ana, "ana@example.com", profile).Replace(request)
			answer := w.comapi("POST", "/apispaces/"+p.key+"/messages", request).object(t, http.StatusCreated)
			path := "/apispaces/" + p.key + "/messages/" + answer["messageId"].(string)
			var asked map[string]any
			if err := json.Unmarshal([]byte(request), &asked); err != nil {
				t.Fatal(err)
			}
			for name, value := range asked {
				if diff := cmp.Diff(value, answer[name]); diff != "" {
					t.Errorf("%s of the answer (-asked +answered):\n%s", name, diff)
				}
			}
			wanted := "delivered"
			if c.failed != "" {
				wanted = "failed"
			}
			m := w.settled(path, wanted)
			status, _ := m["statusDetails"].(map[string]any)["channelStatus"].(map[string]any)
			if c.skipped != "" {
				skipped, _ := status[c.skipped].(map[string]any)
				detail, _ := skipped["details"].(map[string]any)
				if reason, _ := detail["reason"].(string); detail["skipped"] != true || !strings.Contains(reason, c.failed) {
					t.Errorf("channel %s: %v", c.skipped, skipped)
				}
			}
			if c.failed != "" {
				if got := p.thread(ana); len(got) > 0 {
					t.Errorf("%q was sent", got)
				}
				return
			}
			messenger := status["fbMessenger"].(map[string]any)
			if note, _ := messenger["details"].(map[string]any)["note"].(string); !strings.Contains(note, c.note) || (c.note == "") != (note == "") {
				t.Errorf("note %q, wanted %q", note, c.note)
			}
			p.awaitThread(ana, 1+c.more)
			thread, err := w.platform.Thread(p.id, ana)
			if err != nil {
				t.Fatal(err)
			}
			if len(thread) != 1+c.more {
				t.Errorf("%d messages were sent", len(thread))
			}
			if strings.HasPrefix(c.text, "{") {
				sameJSON(t, thread[0].Message, c.text)
			} else if thread[0].Text != c.text {
				t.Errorf("sent %q", thread[0].Text)
			}
		})
	}
}

// sameJSON compares a message as sent, apart from its metadata, with what it should be.
func sameJSON(t *testing.T, got json.RawMessage, want string) {
	t.Helper()
	var a, b map[string]any
	if err := json.Unmarshal(got, &a); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(want), &b); err != nil {
		t.Fatal(err)
	}
	delete(a, "metadata")
	if diff := cmp.Diff(b, a); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
}

func TestComapiAnswerWhole(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	ana := p.person("Ana")
	request := `{"to":{"fbMessengerId":"` + ana + `"},"body":"Hi","metadata":{"ref":"abc"},"rules":["fbMessenger"]}`
	answer := w.comapi("POST", "/cpaas/messages", request).object(t, http.StatusCreated)
	for _, name := range []string{"submittedOn", "sentOn", "_createdOn", "_updatedOn"} {
		text, _ := answer[name].(string)
		if _, err := time.Parse("2006-01-02T15:04:05.000Z", text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		delete(answer, name)
	}
	id, _ := answer["messageId"].(string)
	if !strings.HasPrefix(answer["_createdBy"].(string), "access:") || answer["_createdBy"] != answer["_updatedBy"] || id == "" {
		t.Errorf("made by %v, id %q", answer["_createdBy"], id)
	}
	delete(answer, "_createdBy")
	delete(answer, "_updatedBy")
	delete(answer, "messageId")
	details := answer["statusDetails"].(map[string]any)
	delete(details["channelStatus"].(map[string]any)["fbMessenger"].(map[string]any), "updatedOn")
	want := map[string]any{
		"to": map[string]any{"fbMessengerId": ana}, "body": "Hi", "metadata": map[string]any{"ref": "abc"}, "rules": []any{"fbMessenger"}, "status": "processing", "senderProfileId": nil,
		"statusDetails": map[string]any{"channel": "fbMessenger", "additionalInfo": map[string]any{"to": ana},
			"channelStatus": map[string]any{"fbMessenger": map[string]any{"status": "processing", "details": map[string]any{}}}},
	}
	if diff := cmp.Diff(want, answer); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
	w.settled("/cpaas/messages/"+id, "delivered")
	p.act(ana, graphemu.Action{Read: true})
	w.settled("/cpaas/messages/"+id, "read")
	// A message of /v1 is shown too.
	other := w.send(p.text(ana, "Native"))
	if m := w.settled("/apispaces/"+p.key+"/messages/"+other, "delivered"); m["body"] != "Native" {
		t.Errorf("of /v1: %v", m)
	}
	w.comapi("GET", "/cpaas/messages/none", "").wantProblem(t, http.StatusNotFound, "", "NotFound", "none")
}

func TestComapiMistakes(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	printed := "{\n  \"to\": {\n    \"profileId\": \"ana@example.com\"\n  },\n  \"body\": \"Hi\",\n  \"channelOptions\": {\n    \"fbMessenger\": {\n      \"messagingType\": \"UPDATE\"\n    },\n  \"rules\": [\n    \"fbMessenger\"\n  ]\n}\n"
	for _, c := range []struct{ name, body, property, code, words string }{
		{"a brace is missing", printed, "", "BodyInvalid", "line 13, column 2"},
		{"a comma too many", "{\n\"body\":,}", "", "BodyInvalid", "line 2, column 8"},
		{"no body", ``, "", "BodyInvalid", "line 1, column 1"},
		{"nobody", `{"body":"Hi","rules":["fbMessenger"]}`, "to", "ToInvalid", "name whom"},
		{"no rules", `{"to":{"fbMessengerId":"1"},"body":"Hi"}`, "rules", "RulesInvalid", "name the channels"},
		{"both", `{"to":{"fbMessengerId":"1"},"body":"Hi","rules":["fbMessenger"],"ruleSet":"x"}`, "ruleSet", "RuleSetInvalid", "not both"},
		{"a set of rules", `{"to":{"fbMessengerId":"1"},"body":"Hi","ruleSet":"x"}`, "ruleSet", "RuleSetInvalid", "no route"},
		{"wrong type", `{"to":{"fbMessengerId":1},"body":"Hi","rules":["fbMessenger"]}`, "to.fbMessengerId", "ToInvalid", "number"},
		{"nothing", `{"to":{"fbMessengerId":"1"},"rules":["fbMessenger"]}`, "body", "BodyInvalid", "nothing to send"},
		{"body and parts", `{"to":{"fbMessengerId":"1"},"body":"Hi","messageParts":[{"type":"text/plain","data":"x"}],"rules":["fbMessenger"]}`, "messageParts", "MessagePartsInvalid", "not both"},
		{"type", `{"to":{"fbMessengerId":"1"},"body":"Hi","channelOptions":{"fbMessenger":{"messagingType":"X"}},"rules":["fbMessenger"]}`, "channelOptions.fbMessenger.messagingType", "ChannelOptionsInvalid", "not one of"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w.comapi("POST", "/apispaces/"+p.key+"/messages", c.body).wantProblem(t, http.StatusBadRequest, c.property, c.code, c.words)
		})
	}
}

// What the face does not have is told in its own form too.
func TestComapiNotThere(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	for _, base := range []string{"/cpaas", "/apispaces/" + p.key} {
		for _, c := range [][2]string{{"PUT", "/profiles/a/rels/link/b"}, {"GET", "/conversations"}, {"POST", "/content"}} {
			w.comapi(c[0], base+c[1], "").wantProblem(t, http.StatusNotFound, "", "NotFound", c[0])
		}
		for _, c := range [][2]string{{"PATCH", "/messages/msg_1"}, {"DELETE", "/messages/msg_1"}, {"POST", "/profiles/export"}} {
			got := w.comapi(c[0], base+c[1], "")
			got.wantProblem(t, http.StatusMethodNotAllowed, "", "MethodNotAllowed", c[0])
			if got.header.Get("Allow") == "" || got.header.Get("X-Request-Id") == "" {
				t.Errorf("%s %s: %v", c[0], base+c[1], got.header)
			}
		}
	}
}

func TestComapiCredentials(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p, q := w.connect(graphemu.Page{}), w.connect(graphemu.Page{})
	ana := p.person("Ana")
	body := `{"to":{"fbMessengerId":"` + ana + `"},"body":"Hi","rules":["fbMessenger"]}`
	_, limited, err := service.CreateKey(t.Context(), w.app.Store, "one", []gateway.Scope{gateway.ScopeMessagesWrite}, []string{p.key})
	if err != nil {
		t.Fatal(err)
	}
	basic := func(key string) string {
		req, err := http.NewRequest("GET", "/", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.SetBasicAuth("anybody", key)
		return req.Header.Get("Authorization")
	}
	w.comapi("POST", "/cpaas/messages", body, "Authorization", basic(limited.Reveal())).object(t, http.StatusCreated)
	w.comapi("POST", "/cpaas/messages?apiSpaceId="+p.key, body, "Authorization", basic(w.key)).object(t, http.StatusCreated)
	dashed := strings.ToLower(p.key[:8] + "-" + p.key[8:12] + "-" + p.key[12:16] + "-" + p.key[16:20] + "-" + p.key[20:])
	w.comapi("POST", "/apispaces/"+dashed+"/messages", body, "Authorization", "Bearer "+limited.Reveal()).object(t, http.StatusCreated)
	w.comapi("POST", "/cpaas/messages", body).wantProblem(t, http.StatusBadRequest, "apiSpaceId", "ApplicationAmbiguous", "apiSpaceId")
	w.comapi("POST", "/cpaas/messages", body, "Authorization", basic("chq_wrong")).wantProblem(t, http.StatusUnauthorized, "", "Unauthorized", "not known")
	w.comapi("POST", "/apispaces/"+q.key+"/messages", body, "Authorization", "Bearer "+limited.Reveal()).wantProblem(t, http.StatusNotFound, "apiSpaceId", "NotFound", "")
	w.comapi("POST", "/apispaces/0/messages", body).wantProblem(t, http.StatusNotFound, "apiSpaceId", "NotFound", "")
	w.comapi("GET", "/cpaas/messages/x", "", "Authorization", basic(limited.Reveal())).wantProblem(t, http.StatusForbidden, "", "Forbidden", "messages:read")
}

func TestComapiRefusalsFailTheMessage(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	ana := p.person("Ana")
	p.says(ana, "hello")
	await(t, "Ana's message", func() (bool, string) {
		h, err := w.app.Store.History(t.Context(), gateway.Lane{Application: p.key, Person: ana})
		return err == nil && !h.LastInbound.IsZero(), ""
	})
	r := startReceiver(t, nil)
	w.forward(r, func(c *gatewayapi.CreateSubscriptionRequest) { c.EventTypes = []gatewayapi.EventType{"message.failed"} })
	w.clock.advance(25 * time.Hour)
	for _, c := range []struct{ name, request, channel, code, reason string }{
		{"tag outside the window", `{"to":{"fbMessengerId":"` + ana + `"},"body":"x","metadata":{"n":1},"channelOptions":{"fbMessenger":{"messageTag":"NON_PROMOTIONAL_SUBSCRIPTION"}},"rules":["fbMessenger","sms"]}`, "fbMessenger", "platform_refused", "ended on 2020-03-04"},
		{"nothing given", `{"to":{"fbMessengerId":"` + ana + `"},"body":"x","rules":["fbMessenger"]}`, "fbMessenger", "outside_window", "Allowed now: messageTag HUMAN_AGENT"},
		{"no Messenger address", `{"to":{"profileId":"new@example.com","firstName":"Neu","phoneNumber":"+49 170 1"},"body":"x","rules":["fbMessenger"]}`, "fbMessenger", "no_address", "no Messenger address"},
		{"no channel", `{"to":{"fbMessengerId":"` + ana + `"},"body":"x","rules":["sms"]}`, "sms", "no_account", "no account"},
		{"no content for Messenger", `{"to":{"fbMessengerId":"` + ana + `"},"customBody":{"sms":{"text":"x"}},"rules":["sms"]}`, "sms", "no_account", "no account"},
		{"not opted in", `{"to":{"fbMessengerId":"` + ana + `"},"body":"x","requireOptIn":true,"rules":["fbMessenger"]}`, "fbMessenger", "not_opted_in", "not opted in"},
	} {
		answer := w.comapi("POST", "/apispaces/"+p.key+"/messages", c.request).object(t, http.StatusCreated)
		var m map[string]any
		await(t, c.name, func() (bool, string) {
			m = w.comapi("GET", "/apispaces/"+p.key+"/messages/"+answer["messageId"].(string), "").object(t, http.StatusOK)
			return m["status"] != "processing", ""
		})
		{
			status, _ := m["statusDetails"].(map[string]any)["channelStatus"].(map[string]any)[c.channel].(map[string]any)
			details, _ := status["details"].(map[string]any)
			reason, _ := details["reason"].(string)
			if m["status"] != "failed" || status["status"] != "failed" || details["failureCode"] != c.code || !strings.Contains(reason, c.reason) {
				t.Errorf("%s: %v", c.name, m)
			}
		}
		if m := w.message(answer["messageId"].(string)); m.Status != "failed" || m.Failure == nil || string(m.Failure.Code) != c.code {
			t.Errorf("%s: in /v1 %+v", c.name, m)
		}
	}
	if got := p.thread(ana); len(got) > 0 {
		t.Errorf("sent %q", got)
	}
	type failure struct {
		MessageID string          `json:"messageId"`
		Metadata  json.RawMessage `json:"metadata"`
	}
	await(t, "message.failed with the caller's metadata", func() (bool, string) {
		all := r.deliveries() // of several conversations, in no order
		for _, d := range all {
			if f := dataOf[failure](t, d.event); f.MessageID != "" && bytes.Equal(f.Metadata, []byte(`{"n":1}`)) {
				return true, ""
			}
		}
		return false, fmt.Sprint(len(all), " others")
	})
	profile := w.comapi("GET", "/v1/profiles/new@example.com", "").object(t, http.StatusOK)
	if profile["phoneNumber"] != "491701" || profile["firstName"] != "Neu" {
		t.Errorf("the profile made: %v", profile)
	}
}

func TestComapiBatch(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	people := p.people(40)
	var items []string
	for i, text := range numbered("n", 600) {
		items = append(items, `{"to":{"fbMessengerId":"`+people[i%40]+`"},"body":"`+text+`","rules":["fbMessenger"]}`)
	}
	items[3] = `{"to":{"phoneNumber":"447123"},"body":"x","rules":["fbMessenger"]}`
	answer := answered[[]struct {
		Index     int
		MessageID string
	}](t, w.comapi("POST", "/apispaces/"+p.key+"/messages/batch", "["+strings.Join(items, ",")+"]"), http.StatusAccepted)
	for i, a := range answer {
		if a.Index != i || a.MessageID == "" {
			t.Fatalf("entry %d: %+v", i, a)
		}
	}
	w.settled("/cpaas/messages/"+answer[3].MessageID, "failed")
	if len(answer) != 600 {
		t.Errorf("%d accepted", len(answer))
	}
	for i, person := range people {
		var want []string
		for n := i; n < 600; n += 40 {
			if n != 3 {
				want = append(want, fmt.Sprintf("n %d", n))
			}
		}
		if diff := cmp.Diff(want, p.awaitThread(person, len(want))); diff != "" {
			t.Errorf("person %d (-want +got):\n%s", i, diff)
		}
	}
	w.comapi("POST", "/cpaas/messages/batch", `[`+items[0]+`,{"to":{"fbMessengerId":"1"},"body":"x"}]`).wantProblem(t, http.StatusBadRequest, "[1].rules", "RulesInvalid", "")
	w.comapi("POST", "/cpaas/messages/batch", `[]`).wantProblem(t, http.StatusBadRequest, "", "BodyInvalid", "1 to 5000")
	if got := p.thread(people[0]); len(got) != 15 {
		t.Errorf("a batch with a mistake sent %d", len(got)-15)
	}
}
