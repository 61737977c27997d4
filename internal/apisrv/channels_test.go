package apisrv_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/internal/gateway"
)

func TestChannelAccountsThroughTheAPI(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	const password = "s3cr3tpw"
	a, err := b.client.CreateChannel(ctx, gatewayapi.CreateChannelRequest{
		Provider: "smpp", Name: "texts", Secrets: map[string]string{"password": password},
		SMPP: &gatewayapi.SMPPSettings{Host: "smsc.example", SystemID: "shop", Source: "Shop"},
	})
	if err != nil {
		t.Fatal(err)
	}
	yes := true
	want := &gatewayapi.SMPPSettings{Host: "smsc.example", Port: 2775, SystemID: "shop", Source: "Shop", Window: 10, EnquireLinkSeconds: 30, ResponseSeconds: 30,
		Receipts: &yes, LongMessages: "udh", MaxSegments: 10, ReceiptIDs: "tolerant"}
	if diff := cmp.Diff(want, a.SMPP); diff != "" || a.Channel != "sms" || a.State != "active" || !a.Secrets["password"].Set {
		t.Error(diff, a)
	}
	for _, path := range []string{"/v1/channels", "/v1/channels/" + a.ID} {
		if got := b.call(http.MethodGet, path, b.key, ""); got.status != 200 || strings.Contains(got.body, password) || !strings.Contains(got.body, `"password":{"set":true}`) {
			t.Errorf("%s: %s", path, got.body)
		}
	}
	// One setting changes, another goes back to its default, the rest stays.
	got := b.call(http.MethodPatch, "/v1/channels/"+a.ID, b.key, `{"smpp":{"window":20,"source":null},"state":"disabled","keywords":{"stop":[],"helpAnswer":"Call us."}}`)
	if got.status != 200 {
		t.Fatal(got.body)
	}
	a, err = b.client.GetChannel(ctx, a.ID)
	want.Window, want.Source = 20, ""
	if diff := cmp.Diff(want, a.SMPP); err != nil || diff != "" || a.State != "disabled" || a.Keywords.HelpAnswer != "Call us." || len(*a.Keywords.Stop) != 0 {
		t.Error(diff, err, a)
	}
	if stored, err := b.vault.Channel(ctx, a.ID); err != nil || stored.Secrets["password"].Reveal() != password {
		t.Errorf("the password did not stay: %v", err)
	}
	if check, err := b.client.CheckChannel(ctx, a.ID); err != nil || !check.OK || check.CheckedAt.IsZero() {
		t.Error(check, err)
	}
	name := "broken"
	if _, err := b.client.UpdateChannel(ctx, a.ID, gatewayapi.UpdateChannelRequest{Name: &name}); err != nil {
		t.Fatal(err)
	}
	if check, err := b.client.CheckChannel(ctx, a.ID); err != nil || check.OK || check.Code != "account_refused" || check.Problem == "" {
		t.Error(check, err)
	}
	if err := b.client.DeleteChannel(ctx, a.ID); err != nil {
		t.Error(err)
	}
	if list, err := b.client.ListChannels(ctx); err != nil || len(list) != 0 {
		t.Error(list, err)
	}
}

func TestASigningSecretOfAWebhookIsShownOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a, err := b.client.CreateChannel(t.Context(), gatewayapi.CreateChannelRequest{Provider: "webhook", Webhook: &gatewayapi.WebhookSettings{URL: "https://shop.example/messages"}})
	if err != nil {
		t.Fatal(err)
	}
	secret := a.Secrets["signing"].Value
	if gateway.ValidateSigningSecret(gateway.Secret(secret)) != nil {
		t.Errorf("made %q", secret)
	}
	if again := b.call(http.MethodGet, "/v1/channels/"+a.ID, b.key, ""); strings.Contains(again.body, secret) {
		t.Error("shown again")
	}
	// One that the caller brings is not shown at all.
	got := b.call(http.MethodPost, "/v1/channels", b.key, `{"provider":"webhook","webhook":{"url":"https://shop.example/m"},"secrets":{"signing":"`+secret+`"}}`)
	if got.status != http.StatusCreated || strings.Contains(got.body, secret) {
		t.Error(got.status, strings.Contains(got.body, secret))
	}
}

