package channel

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/reach"
)

// requestTimeout bounds one request over HTTP, 15 s as for forwarded events.
const requestTimeout = 15 * time.Second

// Refused is a provider's refusal of a message for good.
func Refused(code gateway.FailureCode, format string, args ...any) *gateway.ChannelError {
	return &gateway.ChannelError{Kind: gateway.ChannelRefused, Failure: gateway.Failure{Code: code, Message: fmt.Sprintf(format, args...)}}
}

// Later is a refusal of a message that may be tried again.
func Later(code gateway.FailureCode, format string, args ...any) *gateway.ChannelError {
	return &gateway.ChannelError{Kind: gateway.ChannelRetry, Failure: gateway.Failure{Code: code, Message: fmt.Sprintf(format, args...)}}
}

// Unknown says that the answer to a message was lost: it may have been taken.
func Unknown(format string, args ...any) *gateway.ChannelError {
	return &gateway.ChannelError{Kind: gateway.ChannelUnknown, Failure: gateway.Failure{Code: gateway.FailureUnknownOutcome, Message: fmt.Sprintf(format, args...)}}
}

// DialTimeout bounds the making of a connection.
const DialTimeout = 10 * time.Second

// newHTTP makes the client of providers. Connections are kept shortly, for one that the provider closes while a request goes out leaves its outcome unknown.
func newHTTP(allowed *reach.Allowed) *http.Client {
	return allowed.Client(reach.Client{Timeout: requestTimeout, Dial: DialTimeout, PerHost: 64, Idle: 15 * time.Second})
}

// Private reports whether an address was not dialled because it is private or reserved.
func Private(err error) bool { return errors.Is(err, reach.ErrRefused) }

// Plain says what went wrong with a connection or a request, without its URL, which may hold a credential.
func Plain(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	var n net.Error
	switch {
	case Private(err):
		return "the address is private or reserved, and such are not allowed"
	case errors.As(err, &n) && n.Timeout():
		return "no answer in time"
	}
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Op + ": " + op.Err.Error()
	}
	return err.Error()
}

// Unreached is the refusal for a provider that got nothing of a message.
func Unreached(err error) *gateway.ChannelError {
	if Private(err) {
		return Refused(gateway.FailureRefusedAddress, "%s", Plain(err))
	}
	return Later(gateway.FailureProviderUnavailable, "the provider cannot be reached: %s", Plain(err))
}

// RetryAfter reads the header Retry-After: seconds, or a date; at most an hour.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if seconds, err := strconv.Atoi(text); err == nil && seconds > 0 {
		return min(time.Duration(seconds)*time.Second, time.Hour)
	}
	if at, err := http.ParseTime(text); err == nil && at.After(now) {
		return min(at.Sub(now), time.Hour)
	}
	return 0
}

// Clipped is a provider's own words, short enough for a log and without line breaks.
func Clipped(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > 300 {
		text = strings.ToValidUTF8(text[:300], "") + "…"
	}
	return text
}
