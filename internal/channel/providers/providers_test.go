package providers

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/channel"
	"github.com/chasqui/chasqui/internal/channel/channeltest"
	"github.com/chasqui/chasqui/internal/gateway"
)

// Every provider describes itself whole: what shows or stores accounts has no other source.
func TestProvidersDescribeThemselves(t *testing.T) {
	t.Parallel()
	seen := map[gateway.Provider]bool{}
	for _, p := range Table() {
		if seen[p.Name] || p.Name == "" {
			t.Errorf("there are two providers %q", p.Name)
		}
		seen[p.Name] = true
		// Members of accounts beside the settings, in the API and in the database.
		if slices.Contains([]string{"id", "channel", "provider", "name", "application", "state", "keywords", "secrets", "inboundUrl", "createdAt", "updatedAt"}, string(p.Name)) {
			t.Errorf("%s is the name of another member of an account", p.Name)
		}
		if !slices.Contains(gateway.Channels(), p.Channel) || p.Channel == gateway.ChannelMessenger {
			t.Errorf("%s is for channel %q", p.Name, p.Channel)
		}
		if p.Probe == "" || p.Targets(p.New()) == nil {
			t.Errorf("%s does not say what a check does, or where accounts lead", p.Name)
		}
		settings := reflect.TypeOf(p.New()).Elem()
		for i := range settings.NumField() {
			f := settings.Field(i)
			if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name == "" || name == "-" {
				t.Errorf("%s: setting %s has no name in JSON", p.Name, f.Name)
			}
		}
	}
}

// Whatever is missing or wrong is named by a field of the provider's settings or secrets.
func TestEmptySettingsNameAField(t *testing.T) {
	t.Parallel()
	for _, p := range channel.Describe(Table()) {
		a := &gateway.ChannelAccount{Provider: p.Name, Settings: json.RawMessage(`{}`)}
		_, err := channel.Describe(Table()).Settle(a)
		e, ok := err.(*gateway.Error)
		if !ok || !strings.HasPrefix(e.Field, string(p.Name)+".") && !strings.HasPrefix(e.Field, "secrets.") {
			t.Errorf("%s: %v", p.Name, err)
		}
	}
}

// leading are accounts at an address of this machine, one for each provider that leads anywhere
// when it is checked.
func leading(t *testing.T, p *httptest.Server) []*gateway.ChannelAccount {
	port := channeltest.PortOf(t, p.Listener.Addr())
	return []*gateway.ChannelAccount{
		{Provider: gatewayapi.ProviderTwilio, Settings: channeltest.Settings(&gatewayapi.TwilioSettings{BaseURL: p.URL, AccountSID: "AC1", From: "+4470000"})},
		{Provider: gatewayapi.ProviderSMTP, Settings: channeltest.Settings(&gatewayapi.SMTPSettings{Host: "127.0.0.1", Port: port, TLS: "none", From: "a@b.example"})},
		{Provider: gatewayapi.ProviderSMPP, Settings: channeltest.Settings(&gatewayapi.SMPPSettings{Host: "localhost", Port: port, SystemID: "x"})},
	}
}

func TestPrivateAddressesAreNotReached(t *testing.T) {
	t.Parallel()
	f := channeltest.Setup(t, Table()...)
	var reached atomic.Bool
	p := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Store(true) }))
	t.Cleanup(p.Close)
	guarded := channel.New(channel.Options{Providers: Table(), Vault: f.Vault, Store: f.Store, Logger: f.Options.Logger, PublicURL: channeltest.PublicURL})
	for _, a := range leading(t, p) {
		e := channeltest.RefusalOf(t, guarded.Check(t.Context(), a))
		if e.Failure.Code != gateway.FailureRefusedAddress || e.Kind != gateway.ChannelRefused {
			t.Errorf("%s at %s: %+v", a.Provider, p.URL, e)
		}
	}
	if reached.Load() {
		t.Error("it was reached")
	}
}
