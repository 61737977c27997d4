// Package deliver takes messages from the outbox to the platform, and learns from receipts and
// echoes what became of them.
//
// Every conversation is a lane: strictly in order, one message in flight (package lane). What
// becomes of a message is decided elsewhere (package outcome). What is left is read from top to
// bottom:
//
//	outbox.go    what is accepted comes into its lane
//	reserve.go   or goes at once, when nothing is in its way
//	attempt.go   the head of a lane: judged, marked, posted, decided, recorded
//	proof.go     the head of a lane whose answer was lost
//	post.go      the call to the platform, or to another channel
//	receipts.go  what the platform says later
//	marks.go     up to where that goes in each conversation
//	reports.go   what providers of other channels say later
//	deadline.go  what nobody says in time
//	record.go    what was decided is written down
//	page.go      what is known of an application: its client, its rates, whether it is held
//	job.go       a message in its lane, and the line that it stands in
//
// Each file calls only into those below it.
//
// A POST is made only after the mark `sending` is committed, and what became of it is committed
// before the lane goes on.
package deliver

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/lane"
	"github.com/chasqui/chasqui/internal/outcome"
	"github.com/chasqui/chasqui/internal/service"
	"github.com/chasqui/chasqui/internal/store"
)

// Resend says what to do with a message whose outcome stayed uncertain while its lane waited.
type Resend string

// The policies: never send it again, or send it again once and mark it.
const (
	ResendNever Resend = "never"
	ResendOnce  Resend = "once"
)

// Options says how messages are delivered. Zero values mean the defaults named.
type Options struct {
	Store        *store.Store
	Applications *service.Applications
	Directory    *service.Directory
	Logger       *slog.Logger

	Platform service.Platform // its HTTPClient is replaced by one made for many sends
	Policy   *service.Policy  // the platform's rules, asked before each send to Messenger
	Channels Channels         // what sends over other channels; nil for none

	Limits      gateway.Limits // for applications that name none; default 300 texts and 10 media a second
	MaxInFlight int            // sends of one page under way at once; default 128
	SendTimeout time.Duration  // of one POST; default 30 s
	WaitProof   time.Duration  // how long a lane waits for proof of an uncertain message; default 5 s
	GiveUp      time.Duration  // when an uncertain message without proof has failed; default 10 min
	Resend      Resend         // default ResendNever
	Metrics     Metrics
}

// Channels sends over channels other than Messenger. Errors are *gateway.ChannelError where it is
// known what follows from them.
type Channels interface {
	Send(ctx context.Context, channel string, m *gateway.ChannelMessage) (account string, sent gateway.ChannelSent, err error)
}

// Metrics receives what is counted; nil functions are not called.
type Metrics struct {
	Sent     func(application string, took time.Duration) // from acceptance to the platform's answer
	Failed   func(application string, code gateway.FailureCode)
	Attempts func(application, channel, outcome string)
	Left     func(application, channel, outcome string) // a step of a message over several channels was left
}

func (o *Options) defaults() {
	if o.Limits.TextPerSecond == 0 {
		o.Limits.TextPerSecond = 300
	}
	if o.Limits.MediaPerSecond == 0 {
		o.Limits.MediaPerSecond = 10
	}
	setDefault(&o.MaxInFlight, 128)
	setDefault(&o.SendTimeout, 30*time.Second)
	setDefault(&o.WaitProof, 5*time.Second)
	setDefault(&o.GiveUp, 10*time.Minute)
	setDefault(&o.Resend, ResendNever)
	if o.Metrics.Sent == nil {
		o.Metrics.Sent = func(string, time.Duration) {}
	}
	if o.Metrics.Failed == nil {
		o.Metrics.Failed = func(string, gateway.FailureCode) {}
	}
	if o.Metrics.Attempts == nil {
		o.Metrics.Attempts = func(string, string, string) {}
	}
	if o.Metrics.Left == nil {
		o.Metrics.Left = func(string, string, string) {}
	}
}

func setDefault[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}

// Deliverer sends what is in the outbox. It is made by New, started once and stopped once.
type Deliverer struct {
	o        Options
	log      *slog.Logger
	rules    outcome.Rules
	lanes    *lane.Scheduler[gateway.Lane, *job]
	receipts store.Consumer
	marks    markCache
	limits   atomic.Pointer[gateway.Limits]
	steps    chan struct{} // poked when a step may be due

	// The mutex is taken while the scheduler of the lanes is locked, and never the other way round.
	mu       sync.Mutex
	pages    map[string]*page
	frontier int64            // every message up to here is in memory, or known to be in the database only
	taken    map[int]int64    // the partitions whose backlog is noted, with the epoch under which it was
	passed   map[string]int64 // by application, the first message that came for a partition not taken yet

	ctx    context.Context // ends when nothing new may begin
	cancel context.CancelFunc
	work   sync.WaitGroup
}

// maxIdle is how many connections to the platform are kept open.
const maxIdle = 512

// New makes a deliverer.
func New(o Options) *Deliverer {
	o.defaults()
	d := &Deliverer{o: o, log: o.Logger, pages: map[string]*page{}, passed: map[string]int64{}, marks: markCache{}, steps: make(chan struct{}, 1)}
	d.limits.Store(&o.Limits)
	d.rules = outcome.Rules{WaitProof: o.WaitProof, Resend: o.Resend == ResendOnce, Random: rand.Float64}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = maxIdle, maxIdle
	transport.DisableCompression = true                          // answers are small
	d.o.Platform.HTTPClient = &http.Client{Transport: transport} // each call has a deadline of its own
	d.receipts = store.Consumer{Name: "receipts", Handle: d.handleReceipts, After: d.afterReceipts}
	d.lanes = lane.New(lane.Options[gateway.Lane, *job]{
		Owner: func(key gateway.Lane) string { return key.Application }, Order: func(j *job) int64 { return j.seq },
		Due: func(j *job) time.Time { return j.m.DueAt }, Line: line, Admit: d.admits, Pace: d.pace, Places: o.MaxInFlight, Now: o.Store.Now,
		Source: outbox{o.Store}, Run: d.attempt, Failed: func(what string, err error) { d.log.Warn(what, "err", err) },
	})
	return d
}

// Start begins to deliver. The leases must have been started.
func (d *Deliverer) Start(ctx context.Context) error {
	d.ctx, d.cancel = context.WithCancel(context.WithoutCancel(ctx))
	held, leasesChanged := d.o.Store.Leases().Held()
	if err := d.takeBacklog(ctx, held); err != nil {
		return err
	}
	for _, loop := range []func(){
		d.follow, func() { d.followLeases(held, leasesChanged) }, d.followDirectory, d.sweep, d.watchSteps, func() { d.o.Store.Consume(d.ctx, &d.receipts) },
	} {
		d.work.Go(loop)
	}
	return nil
}

// Stop begins nothing new, and waits for what is in flight until ctx ends; what is then still in
// flight is uncertain after the next start.
func (d *Deliverer) Stop(ctx context.Context) error {
	d.lanes.Close() // whoever reserves a lane from here on sees that it is over
	d.cancel()
	if err := d.lanes.Stop(ctx); err != nil {
		return err
	}
	done := make(chan struct{})
	go func() {
		d.work.Wait()
		close(done)
	}()
	select {
	case <-done:
		d.o.Platform.HTTPClient.CloseIdleConnections()
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// SetLimits changes the limits of applications that name none.
func (d *Deliverer) SetLimits(l gateway.Limits) {
	o := Options{Limits: l}
	o.defaults()
	d.limits.Store(&o.Limits)
	d.refreshPages()
}
