package apisrv

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/channel"
	"github.com/chasqui/chasqui/internal/channel/channeltest"
	"github.com/chasqui/chasqui/internal/channel/providers"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/service"
)

// The client's request and what the server reads must be the same in two places: what the one
// writes with every field set, the other reads and writes again.
func TestSendRequestsOfClientAndServerAgree(t *testing.T) {
	t.Parallel()
	var full gatewayapi.SendMessageRequest
	fill(t, reflect.ValueOf(&full).Elem(), "")
	sent, err := json.Marshal(full)
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(strings.NewReader(string(sent)))
	d.DisallowUnknownFields()
	var in gateway.MessageInput
	if err := d.Decode(&in); err != nil {
		t.Fatal(err)
	}
	back, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	var want, got map[string]any
	if json.Unmarshal(sent, &want) != nil || json.Unmarshal(back, &got) != nil {
		t.Fatal("not JSON")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-client +server:\n%s", diff)
	}
	// The server's own has no field that the client's has not.
	var theirs gateway.MessageInput
	fill(t, reflect.ValueOf(&theirs).Elem(), "")
	body, err := json.Marshal(theirs)
	if err != nil {
		t.Fatal(err)
	}
	d = json.NewDecoder(strings.NewReader(string(body)))
	d.DisallowUnknownFields()
	if err := d.Decode(new(gatewayapi.SendMessageRequest)); err != nil {
		t.Errorf("the server takes what the client cannot say: %v", err)
	}
}

// An answer about a message shows every field of the request, and every field of the answer is set
// by something.
func TestMessagesAreShownWhole(t *testing.T) {
	t.Parallel()
	var in gateway.MessageInput
	fill(t, reflect.ValueOf(&in).Elem(), "")
	in.To.MobileNumber = "" // another name of phoneNumber, which is settled before
	request, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	var m gateway.Message
	fill(t, reflect.ValueOf(&m).Elem(), "")
	m.Request, m.Status, m.Step = request, gateway.StatusFailed, 0
	shown, err := wireMessage(&m)
	if err != nil {
		t.Fatal(err)
	}
	allSet(t, reflect.ValueOf(*shown), "message", map[string]string{
		"message.SendMessageRequest.To.MobileNumber": "another name of PhoneNumber", "message.SendMessageRequest.IdempotencyKey": "a header of requests",
		"message.SendMessageRequest.Rules[0].Unknown": "of a rule that is refused",
	})
	asked, err := json.Marshal(shown.SendMessageRequest)
	if err != nil {
		t.Fatal(err)
	}
	var want, got map[string]any
	if json.Unmarshal(request, &want) != nil || json.Unmarshal(asked, &got) != nil {
		t.Fatal("not JSON")
	}
	for name, value := range want {
		if name == "expiresOn" || name == "application" { // the gateway's own
			continue
		}
		if diff := cmp.Diff(value, got[name]); diff != "" {
			t.Errorf("%s (-asked +shown):\n%s", name, diff)
		}
	}
}

// What the API shows of the domain's own types shows all that its types have: a field that nothing
// sets fails here.
func TestResourcesAreShownWhole(t *testing.T) {
	t.Parallel()
	s := &server{o: Options{PublicURL: "https://gateway.example"}}
	application := filled[gateway.Application](t)
	application.LastCheck.Findings = []gateway.Finding{{Code: gateway.FindingTokenExpires, Message: "soon"}}
	allSet(t, reflect.ValueOf(s.wireApplication(application)), "application", nil)
	subscription := filled[gateway.Subscription](t)
	subscription.Kind = gateway.KindPull
	allSet(t, reflect.ValueOf(wireSubscription(subscription, allSecrets)), "subscription", nil)
	allSet(t, reflect.ValueOf(wireRoute(filled[gateway.Route](t))), "route", map[string]string{"route.SaveRouteRequest.Rules[0].Unknown": "of a rule that is refused"})
	allSet(t, reflect.ValueOf(wireScript(filled[gateway.Script](t))), "script", map[string]string{"script.Files": "in the answer to one alone", "script.Warnings": "in the answer to an upload alone"})
}

