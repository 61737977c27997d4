// Package twilio sends SMS through a provider with Twilio's REST API, or one of its shape, which
// calls back with reports and with messages from people.
package twilio

import (
	"net/http"
	"strings"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/channel"
	"github.com/chasqui/chasqui/internal/gateway"
)

const (
	secretAuthToken    = "authToken"
	secretAPIKeySecret = "apiKeySecret" // where settings name an API key
)

// Provider plugs the provider in.
func Provider() channel.Provider {
	return channel.Spec[gatewayapi.TwilioSettings]{
		Name: gatewayapi.ProviderTwilio, Channel: gateway.ChannelSMS, Secrets: []gateway.SecretInfo{{Name: secretAuthToken}, {Name: secretAPIKeySecret}},
		Inbound: true, Probe: "Twilio's shape reads the account",
		Complete: complete, Check: check,
		Targets: func(s *gatewayapi.TwilioSettings) map[string]string {
			return map[string]string{"twilio.baseUrl": s.BaseURL}
		},
		Open: func(h *channel.Host, a *gateway.ChannelAccount, set *gatewayapi.TwilioSettings) channel.Account {
			return &twilio{host: h, account: a, set: set}
		},
		Routes: []channel.Route[gatewayapi.TwilioSettings]{
			{Method: http.MethodPost, Path: "status", Handle: status},
			{Method: http.MethodPost, Path: "inbound", Handle: inbound},
		},
	}.Provider()
}

func complete(s *gatewayapi.TwilioSettings) {
	channel.OrDefault(&s.BaseURL, "https://api.twilio.com")
	channel.OrDefault(&s.MaxCharacters, 1600)
}

func check(s *gatewayapi.TwilioSettings, secrets map[string]gateway.Secret) error {
	const at = "twilio."
	if err := channel.CheckAddress(at+"baseUrl", s.BaseURL); err != nil {
		return err
	}
	switch {
	case s.AccountSID == "" || len(s.AccountSID) > 64 || strings.ContainsAny(s.AccountSID, "/?#:% "):
		return gateway.Invalid(at+"accountSid", "must have 1 to 64 bytes without spaces and signs of addresses")
	case (s.From == "") == (s.MessagingServiceSID == ""):
		return gateway.Invalid(at+"from", "name either from or messagingServiceSid")
	case len(s.From) > 64 || len(s.MessagingServiceSID) > 64:
		return gateway.Invalid(at+"from", "must have at most 64 bytes")
	case strings.Contains(s.APIKeySID, ":") || len(s.APIKeySID) > 64:
		return gateway.Invalid(at+"apiKeySid", "must have at most 64 bytes without a colon")
	case s.MaxCharacters < 70 || s.MaxCharacters > 5000:
		return gateway.Invalid(at+"maxCharacters", "must be from 70 to 5000")
	case secrets[secretAuthToken] == "":
		return gateway.Invalid("secrets.authToken", "must be given: the provider signs its callbacks with it")
	case s.APIKeySID != "" && secrets[secretAPIKeySecret] == "":
		return gateway.Invalid("secrets.apiKeySecret", "must be given for twilio.apiKeySid")
	}
	return nil
}
