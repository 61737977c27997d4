// Package vonage sends SMS through Vonage's SMS API (once Nexmo's), which calls back, signed, with
// delivery receipts and with messages from people.
//
// Docs: https://developer.vonage.com/en/api/sms
package vonage

import (
	"net/http"
	"slices"
	"strings"

	"github.com/chasqui/chasqui/internal/channel"
	"github.com/chasqui/chasqui/internal/gateway"
)

// Name is the provider's.
const Name gateway.Provider = "vonage"

const (
	secretAPI       = "apiSecret"
	secretSignature = "signatureSecret"
)

// VonageSettings say how to reach the account at Vonage. Zero values mean the defaults named. The
// description of the API has them under the type's name.
type VonageSettings struct {
	BaseURL         string `json:"baseUrl,omitempty" doc:"Default https://rest.nexmo.com."`
	APIKey          string `json:"apiKey,omitempty" doc:"Key of the account; secrets.apiSecret goes with it."`
	From            string `json:"from,omitempty" doc:"Sender: a number in digits, or up to 11 letters and digits where the country allows them."`
	SignatureMethod string `json:"signatureMethod,omitempty" enum:"md5hash,md5,sha1,sha256,sha512" doc:"How the account signs with secrets.signatureSecret, as it is set at the provider; default md5hash, which is the provider's."`
	SignRequests    bool   `json:"signRequests,omitempty" doc:"Sign requests with secrets.signatureSecret rather than send secrets.apiSecret along."`
	MaxCharacters   int    `json:"maxCharacters,omitempty" doc:"Text beyond so many characters is cut off, 70 to 3200; default 1600."`
}

// Provider plugs the provider in.
func Provider() channel.Provider {
	return channel.Spec[VonageSettings]{
		Name: Name, Channel: gateway.ChannelSMS, Secrets: []gateway.SecretInfo{{Name: secretAPI}, {Name: secretSignature}},
		Inbound: true, Probe: "Vonage is asked for the balance",
		Complete: complete, Check: check,
		Targets: func(s *VonageSettings) map[string]string { return map[string]string{"vonage.baseUrl": s.BaseURL} },
		Open: func(h *channel.Host, a *gateway.ChannelAccount, set *VonageSettings) channel.Account {
			return &account{host: h, account: a, set: set}
		},
		Routes: []channel.Route[VonageSettings]{
			{Method: http.MethodGet, Path: "status", Handle: status}, {Method: http.MethodPost, Path: "status", Handle: status},
			{Method: http.MethodGet, Path: "inbound", Handle: inbound}, {Method: http.MethodPost, Path: "inbound", Handle: inbound},
		},
	}.Provider()
}

func complete(s *VonageSettings) {
	channel.OrDefault(&s.BaseURL, "https://rest.nexmo.com")
	channel.OrDefault(&s.SignatureMethod, methodMD5Hash)
	channel.OrDefault(&s.MaxCharacters, 1600)
}

func check(s *VonageSettings, secrets map[string]gateway.Secret) error {
	const at = "vonage."
	if err := channel.CheckAddress(at+"baseUrl", s.BaseURL); err != nil {
		return err
	}
	switch {
	case s.APIKey == "" || len(s.APIKey) > 64 || strings.ContainsAny(s.APIKey, ":&= "):
		return gateway.Invalid(at+"apiKey", "must have 1 to 64 bytes without spaces and any of : & =")
	case s.From == "" || len(s.From) > 20:
		return gateway.Invalid(at+"from", "must have 1 to 20 bytes")
	case !slices.Contains(methods(), s.SignatureMethod):
		return gateway.Invalid(at+"signatureMethod", "must be one of %s", strings.Join(methods(), ", "))
	case s.MaxCharacters < 70 || s.MaxCharacters > 3200:
		return gateway.Invalid(at+"maxCharacters", "must be from 70 to 3200")
	case s.SignRequests && secrets[secretSignature] == "":
		return gateway.Invalid("secrets.signatureSecret", "must be given for vonage.signRequests")
	case !s.SignRequests && secrets[secretAPI] == "":
		return gateway.Invalid("secrets.apiSecret", "must be given, unless vonage.signRequests is true")
	}
	return nil
}
