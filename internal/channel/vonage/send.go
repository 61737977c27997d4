package vonage

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/chasqui/chasqui/internal/channel"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
)

// account is an account at Vonage.
type account struct {
	channel.Idle
	host    *channel.Host
	account *gateway.ChannelAccount
	set     *VonageSettings
}

const (
	// The provider delivers for 20 seconds to 7 days.
	shortestTTL, longestTTL = 20 * time.Second, 7 * 24 * time.Hour
	// maxCallback is how long the address for receipts may be; a longer one has to stand in the
	// account's settings at the provider.
	maxCallback = 100
)

// answer is what is read of the provider's answer: one message for each part that the text was
// split into.
type answer struct {
	Messages []taken `json:"messages"`
}

type taken struct {
	Status    number `json:"status"`
	MessageID string `json:"message-id"`
	ErrorText string `json:"error-text"`
}

// number is a number that may stand in quotes, as the provider's do.
type number string

// UnmarshalJSON takes the quotes away.
func (n *number) UnmarshalJSON(b []byte) error {
	*n = number(bytes.Trim(b, `"`))
	return nil
}

// Send sends a message. Without a secret that proves the provider's callbacks, or an address for
// them, no receipts are asked for.
func (a *account) Send(ctx context.Context, m *gateway.ChannelMessage, reports bool) (gateway.ChannelSent, *gateway.ChannelError) {
	reports = reports && a.host.PublicURL != "" && a.account.Secrets[secretSignature] != ""
	form, refusal := a.form(m, reports)
	if refusal != nil {
		return gateway.ChannelSent{}, refusal
	}
	a.authenticate(form)
	got, refusal := a.call(ctx, http.MethodPost, "/sms/json", form)
	if refusal != nil {
		return gateway.ChannelSent{}, refusal
	}
	after := channel.RetryAfter(got.Header, a.host.Now())
	var said answer
	err := json.Unmarshal(got.Body, &said)
	switch {
	case (err != nil || len(said.Messages) == 0) && !got.OK():
		return gateway.ChannelSent{}, unanswered(got.Status, after)
	case err != nil || len(said.Messages) == 0:
		return gateway.ChannelSent{}, channel.Unknown("the provider's answer cannot be read")
	}
	return a.took(ctx, m, said.Messages, reports, after)
}

