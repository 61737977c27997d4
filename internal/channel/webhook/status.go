package webhook

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/channel"
	"github.com/chasqui/chasqui/internal/gateway"
)

// statusesPath is the path to which a webhook reports on one step of a message.
func statusesPath(account, message string, step int) string {
	return "/channels/" + account + "/statuses/" + message + "." + strconv.Itoa(step)
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

// takeStatus takes what a webhook of the business's own reports of a step of a message. The request
// is signed as ours to it are, with the same secret.
//
// Docs: https://www.standardwebhooks.com
func takeStatus(q *channel.Request, _ *gatewayapi.WebhookSettings) {
	if q.Header.Get("Webhook-Signature") == "" {
		q.Forbid(channel.BadSignature)
		return
	}
	body, ok := q.Body()
	if !ok {
		return
	}
	if err := verify(q.Account.Secrets[secretSigning], q.Header, body); err != nil {
		q.Forbid(channel.BadSignature)
		return
	}
	message, number, _ := cutLast(q.PathValue("ref"))
	step, err := strconv.Atoi(number)
	if err != nil || step < 0 || message == "" {
		http.Error(q.W, "the address names no step of a message", http.StatusNotFound)
		return
	}
	var in statusBody
	if err := json.Unmarshal(body, &in); err != nil {
		http.Error(q.W, "the body is not JSON of the expected form", http.StatusBadRequest)
		return
	}
	report := gateway.ChannelReport{Account: q.Account.ID, By: q.Account, Ref: in.Ref, MessageID: message, Step: step, Status: in.Status, At: in.At}
	switch in.Status {
	case gateway.StatusSent, gateway.StatusDelivered, gateway.StatusRead:
	case gateway.StatusFailed:
		failure := gateway.Failure{Code: gateway.FailureProviderRefused, Message: "the webhook reported that the message failed"}
		if in.Failure != nil && in.Failure.Message != "" {
			failure.Message = channel.Clipped(in.Failure.Message)
		}
		if in.Failure != nil && slices.ContainsFunc(gateway.FailureTable(), func(f gateway.FailureInfo) bool { return string(f.Code) == in.Failure.Code }) {
			failure.Code = gateway.FailureCode(in.Failure.Code)
		}
		report.Failure = &failure
	default:
		http.Error(q.W, "status must be sent, delivered, read or failed", http.StatusBadRequest)
		return
	}
	if err := q.Host.Report(q.Context(), report); err != nil {
		q.Failed(err)
		return
	}
	q.W.WriteHeader(http.StatusNoContent)
}

// cutLast takes apart at the last full stop.
func cutLast(s string) (before, after string, found bool) {
	i := strings.LastIndexByte(s, '.')
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

// verify says whether a request was signed by the Standard Webhooks scheme, within five minutes.
func verify(secret gateway.Secret, header http.Header, body []byte) error {
	hook, err := standardwebhooks.NewWebhook(secret.Reveal())
	if err != nil {
		return errors.New("the account's signing secret cannot be used")
	}
	if len(header.Get("webhook-signature")) > 4096 {
		return errors.New("the signature is wrong")
	}
	if hook.Verify(body, header) != nil {
		return errors.New("the signature is wrong or not of this moment")
	}
	return nil
}