func TestBadChannelAccountsNameTheField(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const twilio = `"accountSid":"AC1","from":"+44790"`
	for _, test := range []struct{ name, body, field string }{
		{"no provider", `{}`, "provider"},
		{"unknown provider", `{"provider":"pigeon"}`, "provider"},
		{"another channel", `{"provider":"smtp","channel":"sms","smtp":{"host":"h","from":"a@b.example"}}`, "channel"},
		{"no settings", `{"provider":"smpp"}`, "smpp"},
		{"settings of another", `{"provider":"smpp","smpp":{"host":"h","systemId":"x"},"smtp":{}}`, "smtp"},
		{"unknown setting", `{"provider":"smpp","smpp":{"host":"h","systemId":"x","windows":3}}`, "smpp.windows"},
		{"window", `{"provider":"smpp","smpp":{"host":"h","systemId":"x","window":5000}}`, "smpp.window"},
		{"long password", `{"provider":"smpp","smpp":{"host":"h","systemId":"x"},"secrets":{"password":"123456789"}}`, "secrets.password"},
		{"no system id", `{"provider":"smpp","smpp":{"host":"h"}}`, "smpp.systemId"},
		{"unknown secret", `{"provider":"smpp","smpp":{"host":"h","systemId":"x"},"secrets":{"token":"1"}}`, "secrets.token"},
		{"no token", `{"provider":"twilio","twilio":{` + twilio + `}}`, "secrets.authToken"},
		{"two senders", `{"provider":"twilio","twilio":{` + twilio + `,"messagingServiceSid":"MG1"},"secrets":{"authToken":"t"}}`, "twilio.from"},
		{"base URL with password", `{"provider":"twilio","twilio":{` + twilio + `,"baseUrl":"https://a:b@c.example"},"secrets":{"authToken":"t"}}`, "twilio.baseUrl"},
		{"no sender", `{"provider":"smtp","smtp":{"host":"h"}}`, "smtp.from"},
		{"tls", `{"provider":"smtp","smtp":{"host":"h","from":"a@b.example","tls":"maybe"}}`, "smtp.tls"},
		{"certificates", `{"provider":"smtp","smtp":{"host":"h","from":"a@b.example","caCertificates":"x"}}`, "smtp.caCertificates"},
		{"user without password", `{"provider":"smtp","smtp":{"host":"h","from":"a@b.example","username":"u"}}`, "secrets.password"},
		{"url", `{"provider":"webhook","webhook":{"url":"ftp://x"}}`, "webhook.url"},
		{"signing secret", `{"provider":"webhook","webhook":{"url":"https://x.example"},"secrets":{"signing":"short"}}`, "secrets.signing"},
		{"application", `{"provider":"webhook","webhook":{"url":"https://x.example"},"application":"NONE"}`, "application"},
		{"words of e-mail", `{"provider":"smtp","smtp":{"host":"h","from":"a@b.example"},"keywords":{"stop":["STOP"]}}`, "keywords"},
		{"state", `{"provider":"webhook","webhook":{"url":"https://x.example"},"state":"off"}`, "state"},
	} {
		got := b.call(http.MethodPost, "/v1/channels", b.key, test.body)
		if e := got.apiError(t); got.status != 400 || e.Field != test.field {
			t.Errorf("%s: %d %s", test.name, got.status, got.body)
		}
	}
	if list, err := b.client.ListChannels(t.Context()); err != nil || len(list) != 0 {
		t.Error(list, err)
	}
}

