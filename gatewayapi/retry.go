package gatewayapi

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"time"
)

// Pauses between the tries of a call: the first, which doubles with each, and the longest, for
// which Retry-After is followed too.
const (
	firstPause   = 200 * time.Millisecond
	longestPause = 30 * time.Second
)

// repeatable reports whether a call may be made again after an error.
func (k *call) repeatable(e *Error) bool {
	var dial *net.OpError
	switch {
	case e.Status == http.StatusTooManyRequests, errors.As(e.cause, &dial) && dial.Op == "dial":
		return true // nothing was done
	case e.Code == CodeNoAnswer:
	case e.Status != http.StatusBadGateway && e.Status != http.StatusServiceUnavailable && e.Status != http.StatusGatewayTimeout:
		return false
	}
	return k.safe || k.method == http.MethodGet || k.method == http.MethodPut || k.method == http.MethodDelete && k.into == nil
}

// pause waits before another try; false when there is to be none.
func pause(ctx context.Context, try int, asked time.Duration) bool {
	wait := min(firstPause<<min(try, 10), longestPause)
	wait = wait/2 + rand.N(wait/2)
	wait = max(wait, asked)
	if deadline, ok := ctx.Deadline(); wait > longestPause || ok && time.Until(deadline) < wait {
		return false
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
