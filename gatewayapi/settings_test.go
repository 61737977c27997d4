package gatewayapi

import (
	"encoding/json"
	"testing"
)

// Settings of a provider without a field of its own are a member under its name, like all others.
func TestSettingsOfAnyProvider(t *testing.T) {
	t.Parallel()
	type pigeon struct {
		Loft string `json:"loft,omitempty"`
	}
	for want, req := range map[string]any{
		`{"provider":"pigeon","name":"x","pigeon":{"loft":"A"}}`:    CreateChannelRequest{Provider: "pigeon", Name: "x", Settings: pigeon{"A"}},
		`{"provider":"pigeon","pigeon":{"loft":"B"}}`:               CreateChannelRequest{Provider: "pigeon", Settings: map[string]any{"loft": "B"}},
		`{"provider":"smtp","smtp":{"host":"h"}}`:                   CreateChannelRequest{Provider: ProviderSMTP, SMTP: &SMTPSettings{Host: "h"}},
		`{"pigeon":{"loft":"C"}}`:                                   UpdateChannelRequest{Settings: map[Provider]any{"pigeon": pigeon{"C"}}},
		`{"name":"x","pigeon":{"feed":null,"loft":"D"}}`:            UpdateChannelRequest{Name: new("x"), Settings: map[Provider]any{"pigeon": pigeon{"D"}}, Reset: []string{"pigeon.feed"}},
		`{"pigeon":{"loft":null}}`:                                  UpdateChannelRequest{Reset: []string{"pigeon.loft"}},
		`{"state":"active","smpp":{"port":1},"pigeon":{"loft":""}}`: UpdateChannelRequest{State: new(ChannelActive), SMPP: &SMPPSettings{Port: 1}, Settings: map[Provider]any{"pigeon": map[string]string{"loft": ""}}},
	} {
		if b, err := json.Marshal(req); err != nil || string(b) != want {
			t.Errorf("%s, %v, want %s", b, err, want)
		}
	}
	for _, bad := range []any{CreateChannelRequest{Provider: "pigeon", Settings: func() {}}, UpdateChannelRequest{Settings: map[Provider]any{"pigeon": make(chan int)}}} {
		if b, err := json.Marshal(bad); err == nil {
			t.Errorf("%+v is written as %s", bad, b)
		}
	}
}

func TestAccountsOfAnyProvider(t *testing.T) {
	t.Parallel()
	for text, settings := range map[string]string{
		`{"id":"chn_1","channel":"sms","provider":"pigeon","state":"active","secrets":{},"createdAt":"2026-01-01T00:00:00.000Z","updatedAt":"2026-01-01T00:00:00.000Z","pigeon":{"loft":"A"}}`:         `{"loft":"A"}`,
		`{"id":"chn_1","channel":"sms","provider":"twilio","state":"active","twilio":{"accountSid":"AC1"},"secrets":{},"createdAt":"2026-01-01T00:00:00.000Z","updatedAt":"2026-01-01T00:00:00.000Z"}`: `{"accountSid":"AC1"}`,
		`{"id":"chn_1","channel":"sms","provider":"pigeon","state":"active","secrets":{},"createdAt":"2026-01-01T00:00:00.000Z","updatedAt":"2026-01-01T00:00:00.000Z"}`:                               ``,
	} {
		var a ChannelAccount
		if err := json.Unmarshal([]byte(text), &a); err != nil || string(a.Settings) != settings || (a.Twilio != nil) != (a.Provider == ProviderTwilio) {
			t.Errorf("%s was read as %+v, %v", text, a, err)
		}
		if b, err := json.Marshal(a); err != nil || string(b) != text {
			t.Errorf("%s, %v, want %s", b, err, text)
		}
	}
	if err := json.Unmarshal([]byte(`{"provider":3}`), new(ChannelAccount)); err == nil {
		t.Error("a provider that is a number is taken")
	}
}
