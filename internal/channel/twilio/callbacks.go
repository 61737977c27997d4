package twilio

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/channel"
	"github.com/chasqui/chasqui/internal/gateway"
)

// signed checks the signature of a callback and returns its form; false when it was answered
// already.
func signed(q *channel.Request) (url.Values, bool) {
	if q.Header.Get("X-Twilio-Signature") == "" {
		q.Forbid(channel.BadSignature)
		return nil, false
	}
	body, ok := q.Body()
	if !ok {
		return nil, false
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		q.Forbid(channel.BadForm)
		return nil, false
	}
	want := signature(q.Account.Secrets[secretAuthToken], q.PublicURL(), form)
	if subtle.ConstantTimeCompare([]byte(want), []byte(q.Header.Get("X-Twilio-Signature"))) != 1 {
		q.Forbid(channel.BadSignature)
		return nil, false
	}
	return form, true
}

// signature is the base64 of the HMAC-SHA1 of the address followed by the form's names and values,
// sorted by name.
//
// Docs: https://www.twilio.com/docs/usage/security#validating-requests
func signature(token gateway.Secret, address string, form url.Values) string {
	mac := hmac.New(sha1.New, []byte(token.Reveal()))
	io.WriteString(mac, address)
	for _, name := range slices.Sorted(maps.Keys(form)) {
		values := slices.Clone(form[name])
		slices.Sort(values)
		for _, v := range slices.Compact(values) {
			io.WriteString(mac, name+v)
		}
	}
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// status takes what a provider reports of a message.
//
// Docs: https://www.twilio.com/docs/messaging/guides/track-outbound-message-status
func status(q *channel.Request, _ *gatewayapi.TwilioSettings) {
	form, ok := signed(q)
	if !ok {
		return
	}
	query := q.URL.Query()
	step, err := strconv.Atoi(query.Get("step"))
	if err != nil || step < 0 || query.Get("message") == "" {
		http.Error(q.W, "the address names no step of a message", http.StatusBadRequest)
		return
	}
	report := gateway.ChannelReport{Account: q.Account.ID, By: q.Account, Ref: channel.First(form, "MessageSid", "SmsSid"), MessageID: query.Get("message"), Step: step}
	switch channel.First(form, "MessageStatus", "SmsStatus") {
	case "sent":
		report.Status = gateway.StatusSent
	case "delivered":
		report.Status = gateway.StatusDelivered
	case "read":
		report.Status = gateway.StatusRead
	case "failed", "undelivered", "canceled":
		code, _ := strconv.Atoi(form.Get("ErrorCode")) // without one the failure is a general one
		failure := failureOf(code, form.Get("ErrorMessage"))
		report.Status, report.Failure = gateway.StatusFailed, &failure
	default: // accepted, queued, sending: nothing new
		q.W.WriteHeader(http.StatusNoContent)
		return
	}
	if err := q.Host.Report(q.Context(), report); err != nil {
		q.Failed(err)
		return
	}
	q.W.WriteHeader(http.StatusNoContent)
}

// inbound takes a message that a person sent.
//
// Docs: https://www.twilio.com/docs/messaging/guides/webhook-request
func inbound(q *channel.Request, _ *gatewayapi.TwilioSettings) {
	form, ok := signed(q)
	if !ok {
		return
	}
	if q.Account.State != gateway.AccountActive {
		q.Forbid(channel.Disabled)
		return
	}
	from, ok := gateway.NormalAddress(gateway.ChannelSMS, form.Get("From"))
	ref := channel.First(form, "MessageSid", "SmsMessageSid", "SmsSid")
	if !ok || ref == "" {
		http.Error(q.W, "From or MessageSid is missing", http.StatusBadRequest)
		return
	}
	raw := map[string]string{}
	for name := range form {
		if name != "AccountSid" {
			raw[name] = form.Get(name)
		}
	}
	encoded, err := json.Marshal(raw)
	if err != nil {
		q.Failed(err)
		return
	}
	in := gateway.ChannelInbound{
		Account: q.Account.ID, Channel: gateway.ChannelSMS, Application: q.Account.Application, From: from, To: strings.TrimPrefix(form.Get("To"), "+"),
		Text: form.Get("Body"), Ref: ref, At: q.Host.Now().UTC(), Raw: encoded,
	}
	files, _ := strconv.Atoi(form.Get("NumMedia")) // none when it is missing
	for i := range min(files, maxMediaURLs) {
		if address := form.Get("MediaUrl" + strconv.Itoa(i)); address != "" {
			in.Parts = append(in.Parts, gateway.PartInput{Type: form.Get("MediaContentType" + strconv.Itoa(i)), URL: address})
		}
	}
	if err := q.Host.Inbound(q.Context(), in); err != nil {
		q.Failed(err)
		return
	}
	q.W.Header().Set("Content-Type", "text/xml")
	io.WriteString(q.W, "<Response/>")
}
