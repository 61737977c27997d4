package app

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/chasqui/chasqui/internal/apisrv"
	"github.com/chasqui/chasqui/internal/bot"
	"github.com/chasqui/chasqui/internal/channel"
	"github.com/chasqui/chasqui/internal/channel/providers"
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

// open opens the database and its secrets, and reads who is connected.
func (a *App) open(ctx context.Context) (*service.Directory, error) {
	c := a.o.Config
	if c.Store == "" || c.KeyFile == "" {
		if err := os.MkdirAll(c.Data, 0o700); err != nil {
			return nil, fmt.Errorf("make data folder: %w", err)
		}
	}
	var err error
	a.Store, err = OpenStore(ctx, store.Options{URL: c.Database(), KeyFileShared: c.KeyFileShared, AnyOwner: true, Logger: component(a.log, "store"), Now: a.o.Now})
	if err != nil {
		return nil, err
	}
	a.defers("store", func(context.Context) error { return a.Store.Close() })
	if a.vault, err = store.OpenVault(ctx, a.Store, c.KeyPath()); err != nil {
		return nil, err
	}
	a.vault.Formats = formats()
	a.tokens = store.NewTokens(a.vault)
	return service.NewDirectory(ctx, a.vault, component(a.log, "directory"))
}

// assemble makes what works and the use cases, each after what it needs: what sends, the use cases,
// what reads the log.
func (a *App) assemble(directory *service.Directory) error {
	c := a.o.Config
	var err error
	if a.reachable, err = reach.Parse(string(c.Forward.AllowPrivate)); err != nil {
		return fmt.Errorf("setting forward.allowPrivate: %w", err)
	}
	pictures := new(reach.Allowed)
	if a.o.AllowLoopback {
		a.reachable, pictures = a.reachable.WithLoopback(), pictures.WithLoopback()
	}
	a.platform = service.Platform{BaseURL: c.GraphURL, Version: c.GraphVersion}
	applications := &service.Applications{Vault: a.vault, Directory: directory, Platform: a.platform, PublicURL: c.PublicURL, Logger: component(a.log, "applications"), Now: a.Store.Now}
	policy := &service.Policy{Store: a.Store, Directory: directory, GraphVersion: c.GraphVersion, Observe: c.Policy == "observe"}
	a.channels = channel.New(channel.Options{
		Providers: providers.Table(), Vault: a.vault, Store: a.Store, Logger: component(a.log, "channel"), PublicURL: c.PublicURL, UserAgent: a.agent(), Reach: a.reachable, Refused: a.metrics.ingest().Refused,
	})
	a.metrics.states(a.Store, directory, a.channels.Connections)
	a.deliverer = deliver.New(deliver.Options{
		Store: a.Store, Applications: applications, Directory: directory, Logger: component(a.log, "deliver"), Platform: a.platform, Policy: policy, Channels: a.channels,
		Limits:    gateway.Limits{TextPerSecond: c.Limits.TextPerSecond, MediaPerSecond: c.Limits.MediaPerSecond},
		WaitProof: c.Uncertain.Wait, GiveUp: c.Uncertain.GiveUp, Resend: deliver.Resend(c.Uncertain.Resend), Metrics: a.metrics.deliver(),
	})
	javascript := js.NewPool(js.Options{Mode: js.Mode(c.Scripts.JavaScript), Logger: component(a.log, "javascript")})
	a.defers("javascript", func(context.Context) error { javascript.Close(); return nil })
	a.Services = service.New(service.Deps{
		Store: a.Store, Vault: a.vault, Tokens: a.tokens, Directory: directory, Applications: applications, Policy: policy, Outbox: a.deliverer, Accounts: a.channels,
		JavaScript: javascript, Fetch: bot.NewFetcher(strings.Split(c.Scripts.AllowHosts, ",")).Fetch, Logger: a.log, Platform: a.platform,
		PublicURL: c.PublicURL, LinkURL: c.LinkURL, Reach: a.reachable, Pictures: pictures, CustomerMatching: c.CustomerMatching, Accepted: a.metrics.accepted,
	})
	a.readers()
	return nil
}

