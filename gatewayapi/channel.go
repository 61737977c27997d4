package gatewayapi

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"net/url"
)

// SMPPSettings say how to bind to an SMS centre over SMPP 3.4. Zero values mean the defaults named.
type SMPPSettings struct {
	// Name or address of the SMS centre.
	Host string `json:"host,omitempty"`
	// Default 2775.
	Port int `json:"port,omitempty"`
	// Whether the connection is encrypted; the certificate is checked.
	TLS bool `json:"tls,omitempty"`
	// Certificates in PEM that are trusted instead of the system's.
	CACertificates string `json:"caCertificates,omitempty"`
	// The system_id of the bind, at most 15 characters.
	SystemID string `json:"systemId,omitempty"`
	// The system_type of the bind.
	SystemType string `json:"systemType,omitempty"`
	// The service_type of messages.
	ServiceType string `json:"serviceType,omitempty"`
	// Sender: digits, or up to 11 letters where the provider allows them.
	Source string `json:"source,omitempty"`
	// Type of number of the sender; by its form when left out.
	SourceTON *int `json:"sourceTon,omitempty"`
	// Numbering plan of the sender; by its form when left out.
	SourceNPI *int `json:"sourceNpi,omitempty"`
	// Type of number of the person; default 1, international.
	DestTON *int `json:"destTon,omitempty"`
	// Numbering plan of the person; default 1, E.164.
	DestNPI *int `json:"destNpi,omitempty"`
	// Requests without answer at once, 1 to 1000; default 10.
	Window int `json:"window,omitempty"`
	// How often the link is tried, 1 to 3600; default 30.
	EnquireLinkSeconds int `json:"enquireLinkSeconds,omitempty"`
	// How long an answer is waited for, 1 to 300; default 30.
	ResponseSeconds int `json:"responseSeconds,omitempty"`
	// Whether delivery receipts are asked for; default true.
	Receipts *bool `json:"receipts,omitempty"`
	// udh (the default): segments with a header; payload: one request with message_payload.
	LongMessages string `json:"longMessages,omitempty" enum:"udh,payload"`
	// Text beyond so many segments is cut off, 1 to 255; default 10.
	MaxSegments int `json:"maxSegments,omitempty"`
	// tolerant (the default): ids of receipts match in hexadecimal and decimal; exact: as they are.
	ReceiptIDs string `json:"receiptIds,omitempty" enum:"tolerant,exact"`
}

// TwilioSettings say how to reach a provider with Twilio's REST API, or one of its shape.
type TwilioSettings struct {
	// Default https://api.twilio.com.
	BaseURL string `json:"baseUrl,omitempty"`
	// SID of the account.
	AccountSID string `json:"accountSid,omitempty"`
	// SID of an API key to call with, instead of the account's own token.
	APIKeySID string `json:"apiKeySid,omitempty"`
	// Sender; either this or messagingServiceSid.
	From string `json:"from,omitempty"`
	// Messaging service that picks the sender.
	MessagingServiceSID string `json:"messagingServiceSid,omitempty"`
	// Text beyond so many characters is cut off, 70 to 5000; default 1600.
	MaxCharacters int `json:"maxCharacters,omitempty"`
	// Write links into the text rather than hand files over as MediaUrl.
	MediaAsLinks bool `json:"mediaAsLinks,omitempty"`
}

// SMTPSettings say how to reach a mail server.
type SMTPSettings struct {
	// Name or address of the mail server.
	Host string `json:"host,omitempty"`
	// Default 587 for starttls, 465 for implicit, 25 for none.
	Port int `json:"port,omitempty"`
	// starttls (the default; without it nothing is sent), implicit or none.
	TLS string `json:"tls,omitempty" enum:"starttls,implicit,none"`
	// Certificates in PEM that are trusted instead of the system's.
	CACertificates string `json:"caCertificates,omitempty"`
	// Empty for a server that asks for none.
	Username string `json:"username,omitempty"`
	// Sender, such as Shop <news@shop.example>.
	From string `json:"from,omitempty"`
	// Other addresses, and domains as @shop.example, that messages may name as
	// channelOptions.email.from; the account's own from is always one.
	Senders []string `json:"senders,omitempty"`
	// Where answers go.
	ReplyTo string `json:"replyTo,omitempty"`
	// Subject of messages without a title.
	Subject string `json:"subject,omitempty"`
}

// WebhookSettings say where messages are handed over.
type WebhookSettings struct {
	// Where messages are posted, signed by the Standard Webhooks scheme.
	URL string `json:"url,omitempty"`
}

// KeywordSettings say which words, alone in an inbound SMS, end, begin or explain, and what is
// answered.
type KeywordSettings struct {
	// Words that opt out; the usual ones when left out, none when empty.
	Stop *[]string `json:"stop,omitempty"`
	// Words that opt in again; the usual ones when left out, none when empty.
	Start *[]string `json:"start,omitempty"`
	// Words that ask for help; the usual ones when left out, none when empty.
	Help *[]string `json:"help,omitempty"`
	// What is answered; nothing when empty.
	StopAnswer string `json:"stopAnswer,omitempty"`
	// What is answered; nothing when empty.
	StartAnswer string `json:"startAnswer,omitempty"`
	// What is answered; nothing when empty.
	HelpAnswer string `json:"helpAnswer,omitempty"`
}

