package channel

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
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/guard"
)

const maxDoorBody = 256 << 10

// Register puts the doors on a mux by which providers come in: /channels/{id}/status and /inbound in Twilio's shape, /channels/{id}/statuses/{message}.{step} for webhooks
// of the business's own.
func (m *Manager) Register(mux *http.ServeMux) {
	mux.HandleFunc("POST /channels/{id}/status", m.twilioStatus)
	mux.HandleFunc("POST /channels/{id}/inbound", m.twilioInbound)
	mux.HandleFunc("POST /channels/{id}/statuses/{ref}", m.webhookStatus)
}

// Why a provider's request is refused.
const (
	noAccount    = "unknown_account"
	badForm      = "not_a_form"
	badSignature = "bad_account_signature"
	disabled     = "disabled_account"
)

// forbid answers whoever cannot prove who they are; it says nothing of whether there is such an account.
func (m *Manager) forbid(w http.ResponseWriter, r *http.Request, why string) {
	m.noise.Refused(why, "path", r.URL.Path, "from", guard.Client(r))
	if m.o.Refused != nil {
		m.o.Refused(why)
	}
	http.Error(w, "forbidden", http.StatusForbidden)
}

// failed answers that what a provider brought could not be stored, so that it comes again.
func (m *Manager) failed(w http.ResponseWriter, account string, err error) {
	m.o.Logger.Error("store what a provider brought", "account", account, "err", err)
	http.Error(w, "try again", http.StatusServiceUnavailable)
}

// body reads a request's body; false when it was answered already.
func (m *Manager) body(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	body, err := guard.ReadBody(w, r, maxDoorBody)
	if gateway.CodeOf(err) == gateway.CodeOverloaded {
		w.Header().Set("Retry-After", "1")
		http.Error(w, "try again", http.StatusServiceUnavailable)
		return nil, false
	}
	if err != nil {
		http.Error(w, "the body is too large or broken", http.StatusBadRequest)
		return nil, false
	}
	return body, true
}

// twilioForm checks the signature of a callback and answers its account and its form; false when it was answered already.
func (m *Manager) twilioForm(w http.ResponseWriter, r *http.Request) (*gateway.ChannelAccount, url.Values, bool) {
	e := m.current.Load().byID[r.PathValue("id")]
	if e == nil || e.account.Provider != gateway.ProviderTwilio {
		m.forbid(w, r, noAccount)
		return nil, nil, false
	}
	if r.Header.Get("X-Twilio-Signature") == "" {
		m.forbid(w, r, badSignature)
		return nil, nil, false
	}
	body, ok := m.body(w, r)
	if !ok {
		return nil, nil, false
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		m.forbid(w, r, badForm)
		return nil, nil, false
	}
	want := twilioSignature(e.account.Secrets[gateway.SecretAuthToken], m.publicURL(r), form)
	if subtle.ConstantTimeCompare([]byte(want), []byte(r.Header.Get("X-Twilio-Signature"))) != 1 {
		m.forbid(w, r, badSignature)
		return nil, nil, false
	}
	return e.account, form, true
}

// publicURL is the address that the provider called, as it knows it: behind a proxy it differs from what arrives here.
func (m *Manager) publicURL(r *http.Request) string {
	address := strings.TrimSuffix(m.o.PublicURL, "/") + r.URL.EscapedPath()
	if r.URL.RawQuery != "" {
		address += "?" + r.URL.RawQuery
	}
	return address
}

