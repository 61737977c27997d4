package app

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/chasqui/chasqui/internal/channel"
	"github.com/chasqui/chasqui/internal/deliver"
	"github.com/chasqui/chasqui/internal/forward"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/ingest"
	"github.com/chasqui/chasqui/internal/service"
	"github.com/chasqui/chasqui/internal/store"
	"github.com/chasqui/chasqui/internal/upkeep"
)

// metrics are the figures of one gateway, in a registry of their own.
type metrics struct {
	registry *prometheus.Registry

	messagesAccepted *prometheus.CounterVec
	messagesSent     *prometheus.CounterVec
	messagesFailed   *prometheus.CounterVec
	attempts         *prometheus.CounterVec
	stepsLeft        *prometheus.CounterVec
	sendSeconds      *prometheus.HistogramVec
	eventsReceived   *prometheus.CounterVec
	eventsDuplicate  *prometheus.CounterVec
	badSignatures    *prometheus.CounterVec
	webhooksRefused  *prometheus.CounterVec
	forwarded        *prometheus.CounterVec
	forwardFailed    *prometheus.CounterVec
	forwardDead      *prometheus.CounterVec
	forwardSeconds   *prometheus.HistogramVec
	requests         *prometheus.CounterVec
	retired          *prometheus.CounterVec
	unreadRetired    *prometheus.CounterVec
	freeBytes        prometheus.Gauge
}

func newMetrics() *metrics {
	m := &metrics{registry: prometheus.NewRegistry()}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "chasqui_" + name, Help: help}, labels)
		m.registry.MustRegister(c)
		return c
	}
	histogram := func(name, help string, labels ...string) *prometheus.HistogramVec {
		h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "chasqui_" + name, Help: help, Buckets: prometheus.ExponentialBuckets(0.005, 3, 10)}, labels)
		m.registry.MustRegister(h)
		return h
	}
	m.messagesAccepted = counter("messages_accepted_total", "Messages accepted for sending.", "application")
	m.messagesSent = counter("messages_sent_total", "Messages that the platform took.", "application")
	m.messagesFailed = counter("messages_failed_total", "Messages that failed or expired, by reason.", "application", "reason")
	m.attempts = counter("send_attempts_total", "Tries to send a part of a message, by channel and outcome.", "application", "channel", "outcome")
	m.stepsLeft = counter("steps_left_total", "Steps of messages over several channels that did not reach their goal, by outcome.", "application", "channel", "outcome")
	m.sendSeconds = histogram("send_seconds", "From acceptance of a message to the platform's answer.", "application")
	m.eventsReceived = counter("events_received_total", "Events received from the platform; application is none for those that no application owns.", "application")
	m.eventsDuplicate = counter("events_duplicate_total", "Events received again and kept once.", "application")
	m.badSignatures = counter("webhook_bad_signatures_total", "Webhooks refused for their signature.", "application")
	m.webhooksRefused = counter("webhooks_refused_total", "Webhooks refused for another reason.", "reason")
	m.forwarded = counter("deliveries_total", "Events delivered to forward subscriptions.", "subscription")
	m.forwardFailed = counter("delivery_failures_total", "Deliveries that failed and are tried again.", "subscription")
	m.forwardDead = counter("deliveries_dead_total", "Deliveries given up after the last try.", "subscription")
	m.forwardSeconds = histogram("delivery_seconds", "From receipt of an event to the subscriber's answer.", "subscription")
	m.requests = counter("http_requests_total", "Requests to the API.", "route", "status")
	m.retired = counter("retired_total", "Rows removed for their age, by table.", "table")
	m.unreadRetired = counter("retired_unread_events_total", "Events removed for their age before a subscription had read them.", "subscription")
	m.freeBytes = prometheus.NewGauge(prometheus.GaugeOpts{Name: "chasqui_disk_free_bytes", Help: "Free space on the disk of the data folder."})
	m.registry.MustRegister(m.freeBytes, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// states adds the figures that are read from the database and from channels' connections.
func (m *metrics) states(s *store.Store, directory *service.Directory, connections func() []channel.Connection) {
	m.registry.MustRegister(&states{store: s, directory: directory, connections: connections})
}

// connections tells how many connections the gateway has open.
func (m *metrics) connections(open func() int) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "chasqui_connections_open", Help: "Connections to the gateway's address."}, func() float64 { return float64(open()) }))
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

