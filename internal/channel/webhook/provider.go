// Package webhook hands messages to a URL of the business's own, signed by the Standard Webhooks
// scheme, and takes the reports that it signs with the same secret.
package webhook

import (
	"net/http"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/channel"
	"github.com/chasqui/chasqui/internal/gateway"
)

const secretSigning = "signing" // whsec_ and the base64 of 32 bytes

// Provider plugs the provider in.
func Provider() channel.Provider {
	return channel.Spec[gatewayapi.WebhookSettings]{
		Name: gatewayapi.ProviderWebhook, Channel: gateway.ChannelWebhook, Secrets: []gateway.SecretInfo{{Name: secretSigning, Make: gateway.NewSigningSecret}},
		Probe: "a webhook is only looked at", Check: check,
		Targets: func(s *gatewayapi.WebhookSettings) map[string]string { return map[string]string{"webhook.url": s.URL} },
		Open: func(h *channel.Host, a *gateway.ChannelAccount, set *gatewayapi.WebhookSettings) channel.Account {
			return &webhook{host: h, account: a, set: set}
		},
		Routes: []channel.Route[gatewayapi.WebhookSettings]{{Method: http.MethodPost, Path: "statuses/{ref}", Handle: takeStatus}},
	}.Provider()
}

func check(s *gatewayapi.WebhookSettings, secrets map[string]gateway.Secret) error {
	if err := channel.CheckAddress("webhook.url", s.URL); err != nil {
		return err
	}
	if gateway.ValidateSigningSecret(secrets[secretSigning]) != nil {
		return gateway.Invalid("secrets.signing", "must be whsec_ followed by the standard base64 of 32 bytes")
	}
	return nil
}
