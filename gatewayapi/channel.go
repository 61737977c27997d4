package gatewayapi

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strings"
)

// SMPPSettings say how to bind to an SMS centre over SMPP 3.4. Zero values mean the defaults named.
type SMPPSettings struct {
	Host               string `json:"host,omitempty" doc:"Name or address of the SMS centre."`
	Port               int    `json:"port,omitempty" doc:"Default 2775."`
	TLS                bool   `json:"tls,omitempty" doc:"Whether the connection is encrypted; the certificate is checked."`
	CACertificates     string `json:"caCertificates,omitempty" doc:"Certificates in PEM that are trusted instead of the system's."`
	SystemID           string `json:"systemId,omitempty" doc:"The system_id of the bind, at most 15 characters."`
	SystemType         string `json:"systemType,omitempty" doc:"The system_type of the bind."`
	ServiceType        string `json:"serviceType,omitempty" doc:"The service_type of messages."`
	Source             string `json:"source,omitempty" doc:"Sender: digits, or up to 11 letters where the provider allows them."`
	SourceTON          *int   `json:"sourceTon,omitempty" doc:"Type of number of the sender; by its form when left out."`
	SourceNPI          *int   `json:"sourceNpi,omitempty" doc:"Numbering plan of the sender; by its form when left out."`
	DestTON            *int   `json:"destTon,omitempty" doc:"Type of number of the person; default 1, international."`
	DestNPI            *int   `json:"destNpi,omitempty" doc:"Numbering plan of the person; default 1, E.164."`
	Window             int    `json:"window,omitempty" doc:"Requests without answer at once, 1 to 1000; default 10."`
	EnquireLinkSeconds int    `json:"enquireLinkSeconds,omitempty" doc:"How often the link is tried, 1 to 3600; default 30."`
	ResponseSeconds    int    `json:"responseSeconds,omitempty" doc:"How long an answer is waited for, 1 to 300; default 30."`
	Receipts           *bool  `json:"receipts,omitempty" doc:"Whether delivery receipts are asked for; default true."`
	LongMessages       string `json:"longMessages,omitempty" enum:"udh,payload" doc:"udh (the default): segments with a header; payload: one request with message_payload."`
	MaxSegments        int    `json:"maxSegments,omitempty" doc:"Text beyond so many segments is cut off, 1 to 255; default 10."`
	ReceiptIDs         string `json:"receiptIds,omitempty" enum:"tolerant,exact" doc:"tolerant (the default): ids of receipts match in hexadecimal and decimal; exact: as they are."`
}

// TwilioSettings say how to reach a provider with Twilio's REST API, or one of its shape.
type TwilioSettings struct {
	BaseURL             string `json:"baseUrl,omitempty" doc:"Default https://api.twilio.com."`
	AccountSID          string `json:"accountSid,omitempty" doc:"SID of the account."`
	APIKeySID           string `json:"apiKeySid,omitempty" doc:"SID of an API key to call with, instead of the account's own token."`
	From                string `json:"from,omitempty" doc:"Sender; either this or messagingServiceSid."`
	MessagingServiceSID string `json:"messagingServiceSid,omitempty" doc:"Messaging service that picks the sender."`
	MaxCharacters       int    `json:"maxCharacters,omitempty" doc:"Text beyond so many characters is cut off, 70 to 5000; default 1600."`
	MediaAsLinks        bool   `json:"mediaAsLinks,omitempty" doc:"Write links into the text rather than hand files over as MediaUrl."`
}

// SMTPSettings say how to reach a mail server.
type SMTPSettings struct {
	Host           string `json:"host,omitempty" doc:"Name or address of the mail server."`
	Port           int    `json:"port,omitempty" doc:"Default 587 for starttls, 465 for implicit, 25 for none."`
	TLS            string `json:"tls,omitempty" enum:"starttls,implicit,none" doc:"starttls (the default; without it nothing is sent), implicit or none."`
	CACertificates string `json:"caCertificates,omitempty" doc:"Certificates in PEM that are trusted instead of the system's."`
	Username       string `json:"username,omitempty" doc:"Empty for a server that asks for none."`
	From           string `json:"from,omitempty" doc:"Sender, such as Shop <news@shop.example>."`
	// Senders are the other addresses, and domains as @example.com, that a message may name as its sender.
	Senders []string `json:"senders,omitempty" doc:"Other addresses, and domains as @shop.example, that messages may name as channelOptions.email.from; the account's own from is always one."`
	ReplyTo string   `json:"replyTo,omitempty" doc:"Where answers go."`
	Subject string   `json:"subject,omitempty" doc:"Subject of messages without a title."`
}

