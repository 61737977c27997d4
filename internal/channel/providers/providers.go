// Package providers is the table of the providers of channels: who adds one adds its folder beside
// this one, and its line here.
package providers

import (
	"github.com/chasqui/chasqui/internal/channel"
	"github.com/chasqui/chasqui/internal/channel/smpp"
	"github.com/chasqui/chasqui/internal/channel/smtp"
	"github.com/chasqui/chasqui/internal/channel/twilio"
	"github.com/chasqui/chasqui/internal/channel/vonage"
	"github.com/chasqui/chasqui/internal/channel/webhook"
)

// Table lists the providers in the order in which they are named to people.
func Table() []channel.Provider {
	return []channel.Provider{
		smpp.Provider(),
		twilio.Provider(),
		smtp.Provider(),
		webhook.Provider(),
		vonage.Provider(),
	}
}
