package gateway

import (
	"encoding/json"
	"time"

	"github.com/chasqui/chasqui/gatewayapi"
)

// Provider names how a channel account reaches people.
type Provider = gatewayapi.Provider

// AccountState says whether an account takes part.
type AccountState = gatewayapi.ChannelState

// The states of a channel account.
const (
	AccountActive   = gatewayapi.ChannelActive
	AccountDisabled = gatewayapi.ChannelDisabled
)

// ChannelAccount is an account at a provider through which messages of a channel go.
type ChannelAccount struct {
	ID       string
	Channel  string
	Provider Provider
	Name     string
	// Application is the key of the one application that the account is for; empty for every
	// application without an account of its own.
	Application string
	State       AccountState

	// Settings are a JSON object in the form that the provider describes; Providers.Settle
	// completes and checks them.
	Settings json.RawMessage
	// Keywords say what words of inbound SMS mean; used for sms only.
	Keywords KeywordSettings
	// Secrets are by name, as the provider names them.
	Secrets map[string]Secret

	CreatedAt time.Time
	UpdatedAt time.Time
}

// Serves reports whether messages of a channel may go through the account. One of the channel
// webhook also serves the channel that has its name, when that is none of the gateway's: so a
// business has channels of its own.
func (a *ChannelAccount) Serves(channel string) bool {
	return a.Channel == channel || a.Channel == ChannelWebhook && a.Name == channel && OwnChannel(channel)
}

// ChannelInboundPath is the path to which the provider of an account brings what people send, where
// it does so over HTTP.
func ChannelInboundPath(id string) string { return "/channels/" + id + "/inbound" }