// WebhookSettings say where messages are handed over.
type WebhookSettings struct {
	URL string `json:"url,omitempty" doc:"Where messages are posted, signed by the Standard Webhooks scheme."`
}

// KeywordSettings say which words, alone in an inbound SMS, end, begin or explain, and what is answered.
type KeywordSettings struct {
	Stop        *[]string `json:"stop,omitempty" doc:"Words that opt out; the usual ones when left out, none when empty."`
	Start       *[]string `json:"start,omitempty" doc:"Words that opt in again; the usual ones when left out, none when empty."`
	Help        *[]string `json:"help,omitempty" doc:"Words that ask for help; the usual ones when left out, none when empty."`
	StopAnswer  string    `json:"stopAnswer,omitempty" doc:"What is answered; nothing when empty."`
	StartAnswer string    `json:"startAnswer,omitempty" doc:"What is answered; nothing when empty."`
	HelpAnswer  string    `json:"helpAnswer,omitempty" doc:"What is answered; nothing when empty."`
}

// CreateChannelRequest is the body of POST /v1/channels. It holds the settings of its provider and no other's.
type CreateChannelRequest struct {
	// Provider is smpp, twilio, smtp or webhook.
	Provider    Provider          `json:"provider" enum:"smpp,twilio,smtp,webhook" doc:"smpp, twilio, smtp or webhook."`
	Channel     string            `json:"channel,omitempty" enum:"sms,email,webhook" doc:"sms, email or webhook; follows from the provider."`
	Name        string            `json:"name,omitempty" doc:"For people."`
	Application string            `json:"application,omitempty" doc:"Key of the one application it is for; every application without one of its own when left out."`
	State       ChannelState      `json:"state,omitempty" enum:"active,disabled" doc:"active (the default) or disabled."`
	SMPP        *SMPPSettings     `json:"smpp,omitempty" doc:"For provider smpp."`
	Twilio      *TwilioSettings   `json:"twilio,omitempty" doc:"For provider twilio."`
	SMTP        *SMTPSettings     `json:"smtp,omitempty" doc:"For provider smtp."`
	Webhook     *WebhookSettings  `json:"webhook,omitempty" doc:"For provider webhook."`
	Keywords    *KeywordSettings  `json:"keywords,omitempty" doc:"Words of inbound SMS."`
	Secrets     map[string]string `json:"secrets,omitempty" doc:"password for smpp and smtp; authToken and apiKeySecret for twilio; signing for webhook, made when left out."`
}

// UpdateChannelRequest is the body of PATCH /v1/channels/{id}. What is left out stays, also inside the settings; null sets a setting back to its default.
type UpdateChannelRequest struct {
	Name        *string          `json:"name,omitempty" doc:"For people."`
	Application *string          `json:"application,omitempty" doc:"Key of the one application it is for; empty for every one without its own."`
	State       *ChannelState    `json:"state,omitempty" enum:"active,disabled" doc:"active or disabled."`
	SMPP        *SMPPSettings    `json:"smpp,omitempty" doc:"Settings that change."`
	Twilio      *TwilioSettings  `json:"twilio,omitempty" doc:"Settings that change."`
	SMTP        *SMTPSettings    `json:"smtp,omitempty" doc:"Settings that change."`
	Webhook     *WebhookSettings `json:"webhook,omitempty" doc:"Settings that change."`
	Keywords    *KeywordSettings `json:"keywords,omitempty" doc:"Settings that change."`
	// Secrets replaces those that are named; an empty one is removed.
	Secrets map[string]string `json:"secrets,omitempty" doc:"Replaces those that are named; an empty one is removed."`

	// Reset names settings that go back to their defaults, such as smpp.source or twilio.mediaAsLinks: a zero value in the settings is one that is left out.
	Reset []string `json:"-"`
}

