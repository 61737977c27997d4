package gateway

import (
	"crypto/x509"
	"net/mail"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Provider names how a channel account reaches people.
type Provider string

// The providers.
const (
	ProviderSMPP    Provider = "smpp"    // sms, over SMPP 3.4
	ProviderTwilio  Provider = "twilio"  // sms, over HTTP in the shape of Twilio's REST API
	ProviderSMTP    Provider = "smtp"    // email
	ProviderWebhook Provider = "webhook" // a URL of the business's own
)

// Providers lists every provider.
func Providers() []Provider {
	return []Provider{ProviderSMPP, ProviderTwilio, ProviderSMTP, ProviderWebhook}
}

// Channel answers the channel that a provider serves; empty for a provider that is none.
func (p Provider) Channel() string {
	switch p {
	case ProviderSMPP, ProviderTwilio:
		return ChannelSMS
	case ProviderSMTP:
		return ChannelEmail
	case ProviderWebhook:
		return ChannelWebhook
	}
	return ""
}

// AccountState says whether an account takes part.
type AccountState string

// The states of a channel account.
const (
	AccountActive   AccountState = "active"
	AccountDisabled AccountState = "disabled"
)

// Names of the secrets of accounts.
const (
	SecretPassword     = "password"     // of smpp and smtp
	SecretAuthToken    = "authToken"    // of twilio
	SecretAPIKeySecret = "apiKeySecret" // of twilio, where settings name an API key
	SecretSigning      = "signing"      // of webhook: whsec_ and the base64 of 32 bytes
)

// SecretNames lists the secrets that an account of the provider may have.
func (p Provider) SecretNames() []string {
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

// SMPPSettings say how to bind to an SMS centre, and what to ask of it.
type SMPPSettings struct {
	Host           string `json:"host"`
	Port           int    `json:"port"`
	TLS            bool   `json:"tls,omitempty"`
	CACertificates string `json:"caCertificates,omitempty"` // PEM; empty for those of the system
	SystemID       string `json:"systemId"`
	SystemType     string `json:"systemType,omitempty"`
	ServiceType    string `json:"serviceType,omitempty"`
	Source         string `json:"source,omitempty"`
	SourceTON      *int   `json:"sourceTon,omitempty"` // nil: by the source's form
	SourceNPI      *int   `json:"sourceNpi,omitempty"`
	DestTON        *int   `json:"destTon,omitempty"` // nil: 1, international
	DestNPI        *int   `json:"destNpi,omitempty"` // nil: 1, E.164
	// Window is how many requests may be without answer at once.
	Window             int    `json:"window"`
	EnquireLinkSeconds int    `json:"enquireLinkSeconds"`
	ResponseSeconds    int    `json:"responseSeconds"`
	Receipts           *bool  `json:"receipts"`     // whether delivery receipts are asked for
	LongMessages       string `json:"longMessages"` // udh or payload
	MaxSegments        int    `json:"maxSegments"`
	ReceiptIDs         string `json:"receiptIds"` // tolerant or exact
}

// TwilioSettings say how to reach a provider with Twilio's REST API, or one of its shape.
type TwilioSettings struct {
	BaseURL             string `json:"baseUrl"`
	AccountSID          string `json:"accountSid"`
	APIKeySID           string `json:"apiKeySid,omitempty"`
	From                string `json:"from,omitempty"`
	MessagingServiceSID string `json:"messagingServiceSid,omitempty"`
	MaxCharacters       int    `json:"maxCharacters"`
	MediaAsLinks        bool   `json:"mediaAsLinks,omitempty"`
}

// SMTPSettings say how to reach a mail server.
type SMTPSettings struct {
	Host           string `json:"host"`
	Port           int    `json:"port"`
	TLS            string `json:"tls"`                      // starttls, implicit or none
	CACertificates string `json:"caCertificates,omitempty"` // PEM; empty for those of the system
	Username       string `json:"username,omitempty"`
	From           string `json:"from"`
	ReplyTo        string `json:"replyTo,omitempty"`
	Subject        string `json:"subject,omitempty"`
}

// WebhookSettings say where messages are handed over.
type WebhookSettings struct {
	URL string `json:"url"`
}

// KeywordSettings say which words, alone in an inbound SMS, end, begin or explain, and what is answered. Words that are left out (nil) are the usual ones; an
// empty list turns the meaning off. An empty answer is not sent.
type KeywordSettings struct {
	Stop        *[]string `json:"stop,omitempty"`
	Start       *[]string `json:"start,omitempty"`
	Help        *[]string `json:"help,omitempty"`
	StopAnswer  string    `json:"stopAnswer,omitempty"`
	StartAnswer string    `json:"startAnswer,omitempty"`
	HelpAnswer  string    `json:"helpAnswer,omitempty"`
}

// Keyword is what a word of an inbound SMS means.
type Keyword string

// The meanings of words.
const (
	KeywordStop  Keyword = "stop"
	KeywordStart Keyword = "start"
	KeywordHelp  Keyword = "help"
)

// The usual words, as carriers expect them.
func usualWords(k Keyword) []string {
	switch k {
	case KeywordStop:
		return []string{"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"}
	case KeywordStart:
		return []string{"START", "UNSTOP", "YES"}
	}
	return []string{"HELP", "INFO"}
}

// Match answers what a text means when it is nothing but one of the words, the word, and what is to be answered. Case, white space around it and a full stop or
// exclamation mark at its end do not matter.
func (k KeywordSettings) Match(text string) (meaning Keyword, word, answer string) {
	word = strings.ToUpper(strings.TrimRight(strings.TrimSpace(text), " .!"))
	if word == "" {
		return "", "", ""
	}
	for _, m := range []struct {
		meaning Keyword
		words   *[]string
		answer  string
	}{{KeywordStop, k.Stop, k.StopAnswer}, {KeywordStart, k.Start, k.StartAnswer}, {KeywordHelp, k.Help, k.HelpAnswer}} {
		words := usualWords(m.meaning)
		if m.words != nil {
			words = *m.words
		}
		if slices.ContainsFunc(words, func(w string) bool { return strings.EqualFold(strings.TrimSpace(w), word) }) {
			return m.meaning, word, m.answer
		}
	}
	return "", "", ""
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
		if !slices.Contains(a.Provider.SecretNames(), name) {
			return Invalid("secrets."+name, "provider %s has the secrets %s only", a.Provider, strings.Join(a.Provider.SecretNames(), ", "))
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
	if err := a.Keywords.validate(a.Channel); err != nil {
		return err
	}
	switch a.Provider {
	case ProviderSMPP:
		return a.SMPP.validate(a.Secrets)
	case ProviderTwilio:
		return a.Twilio.validate(a.Secrets)
	case ProviderSMTP:
		return a.SMTP.validate(a.Secrets)
	}
	return a.Webhook.validate(a.Secrets)
}

func (k KeywordSettings) validate(channel string) error {
	if channel != ChannelSMS && k != (KeywordSettings{}) {
		return Invalid("keywords", "belong to sms only")
	}
	for name, words := range map[string]*[]string{"stop": k.Stop, "start": k.Start, "help": k.Help} {
		if words == nil {
			continue
		}
		if len(*words) > 50 {
			return Invalid("keywords."+name, "may hold 50 words")
		}
		for _, w := range *words {
			if strings.TrimSpace(w) == "" || len(w) > 40 {
				return Invalid("keywords."+name, "a word must have 1 to 40 bytes")
			}
		}
	}
	for name, text := range map[string]string{"stopAnswer": k.StopAnswer, "startAnswer": k.StartAnswer, "helpAnswer": k.HelpAnswer} {
		if len(text) > 1600 {
			return Invalid("keywords."+name, "must have at most 1600 bytes")
		}
	}
	return nil
}

func (s *SMPPSettings) validate(secrets map[string]Secret) error {
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

func (s *TwilioSettings) validate(secrets map[string]Secret) error {
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

func (s *SMTPSettings) validate(secrets map[string]Secret) error {
	const at = "smtp."
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

func (s *WebhookSettings) validate(secrets map[string]Secret) error {
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

// OptOut says that an address of a channel wants nothing more.
type OptOut struct {
	Channel string
	Address string // digits for sms, in lower case for email
	At      time.Time
	Word    string // what the person wrote; empty when the business recorded it
}

// NormalAddress answers an address of a channel in the form in which it is compared: digits for sms, lower case for email. False when it cannot be one.
func NormalAddress(channel, address string) (string, bool) {
	switch channel {
	case ChannelSMS:
		digits := strings.Map(func(r rune) rune {
			if strings.ContainsRune("+ -.()", r) {
				return -1
			}
			return r
		}, address)
		digits = strings.TrimPrefix(digits, "00")
		if len(digits) < 3 || len(digits) > 20 || strings.ContainsFunc(digits, func(r rune) bool { return r < '0' || r > '9' }) {
			return "", false
		}
		return digits, true
	case ChannelEmail:
		a, err := mail.ParseAddress(address)
		if err != nil {
			return "", false
		}
		return strings.ToLower(a.Address), true
	case ChannelWebhook, ChannelMessenger:
		return address, address != ""
	}
	return "", false
}

// ChannelInboundPath is the path of the door through which a provider of Twilio's shape brings what people send.
func ChannelInboundPath(id string) string { return "/channels/" + id + "/inbound" }

// ChannelStatusPath is the path of the door through which a provider of Twilio's shape reports.
func ChannelStatusPath(id string) string { return "/channels/" + id + "/status" }

// ChannelStatusesPath is the path of the door through which a webhook of the business's own reports on one step of a message.
func ChannelStatusesPath(id, message string, step int) string {
	return "/channels/" + id + "/statuses/" + message + "." + strconv.Itoa(step)
}
