// Package app puts the gateway together: it is the only package that sees all the others. A gateway is a value: New makes it and binds its address, Start
// begins the work, Stop ends it. Several can run in one process.
package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chasqui/chasqui/internal/apisrv"
	"github.com/chasqui/chasqui/internal/bot"
	"github.com/chasqui/chasqui/internal/channel"
	"github.com/chasqui/chasqui/internal/config"
	"github.com/chasqui/chasqui/internal/console"
	"github.com/chasqui/chasqui/internal/deliver"
	"github.com/chasqui/chasqui/internal/dialect"
	"github.com/chasqui/chasqui/internal/entrypoint"
	"github.com/chasqui/chasqui/internal/forward"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/guard"
	"github.com/chasqui/chasqui/internal/ingest"
	"github.com/chasqui/chasqui/internal/project"
	"github.com/chasqui/chasqui/internal/reach"
	"github.com/chasqui/chasqui/internal/service"
	"github.com/chasqui/chasqui/internal/store"
	"github.com/chasqui/chasqui/internal/upkeep"
	"github.com/chasqui/chasqui/rivescript/js"
)

// Options says what a gateway is made of.
type Options struct {
	Config  config.Config
	Logger  *slog.Logger
	Version string
	// LogLevel is changed by Reload; nil when nobody reads it.
	LogLevel *slog.LevelVar
	// AllowLoopback lets forward subscriptions lead to this machine, as they do while trying things out.
	AllowLoopback bool
	// Listener is used instead of binding Config.Addr; nil for none.
	Listener net.Listener
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// App is a gateway. Its services are for commands that work in the same process.
type App struct {
	Keys          *service.Keys
	Applications  *service.Applications
	Subscriptions *service.Subscriptions
	Directory     *service.Directory
	Scripts       *service.Scripts
	EntryPoints   *service.EntryPoints
	Store         *store.Store

	o         Options
	log       *slog.Logger
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
	erasures  *service.Erasures
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

// New opens the database, binds the address and puts everything together. Nothing is sent or answered before Start. What New has acquired is released by
// Stop, also when Start was never called.
//
// It is one straight line on purpose: each thing is made after what it needs, and its clean-up is registered beside it.
func New(ctx context.Context, o Options) (_ *App, err error) {
	c := o.Config
	if err := c.Validate(); err != nil {
		return nil, err
	}
	a := &App{o: o, log: o.Logger, failed: make(chan error, 1)}
	defer func() {
		if err != nil {
			a.Stop(ctx)
		}
	}()
	if c.Store == "" || c.KeyFile == "" {
		if err := os.MkdirAll(c.Data, 0o700); err != nil {
			return nil, fmt.Errorf("make data folder: %w", err)
		}
	}
	if a.Store, err = OpenStore(ctx, store.Options{URL: c.Database(), KeyFileShared: c.KeyFileShared, AnyOwner: true, Logger: component(o.Logger, "store"), Now: o.Now}); err != nil {
		return nil, err
	}
	a.defers("store", func(context.Context) error { return a.Store.Close() })
	vault, err := store.OpenVault(ctx, a.Store, c.KeyPath())
	if err != nil {
		return nil, err
	}
	vault.Formats = formats()
	if a.Directory, err = service.NewDirectory(ctx, vault, component(o.Logger, "directory")); err != nil {
		return nil, err
	}
	metrics := newMetrics(a.Store, a.Directory, func() []channel.Connection { return a.channels.Connections() })
	platform := service.Platform{BaseURL: c.GraphURL, Version: c.GraphVersion}

	reachable, err := reach.Parse(string(c.Forward.AllowPrivate))
	if err != nil {
		return nil, fmt.Errorf("setting forward.allowPrivate: %w", err)
	}
	pictures := new(reach.Allowed)
	if o.AllowLoopback {
		reachable, pictures = reachable.WithLoopback(), pictures.WithLoopback()
	}
	now := a.Store.Now
	a.Keys = service.NewKeys(a.Store, now)
	a.Applications = &service.Applications{Vault: vault, Directory: a.Directory, Platform: platform, PublicURL: c.PublicURL, Logger: component(o.Logger, "applications"), Now: now}
	a.Subscriptions = &service.Subscriptions{Vault: vault, Store: a.Store, Directory: a.Directory, Reach: reachable}
	a.projector = project.New(project.Options{Store: a.Store, Directory: a.Directory, Platform: platform, Logger: component(o.Logger, "project")})
	policy := &service.Policy{Store: a.Store, Directory: a.Directory, GraphVersion: c.GraphVersion, Observe: c.Policy == "observe"}
	brought := &service.ChannelEvents{Store: a.Store, Vault: vault, Directory: a.Directory, Logger: component(o.Logger, "channel"),
		Apply: func(ctx context.Context, r gateway.ChannelReport) error { return a.deliverer.Report(ctx, r) }}
	a.channels = channel.New(channel.Options{
		Vault: vault, Store: a.Store, Logger: component(o.Logger, "channel"), PublicURL: c.PublicURL, UserAgent: "Chasqui/" + o.Version,
		Reach: reachable, Refused: metrics.ingest().Refused,
		Report: brought.Report, Inbound: brought.Inbound,
	})
	brought.Answer, brought.Account = a.channels.Answer, a.channels.Account
	a.deliverer = deliver.New(deliver.Options{
		Store: a.Store, Applications: a.Applications, Directory: a.Directory, Logger: component(o.Logger, "deliver"), Platform: platform, Policy: policy, Channels: a.channels,
		Limits:    gateway.Limits{TextPerSecond: c.Limits.TextPerSecond, MediaPerSecond: c.Limits.MediaPerSecond},
		WaitProof: c.Uncertain.Wait, GiveUp: c.Uncertain.GiveUp, Resend: deliver.Resend(c.Uncertain.Resend), Metrics: metrics.deliver(),
	})
	projected := a.projected()
	poster := forward.NewPoster(reachable, 15*time.Second, "Chasqui/"+o.Version)
	a.forwarder = forward.New(forward.Options{
		Store: a.Store, Vault: vault, Directory: a.Directory, Logger: component(o.Logger, "forward"), Projected: a.projector.Covers, Metrics: metrics.forward(),
		Sinks: map[gateway.SubscriptionKind]func(gateway.Around) forward.Sink{gateway.KindForward: forward.Push(poster)},
	})
	a.keeper = upkeep.New(upkeep.Options{
		Store: a.Store, Logger: component(o.Logger, "upkeep"),
		Retention: store.Retention{Events: days(c.Retention.Events), Messages: days(c.Retention.Messages), Deliveries: days(c.Retention.Deliveries)},
		LowDisk:   c.LowDisk, DataFolder: c.Data, Metrics: metrics.upkeep(),
	})
	tokens := store.NewTokens(vault)
	a.EntryPoints = &service.EntryPoints{Store: a.Store, Directory: a.Directory, Logger: component(o.Logger, "entrypoints"), LinkBase: c.LinkURL, PublicURL: c.PublicURL,
		Pictures: service.NewPictures(pictures)}
	optIns := &service.OptIns{Store: a.Store, Directory: a.Directory, Tokens: tokens}
	a.tracker = entrypoint.New(entrypoint.Options{Store: a.Store, Directory: a.Directory, Points: a.EntryPoints, OptIns: optIns, Logger: component(o.Logger, "entrypoints")})
	a.EntryPoints.Tracked = a.tracker.Position
	if !a.Store.Exclusive() {
		a.EntryPoints.Tracked = upkeep.SharedPosition(a.Store, "entrypoints")
	}
	messages := &service.Messages{Store: a.Store, Directory: a.Directory, Sender: a.deliverer, Counted: metrics.accepted, Policy: policy, Accounts: a.channels, CustomerMatching: c.CustomerMatching}
	javascript := js.NewPool(js.Options{Mode: js.Mode(c.Scripts.JavaScript), Logger: component(o.Logger, "javascript")})
	a.defers("javascript", func(context.Context) error { javascript.Close(); return nil })
	a.Scripts = &service.Scripts{JavaScript: javascript, Store: a.Store, Directory: a.Directory, Logger: component(o.Logger, "scripts"), Fetch: bot.NewFetcher(strings.Split(c.Scripts.AllowHosts, ",")).Fetch}
	a.bots = bot.New(bot.Options{
		Store: a.Store, Directory: a.Directory, Scripts: a.Scripts, Messages: messages, Platform: platform, Logger: component(o.Logger, "bot"), Accepted: metrics.accepted,
		Code: a.EntryPoints.IsCode,
	})
	a.erasures = &service.Erasures{Store: a.Store, Directory: a.Directory, Platform: platform, PublicURL: c.PublicURL, Logger: component(o.Logger, "erasures")}
	services := &service.Services{
		Applications: a.Applications, Brought: brought, Directory: a.Directory, EntryPoints: a.EntryPoints, Erasures: a.erasures, Keys: a.Keys, Messages: messages, OptIns: optIns,
		Scripts: a.Scripts, Subscriptions: a.Subscriptions,
		Channels:      &service.Channels{Vault: vault, Store: a.Store, Directory: a.Directory, Reach: reachable, Refresh: a.channels.Refresh, Probe: a.channels.Check},
		Conversations: &service.Conversations{Store: a.Store, Directory: a.Directory},
		Events:        &service.Events{Store: a.Store, Vault: vault, Directory: a.Directory, Projected: projected},
		Profiles:      &service.Profiles{Store: a.Store, Directory: a.Directory},
		Routes:        &service.Routes{Store: a.Store, Directory: a.Directory},
	}
	apiHandler, err := apisrv.New(apisrv.Options{
		Services: services, Now: now, Logger: component(o.Logger, "api"), PublicURL: c.PublicURL, Version: o.Version, MaxBody: c.MaxBody, Ready: a.ready, Observe: metrics.observe,
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	ingest.New(ingest.Options{Store: a.Store, Directory: a.Directory, Points: a.EntryPoints, Erasures: a.erasures, Logger: component(o.Logger, "ingest"), MaxBody: c.MaxBody, Metrics: metrics.ingest()}).Register(mux)
	mux.HandleFunc("GET /m/{slug}", a.tracker.Visit)
	codes := &entrypoint.Codes{Directory: a.Directory, Points: a.EntryPoints, Tokens: tokens, PublicURL: c.PublicURL, Now: now}
	codes.Register(mux)
	pages, err := console.New(console.Options{EntryPoints: a.EntryPoints, Directory: a.Directory, Keys: a.Keys, Tokens: tokens, SignIns: &service.SignIns{Store: a.Store}, Logger: component(o.Logger, "console"), PublicURL: c.PublicURL, Now: now})
	if err != nil {
		return nil, err
	}
	pages.Register(mux)
	a.channels.Register(mux)
	others := a.serveDialects(dialect.Environment{
		Services: services,
		Store:    a.Store, Vault: vault, Tokens: tokens, Post: poster.Post,
		Sessions: dialect.SessionSettings{Secret: gateway.Secret(c.Sessions.Secret), Issuer: c.Sessions.Issuer, Audience: c.Sessions.Audience, IDClaim: c.Sessions.IDClaim, Fields: listed(c.Sessions.Fields)},
		MaxBody:  c.MaxBody, Observe: metrics.observe,
	}, codes.Otherwise(apiHandler))
	mux.Handle("/", others)
	proxies, err := guard.ParseProxies(c.TrustedProxies)
	if err != nil {
		return nil, fmt.Errorf("setting trustedProxies: %w", err)
	}
	a.guard = guard.New(guard.Options{MaxConnections: c.MaxConnections, MaxBodies: c.MaxBodies, TrustedProxies: proxies,
		StrictTransport: c.TLSCert != "" || strings.HasPrefix(c.PublicURL, "https://")})
	metrics.connections(a.guard.Open)
	if a.listener, err = a.listen(c); err != nil {
		return nil, err
	}
	a.defers("listener", func(context.Context) error { return ignoreClosed(a.listener.Close()) })
	if c.Metrics && c.MetricsAddr != "off" {
		if err := a.serveMetrics(c.MetricsAddr, metrics); err != nil {
			return nil, err
		}
	}
	a.server = &http.Server{Handler: a.guard.Handler(mux), ConnContext: a.guard.Context, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, ErrorLog: slog.NewLogLogger(component(o.Logger, "http").Handler(), slog.LevelDebug)}
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

// projected answers up to which position of the log every event has its profile, on whichever node it is worked.
func (a *App) projected() func() int64 {
	if a.Store.Exclusive() {
		return a.projector.Position
	}
	return upkeep.SharedPosition(a.Store, "projector")
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

// Start takes the leases and begins to receive, send and forward. It returns when the gateway answers requests.
func (a *App) Start(ctx context.Context) error {
	if err := a.Store.Leases().Start(ctx); err != nil {
		return err
	}
	a.defers("leases", a.Store.Leases().Release)
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var background sync.WaitGroup
	background.Go(func() { a.Directory.Run(run) })
	background.Go(func() { a.Applications.RunChecks(run) })
	background.Go(func() { a.erasures.Run(run) })
	a.defers("background", func(context.Context) error { cancel(); background.Wait(); return nil })
	// The server ends after the workers, though it begins after them: while sends in flight end, /readyz answers 503 and not nothing.
	a.defers("server", a.stopServer)

	if err := a.channels.Start(ctx); err != nil {
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

// stopServer lets requests under way end. Those that merely wait for events are cut off after a moment.
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

// Stop ends the gateway: readiness turns off at once, no new send begins, and those in flight may end until ctx does. It is idempotent.
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

// Reload applies what may change while the gateway runs: limits, log level and TLS files. The old values stay when the new ones are wrong.
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