// twilioSignature is the base64 of the HMAC-SHA1 of the address followed by the form's names and values, sorted by name.
//
// Docs: https://www.twilio.com/docs/usage/security#validating-requests
func twilioSignature(token gateway.Secret, address string, form url.Values) string {
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

// twilioStatus takes what a provider reports of a message.
//
// Docs: https://www.twilio.com/docs/messaging/guides/track-outbound-message-status
func (m *Manager) twilioStatus(w http.ResponseWriter, r *http.Request) {
	account, form, ok := m.twilioForm(w, r)
	if !ok {
		return
	}
	query := r.URL.Query()
	step, err := strconv.Atoi(query.Get("step"))
	if err != nil || step < 0 || query.Get("message") == "" {
		http.Error(w, "the address names no step of a message", http.StatusBadRequest)
		return
	}
	report := gateway.ChannelReport{Account: account.ID, By: account, Ref: first(form, "MessageSid", "SmsSid"), MessageID: query.Get("message"), Step: step}
	switch first(form, "MessageStatus", "SmsStatus") {
	case "sent":
		report.Status = gateway.StatusSent
	case "delivered":
		report.Status = gateway.StatusDelivered
	case "read":
		report.Status = gateway.StatusRead
	case "failed", "undelivered", "canceled":
		code, _ := strconv.Atoi(form.Get("ErrorCode")) // without one the failure is a general one
		failure := twilioFailure(code, form.Get("ErrorMessage"))
		report.Status, report.Failure = gateway.StatusFailed, &failure
	default: // accepted, queued, sending: nothing new
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if err := m.report(r.Context(), report); err != nil {
		m.failed(w, account.ID, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func first(form url.Values, names ...string) string {
	for _, name := range names {
		if v := form.Get(name); v != "" {
			return v
		}
	}
	return ""
}

// twilioInbound takes a message that a person sent.
//
// Docs: https://www.twilio.com/docs/messaging/guides/webhook-request
func (m *Manager) twilioInbound(w http.ResponseWriter, r *http.Request) {
	account, form, ok := m.twilioForm(w, r)
	if !ok {
		return
	}
	if account.State != gateway.AccountActive {
		m.forbid(w, r, disabled)
		return
	}
	from, ok := gateway.NormalAddress(gateway.ChannelSMS, form.Get("From"))
	ref := first(form, "MessageSid", "SmsMessageSid", "SmsSid")
	if !ok || ref == "" {
		http.Error(w, "From or MessageSid is missing", http.StatusBadRequest)
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
		m.failed(w, account.ID, err)
		return
	}
	in := gateway.ChannelInbound{
		Account: account.ID, Channel: gateway.ChannelSMS, Application: account.Application, From: from, To: strings.TrimPrefix(form.Get("To"), "+"),
		Text: form.Get("Body"), Ref: ref, At: m.o.Now().UTC(), Raw: encoded,
	}
	files, _ := strconv.Atoi(form.Get("NumMedia")) // none when it is missing
	for i := range min(files, maxMediaURLs) {
		if address := form.Get("MediaUrl" + strconv.Itoa(i)); address != "" {
			in.Parts = append(in.Parts, gateway.PartInput{Type: form.Get("MediaContentType" + strconv.Itoa(i)), URL: address})
		}
	}
	if err := m.receiver.Inbound(r.Context(), in); err != nil {
		m.failed(w, account.ID, err)
		return
	}
	w.Header().Set("Content-Type", "text/xml")
	io.WriteString(w, "<Response/>")
}

// statusBody is what a webhook of the business's own reports.
type statusBody struct {
	Status  gateway.Status `json:"status"`
	Failure *struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"failure"`
	At  time.Time `json:"at"`
	Ref string    `json:"ref"`
}

// webhookStatus takes what a webhook of the business's own reports of a step of a message. The request is signed as ours to it are, with the same secret.
//
// Docs: https://www.standardwebhooks.com
func (m *Manager) webhookStatus(w http.ResponseWriter, r *http.Request) {
	e := m.current.Load().byID[r.PathValue("id")]
	if e == nil || e.account.Provider != gateway.ProviderWebhook {
		m.forbid(w, r, noAccount)
		return
	}
	if r.Header.Get("Webhook-Signature") == "" {
		m.forbid(w, r, badSignature)
		return
	}
	body, ok := m.body(w, r)
	if !ok {
		return
	}
	if err := verifyWebhook(e.account.Secrets[gateway.SecretSigning], r.Header, body); err != nil {
		m.forbid(w, r, badSignature)
		return
	}
	message, number, _ := cutLast(r.PathValue("ref"))
	step, err := strconv.Atoi(number)
	if err != nil || step < 0 || message == "" {
		http.Error(w, "the address names no step of a message", http.StatusNotFound)
		return
	}
	var in statusBody
	if err := json.Unmarshal(body, &in); err != nil {
		http.Error(w, "the body is not JSON of the expected form", http.StatusBadRequest)
		return
	}
	report := gateway.ChannelReport{Account: e.account.ID, By: e.account, Ref: in.Ref, MessageID: message, Step: step, Status: in.Status, At: in.At}
	switch in.Status {
	case gateway.StatusSent, gateway.StatusDelivered, gateway.StatusRead:
	case gateway.StatusFailed:
		failure := gateway.Failure{Code: gateway.FailureProviderRefused, Message: "the webhook reported that the message failed"}
		if in.Failure != nil && in.Failure.Message != "" {
			failure.Message = clipped(in.Failure.Message)
		}
		if in.Failure != nil && slices.ContainsFunc(gateway.FailureTable(), func(f gateway.FailureInfo) bool { return string(f.Code) == in.Failure.Code }) {
			failure.Code = gateway.FailureCode(in.Failure.Code)
		}
		report.Failure = &failure
	default:
		http.Error(w, "status must be sent, delivered, read or failed", http.StatusBadRequest)
		return
	}
	if err := m.report(r.Context(), report); err != nil {
		m.failed(w, e.account.ID, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// cutLast takes apart at the last full stop.
func cutLast(s string) (before, after string, found bool) {
	i := strings.LastIndexByte(s, '.')
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}
