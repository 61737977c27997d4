// Package app puts the gateway together: it is the only package that sees all the others. A gateway
// is a value: New makes it and binds its address, Start begins the work, Stop ends it. Several can
// run in one process.
package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chasqui/chasqui/internal/bot"
	"github.com/chasqui/chasqui/internal/channel"
	"github.com/chasqui/chasqui/internal/config"
	"github.com/chasqui/chasqui/internal/deliver"
	"github.com/chasqui/chasqui/internal/dialect"
	"github.com/chasqui/chasqui/internal/entrypoint"
	"github.com/chasqui/chasqui/internal/forward"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/guard"
	"github.com/chasqui/chasqui/internal/project"
	"github.com/chasqui/chasqui/internal/reach"
	"github.com/chasqui/chasqui/internal/service"
	"github.com/chasqui/chasqui/internal/store"
	"github.com/chasqui/chasqui/internal/upkeep"
)

// Options says what a gateway is made of.
type Options struct {
	Config  config.Config
	Logger  *slog.Logger
	Version string
	// LogLevel is changed by Reload; nil when nobody reads it.
	LogLevel *slog.LevelVar
	// AllowLoopback lets forward subscriptions lead to this machine, as they do while trying things
	// out.
	AllowLoopback bool
	// Listener is used instead of binding Config.Addr; nil for none.
	Listener net.Listener
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// App is a gateway. Its services are for commands that work in the same process.
type App struct {
	*service.Services
	Store *store.Store

	o         Options
	log       *slog.Logger
	vault     *store.Vault
	tokens    *store.Tokens
	metrics   *metrics
	platform  service.Platform
	reachable *reach.Allowed // by what users give addresses of, beside public addresses
	poster    *forward.Poster

	listener  net.Listener
	server    *http.Server
	guard     *guard.Guard
	figures   net.Listener // of the metrics; nil for none
	tls       atomic.Pointer[tls.Certificate]
	deliverer *deliver.Deliverer
	projector *project.Projector
	forwarder *forward.Forwarder
	bots      *bot.Runner
	tracker   *entrypoint.Tracker
	keeper    *upkeep.Keeper
	channels  *channel.Manager
	workers   []dialect.Worker
	stopping  atomic.Bool

	cleanups []cleanup
	stop     sync.Once
	stopErr  error
	failed   chan error
}

type cleanup struct {
	name string
	do   func(context.Context) error
}

// New opens the database, puts everything together and binds the address. Nothing is sent or
// answered before Start. What New has acquired is released by Stop, also when Start was never
// called.
func New(ctx context.Context, o Options) (_ *App, err error) {
	if err := o.Config.Validate(); err != nil {
		return nil, err
	}
	a := &App{o: o, log: o.Logger, metrics: newMetrics(), failed: make(chan error, 1)}
	defer func() {
		if err != nil {
			a.Stop(ctx)
		}
	}()
	directory, err := a.open(ctx)
	if err != nil {
		return nil, err
	}
	if err := a.assemble(directory); err != nil {
		return nil, err
	}
	handler, err := a.handler()
	if err != nil {
		return nil, err
	}
	if err := a.bind(handler); err != nil {
		return nil, err
	}
	return a, nil
}

func component(log *slog.Logger, name string) *slog.Logger { return log.With("component", name) }

// listed reads a list with commas between; nothing of an empty text.
func listed(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
}

func days(n int) time.Duration { return gateway.Times(n, 24*time.Hour) }

func (a *App) defers(name string, do func(context.Context) error) {
	a.cleanups = append(a.cleanups, cleanup{name, do})
}

func (a *App) listen(c config.Config) (net.Listener, error) {
	l := a.o.Listener
	if l == nil {
		var err error
		if l, err = net.Listen("tcp", c.Addr); err != nil {
			return nil, fmt.Errorf("listen on %s: %w", c.Addr, err)
		}
	}
	l = a.guard.Listener(l)
	if c.TLSCert == "" {
		return l, nil
	}
	if err := a.loadCertificate(c); err != nil {
		l.Close()
		return nil, err
	}
	return tls.NewListener(l, &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return a.tls.Load(), nil },
	}), nil
}

func (a *App) loadCertificate(c config.Config) error {
	if c.TLSCert == "" {
		return nil
	}
	certificate, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey)
	if err != nil {
		return fmt.Errorf("read the TLS certificate: %w", err)
	}
	a.tls.Store(&certificate)
	return nil
}

// Addr is the address the gateway listens on, also before Start.
func (a *App) Addr() net.Addr { return a.listener.Addr() }

// MetricsAddr is the address on which metrics are served; nil when they are not.
func (a *App) MetricsAddr() net.Addr {
	if a.figures == nil {
		return nil
	}
	return a.figures.Addr()
}

