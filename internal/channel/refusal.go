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

func refused(code gateway.FailureCode, format string, args ...any) *gateway.ChannelError {
	return &gateway.ChannelError{Kind: gateway.ChannelRefused, Failure: gateway.Failure{Code: code, Message: fmt.Sprintf(format, args...)}}
}

func later(code gateway.FailureCode, format string, args ...any) *gateway.ChannelError {
	return &gateway.ChannelError{Kind: gateway.ChannelRetry, Failure: gateway.Failure{Code: code, Message: fmt.Sprintf(format, args...)}}
}

func unknown(format string, args ...any) *gateway.ChannelError {
	return &gateway.ChannelError{Kind: gateway.ChannelUnknown, Failure: gateway.Failure{Code: gateway.FailureUnknownOutcome, Message: fmt.Sprintf(format, args...)}}
}

// dialTimeout bounds the making of a connection.
const dialTimeout = 10 * time.Second

// newHTTP makes the client of providers. Connections are kept shortly, for one that the provider closes while a request goes out leaves its outcome unknown.
func newHTTP(o Options) *http.Client {
	return o.Reach.Client(reach.Client{Timeout: requestTimeout, Dial: dialTimeout, PerHost: 64, Idle: 15 * time.Second})
}

// private tells whether an address was not dialled because it is private or reserved.
func private(err error) bool { return errors.Is(err, reach.ErrRefused) }

// plain says what went wrong with a connection or a request, without its URL, which may hold a credential.
func plain(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	var n net.Error
	switch {
	case private(err):
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

// unreached is the refusal for a provider that got nothing of a message.
func unreached(err error) *gateway.ChannelError {
	if private(err) {
		return refused(gateway.FailureRefusedAddress, "%s", plain(err))
	}
	return later(gateway.FailureProviderUnavailable, "the provider cannot be reached: %s", plain(err))
}

// retryAfter reads the header Retry-After: seconds, or a date; at most an hour.
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if seconds, err := strconv.Atoi(text); err == nil && seconds > 0 {
		return min(time.Duration(seconds)*time.Second, time.Hour)
	}
	if at, err := http.ParseTime(text); err == nil && at.After(now) {
		return min(at.Sub(now), time.Hour)
	}
	return 0
}

// clipped is a provider's own words, short enough for a log and without line breaks.
func clipped(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > 300 {
		text = strings.ToValidUTF8(text[:300], "") + "…"
	}
	return text
}