// MarshalJSON writes the settings of Reset as null.
func (r UpdateChannelRequest) MarshalJSON() ([]byte, error) {
	type object UpdateChannelRequest
	b, err := json.Marshal(object(r))
	if err != nil || len(r.Reset) == 0 {
		return b, err
	}
	var whole map[string]json.RawMessage
	if err := json.Unmarshal(b, &whole); err != nil {
		return nil, err
	}
	members := map[string]map[string]json.RawMessage{}
	for _, path := range r.Reset {
		group, name, ok := strings.Cut(path, ".")
		if !ok {
			return nil, fmt.Errorf("%q is not a setting such as smpp.source", path)
		}
		if members[group] == nil {
			settings := map[string]json.RawMessage{}
			if whole[group] != nil {
				if err := json.Unmarshal(whole[group], &settings); err != nil {
					return nil, err
				}
			}
			members[group] = settings
		}
		members[group][name] = json.RawMessage("null")
	}
	for group, settings := range members {
		if whole[group], err = json.Marshal(settings); err != nil {
			return nil, err
		}
	}
	return json.Marshal(whole)
}

// ChannelAccount is an account at a provider through which messages of a channel go.
type ChannelAccount struct {
	ID          string           `json:"id" doc:"Id of the account."`
	Channel     string           `json:"channel" enum:"sms,email,webhook" doc:"sms, email or webhook."`
	Provider    Provider         `json:"provider" enum:"smpp,twilio,smtp,webhook" doc:"smpp, twilio, smtp or webhook."`
	Name        string           `json:"name,omitempty" doc:"For people."`
	Application string           `json:"application,omitempty" doc:"Key of the one application it is for; empty for every application without one of its own."`
	State       ChannelState     `json:"state" enum:"active,disabled" doc:"active or disabled."`
	SMPP        *SMPPSettings    `json:"smpp,omitempty" doc:"For provider smpp."`
	Twilio      *TwilioSettings  `json:"twilio,omitempty" doc:"For provider twilio."`
	SMTP        *SMTPSettings    `json:"smtp,omitempty" doc:"For provider smtp."`
	Webhook     *WebhookSettings `json:"webhook,omitempty" doc:"For provider webhook."`
	Keywords    *KeywordSettings `json:"keywords,omitempty" doc:"Words of inbound SMS."`
	// Secrets says which are set.
	Secrets map[string]SecretState `json:"secrets" doc:"Which secrets are set; their values are never shown again."`
	// InboundURL is where a provider of Twilio's shape posts messages that people send.
	InboundURL string `json:"inboundUrl,omitempty" doc:"What to enter at a provider of Twilio's shape for messages that come in."`
	CreatedAt  Time   `json:"createdAt" doc:"When it was made."`
	UpdatedAt  Time   `json:"updatedAt" doc:"When it last changed."`
}

// SecretState says whether a secret is there. Value is only in the answer to the request for which the gateway made the secret.
type SecretState struct {
	Set   bool   `json:"set" doc:"Whether it is there."`
	Value string `json:"value,omitempty" doc:"Only in the answer to the request for which the gateway made it."`
}

// ChannelList is the answer to GET /v1/channels.
type ChannelList struct {
	Channels []ChannelAccount `json:"channels" doc:"The accounts, the oldest first."`
}

// ChannelCheck is what a provider says of an account.
type ChannelCheck struct {
	OK        bool        `json:"ok" doc:"Whether the account works."`
	Code      FailureCode `json:"code,omitempty" doc:"What is wrong, as failure code."`
	Problem   string      `json:"problem,omitempty" doc:"What is wrong, in words."`
	CheckedAt Time        `json:"checkedAt" doc:"When it was asked."`
}

// OptOut says that an address wants nothing more on a channel.
type OptOut struct {
	Channel string `json:"channel" enum:"fbMessenger,sms,email" doc:"fbMessenger, sms or email."`
	Address string `json:"address" doc:"Digits for sms, in lower case for email."`
	// Application is the one that alone may not write any more.
	Application string `json:"application,omitempty" doc:"Key of the application that alone may not write any more; absent when none may."`
	At          Time   `json:"at" doc:"Since when."`
	Word        string `json:"word,omitempty" doc:"What the person wrote; absent when the business recorded it."`
}

// OptOutPage is one page of opt-outs, in the order of channel and address.
type OptOutPage struct {
	OptOuts []OptOut `json:"optOuts" doc:"The opt-outs of the page."`
	Cursor  string   `json:"cursor,omitempty" doc:"For the page after; absent on the last."`
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
