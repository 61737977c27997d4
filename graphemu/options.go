package graphemu

import (
	"log/slog"
	"net/http"
	"time"
)

// Option changes a platform before its first use.
type Option func(*setup)

// setup is what options change: fields first, then what needs a server that runs.
type setup struct {
	server *Server
	then   []func()
}

// New makes a platform. The zero value of [Server] is the same platform without
// options; New is for those who set something.
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

// WithEpoch makes ids that no platform with another epoch makes.
func WithEpoch(epoch string) Option { return func(s *setup) { s.server.Epoch = epoch } }

// WithRetry says when webhooks are sent again; see [DeliveryProfile].
func WithRetry(r RetrySchedule) Option { return func(s *setup) { s.server.Retry = r } }

// WithBatching says how many events a delivery may hold.
func WithBatching(b Batching) Option { return func(s *setup) { s.server.Batching = b } }

// WithoutWebhooks sends no webhooks at all.
func WithoutWebhooks() Option { return func(s *setup) { s.server.Quiet = true } }

// WithLatency makes the Graph API slow.
func WithLatency(l Latency) Option { return func(s *setup) { s.server.Latency = l } }

// WithReceiptDelay is the time between a message and its delivery event.
func WithReceiptDelay(d time.Duration) Option { return func(s *setup) { s.server.ReceiptDelay = d } }

// WithDate sets the clock; the rules of that day hold. See [Server.SetTime].
func WithDate(t time.Time) Option {
	return func(s *setup) { s.then = append(s.then, func() { s.server.SetTime(t) }) }
}

// WithLimits enforces rate limits.
func WithLimits(l Limits) Option {
	return func(s *setup) { s.then = append(s.then, func() { s.server.SetLimits(l) }) }
}

// WithFaults sets fault rules from the beginning.
func WithFaults(rules ...Fault) Option {
	return func(s *setup) { s.then = append(s.then, func() { s.server.SetFaults(rules) }) }
}
