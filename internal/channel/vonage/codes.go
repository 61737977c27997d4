package vonage

import (
	"net/http"
	"strconv"
	"time"

	"github.com/chasqui/chasqui/internal/channel"
	"github.com/chasqui/chasqui/internal/gateway"
)

// meaning says what the status of a message in an answer means here. Those that are not named are
// refusals of the message.
//
// Docs: https://developer.vonage.com/en/api-errors/sms
func meaning(status int) (gateway.ChannelErrorKind, gateway.FailureCode) {
	switch status {
	case 1, 10: // throttled, too many binds
		return gateway.ChannelRetry, gateway.FailureRateLimited
	case 5: // internal error
		return gateway.ChannelRetry, gateway.FailureProviderUnavailable
	case 4, 8, 9, 11, 14, 15, 23, 29, 32: // credentials, account, credit, signature, sender, callback, trial account
		return gateway.ChannelRefused, gateway.FailureAccountRefused
	case 2, 3, 12, 22: // parameters, length, network code
		return gateway.ChannelRefused, gateway.FailureInvalidContent
	case 6, 33: // a prefix that is not known, a number that is given up
		return gateway.ChannelRefused, gateway.FailureAddressInvalid
	case 7: // barred
		return gateway.ChannelRefused, gateway.FailureUnreachable
	}
	return gateway.ChannelRefused, gateway.FailureProviderRefused
}

// refusalOf is what follows from a message that was not taken. How many of its parts were says
// taken: a message of which some were goes to nobody twice, so it is never tried again.
func refusalOf(m taken, accepted, parts int, after time.Duration) *gateway.ChannelError {
	status, _ := strconv.Atoi(string(m.Status)) // what is no number is a code that is not known
	kind, code := meaning(status)
	words := m.ErrorText
	if words == "" {
		words = "the provider answered status " + string(m.Status)
	}
	if accepted > 0 {
		kind, words, after = gateway.ChannelRefused, "the provider took "+strconv.Itoa(accepted)+" of "+strconv.Itoa(parts)+" parts only: "+words, 0
	}
	e := &gateway.ChannelError{Kind: kind, Failure: gateway.Failure{Code: code, Message: channel.Clipped(words), PlatformCode: status}}
	if kind == gateway.ChannelRetry {
		e.After = max(after, time.Second)
	}
	return e
}

// unanswered is what follows from an answer that is no success and names no message.
func unanswered(status int, after time.Duration) *gateway.ChannelError {
	kind, code := gateway.ChannelRefused, gateway.FailureProviderRefused
	switch {
	case status == http.StatusTooManyRequests:
		kind, code = gateway.ChannelRetry, gateway.FailureRateLimited
	case status >= 500 || status == http.StatusRequestTimeout:
		kind, code = gateway.ChannelRetry, gateway.FailureProviderUnavailable
	case status >= 300 && status < 400, status == http.StatusUnauthorized, status == http.StatusForbidden: // redirects are not followed
		code = gateway.FailureAccountRefused
	}
	e := &gateway.ChannelError{Kind: kind, Failure: gateway.Failure{Code: code, Message: "the provider answered " + strconv.Itoa(status) + " " + http.StatusText(status)}}
	if kind == gateway.ChannelRetry {
		e.After = after
	}
	return e
}

// failureOf is why a delivery receipt says that a message came to nothing.
//
// Docs: https://developer.vonage.com/en/messaging/sms/guides/delivery-receipts
func failureOf(status, errCode string) *gateway.Failure {
	n, _ := strconv.Atoi(errCode) // without one the failure is a general one
	code, words := gateway.FailureProviderRefused, "the message was not delivered"
	switch n {
	case 2, 5, 7, 8, 11, 13:
		code, words = gateway.FailureUnreachable, "the phone was not reached"
	case 3, 12:
		code, words = gateway.FailureAddressInvalid, "the number is not in use or has no route"
	case 4, 9, 14, 53:
		code, words = gateway.FailureOptedOut, "the person or the carrier bars such messages"
	case 6, 50, 51, 52, 54:
		code, words = gateway.FailureContentRefused, "the message was filtered"
	case 10:
		code, words = gateway.FailureInvalidContent, "the message has a parameter that is wrong"
	}
	if status == "expired" && code == gateway.FailureProviderRefused {
		code, words = gateway.FailureUnreachable, "the phone was not reached in time"
	}
	return &gateway.Failure{Code: code, Message: words + " (" + status + ", error code " + strconv.Itoa(n) + ")", PlatformCode: n}
}
