package messenger

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// DefaultTimeout is how long a call may take whose context has no deadline.
const DefaultTimeout = 30 * time.Second

// uploadTimeouts is how many times longer the upload of a file may take.
const uploadTimeouts = 10

var errTimeout = fmt.Errorf("the call took longer than the client's timeout: %w", context.DeadlineExceeded)

// WithTimeout limits how long a call may take whose context has no deadline:
// [DefaultTimeout] unless set, ten times that for files, 0 for no limit.
func WithTimeout(d time.Duration) Option {
	return func(c *Client) error {
		if d < 0 {
			return errors.New("timeout is negative")
		}
		c.timeout = d
		return nil
	}
}

// WithLogger has each call logged at debug level with method, path, status and
// duration. Neither token, secret and proof nor bodies are logged; paths hold ids
// of people.
func WithLogger(l *slog.Logger) Option {
	return func(c *Client) error { c.logger = l; return nil }
}

// RequestInfo is what a request hook receives. It has no token, secret or proof.
type RequestInfo struct {
	Method      string
	Path        string // without the version, such as me/messages
	Query       string // without the proof
	ContentType string
	Body        []byte // not to be changed; nil for files
}

// WithRequestHook has f called before each call, in the goroutine of the call. A
// batch is one call.
func WithRequestHook(f func(context.Context, RequestInfo)) Option {
	return func(c *Client) error { c.onRequest = f; return nil }
}

func (c *Client) log(ctx context.Context, method, path string, status int, took time.Duration, err error) {
	attrs := []slog.Attr{
		slog.String("method", method), slog.String("path", path), slog.Int("status", status), slog.Duration("took", took),
	}
	var refused *Error
	if errors.As(err, &refused) {
		attrs = append(attrs, slog.Int("code", refused.Code), slog.Int("subcode", refused.Subcode), slog.String("trace", refused.TraceID))
	}
	if err != nil {
		attrs = append(attrs, slog.String("err", err.Error()))
	}
	c.logger.LogAttrs(ctx, slog.LevelDebug, "graph call", attrs...)
}
