package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/channel"
	"github.com/chasqui/chasqui/internal/gateway"
)

// webhook hands messages to a URL of the business's own, signed by the Standard Webhooks scheme.
//
// Docs: https://www.standardwebhooks.com
type webhook struct {
	channel.Idle
	host    *channel.Host
	account *gateway.ChannelAccount
	set     *gatewayapi.WebhookSettings
}

// handedOver is the body of a request to a webhook.
type handedOver struct {
	MessageID   string              `json:"messageId"`
	Step        int                 `json:"step"`
	Channel     string              `json:"channel,omitempty"`
	Application string              `json:"application,omitempty"`
	To          handedTo            `json:"to"`
	Title       string              `json:"title,omitempty"`
	Body        string              `json:"body,omitempty"`
	Parts       []gateway.PartInput `json:"parts,omitempty"`
	Custom      json.RawMessage     `json:"custom,omitempty"`
	Options     json.RawMessage     `json:"options,omitempty"`
	Metadata    json.RawMessage     `json:"metadata,omitempty"`
	StatusURL   string              `json:"statusUrl"`
	AcceptedAt  string              `json:"acceptedAt,omitempty"`
	ExpiresOn   string              `json:"expiresOn,omitempty"`
}

type handedTo struct {
	ProfileID     string `json:"profileId,omitempty"`
	FBMessengerID string `json:"fbMessengerId,omitempty"`
	PhoneNumber   string `json:"phoneNumber,omitempty"`
	Email         string `json:"email,omitempty"`
	FirstName     string `json:"firstName,omitempty"`
	LastName      string `json:"lastName,omitempty"`
	Address       string `json:"address,omitempty"`
}

// Send posts a message to the webhook.
func (h *webhook) Send(ctx context.Context, m *gateway.ChannelMessage, _ bool) (gateway.ChannelSent, *gateway.ChannelError) {
	body, err := json.Marshal(handedOver{
		MessageID: m.ID, Step: m.Step, Channel: m.Channel, Application: m.Application,
		To:    handedTo{m.To.ProfileID, m.To.FBMessengerID, m.To.PhoneNumber, m.To.Email, m.To.FirstName, m.To.LastName, m.Address},
		Title: m.Title, Body: m.Body, Parts: m.Parts, Custom: m.Custom, Options: m.Options, Metadata: m.Metadata,
		StatusURL:  h.host.PublicURL + statusesPath(h.account.ID, m.ID, m.Step),
		AcceptedAt: gateway.FormatTime(m.AcceptedAt), ExpiresOn: gateway.FormatTime(m.ExpiresAt),
	})
	if err != nil {
		return gateway.ChannelSent{}, channel.Refused(gateway.FailureInvalidContent, "the message cannot be written as JSON")
	}
	req, refusal := h.request(ctx, m, body)
	if refusal != nil {
		return gateway.ChannelSent{}, refusal
	}
	resp, err := h.host.HTTP.Do(req)
	if err != nil {
		// The identifier is the same each time, so that a receiver that got it already tells: trying again is safe.
		return gateway.ChannelSent{}, channel.Unreached(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if status := resp.StatusCode; status < 200 || status > 299 {
		return gateway.ChannelSent{}, h.refusal(resp)
	}
	if err != nil {
		return gateway.ChannelSent{}, channel.Unreached(err)
	}
	var said struct {
		Ref    string         `json:"ref"`
		Status gateway.Status `json:"status"`
	}
	json.Unmarshal(answer, &said) // an answer of another kind says no more than its status
	return gateway.ChannelSent{Ref: said.Ref, Accepted: said.Status != gateway.StatusSent && said.Status != gateway.StatusDelivered && said.Status != gateway.StatusRead}, nil
}

func (h *webhook) request(ctx context.Context, m *gateway.ChannelMessage, body []byte) (*http.Request, *gateway.ChannelError) {
	id, now := m.ID+"."+strconv.Itoa(m.Step), h.host.Now()
	hook, err := standardwebhooks.NewWebhook(h.account.Secrets[secretSigning].Reveal())
	if err != nil {
		return nil, channel.Refused(gateway.FailureAccountRefused, "the account's signing secret cannot be used")
	}
	signature, err := hook.Sign(id, now, body)
	if err != nil {
		return nil, channel.Refused(gateway.FailureAccountRefused, "the account's signing secret cannot be used")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.set.URL, bytes.NewReader(body))
	if err != nil {
		return nil, channel.Refused(gateway.FailureAccountRefused, "the account's URL cannot be used")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", h.host.UserAgent)
	req.Header.Set("webhook-id", id)
	req.Header.Set("webhook-timestamp", strconv.FormatInt(now.Unix(), 10))
	req.Header.Set("webhook-signature", signature)
	return req, nil
}

// refusal is what follows from a status that is no success.
func (h *webhook) refusal(resp *http.Response) *gateway.ChannelError {
	status := resp.StatusCode
	switch {
	case status == http.StatusTooManyRequests:
		e := channel.Later(gateway.FailureRateLimited, "the webhook answered 429")
		e.After = channel.RetryAfter(resp.Header, h.host.Now())
		return e
	case status >= 500 || status == http.StatusRequestTimeout || status == http.StatusTooEarly:
		e := channel.Later(gateway.FailureProviderUnavailable, "the webhook answered %d", status)
		e.After = channel.RetryAfter(resp.Header, h.host.Now())
		return e
	case status >= 300 && status < 400:
		return channel.Refused(gateway.FailureProviderRefused, "the webhook answered %d; redirects are not followed", status)
	}
	return channel.Refused(gateway.FailureProviderRefused, "the webhook answered %d", status)
}

// Check looks at the settings only: whether the receiver likes a request shows when it gets one.
func (h *webhook) Check(ctx context.Context) *gateway.ChannelError {
	if err := check(h.set, h.account.Secrets); err != nil {
		return channel.Refused(gateway.FailureAccountRefused, "%s", err)
	}
	_, refusal := h.request(ctx, &gateway.ChannelMessage{ID: "check"}, nil)
	return refusal
}
