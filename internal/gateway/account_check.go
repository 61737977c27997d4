package gateway

import (
	"crypto/x509"
	"fmt"
	"net/mail"
	"net/url"
	"slices"
	"strings"
)

// Validate says which field of the account is wrong, or nil. It looks at no network: that is what a check does.
func (a *ChannelAccount) Validate() error {
	channel := a.Provider.Channel()
	switch {
	case channel == "":
		return Invalid("provider", "%q is none of smpp, twilio, smtp, webhook", a.Provider)
	case a.Channel != channel:
		return Invalid("channel", "provider %s is for channel %s", a.Provider, channel)
	case len(a.Name) > 200:
		return Invalid("name", "must have at most 200 bytes")
	case a.State != AccountActive && a.State != AccountDisabled:
		return Invalid("state", "must be active or disabled")
	}
	for name, secret := range a.Secrets {
		if !slices.Contains(SecretNames(a.Provider), name) {
			return Invalid("secrets."+name, "provider %s has the secrets %s only", a.Provider, strings.Join(SecretNames(a.Provider), ", "))
		}
		if len(secret) > 1000 {
			return Invalid("secrets."+name, "must have at most 1000 bytes")
		}
	}
	for name, there := range map[Provider]bool{ProviderSMPP: a.SMPP != nil, ProviderTwilio: a.Twilio != nil, ProviderSMTP: a.SMTP != nil, ProviderWebhook: a.Webhook != nil} {
		if there && name != a.Provider {
			return Invalid(string(name), "belongs to another provider than %s", a.Provider)
		}
		if !there && name == a.Provider {
			return Invalid(string(name), "must hold the provider's settings")
		}
	}
	if err := checkKeywords(a.Keywords, a.Channel); err != nil {
		return err
	}
	switch a.Provider {
	case ProviderSMPP:
		return checkSMPP(a.SMPP, a.Secrets)
	case ProviderTwilio:
		return checkTwilio(a.Twilio, a.Secrets)
	case ProviderSMTP:
		return checkSMTP(a.SMTP, a.Secrets)
	}
	return checkWebhook(a.Webhook, a.Secrets)
}

func checkSMPP(s *SMPPSettings, secrets map[string]Secret) error {
	const at = "smpp."
	if err := validateHost(at, s.Host, s.Port); err != nil {
		return err
	}
	if err := validateCertificates(at, s.CACertificates); err != nil {
		return err
	}
	for _, f := range []struct {
		name, value string
		most        int
	}{{"systemId", s.SystemID, 15}, {"systemType", s.SystemType, 12}, {"serviceType", s.ServiceType, 5}, {"source", s.Source, 20}} {
		if len(f.value) > f.most || strings.ContainsFunc(f.value, func(r rune) bool { return r < ' ' || r > '~' }) {
			return Invalid(at+f.name, "must have at most %d characters of ASCII", f.most)
		}
	}
	for _, f := range []struct {
		name        string
		value       *int
		least, most int
	}{
		{"sourceTon", s.SourceTON, 0, 7}, {"sourceNpi", s.SourceNPI, 0, 18}, {"destTon", s.DestTON, 0, 7}, {"destNpi", s.DestNPI, 0, 18},
		{"window", &s.Window, 1, 1000}, {"enquireLinkSeconds", &s.EnquireLinkSeconds, 1, 3600}, {"responseSeconds", &s.ResponseSeconds, 1, 300}, {"maxSegments", &s.MaxSegments, 1, 255},
	} {
		if f.value != nil && (*f.value < f.least || *f.value > f.most) {
			return Invalid(at+f.name, "must be from %d to %d", f.least, f.most)
		}
	}
	switch {
	case s.SystemID == "":
		return Invalid(at+"systemId", "must be given")
	case len(secrets[SecretPassword]) > 8:
		return Invalid("secrets.password", "may have 8 bytes in SMPP 3.4")
	case s.LongMessages != "udh" && s.LongMessages != "payload":
		return Invalid(at+"longMessages", "must be udh or payload")
	case s.ReceiptIDs != "tolerant" && s.ReceiptIDs != "exact":
		return Invalid(at+"receiptIds", "must be tolerant or exact")
	}
	return nil
}