// CreateChannelRequest is the body of POST /v1/channels. It holds the settings of its provider and
// no other's.
type CreateChannelRequest struct {
	// Who takes the messages.
	Provider Provider `json:"provider"`
	// sms, email or webhook; follows from the provider.
	Channel string `json:"channel,omitempty" enum:"sms,email,webhook"`
	// For people.
	Name string `json:"name,omitempty"`
	// Key of the one application it is for; every application without one of its own when left out.
	Application string `json:"application,omitempty"`
	// active (the default) or disabled.
	State ChannelState `json:"state,omitempty" enum:"active,disabled"`
	// For provider smpp.
	SMPP *SMPPSettings `json:"smpp,omitempty"`
	// For provider twilio.
	Twilio *TwilioSettings `json:"twilio,omitempty"`
	// For provider smtp.
	SMTP *SMTPSettings `json:"smtp,omitempty"`
	// For provider webhook.
	Webhook *WebhookSettings `json:"webhook,omitempty"`
	// Words of inbound SMS.
	Keywords *KeywordSettings `json:"keywords,omitempty"`
	// By name, as the provider has them. A signing secret is made when left out.
	Secrets map[string]string `json:"secrets,omitempty"`

	// Settings are those of a provider that has no field of its own here: whatever encodes as their
	// JSON object.
	Settings any `json:"-"`
}

// UpdateChannelRequest is the body of PATCH /v1/channels/{id}. What is left out stays, also inside
// the settings; null sets a setting back to its default.
type UpdateChannelRequest struct {
	// For people.
	Name *string `json:"name,omitempty"`
	// Key of the one application it is for; empty for every one without its own.
	Application *string `json:"application,omitempty"`
	// active or disabled.
	State *ChannelState `json:"state,omitempty" enum:"active,disabled"`
	// Settings that change.
	SMPP *SMPPSettings `json:"smpp,omitempty"`
	// Settings that change.
	Twilio *TwilioSettings `json:"twilio,omitempty"`
	// Settings that change.
	SMTP *SMTPSettings `json:"smtp,omitempty"`
	// Settings that change.
	Webhook *WebhookSettings `json:"webhook,omitempty"`
	// Settings that change.
	Keywords *KeywordSettings `json:"keywords,omitempty"`
	// Replaces those that are named; an empty one is removed.
	Secrets map[string]string `json:"secrets,omitempty"`

	// Settings are changes for providers that have no field of their own here, by provider:
	// whatever encodes as a JSON object.
	Settings map[Provider]any `json:"-"`
	// Reset names settings that go back to their defaults, such as smpp.source or
	// twilio.mediaAsLinks: a zero value in the settings is one that is left out.
	Reset []string `json:"-"`
}

// ChannelAccount is an account at a provider through which messages of a channel go.
type ChannelAccount struct {
	// Id of the account.
	ID string `json:"id"`
	// sms, email or webhook.
	Channel string `json:"channel" enum:"sms,email,webhook"`
	// Who takes the messages.
	Provider Provider `json:"provider"`
	// For people.
	Name string `json:"name,omitempty"`
	// Key of the one application it is for; empty for every application without one of its own.
	Application string `json:"application,omitempty"`
	// active or disabled.
	State ChannelState `json:"state" enum:"active,disabled"`
	// For provider smpp.
	SMPP *SMPPSettings `json:"smpp,omitempty"`
	// For provider twilio.
	Twilio *TwilioSettings `json:"twilio,omitempty"`
	// For provider smtp.
	SMTP *SMTPSettings `json:"smtp,omitempty"`
	// For provider webhook.
	Webhook *WebhookSettings `json:"webhook,omitempty"`
	// Words of inbound SMS.
	Keywords *KeywordSettings `json:"keywords,omitempty"`
	// Which secrets are set; their values are never shown again.
	Secrets map[string]SecretState `json:"secrets"`
	// What to enter at the provider for messages that come in, where it brings them over HTTP.
	InboundURL string `json:"inboundUrl,omitempty"`
	// When it was made.
	CreatedAt Time `json:"createdAt"`
	// When it last changed.
	UpdatedAt Time `json:"updatedAt"`

	// Settings are those of the provider, whether or not it has a field of its own here.
	Settings json.RawMessage `json:"-"`
}

// SecretState says whether a secret is there. Value is only in the answer to the request for which
// the gateway made the secret.
type SecretState struct {
	// Whether it is there.
	Set bool `json:"set"`
	// Only in the answer to the request for which the gateway made it.
	Value string `json:"value,omitempty"`
}

// ChannelList is the answer to GET /v1/channels.
type ChannelList struct {
	// The accounts, the oldest first.
	Channels []ChannelAccount `json:"channels"`
}

