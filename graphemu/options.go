package graphemu

import (
	"log/slog"
	"net/http"
	"time"
)

// Option configures a platform before its first use.
type Option func(*setup)

// setup is what options change: the fields first, and then what needs a running server.
type setup struct {
	server *Server
	then   []func()
}

// New returns a platform. The zero value of [Server] is the same platform without options.
func New(opts ...Option) *Server {
	set := &setup{server: &Server{}}
	for _, opt := range opts {
		opt(set)
	}
	for _, f := range set.then {
		f()
	}
	return set.server
}

// WithLogger logs deliveries that fail, and more at debug level.
func WithLogger(l *slog.Logger) Option { return func(s *setup) { s.server.Logger = l } }

// WithHTTPClient sets the client of webhook deliveries and fetched attachments.
func WithHTTPClient(c *http.Client) Option { return func(s *setup) { s.server.HTTPClient = c } }

// WithEpoch sets the epoch: ids and tokens differ from those of any other epoch.
func WithEpoch(epoch string) Option { return func(s *setup) { s.server.Epoch = epoch } }

// WithRetry sets when webhooks are retried; see [DeliveryProfile].
func WithRetry(r RetrySchedule) Option { return func(s *setup) { s.server.Retry = r } }

// WithBatching sets how many events a delivery may hold.
func WithBatching(b Batching) Option { return func(s *setup) { s.server.Batching = b } }

// WithoutWebhooks turns webhooks off.
func WithoutWebhooks() Option { return func(s *setup) { s.server.Quiet = true } }

// WithLatency sets how long the Graph API takes to answer.
func WithLatency(l Latency) Option { return func(s *setup) { s.server.Latency = l } }

// WithReceiptDelay sets the time between a message and its delivery event.
func WithReceiptDelay(d time.Duration) Option { return func(s *setup) { s.server.ReceiptDelay = d } }

// WithDate sets the clock, so that the rules of that date apply. See [Server.SetTime].
func WithDate(t time.Time) Option {
	return func(s *setup) { s.then = append(s.then, func() { s.server.SetTime(t) }) }
}

// WithLimits sets the rate limits.
func WithLimits(l Limits) Option {
	return func(s *setup) { s.then = append(s.then, func() { s.server.SetLimits(l) }) }
}

// WithFaults sets fault rules.
func WithFaults(rules ...Fault) Option {
	return func(s *setup) { s.then = append(s.then, func() { s.server.SetFaults(rules) }) }
}
