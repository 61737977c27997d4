package channel

import (
	"strings"
	"testing"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
)

func TestAccountsOfApplications(t *testing.T) {
	t.Parallel()
	f := setup(t)
	if f.Has("APP", gateway.ChannelSMS) {
		t.Error("there is no account yet")
	}
	if _, _, err := f.Send(t.Context(), gateway.ChannelSMS, sms("x")); refusalOf(t, err).Kind != gateway.ChannelRefused {
		t.Error(err)
	}
	p := newTwilioProvider(t)
	open := f.account(twilioAccount(p))
	own := twilioAccount(p)
	own.Application = "OWN"
	f.account(own)
	f.account(twilioAccount(p)) // a later one is not used
	for application, want := range map[string]string{"APP": open.ID, "OWN": own.ID, "": open.ID} {
		if got, ok := f.Account(application, gateway.ChannelSMS); !ok || got != want {
			t.Errorf("%q: %s", application, got)
		}
	}
	if f.Has("APP", gateway.ChannelEmail) {
		t.Error("no e-mail")
	}
	if _, err := f.o.Vault.UpdateChannel(t.Context(), own.ID, func(a *gateway.ChannelAccount) error { a.State = gateway.AccountDisabled; return nil }); err != nil {
		t.Fatal(err)
	}
	// The manager follows by itself, as it does changes of other nodes.
	waitFor(t, func() bool { id, _ := f.Account("OWN", gateway.ChannelSMS); return id == open.ID })
	if err := f.o.Vault.DeleteChannel(t.Context(), open.ID); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool { id, ok := f.Account("OWN", gateway.ChannelSMS); return ok && id != open.ID })
}

func TestOptedOutAddressesGetNothing(t *testing.T) {
	t.Parallel()
	f := setup(t)
	p := newTwilioProvider(t)
	a := f.account(twilioAccount(p))
	err := f.o.Store.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.SetOptOut(gateway.OptOut{Channel: gateway.ChannelSMS, Address: "4479460001", At: gatewayapi.At(tx.Now()), Word: "STOP"})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := f.Send(t.Context(), gateway.ChannelSMS, sms("x")); refusalOf(t, err).Failure.Code != gateway.FailureOptedOut {
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

func TestToGSM(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"plain @£$": "plain @£$", "‘quoted’ – “so”…": `'quoted' - "so"...`, "naïve façade": "naive facade", "Zażółć gęślą jaźń": "Zazolc gesla jazn",
		"5 € {x}": "5 € {x}", "你好": "??", "ok 👍🏽!": "ok ??!", "ﬁne ½": "fine 1/2", "çà": "cà", "e\u0301": "é",
	} {
		if got := toGSM(text); got != want || !isGSM(got) {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

func TestClipped(t *testing.T) {
	t.Parallel()
	if got := clipped("a\n b\t c" + strings.Repeat("ä", 300)); strings.ContainsAny(got, "\n\t") || len(got) > 310 || !strings.HasPrefix(got, "a b c") {
		t.Errorf("%q", got)
	}
}
