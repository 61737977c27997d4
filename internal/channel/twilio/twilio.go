package twilio

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/channel"
	"github.com/chasqui/chasqui/internal/gateway"
)

// twilio is an account at a provider with Twilio's REST API, or one of its shape.
//
// Docs: https://www.twilio.com/docs/messaging/api/message-resource
type twilio struct {
	channel.Idle
	host    *channel.Host
	account *gateway.ChannelAccount
	set     *gatewayapi.TwilioSettings
}

const maxMediaURLs = 10

// answered is what is read of a provider's answer, a message or an error.
type answered struct {
	SID          string `json:"sid"`
	Status       any    `json:"status"` // a word in a message, the HTTP status in an error
	ErrorCode    *int   `json:"error_code"`
	ErrorMessage string `json:"error_message"`
	Code         int    `json:"code"`
	Message      string `json:"message"`
}

// Send makes a message at the provider.
func (t *twilio) Send(ctx context.Context, m *gateway.ChannelMessage, reports bool) (gateway.ChannelSent, *gateway.ChannelError) {
	reports = reports && t.host.PublicURL != "" // without, nobody could report
	form, refusal := t.form(m, reports)
	if refusal != nil {
		return gateway.ChannelSent{}, refusal
	}
	got, refusal := t.call(ctx, http.MethodPost, "/Messages.json", form)
	if refusal != nil {
		return gateway.ChannelSent{}, refusal
	}
	var answer answered
	err := json.Unmarshal(got.Body, &answer)
	if !got.OK() {
		refusal := refusalOf(got.Status, answer)
		if refusal.Kind == gateway.ChannelRetry {
			refusal.After = channel.RetryAfter(got.Header, t.host.Now())
		}
		return gateway.ChannelSent{}, refusal
	}
	if err != nil {
		return gateway.ChannelSent{}, channel.Unknown("the provider's answer cannot be read")
	}
	sent := gateway.ChannelSent{Ref: answer.SID}
	switch answer.Status {
	case "failed", "undelivered", "canceled":
		code := 0
		if answer.ErrorCode != nil {
			code = *answer.ErrorCode
		}
		failure := failureOf(code, answer.ErrorMessage)
		return sent, &gateway.ChannelError{Kind: gateway.ChannelRefused, Failure: failure}
	case "sent", "delivered", "read":
	default:
		sent.Accepted = reports
	}
	return sent, nil
}

// form is the request for a message.
func (t *twilio) form(m *gateway.ChannelMessage, reports bool) (url.Values, *gateway.ChannelError) {
	s := t.set
	o, refusal := channel.ReadSMSOptions(m.Options)
	if refusal != nil {
		return nil, refusal
	}
	form := url.Values{"To": {"+" + m.Address}}
	switch {
	case o.From != "":
		form.Set("From", o.From)
	case s.MessagingServiceSID != "":
		form.Set("MessagingServiceSid", s.MessagingServiceSID)
	default:
		form.Set("From", s.From)
	}
	media := func(p gateway.PartInput) bool {
		kind, _, _ := strings.Cut(p.Type, "/")
		return !s.MediaAsLinks && p.URL != "" && kind != "text" && len(form["MediaUrl"]) < maxMediaURLs
	}
	text := channel.SMSText(m, func(p gateway.PartInput) bool {
		if !media(p) {
			return false
		}
		form.Add("MediaUrl", p.URL)
		return true
	})
	custom, refusal := channel.CustomForm(m.Custom, form, "Body", "To", "StatusCallback")
	if refusal != nil {
		return nil, refusal
	}
	if body := form.Get("body"); body != "" { // the name that every SMS provider takes here
		form.Set("Body", body)
		form.Del("body")
	}
	switch text, refusal = channel.SettledText(text, o); {
	case refusal == nil:
		if form.Get("Body") == "" {
			form.Set("Body", channel.Cut(text, s.MaxCharacters))
		}
	case len(form["MediaUrl"]) == 0 && !custom: // a picture may go without text
		return nil, refusal
	}
	if !m.ExpiresAt.IsZero() {
		// The provider takes 1 to 36,000 seconds.
		left := int(m.ExpiresAt.Sub(t.host.Now()).Seconds())
		if left < 36000 {
			form.Set("ValidityPeriod", strconv.Itoa(max(1, left)))
		}
	}
	if reports {
		query := url.Values{"message": {m.ID}, "step": {strconv.Itoa(m.Step)}}
		form.Set("StatusCallback", t.host.StatusURL(t.account.ID)+"?"+query.Encode())
	}
	return form, nil
}

// call makes a request of the account's API.
func (t *twilio) call(ctx context.Context, method, path string, form url.Values) (channel.Answer, *gateway.ChannelError) {
	user, password := t.set.AccountSID, t.account.Secrets[secretAuthToken]
	if t.set.APIKeySID != "" {
		user, password = t.set.APIKeySID, t.account.Secrets[secretAPIKeySecret]
	}
	target := strings.TrimSuffix(t.set.BaseURL, "/") + "/2010-04-01/Accounts/" + url.PathEscape(t.set.AccountSID) + path
	return t.host.Call(ctx, method, target, form, func(r *http.Request) { r.SetBasicAuth(user, password.Reveal()) })
}

// Check reads the account.
func (t *twilio) Check(ctx context.Context) *gateway.ChannelError {
	got, refusal := t.call(ctx, http.MethodGet, ".json", nil)
	if refusal != nil {
		if refusal.Kind == gateway.ChannelUnknown {
			return channel.Later(gateway.FailureProviderUnavailable, "%s", refusal.Failure.Message)
		}
		return refusal
	}
	var answer answered
	err := json.Unmarshal(got.Body, &answer)
	switch {
	case !got.OK():
		return refusalOf(got.Status, answer)
	case err != nil:
		return channel.Later(gateway.FailureProviderUnavailable, "the provider's answer cannot be read")
	case answer.Status == "suspended" || answer.Status == "closed":
		return channel.Refused(gateway.FailureAccountRefused, "the account is %s", answer.Status)
	}
	return nil
}
