package twilio

import (
	"net/http"

	"github.com/chasqui/chasqui/internal/channel"
	"github.com/chasqui/chasqui/internal/gateway"
)

// meaning says what the provider's codes mean here. Those that are not named are refusals of the message.
//
// Docs: https://www.twilio.com/docs/api/errors
func meaning(code int) (kind gateway.ChannelErrorKind, failure gateway.FailureCode) {
	switch code {
	case 20003, 20005, 20006, 20008, 20404, 21603, 21606, 21608, 21659, 21660, 21661, 21703, 21704, 30002, 30010, 30034:
		return gateway.ChannelRefused, gateway.FailureAccountRefused // credentials, sender, permission, or credit
	case 20429, 14107, 30001, 30022, 63018:
		return gateway.ChannelRetry, gateway.FailureRateLimited
	case 20500, 20503, 30008, 30017, 30500:
		return gateway.ChannelRetry, gateway.FailureProviderUnavailable
	case 21211, 21214, 21217, 21401, 21407, 21421, 21604, 21612, 21614, 21635, 30005, 30006, 63003:
		return gateway.ChannelRefused, gateway.FailureAddressInvalid
	case 21408, 30003, 30024:
		return gateway.ChannelRefused, gateway.FailureUnreachable
	case 21610, 30004:
		return gateway.ChannelRefused, gateway.FailureOptedOut // 30004: blocked by the person or the carrier
	case 21602, 21617, 21619, 21620, 21623, 12300, 30011, 30019:
		return gateway.ChannelRefused, gateway.FailureInvalidContent
	case 30007, 30033, 30035, 63033:
		return gateway.ChannelRefused, gateway.FailureContentRefused
	case 30036:
		return gateway.ChannelRefused, gateway.FailureExpired
	}
	return gateway.ChannelRefused, gateway.FailureProviderRefused
}

// failureOf is why a message came to nothing, in the provider's words where it has some.
func failureOf(code int, words string) gateway.Failure {
	_, failure := meaning(code)
	if words == "" {
		words = "the provider could not deliver the message"
	}
	return gateway.Failure{Code: failure, Message: channel.Clipped(words), PlatformCode: code}
}

// refusalOf is what follows from an answer that is no success: the code decides where it is known, the status where not.
func refusalOf(status int, answer answered) *gateway.ChannelError {
	kind, code := meaning(answer.Code)
	switch {
	case status == http.StatusTooManyRequests:
		kind, code = gateway.ChannelRetry, gateway.FailureRateLimited
	case status >= 500 || status == http.StatusRequestTimeout:
		kind, code = gateway.ChannelRetry, gateway.FailureProviderUnavailable
	case status >= 300 && status < 400:
		kind, code = gateway.ChannelRefused, gateway.FailureAccountRefused // redirects are not followed
	case (status == http.StatusUnauthorized || status == http.StatusForbidden) && code == gateway.FailureProviderRefused:
		code = gateway.FailureAccountRefused
	}
	words := answer.Message
	if words == "" {
		words = "the provider answered " + http.StatusText(status)
	}
	return &gateway.ChannelError{Kind: kind, Failure: gateway.Failure{Code: code, Message: channel.Clipped(words), PlatformCode: answer.Code}}
}