func (m *metrics) accepted(application string) { m.messagesAccepted.WithLabelValues(application).Inc() }

func (m *metrics) observe(route string, status int, _ time.Duration) {
	m.requests.WithLabelValues(route, strconv.Itoa(status)).Inc()
}

func (m *metrics) deliver() deliver.Metrics {
	return deliver.Metrics{
		Sent: func(app string, took time.Duration) {
			m.messagesSent.WithLabelValues(app).Inc()
			m.sendSeconds.WithLabelValues(app).Observe(took.Seconds())
		},
		Failed:   func(app string, code gateway.FailureCode) { m.messagesFailed.WithLabelValues(app, string(code)).Inc() },
		Attempts: func(app, channel, outcome string) { m.attempts.WithLabelValues(app, channel, outcome).Inc() },
		Left:     func(app, channel, outcome string) { m.stepsLeft.WithLabelValues(app, channel, outcome).Inc() },
	}
}

func (m *metrics) ingest() ingest.Metrics {
	return ingest.Metrics{
		Received: func(app string, events, duplicates int) {
			if app == "" {
				app = service.ApplicationNone
			}
			m.eventsReceived.WithLabelValues(app).Add(float64(events))
			if duplicates > 0 {
				m.eventsDuplicate.WithLabelValues(app).Add(float64(duplicates))
			}
		},
		BadSignature: func(app string) { m.badSignatures.WithLabelValues(app).Inc() },
		Refused:      func(reason string) { m.webhooksRefused.WithLabelValues(reason).Inc() },
	}
}

func (m *metrics) forward() forward.Metrics {
	return forward.Metrics{
		Delivered: func(id string, took time.Duration) {
			m.forwarded.WithLabelValues(id).Inc()
			m.forwardSeconds.WithLabelValues(id).Observe(took.Seconds())
		},
		Failed: func(id string) { m.forwardFailed.WithLabelValues(id).Inc() },
		Dead:   func(id string) { m.forwardDead.WithLabelValues(id).Inc() },
	}
}

func (m *metrics) upkeep() upkeep.Metrics {
	return upkeep.Metrics{
		Retired: func(table string, rows int64) { m.retired.WithLabelValues(table).Add(float64(rows)) },
		Unread: func(subscription string, events int64) {
			m.unreadRetired.WithLabelValues(subscription).Add(float64(events))
		},
		Free: func(bytes uint64) { m.freeBytes.Set(float64(bytes)) },
	}
}

// statesAge is for how long what was read from the database is good: whoever asks more often is
// told the same.
const statesAge = 2 * time.Second

// states reads when it is asked what the database knows better than a counter.
type states struct {
	mu   sync.Mutex
	read time.Time
	kept []prometheus.Metric

	store       *store.Store
	directory   *service.Directory
	connections func() []channel.Connection
}

var (
	queueDepth  = prometheus.NewDesc("chasqui_queue_depth", "Messages that wait to be sent.", []string{"application"}, nil)
	queueOldest = prometheus.NewDesc("chasqui_queue_oldest_seconds", "Age of the oldest message that waits to be sent.", []string{"application"}, nil)
	forwardLag  = prometheus.NewDesc("chasqui_subscription_lag_events", "Positions of the log that a subscription is behind.", []string{"subscription", "kind"}, nil)
	forwardBad  = prometheus.NewDesc("chasqui_subscription_failing_seconds", "For how long a receiver has done nothing but fail; 0 while it takes something.", []string{"subscription"}, nil)
	pageSilent  = prometheus.NewDesc("chasqui_page_silent_seconds", "Since when no event of a page has come.", []string{"application"}, nil)
	tokenValid  = prometheus.NewDesc("chasqui_token_valid", "Whether the platform accepted the page's token at the last check.", []string{"application"}, nil)
	problems    = prometheus.NewDesc("chasqui_application_problems", "How many problems the last check of an application found.", []string{"application"}, nil)
	channelUp   = prometheus.NewDesc("chasqui_channel_connected", "Whether an account that keeps a connection, as one at an SMS centre does, has it.", []string{"account", "channel"}, nil)
	readerStill = prometheus.NewDesc("chasqui_reader_failing_seconds", "For how long a reader of the log has not been able to go on; 0 while it gets on.", []string{"reader"}, nil)
	setAside    = prometheus.NewDesc("chasqui_events_set_aside", "Events that a reader of the log goes on without.", []string{"reader"}, nil)
	pagePaused  = prometheus.NewDesc("chasqui_application_paused", "Whether an application's sending is paused.", []string{"application"}, nil)
)