func TestALimitedKeySeesItsApplicationsAccounts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	mine := b.connect(b.platform.AddPage(graphemu.Page{ID: "1000"})).Key
	limited := b.newKey([]string{mine}, gateway.ScopeChannelsRead, gateway.ScopeChannelsWrite)
	const open = `{"provider":"webhook","webhook":{"url":"https://x.example"}}`
	if got := b.call(http.MethodPost, "/v1/channels", b.key, open); got.status != 201 {
		t.Fatal(got.body)
	}
	if got := b.call(http.MethodPost, "/v1/channels", limited, open); got.status != 403 {
		t.Error(got.status, got.body)
	}
	if got := b.call(http.MethodPost, "/v1/channels", limited, strings.Replace(open, "{", `{"application":"`+mine+`",`, 1)); got.status != 201 {
		t.Error(got.status, got.body)
	}
	if got := b.call(http.MethodGet, "/v1/channels", limited, ""); strings.Count(got.body, `"id"`) != 1 {
		t.Error(got.body)
	}
	for _, path := range []string{"/v1/opt-outs/sms/4479460001", "/v1/opt-outs/sms/4479460002?application=" + mine} {
		if got := b.call(http.MethodPut, path, b.key, ""); got.status != 200 {
			t.Fatal(got.status, got.body)
		}
	}
	if got := b.call(http.MethodGet, "/v1/opt-outs", limited, ""); got.status != 200 || strings.Contains(got.body, "4479460001") || !strings.Contains(got.body, "4479460002") {
		t.Error("a limited key is told of its applications' opt-outs alone:", got.status, got.body)
	}
	for path, want := range map[string]int{"/v1/opt-outs/sms/4479460001": 403, "/v1/opt-outs/sms/4479460001?application=" + mine: 404, "/v1/opt-outs/sms/4479460002?application=" + mine: 204} {
		if got := b.call(http.MethodDelete, path, limited, ""); got.status != want {
			t.Error(path, got.status, got.body)
		}
	}
	reader := b.newKey(nil, gateway.ScopeChannelsRead)
	if got := b.call(http.MethodPost, "/v1/channels", reader, open); got.status != 403 {
		t.Error(got.status)
	}
}

func TestOptOutsThroughTheAPI(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	for _, address := range []string{"+44 7946 0001", "+44 7946 0002", "+44 7946 0003"} {
		if _, err := b.client.SetOptOut(ctx, gatewayapi.OptOutRequest{Channel: "sms", Address: address}); err != nil {
			t.Fatal(err)
		}
	}
	one, err := b.client.SetOptOut(ctx, gatewayapi.OptOutRequest{Channel: "email", Address: "Ann@Shop.Example"})
	if err != nil || one.Address != "ann@shop.example" || one.At.IsZero() {
		t.Error(one, err)
	}
	var seen []string
	cursor := ""
	for range 5 {
		page, err := b.client.ListOptOuts(ctx, gatewayapi.ListOptOutsRequest{Cursor: cursor, Limit: 2})
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range page.OptOuts {
			seen = append(seen, o.Address)
		}
		if cursor = page.Cursor; cursor == "" {
			break
		}
	}
	if diff := cmp.Diff([]string{"ann@shop.example", "4479460001", "4479460002", "4479460003"}, seen); diff != "" {
		t.Error(diff)
	}
	if page, err := b.client.ListOptOuts(ctx, gatewayapi.ListOptOutsRequest{Channel: "sms", Address: "004479460002"}); err != nil || len(page.OptOuts) != 1 {
		t.Error(page, err)
	}
	if err := b.client.DeleteOptOut(ctx, gatewayapi.OptOutRequest{Channel: "sms", Address: "4479460002"}); err != nil {
		t.Error(err)
	}
	if got := b.call(http.MethodDelete, "/v1/opt-outs/sms/4479460002", b.key, ""); got.status != 404 {
		t.Error(got.status)
	}
	for path, field := range map[string]string{"/v1/opt-outs/pigeon/1": "channel", "/v1/opt-outs/sms/nobody": "address"} {
		if got := b.call(http.MethodPut, path, b.key, ""); got.status != 400 || got.apiError(t).Field != field {
			t.Error(path, got.status, got.body)
		}
	}
}