// ChannelCheck is what a provider says of an account.
type ChannelCheck struct {
	// Whether the account works.
	OK bool `json:"ok"`
	// What is wrong, as failure code.
	Code FailureCode `json:"code,omitempty"`
	// What is wrong, in words.
	Problem string `json:"problem,omitempty"`
	// When it was asked.
	CheckedAt Time `json:"checkedAt"`
}

// OptOut says that an address wants nothing more on a channel.
type OptOut struct {
	// fbMessenger, sms or email.
	Channel string `json:"channel" enum:"fbMessenger,sms,email"`
	// Digits for sms, in lower case for email.
	Address string `json:"address"`
	// Key of the application that alone may not write any more; absent when none may.
	Application string `json:"application,omitempty"`
	// Since when.
	At Time `json:"at"`
	// What the person wrote; absent when the business recorded it.
	Word string `json:"word,omitempty"`
}

// OptOutPage is one page of opt-outs, in the order of channel and address.
type OptOutPage struct {
	// The opt-outs of the page.
	OptOuts []OptOut `json:"optOuts"`
	// For the page after; absent on the last.
	Cursor string `json:"cursor,omitempty"`
}

func channelPath(id string) string { return "/v1/channels/" + url.PathEscape(id) }

// CreateChannel stores an account at a provider.
func (c *Client) CreateChannel(ctx context.Context, req CreateChannelRequest) (ChannelAccount, error) {
	return send[ChannelAccount](ctx, c, http.MethodPost, "/v1/channels", req)
}

// ListChannels reads all accounts that the key may see.
func (c *Client) ListChannels(ctx context.Context) ([]ChannelAccount, error) {
	list, err := get[ChannelList](ctx, c, "/v1/channels", nil)
	return list.Channels, err
}

// AllChannels walks all accounts that the key may see.
func (c *Client) AllChannels(ctx context.Context) iter.Seq2[ChannelAccount, error] {
	return all(ctx, c.ListChannels)
}

// GetChannel reads one account.
func (c *Client) GetChannel(ctx context.Context, id string) (ChannelAccount, error) {
	return get[ChannelAccount](ctx, c, channelPath(id), nil)
}

// UpdateChannel changes an account.
func (c *Client) UpdateChannel(ctx context.Context, id string, req UpdateChannelRequest) (ChannelAccount, error) {
	return send[ChannelAccount](ctx, c, http.MethodPatch, channelPath(id), req)
}

// DeleteChannel removes an account.
func (c *Client) DeleteChannel(ctx context.Context, id string) error {
	return c.remove(ctx, channelPath(id))
}

// CheckChannel asks the provider whether an account works.
func (c *Client) CheckChannel(ctx context.Context, id string) (ChannelCheck, error) {
	return send[ChannelCheck](ctx, c, http.MethodPost, channelPath(id)+"/check", nil)
}

// ListOptOutsRequest selects opt-outs. Empty fields select all.
type ListOptOutsRequest struct {
	Application string // those that are its own alone; empty for those of all, and those that hold for all
	Channel     string
	Address     string // in any form of it, with Channel
	Cursor      string // of the page before
	Limit       int    // 1 to 200; 0 for 50
}

// ListOptOuts reads one page of opt-outs.
func (c *Client) ListOptOuts(ctx context.Context, req ListOptOutsRequest) (OptOutPage, error) {
	return get[OptOutPage](ctx, c, "/v1/opt-outs", query("application", req.Application, "channel", req.Channel, "address", req.Address, "cursor", req.Cursor, "limit", number(req.Limit)))
}

// AllOptOuts walks all opt-outs from a page on. An error ends the walk.
func (c *Client) AllOptOuts(ctx context.Context, req ListOptOutsRequest) iter.Seq2[OptOut, error] {
	return walk(req.Cursor, func(cursor string) ([]OptOut, string, error) {
		req.Cursor = cursor
		page, err := c.ListOptOuts(ctx, req)
		return page.OptOuts, page.Cursor, err
	})
}

// OptOutRequest names an address on a channel.
type OptOutRequest struct {
	Channel string
	Address string // a phone number, an e-mail address or a person's id
	// Application is the key of the one application that it is about; empty for all.
	Application string
}

func (r OptOutRequest) path() string {
	return "/v1/opt-outs/" + url.PathEscape(r.Channel) + "/" + url.PathEscape(r.Address)
}

// SetOptOut records that an address wants nothing more on a channel.
func (c *Client) SetOptOut(ctx context.Context, req OptOutRequest) (OptOut, error) {
	var result OptOut
	_, err := c.do(ctx, call{method: http.MethodPut, path: req.path(), query: query("application", req.Application), into: &result})
	return result, err
}

// DeleteOptOut records that an address may be written to again.
func (c *Client) DeleteOptOut(ctx context.Context, req OptOutRequest) error {
	_, err := c.do(ctx, call{method: http.MethodDelete, path: req.path(), query: query("application", req.Application)})
	return err
}