// Describe implements prometheus.Collector.
func (c *states) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{queueDepth, queueOldest, forwardLag, forwardBad, pageSilent, tokenValid, problems, pagePaused, channelUp, readerStill, setAside} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *states) Collect(ch chan<- prometheus.Metric) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.read) >= statesAge {
		fresh, done := make(chan prometheus.Metric), make(chan struct{})
		c.kept = nil
		go func() {
			defer close(done)
			for m := range fresh {
				c.kept = append(c.kept, m)
			}
		}()
		c.collect(fresh)
		close(fresh)
		<-done
		c.read = time.Now()
	}
	for _, m := range c.kept {
		ch <- m
	}
}

func (c *states) collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	now := c.store.Now()
	depths := map[string]store.QueueStats{}
	if stats, err := c.store.QueueStats(ctx); err == nil {
		for _, q := range stats {
			depths[q.Application] = q
		}
	}
	last, _ := c.store.LastEvents(ctx)
	for _, a := range c.directory.Applications() {
		q, oldest := depths[a.Key], 0.0
		if q.Depth > 0 {
			oldest = now.Sub(q.Oldest).Seconds()
		}
		if c := a.LastCheck; c != nil {
			ch <- prometheus.MustNewConstMetric(tokenValid, prometheus.GaugeValue, truth(c.TokenValid), a.Key)
			ch <- prometheus.MustNewConstMetric(problems, prometheus.GaugeValue, float64(len(c.Problems)), a.Key)
		}
		since := a.CreatedAt
		if at, ok := last[a.Key]; ok && at.After(since) {
			since = at
		}
		ch <- prometheus.MustNewConstMetric(queueDepth, prometheus.GaugeValue, float64(q.Depth), a.Key)
		ch <- prometheus.MustNewConstMetric(queueOldest, prometheus.GaugeValue, oldest, a.Key)
		ch <- prometheus.MustNewConstMetric(pagePaused, prometheus.GaugeValue, truth(a.State == gateway.ApplicationPaused), a.Key)
		ch <- prometheus.MustNewConstMetric(pageSilent, prometheus.GaugeValue, now.Sub(since).Seconds(), a.Key)
	}
	for _, s := range c.connections() {
		ch <- prometheus.MustNewConstMetric(channelUp, prometheus.GaugeValue, truth(s.Connected), s.Account, s.Channel)
	}
	aside, _ := c.store.CountSetAside(ctx) // an empty answer is told of by the figures that are missing
	for _, r := range c.store.Readers() {
		ch <- prometheus.MustNewConstMetric(readerStill, prometheus.GaugeValue, r.Failing().Seconds(), r.Name)
		ch <- prometheus.MustNewConstMetric(setAside, prometheus.GaugeValue, float64(aside[r.Name]), r.Name)
	}
	places, err := c.store.Places(ctx)
	if err != nil {
		return
	}
	failing, err := c.store.FailingSubscriptions(ctx)
	if err != nil {
		return
	}
	head := c.store.Head()
	for _, p := range places {
		ch <- prometheus.MustNewConstMetric(forwardLag, prometheus.GaugeValue, float64(max(0, head-p.Pos)), p.Subscription, p.Kind)
		if p.Kind == string(gateway.KindPull) { // it is not delivered
			continue
		}
		bad := 0.0
		if since, fails := failing[p.Subscription]; fails {
			bad = max(0, now.Sub(since).Seconds())
		}
		ch <- prometheus.MustNewConstMetric(forwardBad, prometheus.GaugeValue, bad, p.Subscription)
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
