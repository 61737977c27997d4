package channel_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"go.uber.org/goleak"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/channel/channeltest"
	"github.com/chasqui/chasqui/internal/channel/twilio"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// taker is a provider that takes every message.
type taker struct {
	*httptest.Server
	requests chan url.Values
}

func newTaker(t *testing.T) *taker {
	p := &taker{requests: make(chan url.Values, 10)}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		p.requests <- r.PostForm
		io.WriteString(w, `{"sid":"SM1","status":"queued"}`)
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *taker) account() *gateway.ChannelAccount {
	return &gateway.ChannelAccount{Provider: gatewayapi.ProviderTwilio, Settings: channeltest.Settings(&gatewayapi.TwilioSettings{BaseURL: p.URL, AccountSID: "AC1", From: "+4470000"}),
		Secrets: map[string]gateway.Secret{"authToken": channeltest.SecretMark}}
}

func TestAccountsOfApplications(t *testing.T) {
	t.Parallel()
	f := channeltest.Setup(t, twilio.Provider())
	if f.Has("APP", gateway.ChannelSMS) {
		t.Error("there is no account yet")
	}
	if _, _, err := f.Send(t.Context(), gateway.ChannelSMS, channeltest.SMS("x")); channeltest.RefusalOf(t, err).Kind != gateway.ChannelRefused {
		t.Error(err)
	}
	p := newTaker(t)
	open := f.Add(p.account())
	own := p.account()
	own.Application = "OWN"
	f.Add(own)
	f.Add(p.account()) // a later one is not used
	for application, want := range map[string]string{"APP": open.ID, "OWN": own.ID, "": open.ID} {
		if got, ok := f.Account(application, gateway.ChannelSMS); !ok || got != want {
			t.Errorf("%q: %s", application, got)
		}
	}
	if f.Has("APP", gateway.ChannelEmail) {
		t.Error("no e-mail")
	}
	if _, err := f.Vault.UpdateChannel(t.Context(), own.ID, func(a *gateway.ChannelAccount) error { a.State = gateway.AccountDisabled; return nil }); err != nil {
		t.Fatal(err)
	}
	// The watcher tells the manager, as it does of changes on other nodes.
	channeltest.WaitFor(t, func() bool { id, _ := f.Account("OWN", gateway.ChannelSMS); return id == open.ID })
	if err := f.Vault.DeleteChannel(t.Context(), open.ID); err != nil {
		t.Fatal(err)
	}
	channeltest.WaitFor(t, func() bool { id, ok := f.Account("OWN", gateway.ChannelSMS); return ok && id != open.ID })
}

func TestOptedOutAddressesGetNothing(t *testing.T) {
	t.Parallel()
	f := channeltest.Setup(t, twilio.Provider())
	p := newTaker(t)
	a := f.Add(p.account())
	err := f.Store.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.SetOptOut(gateway.OptOut{Channel: gateway.ChannelSMS, Address: "4479460001", At: gatewayapi.At(tx.Now()), Word: "STOP"})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := f.Send(t.Context(), gateway.ChannelSMS, channeltest.SMS("x")); channeltest.RefusalOf(t, err).Failure.Code != gateway.FailureOptedOut {
		t.Error(err)
	}
	if len(p.requests) != 0 {
		t.Error("it was sent")
	}
	// The answer to the word itself goes, without a report.
	if err := f.Answer(t.Context(), a.ID, "4479460001", "You will get no more."); err != nil {
		t.Error(err)
	}
	if form := <-p.requests; form.Get("Body") != "You will get no more." || form.Has("StatusCallback") {
		t.Error(form)
	}
}