// took is what follows from an answer about a message's parts.
func (a *account) took(ctx context.Context, m *gateway.ChannelMessage, parts []taken, reports bool, after time.Duration) (gateway.ChannelSent, *gateway.ChannelError) {
	var refs []string
	var refused *taken
	for i, p := range parts {
		switch {
		case p.Status == "0" && p.MessageID != "":
			refs = append(refs, p.MessageID)
		case p.Status == "0":
			return gateway.ChannelSent{}, channel.Unknown("the provider took the message, and named no identifier")
		case refused == nil:
			refused = &parts[i]
		}
	}
	sent := gateway.ChannelSent{Ref: strings.Join(refs, ","), Accepted: reports}
	if refused != nil {
		return sent, refusalOf(*refused, len(refs), len(parts), after)
	}
	if !reports || len(refs) == 1 {
		return sent, nil
	}
	// What is lost here is lost for receipts, so the caller's context does not end it.
	err := a.host.Store.Write(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		for i, ref := range refs {
			if err := tx.TakeSegment(store.Segment{Account: a.account.ID, Ref: ref, Message: m.ID, Step: m.Step, Part: i, Parts: len(refs)}, nil); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		a.host.Logger.Error("store the parts of a message", "account", a.account.ID, "message", m.ID, "err", err)
		return sent, channel.Unknown("the provider took the message, and its identifiers could not be stored")
	}
	return sent, nil
}

// form is the request for a message, without what proves the account.
//
// Docs: https://developer.vonage.com/en/api/sms
func (a *account) form(m *gateway.ChannelMessage, reports bool) (url.Values, *gateway.ChannelError) {
	o, refusal := channel.ReadSMSOptions(m.Options)
	if refusal != nil {
		return nil, refusal
	}
	from := a.set.From
	if o.From != "" {
		from = o.From
	}
	form := url.Values{"from": {strings.TrimPrefix(from, "+")}, "to": {m.Address}}
	if !m.ExpiresAt.IsZero() {
		if left := m.ExpiresAt.Sub(a.host.Now()); left < longestTTL {
			form.Set("ttl", strconv.FormatInt(max(left, shortestTTL).Milliseconds(), 10))
		}
	}
	_, refusal = channel.CustomForm(m.Custom, form, "text", "to", "callback", "client-ref", "status-report-req", "api_key", "api_secret", "sig", "timestamp")
	if refusal != nil {
		return nil, refusal
	}
	parts := 1
	if form.Get("type") != "binary" {
		if body := form.Get("body"); body != "" { // the name that every SMS provider takes here
			form.Set("text", body)
			form.Del("body")
		}
		if parts, refusal = a.text(m, o, form); refusal != nil {
			return nil, refusal
		}
	}
	form.Set("status-report-req", strconv.FormatBool(reports))
	if !reports {
		return form, nil
	}
	form.Set("client-ref", reference{m.ID, m.Step, parts}.String())
	if callback := a.host.StatusURL(a.account.ID); len(callback) <= maxCallback {
		form.Set("callback", callback)
	}
	return form, nil
}

// text puts the text into the request, and returns how many parts it should make.
func (a *account) text(m *gateway.ChannelMessage, o channel.SMSOptions, form url.Values) (parts int, refusal *gateway.ChannelError) {
	text := form.Get("text")
	if text == "" {
		text = channel.SMSText(m, channel.NoMedia)
	}
	if text, refusal = channel.SettledText(text, o); refusal != nil {
		return 0, refusal
	}
	text = channel.Cut(text, a.set.MaxCharacters)
	form.Set("text", text)
	if !channel.IsGSM(text) && form.Get("type") == "" {
		form.Set("type", "unicode")
	}
	segments, _ := channel.Segments(text, len(text))
	return len(segments), nil
}

// authenticate adds what proves the account.
func (a *account) authenticate(form url.Values) {
	form.Set("api_key", a.set.APIKey)
	if !a.set.SignRequests {
		form.Set("api_secret", a.account.Secrets[secretAPI].Reveal())
		return
	}
	form.Set("timestamp", strconv.FormatInt(a.host.Now().Unix(), 10))
	params := map[string]string{}
	for name := range form {
		params[name] = form.Get(name)
	}
	form.Set("sig", signature(a.set.SignatureMethod, a.account.Secrets[secretSignature], params))
}

// call makes a request of the account's API. A form says itself who asks.
func (a *account) call(ctx context.Context, method, path string, form url.Values) (channel.Answer, *gateway.ChannelError) {
	return a.host.Call(ctx, method, strings.TrimSuffix(a.set.BaseURL, "/")+path, form, func(r *http.Request) {
		if method != http.MethodPost {
			r.SetBasicAuth(a.set.APIKey, a.account.Secrets[secretAPI].Reveal())
		}
	})
}

// Check asks for the account's balance. An account that only signs has nothing to ask with; its
// settings were checked when they were stored.
//
// Docs: https://developer.vonage.com/en/api/account
func (a *account) Check(ctx context.Context) *gateway.ChannelError {
	if a.account.Secrets[secretAPI] == "" {
		return nil
	}
	got, refusal := a.call(ctx, http.MethodGet, "/account/get-balance", nil)
	if refusal != nil {
		if refusal.Kind == gateway.ChannelUnknown {
			return channel.Later(gateway.FailureProviderUnavailable, "%s", refusal.Failure.Message)
		}
		return refusal
	}
	var balance struct {
		Value *float64 `json:"value"`
	}
	switch {
	case !got.OK():
		return unanswered(got.Status, 0)
	case json.Unmarshal(got.Body, &balance) != nil || balance.Value == nil:
		return channel.Later(gateway.FailureProviderUnavailable, "the provider's answer cannot be read")
	}
	return nil
}

// Sweep reports what receipts said before the answer that they are about, and takes inbound
// messages whose last parts did not come for the whole.
func (a *account) Sweep(ctx context.Context) error {
	if err := a.host.SettleOpen(ctx, a.account); err != nil {
		return err
	}
	return a.host.GatherStale(ctx, a.account.ID, func(ctx context.Context, parts []store.Fragment) error {
		return join(ctx, a.host, a.account, parts)
	})
}