// serveMetrics begins to serve metrics on an address of their own.
func (a *App) serveMetrics(addr string, m *metrics) error {
	var err error
	if a.figures, err = net.Listen("tcp", addr); err != nil {
		return fmt.Errorf("setting metricsAddr: listen on %s (give another address, or off): %w", addr, err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", m.handler())
	server := &http.Server{Handler: mux, ReadTimeout: 10 * time.Second, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(component(a.log, "metrics").Handler(), slog.LevelDebug)}
	a.defers("metrics", func(context.Context) error { return ignoreClosed(server.Close()) })
	go func() {
		if err := server.Serve(a.figures); !errors.Is(err, http.ErrServerClosed) {
			a.log.Error("serve metrics", "err", err)
		}
	}()
	return nil
}

// Start takes the leases and begins to receive, send and forward. It returns when the gateway
// answers requests.
func (a *App) Start(ctx context.Context) error {
	if err := a.Store.Leases().Start(ctx); err != nil {
		return err
	}
	a.defers("leases", a.Store.Leases().Release)
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var background sync.WaitGroup
	background.Go(func() { a.watcher().Run(run) })
	background.Go(func() { a.Applications.RunChecks(run) })
	background.Go(func() { a.Erasures.Run(run) })
	a.defers("background", func(context.Context) error { cancel(); background.Wait(); return nil })
	// The server ends after the workers, though it begins after them: while sends in flight end,
	// /readyz answers 503 and not nothing.
	a.defers("server", a.stopServer)

	if err := a.channels.Start(ctx, a.Brought); err != nil {
		return err
	}
	a.defers("channels", func(ctx context.Context) error { a.channels.Stop(ctx); return nil })
	a.projector.Start(ctx)
	a.defers("projector", func(context.Context) error { a.projector.Stop(); return nil })
	if err := a.deliverer.Start(ctx); err != nil {
		return err
	}
	a.defers("deliverer", a.deliverer.Stop)
	if err := a.tracker.Start(ctx); err != nil {
		return err
	}
	a.defers("entry points", func(context.Context) error { a.tracker.Stop(); return nil })
	if err := a.bots.Start(ctx); err != nil {
		return err
	}
	a.defers("bots", func(context.Context) error { a.bots.Stop(); return nil })
	a.forwarder.Start(ctx)
	a.defers("forwarder", func(context.Context) error { a.forwarder.Stop(); return nil })
	a.startDialects(ctx)
	a.keeper.Start(ctx)
	a.defers("upkeep", func(context.Context) error { a.keeper.Stop(); return nil })

	go func() {
		if err := a.server.Serve(a.listener); !errors.Is(err, http.ErrServerClosed) {
			a.failed <- fmt.Errorf("serve: %w", err)
		}
	}()
	return nil
}

// watcher watches for what other nodes change, for all that hold some of it in memory.
func (a *App) watcher() *store.Watcher {
	w := store.NewWatcher(a.Store, component(a.log, "watcher"))
	w.Follow("applications and subscriptions", a.Directory.Refresh, a.Directory.Changes()...)
	w.Follow("channel accounts", a.channels.Refresh, store.ChangeChannels)
	w.Follow("entry points", a.EntryPoints.Refresh, store.ChangeEntryPoints)
	w.Follow("scripts", a.Scripts.Refresh, store.ChangeScripts, store.ChangeApplications)
	return w
}

// stopServer lets requests under way end. Those that merely wait for events are cut off after a
// moment.
func (a *App) stopServer(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, time.Second, errors.New("requests did not end in time"))
	defer cancel()
	if a.server.Shutdown(ctx) != nil {
		return ignoreClosed(a.server.Close())
	}
	return nil
}

// Failed receives the error that made a running gateway unable to go on.
func (a *App) Failed() <-chan error { return a.failed }

// ready says why the gateway should get no requests.
func (a *App) ready(ctx context.Context) error {
	if a.stopping.Load() {
		return gateway.Errorf(gateway.CodeShuttingDown, "the gateway is stopping")
	}
	return a.Store.Ready(ctx)
}

// Stop ends the gateway: readiness turns off at once, no new send begins, and those in flight may
// end until ctx does. It is idempotent.
func (a *App) Stop(ctx context.Context) error {
	a.stop.Do(func() {
		a.stopping.Store(true)
		var errs []error
		for i := len(a.cleanups) - 1; i >= 0; i-- {
			if err := a.cleanups[i].do(ctx); err != nil {
				errs = append(errs, fmt.Errorf("stop %s: %w", a.cleanups[i].name, err))
			}
		}
		a.stopErr = errors.Join(errs...)
	})
	return a.stopErr
}

// Reload applies what may change while the gateway runs: limits, log level and TLS files. The old
// values stay when the new ones are wrong.
func (a *App) Reload(c config.Config) error {
	if err := c.Validate(); err != nil {
		return err
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return fmt.Errorf("setting logLevel: %w", err)
	}
	if err := a.loadCertificate(c); err != nil {
		return err
	}
	if a.o.LogLevel != nil {
		a.o.LogLevel.Set(level)
	}
	a.deliverer.SetLimits(gateway.Limits{TextPerSecond: c.Limits.TextPerSecond, MediaPerSecond: c.Limits.MediaPerSecond})
	return nil
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