// readers makes what reads the log, and who keeps house.
func (a *App) readers() {
	c := a.o.Config
	a.projector = project.New(project.Options{Store: a.Store, Directory: a.Directory, Platform: a.platform, Logger: component(a.log, "project")})
	a.tracker = entrypoint.New(entrypoint.Options{Store: a.Store, Directory: a.Directory, Points: a.EntryPoints, OptIns: a.OptIns, Logger: component(a.log, "entrypoints")})
	a.bots = bot.New(bot.Options{
		Store: a.Store, Directory: a.Directory, Scripts: a.Scripts, Messages: a.Messages, Platform: a.platform, Logger: component(a.log, "bot"), Accepted: a.metrics.accepted,
		Code: a.EntryPoints.IsCode,
	})
	a.poster = forward.NewPoster(a.reachable, 15*time.Second, a.agent())
	a.forwarder = forward.New(forward.Options{
		Store: a.Store, Vault: a.vault, Directory: a.Directory, Logger: component(a.log, "forward"), Projected: a.projector.Covers, Metrics: a.metrics.forward(),
		Sinks: map[gateway.SubscriptionKind]func(gateway.Around) forward.Sink{gateway.KindForward: forward.Push(a.poster)},
	})
	a.keeper = upkeep.New(upkeep.Options{
		Store: a.Store, Logger: component(a.log, "upkeep"),
		Retention: store.Retention{Events: days(c.Retention.Events), Messages: days(c.Retention.Messages), Deliveries: days(c.Retention.Deliveries)},
		LowDisk:   c.LowDisk, DataFolder: c.Data, Metrics: a.metrics.upkeep(),
	})
}

// agent is how the gateway calls itself to those it posts to.
func (a *App) agent() string { return "Chasqui/" + a.o.Version }

// handler makes what answers requests: webhooks, links, the console, providers' reports, and the
// APIs.
func (a *App) handler() (http.Handler, error) {
	c, now := a.o.Config, a.Store.Now
	mux := http.NewServeMux()
	ingest.New(ingest.Options{
		Store: a.Store, Directory: a.Directory, Points: a.EntryPoints, Erasures: a.Erasures, Logger: component(a.log, "ingest"), MaxBody: c.MaxBody, Metrics: a.metrics.ingest(),
	}).Register(mux)
	mux.HandleFunc("GET /m/{slug}", a.tracker.Visit)
	codes := &entrypoint.Codes{Directory: a.Directory, Points: a.EntryPoints, Tokens: a.tokens, PublicURL: c.PublicURL, Now: now}
	codes.Register(mux)
	pages, err := console.New(console.Options{
		EntryPoints: a.EntryPoints, Directory: a.Directory, Keys: a.Keys, Tokens: a.tokens, SignIns: &service.SignIns{Store: a.Store}, Logger: component(a.log, "console"),
		PublicURL: c.PublicURL, Now: now,
	})
	if err != nil {
		return nil, err
	}
	pages.Register(mux)
	a.channels.Register(mux)
	api, err := apisrv.New(apisrv.Options{
		Services: a.Services, Now: now, Logger: component(a.log, "api"), PublicURL: c.PublicURL, Version: a.o.Version, MaxBody: c.MaxBody, Ready: a.ready, Observe: a.metrics.observe,
	})
	if err != nil {
		return nil, err
	}
	mux.Handle("/", a.serveDialects(dialect.Environment{
		Services: a.Services, Store: a.Store, Vault: a.vault, Tokens: a.tokens, Post: a.poster.Post, MaxBody: c.MaxBody, Observe: a.metrics.observe,
		Sessions: dialect.SessionSettings{
			Secret: gateway.Secret(c.Sessions.Secret), Issuer: c.Sessions.Issuer, Audience: c.Sessions.Audience, IDClaim: c.Sessions.IDClaim, Fields: listed(c.Sessions.Fields),
		},
	}, codes.Otherwise(api)))
	return mux, nil
}

// bind binds the addresses, and makes the server that answers there once it is started.
func (a *App) bind(handler http.Handler) error {
	c := a.o.Config
	proxies, err := guard.ParseProxies(c.TrustedProxies)
	if err != nil {
		return fmt.Errorf("setting trustedProxies: %w", err)
	}
	a.guard = guard.New(guard.Options{
		MaxConnections: c.MaxConnections, MaxBodies: c.MaxBodies, TrustedProxies: proxies, StrictTransport: c.TLSCert != "" || strings.HasPrefix(c.PublicURL, "https://"),
	})
	a.metrics.connections(a.guard.Open)
	if a.listener, err = a.listen(c); err != nil {
		return err
	}
	a.defers("listener", func(context.Context) error { return ignoreClosed(a.listener.Close()) })
	if c.Metrics && c.MetricsAddr != "off" {
		if err := a.serveMetrics(c.MetricsAddr, a.metrics); err != nil {
			return err
		}
	}
	a.server = &http.Server{
		Handler: a.guard.Handler(handler), ConnContext: a.guard.Context, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(component(a.log, "http").Handler(), slog.LevelDebug),
	}
	return nil
}
