// Package smtp sends e-mail through a mail server. Each message goes over a connection of its own;
// bounces are not read.
package smtp

import (
	"fmt"
	"net/mail"
	"slices"
	"strings"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/channel"
	"github.com/chasqui/chasqui/internal/gateway"
)

const secretPassword = "password"

// Provider plugs the provider in.
func Provider() channel.Provider {
	return channel.Spec[gatewayapi.SMTPSettings]{
		Name: gatewayapi.ProviderSMTP, Channel: gateway.ChannelEmail, Secrets: []gateway.SecretInfo{{Name: secretPassword}}, Probe: "SMTP signs in",
		Complete: complete, Check: check,
		Targets: func(s *gatewayapi.SMTPSettings) map[string]string { return map[string]string{"smtp.host": s.Host} },
		Open: func(h *channel.Host, a *gateway.ChannelAccount, set *gatewayapi.SMTPSettings) channel.Account {
			return &mailer{host: h, account: a, set: set, slots: make(chan struct{}, mailConnections)}
		},
	}.Provider()
}

func complete(s *gatewayapi.SMTPSettings) {
	channel.OrDefault(&s.TLS, "starttls")
	ports := map[string]int{"starttls": 587, "implicit": 465, "none": 25}
	channel.OrDefault(&s.Port, ports[s.TLS])
}

const maxSenders = 200

func check(s *gatewayapi.SMTPSettings, secrets map[string]gateway.Secret) error {
	const at = "smtp."
	for i, sender := range s.Senders {
		address := sender
		if strings.HasPrefix(sender, "@") {
			address = "anybody" + sender
		}
		if a, err := mail.ParseAddress(address); err != nil || a.Address != address || len(s.Senders) > maxSenders {
			return gateway.Invalid(fmt.Sprintf("%ssenders[%d]", at, i), "must be an address, or a domain such as @shop.example; at most %d", maxSenders)
		}
	}
	if s.TLS != "starttls" && s.TLS != "implicit" && s.TLS != "none" {
		return gateway.Invalid(at+"tls", "must be starttls, implicit or none")
	}
	if err := channel.CheckHost(at, s.Host, s.Port); err != nil {
		return err
	}
	if err := channel.CheckCertificates(at, s.CACertificates); err != nil {
		return err
	}
	if _, err := mail.ParseAddress(s.From); err != nil {
		return gateway.Invalid(at+"from", "must be an address such as `Shop <news@shop.example>`")
	}
	if _, err := mail.ParseAddress(s.ReplyTo); s.ReplyTo != "" && err != nil {
		return gateway.Invalid(at+"replyTo", "must be an address such as `Shop <help@shop.example>`")
	}
	switch {
	case len(s.Subject) > 500 || strings.ContainsAny(s.Subject, "\r\n"):
		return gateway.Invalid(at+"subject", "must be one line of at most 500 bytes")
	case s.Username == "" && secrets[secretPassword] != "":
		return gateway.Invalid(at+"username", "must be given with a password")
	case s.Username != "" && secrets[secretPassword] == "":
		return gateway.Invalid("secrets.password", "must be given with a user name")
	}
	return nil
}

// sendsAs reports whether a message may name an address as its sender.
func sendsAs(s *gatewayapi.SMTPSettings, address string) bool {
	if own, err := mail.ParseAddress(s.From); err == nil && strings.EqualFold(own.Address, address) {
		return true
	}
	return slices.ContainsFunc(s.Senders, func(sender string) bool {
		at := strings.LastIndexByte(address, '@')
		return strings.EqualFold(sender, address) || strings.HasPrefix(sender, "@") && at > 0 && strings.EqualFold(sender, address[at:])
	})
}