// An account of every provider is shown whole, with the settings of its provider as they are
// stored.
func TestChannelAccountsAreShownWhole(t *testing.T) {
	t.Parallel()
	described := channel.Describe(providers.Table())
	s := &server{o: Options{PublicURL: "https://gateway.example", Services: &service.Services{Channels: &service.Channels{Providers: described}}}}
	for _, p := range described {
		settings := p.New()
		fill(t, reflect.ValueOf(settings).Elem(), string(p.Name))
		account := filled[gateway.ChannelAccount](t)
		account.Provider, account.Settings, account.Secrets = p.Name, channeltest.Settings(settings), map[string]gateway.Secret{p.Secrets[0].Name: "x"}
		shown, err := s.wireChannel(account)
		if err != nil {
			t.Fatal(err)
		}
		but := map[string]string{}
		for _, field := range []string{"SMPP", "Twilio", "SMTP", "Webhook"} {
			if !strings.EqualFold(field, string(p.Name)) {
				but["channel."+field] = "of another provider"
			}
		}
		if !p.Inbound {
			but["channel.InboundURL"] = "the provider brings nothing over HTTP"
		}
		allSet(t, reflect.ValueOf(*shown), "channel", but)
		encoded, err := json.Marshal(shown)
		if err != nil {
			t.Fatal(err)
		}
		var members map[string]json.RawMessage
		if err := json.Unmarshal(encoded, &members); err != nil || string(members[string(p.Name)]) != string(account.Settings) {
			t.Errorf("%s: %s is shown as %s, %v", p.Name, account.Settings, encoded, err)
		}
		if !shown.Secrets[p.Secrets[0].Name].Set || len(shown.Secrets) != len(p.Secrets) {
			t.Errorf("%s: secrets %v", p.Name, shown.Secrets)
		}
		// The client reads it back.
		var read gatewayapi.ChannelAccount
		if err := json.Unmarshal(encoded, &read); err != nil || string(read.Settings) != string(account.Settings) {
			t.Errorf("%s: read back %s, %v", p.Name, read.Settings, err)
		}
	}
}

// filled is a value of the domain with every field set.
func filled[T any](t *testing.T) *T {
	t.Helper()
	v := new(T)
	fill(t, reflect.ValueOf(v).Elem(), reflect.TypeFor[T]().Name())
	return v
}

// fill sets every field of a value that JSON knows, and those that lead to one, and fails on a kind
// that it cannot set.
func fill(t *testing.T, v reflect.Value, path string) {
	t.Helper()
	switch v.Interface().(type) {
	case json.RawMessage:
		v.SetBytes([]byte(`{"a":1}`))
		return
	case time.Time:
		v.Set(reflect.ValueOf(time.Date(2030, 1, 2, 3, 4, 5, 6e6, time.UTC)))
		return
	case gatewayapi.Duration:
		v.SetInt(int64(90 * time.Second))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if f.IsExported() && f.Tag.Get("json") != "-" {
				fill(t, v.Field(i), path+"."+f.Name)
			}
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem(), path)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(t, v.Index(0), path+"[0]")
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		key.SetString("fbMessenger")
		fill(t, value, path+"[]")
		v.SetMapIndex(key, value)
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(3)
	case reflect.Float64:
		v.SetFloat(1.5)
	default:
		t.Fatalf("%s is a %s, which nothing here fills", path, v.Kind())
	}
	if v.IsZero() {
		t.Errorf("%s is not set", path)
	}
}

// allSet fails on every field that is zero, but for those that are listed with their reason.
func allSet(t *testing.T, v reflect.Value, path string, but map[string]string) {
	t.Helper()
	if _, ok := but[path]; ok {
		return
	}
	if v.IsZero() {
		t.Errorf("%s is not set", path)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		allSet(t, v.Elem(), path, but)
	case reflect.Slice:
		if v.Len() > 0 && v.Type().Elem().Kind() == reflect.Struct {
			allSet(t, v.Index(0), path+"[0]", but)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && v.Type() != reflect.TypeFor[time.Time]() {
				allSet(t, v.Field(i), path+"."+f.Name, but)
			}
		}
	}
}
