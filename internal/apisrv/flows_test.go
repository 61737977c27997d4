package apisrv_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/internal/gateway"
)

var wireTime = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`)

func TestSendAMessage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.connect(b.platform.AddPage(graphemu.Page{ID: "1000"}))
	body := `{"to":{"fbMessengerId":"5"},"title":"Order","body":"is on its way","metadata":{"order":[17]},"channelOptions":{"fbMessenger":{"messageTag":"HUMAN_AGENT"}}}`
	first := b.call("POST", "/v1/messages", b.key, body, "Idempotency-Key", "one")
	if first.status != 202 || first.header.Get("Idempotent-Replayed") != "" {
		t.Fatalf("%d %s", first.status, first.body)
	}
	var m map[string]any
	if err := json.Unmarshal([]byte(first.body), &m); err != nil {
		t.Fatal(err)
	}
	id := m["id"].(string)
	for _, field := range []string{"acceptedAt", "updatedAt", "expiresOn"} {
		if v, _ := m[field].(string); !wireTime.MatchString(v) {
			t.Errorf("%s = %v", field, m[field])
		}
		delete(m, field)
	}
	delete(m["timeline"].([]any)[0].(map[string]any), "at")
	want := map[string]any{
		"id": id, "status": "queued", "application": a.Key, "to": map[string]any{"fbMessengerId": "5"}, "title": "Order", "body": "is on its way",
		"metadata": map[string]any{"order": []any{17.0}}, "channelOptions": map[string]any{"fbMessenger": map[string]any{"messageTag": "HUMAN_AGENT"}},
		"rules": []any{"fbMessenger"}, "parts": 1.0, "partsSent": 0.0, "attempts": []any{}, "timeline": []any{map[string]any{"status": "queued"}},
	}
	if diff := cmp.Diff(want, m); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff(jsonValue(t, first.body), jsonValue(t, b.call("GET", "/v1/messages/"+id, b.key, "").body)); diff != "" {
		t.Errorf("read again it is another (-accepted +read):\n%s", diff)
	}
	again := b.call("POST", "/v1/messages", b.key, body, "Idempotency-Key", "one")
	if again.status != 202 || again.header.Get("Idempotent-Replayed") != "true" || !cmp.Equal(jsonValue(t, again.body), jsonValue(t, first.body)) {
		t.Errorf("repeat: %d %v %s", again.status, again.header, again.body)
	}
	other := b.call("POST", "/v1/messages", b.key, strings.Replace(body, "way", "path", 1), "Idempotency-Key", "one")
	if e := other.apiError(t); e.Code != "idempotency_mismatch" {
		t.Errorf("other body: %s", other.body)
	}
	if refused := b.call("POST", "/v1/messages", b.key, `{"to":{}}`, "Idempotency-Key", "two"); refused.status != 400 {
		t.Errorf("refused: %d", refused.status)
	}
	if mended := b.call("POST", "/v1/messages", b.key, body, "Idempotency-Key", "two"); mended.status != 202 || mended.header.Get("Idempotent-Replayed") != "" {
		t.Errorf("a refused request was remembered: %d %s", mended.status, mended.body)
	}
	if foreign := b.call("POST", "/v1/messages", b.newKey(nil, gateway.ScopeAll), body, "Idempotency-Key", "one"); foreign.header.Get("Idempotent-Replayed") != "" {
		t.Error("one key's idempotency keys hold for another")
	}
	canceled, err := b.client.CancelMessage(t.Context(), id)
	if err != nil || canceled.Status != gatewayapi.StatusCanceled || canceled.Timeline[len(canceled.Timeline)-1].Status != "canceled" {
		t.Errorf("cancel: %+v, %v", canceled, err)
	}
	if _, err := b.client.CancelMessage(t.Context(), id); !errors.Is(err, &gatewayapi.Error{Code: "not_cancelable"}) {
		t.Errorf("cancel again: %v", err)
	}
}

func jsonValue(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

// A message is answered from its stored request where that suffices, and rendered field by field
// elsewhere: both must say the same.
func TestAcceptedAndReadMessagesAreTheSame(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.connect(b.platform.AddPage(graphemu.Page{ID: "1000"}))
	for _, body := range []string{
		`{"to":{"fbMessengerId":"5"},"body":"é <b>&\u2028 \"x\""}`,
		`{"to":{"fbMessengerId":"5"},"body":"x","expiresOn":"2099-01-02T03:04:05.678901+02:00"}`,
		`{"to":{"fbMessengerId":"5"},"title":"t","messageParts":[{"type":"text/plain","data":"a"},{"type":"image/png","url":"https://example.com/a.png","size":4}],"rules":["fbMessenger"]}`,
		`{"to":{"fbMessengerId":"5"},"body":"x","customBody":{"fbMessenger":{"text":"y","quick_replies":[{"content_type":"text","title":"t","payload":"p"}]}},"metadata":[1.50,null]}`,
		`{"to":{"fbMessengerId":"5"},"body":"x","customBody":{},"metadata":"m","channelOptions":{"fbMessenger":{"messagingType":"UPDATE","notificationType":"NO_PUSH","personaId":"9"}}}`,
	} {
		accepted := b.call("POST", "/v1/messages", b.key, body)
		if accepted.status != 202 {
			t.Errorf("%s: %d %s", body, accepted.status, accepted.body)
			continue
		}
		read := b.call("GET", strings.TrimPrefix(accepted.header.Get("Location"), b.url), b.key, "")
		if diff := cmp.Diff(jsonValue(t, accepted.body), jsonValue(t, read.body)); diff != "" {
			t.Errorf("%s (-accepted +read):\n%s", body, diff)
		}
	}
}

func TestApplicationMayBeLeftOutWhereOneFits(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if _, err := b.client.SendMessage(t.Context(), gatewayapi.SendMessageRequest{To: gatewayapi.To{FBMessengerID: "5"}, Body: "x"}); err == nil {
		t.Error("a message is accepted where no page is connected")
	}
	first := b.connect(b.platform.AddPage(graphemu.Page{ID: "1000"}))
	second := b.connect(b.platform.AddPage(graphemu.Page{ID: "2000"}))
	res := b.call("POST", "/v1/messages", b.key, `{"to":{"fbMessengerId":"5"},"body":"x"}`)
	if e := res.apiError(t); e.Code != "application_ambiguous" || e.Field != "application" {
		t.Errorf("two fit: %s", res.body)
	}
	ids := fmt.Sprintf(`{%q:"5"}`, second.Key)
	if _, err := b.client.CreateProfile(t.Context(), gatewayapi.Profile{"id": json.RawMessage(`"ana"`), "fbMessengerIds": json.RawMessage(ids)}); err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]gatewayapi.To{"known person": {FBMessengerID: "5"}, "profile": {ProfileID: "ana"}} {
		sent, err := b.client.SendMessage(t.Context(), gatewayapi.SendMessageRequest{To: to, Body: "x"})
		if err != nil || sent.Message.Application != second.Key {
			t.Errorf("%s: %+v, %v", name, sent.Message, err)
		}
	}
	if sent, err := b.client.SendMessage(t.Context(), gatewayapi.SendMessageRequest{To: gatewayapi.To{FBMessengerID: "5"}, Body: "x", Application: first.Key}); err != nil || sent.Message.Application != first.Key {
		t.Errorf("named: %+v, %v", sent, err)
	}
}

func TestBatchVerdicts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.connect(b.platform.AddPage(graphemu.Page{ID: "1000"}))
	body := `{"messages":[{"to":{"fbMessengerId":"1"},"body":"a"},{"to":{"fbMessengerId":"2"},"boddy":"b"},{"to":{},"body":"c"},{"to":{"fbMessengerId":"4"},"body":"d"},7]}`
	res := b.call("POST", "/v1/messages/batch", b.key, body, "Idempotency-Key", "batch")
	var result gatewayapi.SendBatchResult
	if err := json.Unmarshal([]byte(res.body), &result); err != nil || res.status != 202 {
		t.Fatalf("%d %s %v", res.status, res.body, err)
	}
	var got []string
	for i, r := range result.Results {
		switch {
		case r.Index != i || (r.Message == nil) == (r.Error == nil):
			t.Errorf("verdict %d: %+v", i, r)
		case r.Error != nil:
			got = append(got, string(r.Error.Code)+" "+r.Error.Field)
		default:
			got = append(got, r.Message.Body)
		}
	}
	want := []string{"a", "invalid_request messages[1].boddy", "invalid_request messages[2].to", "d", "invalid_request messages[4]"}
	if diff := cmp.Diff(want, got); diff != "" || result.Accepted != 2 || result.Refused != 3 {
		t.Errorf("accepted %d, refused %d (-want +got):\n%s", result.Accepted, result.Refused, diff)
	}
	again := b.call("POST", "/v1/messages/batch", b.key, body, "Idempotency-Key", "batch")
	if again.header.Get("Idempotent-Replayed") != "true" || again.body != res.body {
		t.Errorf("repeat:\n%s\n%s", again.body, res.body)
	}
	many := gatewayapi.SendBatchRequest{}
	for i := range 1001 {
		many.Messages = append(many.Messages, gatewayapi.SendMessageRequest{To: gatewayapi.To{FBMessengerID: fmt.Sprint(i)}, Body: "x"})
	}
	if _, err := b.client.SendBatch(t.Context(), many); !errors.Is(err, &gatewayapi.Error{Code: "invalid_request"}) {
		t.Errorf("1,001 messages: %v", err)
	}
	many.Messages = many.Messages[:1000]
	if result, err := b.client.SendBatch(t.Context(), many); err != nil || result.Accepted != 1000 {
		t.Errorf("1,000 messages: %d, %v", result.Accepted, err)
	}
	seen, cursor := map[string]bool{}, ""
	for {
		page, err := b.client.ListMessages(t.Context(), gatewayapi.ListMessagesRequest{Cursor: cursor, Limit: 200, Status: "queued"})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range page.Messages {
			seen[m.ID] = true
		}
		if cursor = page.Cursor; cursor == "" {
			break
		}
	}
	if len(seen) != 1002 {
		t.Errorf("the pages show %d messages of 1002", len(seen))
	}
}

func TestProfileETags(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	a := b.connect(b.platform.AddPage(graphemu.Page{ID: "1000"}))
	id := "ana+1@example.com"
	made, err := b.client.CreateProfile(ctx, gatewayapi.Profile{
		"id": json.RawMessage(`"` + id + `"`), "firstName": json.RawMessage(`"Ana"`), "tier": json.RawMessage(`3`), "fbMessengerIds": json.RawMessage(`{"` + a.Key + `":"5"}`)})
	if err != nil || made.ID() != id || made.MessengerIDs()[a.Key] != "5" {
		t.Fatalf("%v, %v", made, err)
	}
	if _, err := b.client.CreateProfile(ctx, gatewayapi.Profile{"id": json.RawMessage(`"` + id + `"`)}); !errors.Is(err, &gatewayapi.Error{Code: "conflict"}) {
		t.Errorf("the id again: %v", err)
	}
	read, err := b.client.GetProfile(ctx, id)
	etag := read.ETag
	if err != nil || etag == "" {
		t.Fatalf("etag %q, %v", etag, err)
	}
	patched, err := b.client.PatchProfile(ctx, gatewayapi.PatchProfileRequest{ID: id, Patch: json.RawMessage(`{"tier":null,"email":"ana@example.com"}`), ETag: etag})
	if err != nil || patched.Profile["tier"] != nil || string(patched.Profile["email"]) != `"ana@example.com"` || patched.ETag == etag {
		t.Errorf("patch: %v, %v", patched, err)
	}
	for name, stale := range map[string]string{"the old ETag": etag, "an ETag of nobody": `"x"`, "a weak one": "W/" + patched.ETag} {
		if _, err := b.client.PatchProfile(ctx, gatewayapi.PatchProfileRequest{ID: id, Patch: json.RawMessage(`{}`), ETag: stale}); !errors.Is(err, &gatewayapi.Error{Code: "precondition_failed"}) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := b.client.DeleteProfile(ctx, gatewayapi.DeleteProfileRequest{ID: id, ETag: etag}); !errors.Is(err, &gatewayapi.Error{Code: "precondition_failed"}) {
		t.Errorf("delete with the old ETag: %v", err)
	}
	for name, f := range map[string]gatewayapi.ListProfilesRequest{"email": {Email: "ANA@example.com"}, "person": {FBMessengerID: "5", Application: a.Key}, "prefix": {IDPrefix: "ana+"}} {
		page, err := b.client.ListProfiles(ctx, f)
		if err != nil || len(page.Profiles) != 1 || page.Profiles[0].ID() != id {
			t.Errorf("by %s: %+v, %v", name, page, err)
		}
	}
	if err := b.client.DeleteProfile(ctx, gatewayapi.DeleteProfileRequest{ID: id, ETag: patched.ETag}); err != nil {
		t.Error(err)
	}
	if _, err := b.client.GetProfile(ctx, id); !errors.Is(err, &gatewayapi.Error{Code: "not_found"}) {
		t.Errorf("after delete: %v", err)
	}
	page, err := b.client.ListEvents(ctx, gatewayapi.ListEventsRequest{Application: a.Key})
	var kinds []string
	for _, e := range page.Events {
		kinds = append(kinds, string(e.Type))
	}
	if diff := cmp.Diff([]string{"profile.created", "profile.updated"}, kinds); diff != "" || err != nil {
		t.Errorf("events: %v\n%s", err, diff)
	}
}

func TestSigningSecretsAreShownOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	sub, err := b.client.CreateSubscription(ctx, gatewayapi.CreateSubscriptionRequest{Kind: "forward", URL: "https://example.com/hook"})
	if err != nil || len(sub.Secrets) != 1 {
		t.Fatalf("%+v, %v", sub, err)
	}
	encoded, ok := strings.CutPrefix(sub.Secrets[0].Secret, "whsec_")
	if key, err := base64.StdEncoding.DecodeString(encoded); !ok || err != nil || len(key) != 32 {
		t.Errorf("secret %q", sub.Secrets[0].Secret)
	}
	for _, path := range []string{"/v1/subscriptions", "/v1/subscriptions/" + sub.ID} {
		if body := b.call("GET", path, b.key, "").body; strings.Contains(body, "whsec_") {
			t.Errorf("%s shows the secret: %s", path, body)
		}
	}
	overlap := 3600
	rotated, err := b.client.AddSecret(ctx, sub.ID, gatewayapi.AddSecretRequest{OverlapSeconds: &overlap})
	if err != nil || len(rotated.Secrets) != 2 || rotated.Secrets[0].Secret != "" || rotated.Secrets[1].Secret == "" {
		t.Fatalf("%+v, %v", rotated, err)
	}
	if left := time.Until(rotated.Secrets[0].ExpiresAt.Time); left < 59*time.Minute || left > time.Hour || !rotated.Secrets[1].ExpiresAt.IsZero() {
		t.Errorf("expiries: %v, %v", rotated.Secrets[0].ExpiresAt, rotated.Secrets[1].ExpiresAt)
	}
	if err := b.client.DeleteSecret(ctx, gatewayapi.DeleteSecretRequest{Subscription: sub.ID, Secret: rotated.Secrets[1].ID}); !errors.Is(err, &gatewayapi.Error{Code: "conflict"}) {
		t.Errorf("delete of the last lasting secret: %v", err)
	}
	if err := b.client.DeleteSecret(ctx, gatewayapi.DeleteSecretRequest{Subscription: sub.ID, Secret: rotated.Secrets[0].ID}); err != nil {
		t.Error(err)
	}
	own := gateway.NewSigningSecret().Reveal()
	set, err := b.client.UpdateSubscription(ctx, sub.ID, gatewayapi.UpdateSubscriptionRequest{Secrets: &[]string{rotated.Secrets[1].Secret, own}})
	if err != nil || len(set.Secrets) != 2 || set.Secrets[0].ID != rotated.Secrets[1].ID || set.Secrets[0].Secret != "" || set.Secrets[1].Secret != own {
		t.Errorf("set: %+v, %v", set, err)
	}
	off := gatewayapi.SubscriptionDisabled
	if sub, err = b.client.UpdateSubscription(ctx, sub.ID, gatewayapi.UpdateSubscriptionRequest{State: &off}); err != nil || sub.State != off {
		t.Errorf("disable: %+v, %v", sub, err)
	}
	if err := b.client.DeleteSubscription(ctx, sub.ID); err != nil {
		t.Error(err)
	}
	if _, err := b.client.GetSubscription(ctx, sub.ID); !errors.Is(err, &gatewayapi.Error{Code: "not_found"}) {
		t.Errorf("after delete: %v", err)
	}
}

func TestPullAndAcknowledge(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	a := b.connect(b.platform.AddPage(graphemu.Page{ID: "1000"}))
	person := b.platform.AddPerson("1000", graphemu.Person{FirstName: "Ana", Open: true})
	sub, err := b.client.CreateSubscription(ctx, gatewayapi.CreateSubscriptionRequest{Kind: "pull", EventTypes: []gatewayapi.EventType{"message.inbound"}})
	if err != nil {
		t.Fatal(err)
	}
	say := func(text string) {
		t.Helper()
		if _, err := b.platform.Act(ctx, "1000", person.ID, graphemu.Action{Text: text}); err != nil {
			t.Fatal(err)
		}
	}
	read := func(req gatewayapi.PullRequest, want ...string) string {
		t.Helper()
		req.Subscription, req.Wait = sub.ID, 10*time.Second
		if len(want) == 0 {
			req.Wait = 0
		}
		page, err := b.client.PullEvents(ctx, req)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range page.Events {
			data, ok := e.Data.(*gatewayapi.MessageInbound)
			if !ok || e.Application != a.Key || e.PageID != "1000" || e.Person.ID != person.ID || len(e.Raw) == 0 || !wireTime.MatchString(e.CreatedAt.String()) {
				t.Errorf("event %+v, %v", e, err)
			}
			got = append(got, data.Text)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", req, diff)
		}
		return page.Cursor
	}
	say("one")
	first := read(gatewayapi.PullRequest{}, "one")
	say("two")
	ahead := read(gatewayapi.PullRequest{After: first, Limit: 1}, "two")
	read(gatewayapi.PullRequest{}, "one", "two") // nothing has moved
	for range 2 {
		if ack, err := b.client.Ack(ctx, sub.ID, gatewayapi.AckRequest{Cursor: ahead}); err != nil || ack.Cursor != ahead {
			t.Fatalf("%+v, %v", ack, err)
		}
	}
	read(gatewayapi.PullRequest{})
	if ack, err := b.client.Ack(ctx, sub.ID, gatewayapi.AckRequest{Cursor: first}); err != nil || ack.Cursor != ahead {
		t.Errorf("an older cursor moved it to %+v, %v", ack, err)
	}
	if _, err := b.client.Ack(ctx, sub.ID, gatewayapi.AckRequest{Cursor: "zzzzzzzzzz"}); !errors.Is(err, &gatewayapi.Error{Code: "invalid_request"}) {
		t.Errorf("a cursor of the future: %v", err)
	}
	if err := b.client.Replay(ctx, sub.ID, gatewayapi.ReplayRequest{From: "earliest"}); err != nil {
		t.Fatal(err)
	}
	read(gatewayapi.PullRequest{}, "one", "two")
	if err := b.client.Replay(ctx, sub.ID, gatewayapi.ReplayRequest{From: "earliest", Event: "evt_1"}); !errors.Is(err, &gatewayapi.Error{Code: "invalid_request"}) {
		t.Errorf("both: %v", err)
	}
	if page, err := b.client.ListDeliveries(ctx, gatewayapi.ListDeliveriesRequest{Subscription: sub.ID}); err != nil || len(page.Deliveries) != 0 {
		t.Errorf("deliveries: %+v, %v", page, err)
	}
}
