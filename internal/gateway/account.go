package gateway

import (
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chasqui/chasqui/gatewayapi"
)

// Provider names how a channel account reaches people.
type Provider = gatewayapi.Provider

// The providers.
const (
	ProviderSMPP    = gatewayapi.ProviderSMPP
	ProviderTwilio  = gatewayapi.ProviderTwilio
	ProviderSMTP    = gatewayapi.ProviderSMTP
	ProviderWebhook = gatewayapi.ProviderWebhook
)

// AccountState says whether an account takes part.
type AccountState = gatewayapi.ChannelState

// The states of a channel account.
const (
	AccountActive   = gatewayapi.ChannelActive
	AccountDisabled = gatewayapi.ChannelDisabled
)

// Names of the secrets of accounts.
const (
	SecretPassword     = "password"     // of smpp and smtp
	SecretAuthToken    = "authToken"    // of twilio
	SecretAPIKeySecret = "apiKeySecret" // of twilio, where settings name an API key
	SecretSigning      = "signing"      // of webhook: whsec_ and the base64 of 32 bytes
)

// SecretNames lists the secrets that an account of the provider may have.
func SecretNames(p Provider) []string {
	switch p {
	case ProviderSMPP, ProviderSMTP:
		return []string{SecretPassword}
	case ProviderTwilio:
		return []string{SecretAuthToken, SecretAPIKeySecret}
	case ProviderWebhook:
		return []string{SecretSigning}
	}
	return nil
}

// ChannelAccount is an account at a provider through which messages of a channel go. Exactly one of the settings is there: the provider's.
type ChannelAccount struct {
	ID       string
	Channel  string
	Provider Provider
	Name     string
	// Application is the key of the one application that the account is for; empty for every application without an account of its own.
	Application string
	State       AccountState

	SMPP    *SMPPSettings
	Twilio  *TwilioSettings
	SMTP    *SMTPSettings
	Webhook *WebhookSettings
	// Keywords say what words of inbound SMS mean; used for sms only.
	Keywords KeywordSettings
	// Secrets are by name: password, authToken, apiKeySecret or signing.
	Secrets map[string]Secret

	CreatedAt time.Time
	UpdatedAt time.Time
}

// Serves tells whether messages of a channel may go through the account. One of a webhook also serves the channel that has its name, when that is none of the gateway's: so
// a business has channels of its own.
func (a *ChannelAccount) Serves(channel string) bool {
	return a.Channel == channel || a.Provider == ProviderWebhook && a.Name == channel && OwnChannel(channel)
}

// The settings of providers.
type (
	SMPPSettings    = gatewayapi.SMPPSettings
	TwilioSettings  = gatewayapi.TwilioSettings
	SMTPSettings    = gatewayapi.SMTPSettings
	WebhookSettings = gatewayapi.WebhookSettings
)

// Targets are the addresses that the account leads to, by field.
func (a *ChannelAccount) Targets() map[string]string {
	switch {
	case a.SMPP != nil:
		return map[string]string{"smpp.host": a.SMPP.Host}
	case a.Twilio != nil:
		return map[string]string{"twilio.baseUrl": a.Twilio.BaseURL}
	case a.SMTP != nil:
		return map[string]string{"smtp.host": a.SMTP.Host}
	case a.Webhook != nil:
		return map[string]string{"webhook.url": a.Webhook.URL}
	}
	return nil
}

// SendsAs reports whether a message may name an address as its sender.
func SendsAs(s *SMTPSettings, address string) bool {
	if own, err := mail.ParseAddress(s.From); err == nil && strings.EqualFold(own.Address, address) {
		return true
	}
	return slices.ContainsFunc(s.Senders, func(sender string) bool {
		at := strings.LastIndexByte(address, '@')
		return strings.EqualFold(sender, address) || strings.HasPrefix(sender, "@") && at > 0 && strings.EqualFold(sender, address[at:])
	})
}

// Defaults fills in what is left out.
func (a *ChannelAccount) Defaults() {
	if a.Channel == "" {
		a.Channel = a.Provider.Channel()
	}
	if a.State == "" {
		a.State = AccountActive
	}
	if s := a.SMPP; s != nil {
		orDefault(&s.Port, 2775)
		orDefault(&s.Window, 10)
		orDefault(&s.EnquireLinkSeconds, 30)
		orDefault(&s.ResponseSeconds, 30)
		orDefault(&s.MaxSegments, 10)
		orDefault(&s.LongMessages, "udh")
		orDefault(&s.ReceiptIDs, "tolerant")
		if s.Receipts == nil {
			yes := true
			s.Receipts = &yes
		}
	}
	if s := a.Twilio; s != nil {
		orDefault(&s.BaseURL, "https://api.twilio.com")
		orDefault(&s.MaxCharacters, 1600)
	}
	if s := a.SMTP; s != nil {
		orDefault(&s.TLS, "starttls")
		ports := map[string]int{"starttls": 587, "implicit": 465, "none": 25}
		orDefault(&s.Port, ports[s.TLS])
	}
}

func orDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// ChannelInboundPath is the path of the door through which a provider of Twilio's shape brings what people send.
func ChannelInboundPath(id string) string { return "/channels/" + id + "/inbound" }

// ChannelStatusPath is the path of the door through which a provider of Twilio's shape reports.
func ChannelStatusPath(id string) string { return "/channels/" + id + "/status" }

// ChannelStatusesPath is the path of the door through which a webhook of the business's own reports on one step of a message.
func ChannelStatusesPath(id, message string, step int) string {
	return "/channels/" + id + "/statuses/" + message + "." + strconv.Itoa(step)
}