func checkTwilio(s *TwilioSettings, secrets map[string]Secret) error {
	const at = "twilio."
	if err := validateAddress(at+"baseUrl", s.BaseURL); err != nil {
		return err
	}
	switch {
	case s.AccountSID == "" || len(s.AccountSID) > 64 || strings.ContainsAny(s.AccountSID, "/?#:% "):
		return Invalid(at+"accountSid", "must have 1 to 64 bytes without spaces and signs of addresses")
	case (s.From == "") == (s.MessagingServiceSID == ""):
		return Invalid(at+"from", "name either from or messagingServiceSid")
	case len(s.From) > 64 || len(s.MessagingServiceSID) > 64:
		return Invalid(at+"from", "must have at most 64 bytes")
	case strings.Contains(s.APIKeySID, ":") || len(s.APIKeySID) > 64:
		return Invalid(at+"apiKeySid", "must have at most 64 bytes without a colon")
	case s.MaxCharacters < 70 || s.MaxCharacters > 5000:
		return Invalid(at+"maxCharacters", "must be from 70 to 5000")
	case secrets[SecretAuthToken] == "":
		return Invalid("secrets.authToken", "must be given: the provider signs its callbacks with it")
	case s.APIKeySID != "" && secrets[SecretAPIKeySecret] == "":
		return Invalid("secrets.apiKeySecret", "must be given for twilio.apiKeySid")
	}
	return nil
}

const maxSenders = 200

func checkSMTP(s *SMTPSettings, secrets map[string]Secret) error {
	const at = "smtp."
	for i, sender := range s.Senders {
		address := sender
		if strings.HasPrefix(sender, "@") {
			address = "anybody" + sender
		}
		if a, err := mail.ParseAddress(address); err != nil || a.Address != address || len(s.Senders) > maxSenders {
			return Invalid(fmt.Sprintf("%ssenders[%d]", at, i), "must be an address, or a domain such as @shop.example; at most %d", maxSenders)
		}
	}
	if s.TLS != "starttls" && s.TLS != "implicit" && s.TLS != "none" {
		return Invalid(at+"tls", "must be starttls, implicit or none")
	}
	if err := validateHost(at, s.Host, s.Port); err != nil {
		return err
	}
	if err := validateCertificates(at, s.CACertificates); err != nil {
		return err
	}
	if _, err := mail.ParseAddress(s.From); err != nil {
		return Invalid(at+"from", "must be an address such as `Shop <news@shop.example>`")
	}
	if _, err := mail.ParseAddress(s.ReplyTo); s.ReplyTo != "" && err != nil {
		return Invalid(at+"replyTo", "must be an address such as `Shop <help@shop.example>`")
	}
	switch {
	case len(s.Subject) > 500 || strings.ContainsAny(s.Subject, "\r\n"):
		return Invalid(at+"subject", "must be one line of at most 500 bytes")
	case s.Username == "" && secrets[SecretPassword] != "":
		return Invalid(at+"username", "must be given with a password")
	case s.Username != "" && secrets[SecretPassword] == "":
		return Invalid("secrets.password", "must be given with a user name")
	}
	return nil
}

func checkWebhook(s *WebhookSettings, secrets map[string]Secret) error {
	if err := validateAddress("webhook.url", s.URL); err != nil {
		return err
	}
	if ValidateSigningSecret(secrets[SecretSigning]) != nil {
		return Invalid("secrets.signing", "must be whsec_ followed by the standard base64 of 32 bytes")
	}
	return nil
}

func validateAddress(field, address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Hostname() == "":
		return Invalid(field, "must be an https or http address")
	case u.User != nil:
		return Invalid(field, "must not hold a user or password")
	case u.Fragment != "":
		return Invalid(field, "must not hold a fragment")
	case len(address) > maxURL:
		return Invalid(field, "must have at most %d bytes", maxURL)
	}
	return nil
}

func validateHost(at, host string, port int) error {
	if host == "" || len(host) > 253 || strings.ContainsAny(host, " /@\\") {
		return Invalid(at+"host", "must be a host's name or address")
	}
	if port < 1 || port > 65535 {
		return Invalid(at+"port", "must be from 1 to 65535")
	}
	return nil
}

func validateCertificates(at, pem string) error {
	if pem == "" {
		return nil
	}
	if len(pem) > 64<<10 || !x509.NewCertPool().AppendCertsFromPEM([]byte(pem)) {
		return Invalid(at+"caCertificates", "must hold certificates in PEM, of 64 KB at most")
	}
	return nil
}
