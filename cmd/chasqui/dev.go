package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/chasqui/chasqui/internal/app"
	"github.com/chasqui/chasqui/internal/config"
	"github.com/chasqui/chasqui/internal/gateway"
)

// devCmd starts the emulated platform and the gateway in one process, with everything set up to try
// them.
type devCmd struct {
	GatewayAddr    string `default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Address of the gateway; ${default} when left out."`
	PlatformAddr   string `default:"127.0.0.1:8081" placeholder:"HOST:PORT" help:"Address of the emulated platform and its chat page; ${default} when left out."`
	Data           string `placeholder:"DIR" help:"Folder to keep everything in, so that the next start goes on with it. Without it a temporary folder is used and removed."`
	Script         string `placeholder:"DIR" help:"Run the scripts of this folder on the demo page, and read them again when they are saved; without it a small demo bot answers."`
	ForwardTo      string `placeholder:"URL" help:"Forward every event to this URL. The demo's bot gives way to the program there."`
	JSON           bool   `name:"json" help:"Print one line of JSON instead of words once everything answers; logs go to stderr."`
	LogLevel       string `default:"warn" enum:"debug,info,warn,error" help:"Least level that is logged: debug, info, warn or error."`
	SessionsFields string `name:"sessions-fields" default:"firstName,lastName,email,phoneNumber" placeholder:"NAMES" help:"Fields of their own profile that customers may change in such sessions, with commas between."`
	SessionsSecret string `name:"sessions-secret" placeholder:"TEXT" help:"Let Comapi's JavaScript SDK make sessions for customers that tokens signed with this secret name (JWT, HS256); at least 32 bytes."`
}

// Run starts everything, prints how to use it, and ends on SIGINT or SIGTERM.
func (d devCmd) Run(c console) error {
	ctx, stop := signal.NotifyContext(c.ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	gatewayListener, err := listenOn(d.GatewayAddr, "--gateway-addr")
	if err != nil {
		return err
	}
	platformListener, err := listenOn(d.PlatformAddr, "--platform-addr")
	if err != nil {
		gatewayListener.Close()
		return err
	}
	folder, remove, err := d.folder()
	if err != nil {
		return errors.Join(err, gatewayListener.Close(), platformListener.Close())
	}
	defer remove()
	var level slog.Level
	if err := level.UnmarshalText([]byte(d.LogLevel)); err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(c.stderr, &slog.HandlerOptions{Level: level}))

	s := &devSession{folder: folder, keep: d.Data != "", log: log, gatewayURL: urlOf(gatewayListener), platformURL: urlOf(platformListener)}
	defer s.stop()
	if err := s.startPlatform(platformListener); err != nil {
		return errors.Join(err, gatewayListener.Close())
	}
	if err := s.startGateway(ctx, gatewayListener, d.SessionsSecret, d.SessionsFields); err != nil {
		return err
	}
	if err := s.setUp(ctx, d.ForwardTo); err != nil {
		return err
	}
	if err := s.runScripts(ctx, d.Script, d.ForwardTo != ""); err != nil {
		return err
	}
	if d.JSON {
		err = json.NewEncoder(c.stdout).Encode(s.summary())
	} else {
		err = s.explain(c.stdout)
	}
	if err != nil {
		return err
	}
	if s.forward != nil {
		told := c.stdout
		if d.JSON {
			told = c.stderr
		}
		s.watching.Go(func() { s.watchReceiver(ctx, told) })
		defer s.watching.Wait()
		defer stop()
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-s.gateway.Failed():
		return err
	}
}

// listenOn binds an address, and names the flag that changes it when it cannot.
func listenOn(addr, flag string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err == nil {
		return l, nil
	}
	_, port, splitErr := net.SplitHostPort(addr)
	switch {
	case splitErr != nil:
		return nil, usageError{fmt.Errorf("%s: %q is not HOST:PORT", flag, addr)}
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("port %s is taken by another program: choose another with %s", port, flag)
	}
	return nil, fmt.Errorf("%s %s: %w", flag, addr, err)
}

// urlOf is the address of a listener as somebody on this machine reaches it.
func urlOf(l net.Listener) string {
	host, port, _ := net.SplitHostPort(l.Addr().String())
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

func (d devCmd) folder() (folder string, remove func(), err error) {
	if d.Data != "" {
		if err := os.MkdirAll(d.Data, 0o700); err != nil {
			return "", nil, fmt.Errorf("make data folder: %w", err)
		}
		return d.Data, func() {}, nil
	}
	if folder, err = os.MkdirTemp("", "chasqui-dev-"); err != nil {
		return "", nil, fmt.Errorf("make temporary folder: %w", err)
	}
	return folder, func() { os.RemoveAll(folder) }, nil
}

// devSession is a running dev command.
type devSession struct {
	folder                  string
	keep                    bool // the folder outlives the command
	log                     *slog.Logger
	gatewayURL, platformURL string

	demo     demo
	platform *platformServer
	gateway  *app.App
	saving   sync.WaitGroup
	watching sync.WaitGroup
	stopSave context.CancelFunc
	forward  *gateway.Subscription
	inbox    *gateway.Subscription
	silent   bool // no bot answers: the events go to somebody's program
	once     sync.Once
}

// startGateway starts the gateway on the data folder, pointed at the emulated platform.
func (s *devSession) startGateway(ctx context.Context, l net.Listener, sessionsSecret, sessionsFields string) error {
	c := config.Default()
	c.Scripts.JavaScript = "on" // the scripts are those of whoever tries
	c.Data, c.Addr, c.PublicURL, c.GraphURL = s.folder, l.Addr().String(), s.gatewayURL, s.platformURL
	c.LowDisk, c.LinkURL, c.Sessions.Secret = 64<<20, s.platformURL+"/m.me", sessionsSecret
	c.Sessions.Fields, c.MetricsAddr = sessionsFields, "127.0.0.1:0"
	var err error
	s.gateway, err = app.New(ctx, app.Options{Config: c, Logger: s.log, Version: version(), Listener: l, AllowLoopback: true})
	if err != nil {
		l.Close()
		return err
	}
	return s.gateway.Start(ctx)
}

// setUp connects the demo page and makes key and subscriptions, where an earlier start has not.
func (s *devSession) setUp(ctx context.Context, forwardTo string) error {
	if err := s.connect(ctx); err != nil {
		return fmt.Errorf("connect the demo page: %w", err)
	}
	key := &gateway.APIKey{Name: "dev", Scopes: []gateway.Scope{gateway.ScopeAll}, All: true}
	known, err := s.gateway.Store.Keys(ctx)
	if err != nil {
		return err
	}
	if len(known) == 0 {
		if err := s.gateway.Store.CreateKey(ctx, key, gateway.Secret(s.demo.APIKey)); err != nil {
			return fmt.Errorf("make the API key: %w", err)
		}
	}
	if s.inbox, err = s.subscription(ctx, &gateway.Subscription{Name: "dev inbox", Kind: gateway.KindPull}); err != nil {
		return fmt.Errorf("make the pull subscription: %w", err)
	}
	if forwardTo == "" {
		return nil
	}
	if s.forward, err = s.subscription(ctx, &gateway.Subscription{Name: "dev forward", Kind: gateway.KindForward, URL: forwardTo}); err != nil {
		return usageError{fmt.Errorf("--forward-to: %w", err)}
	}
	return nil
}

func (s *devSession) connect(ctx context.Context) error {
	if a := s.gateway.Directory.ApplicationOf(s.demo.App.ID, s.demo.Page.ID); a != nil {
		s.demo.Application = a.Key
		return s.gateway.Applications.Resubscribe(ctx, everyone, a.Key)
	}
	a, err := s.gateway.Applications.Connect(ctx, everyone, connectInput(s.demo))
	if err != nil {
		return err
	}
	s.demo.Application = a.Key
	profile := json.RawMessage(`{"get_started":{"payload":"get_started_payload"}}`)
	return s.gateway.Applications.SetMessengerProfile(ctx, everyone, a.Key, profile)
}

// everyone is the key of this command itself, which may do all.
var everyone = gateway.Everything()

// subscription returns the subscription of the same kind and URL, made if there is none.
func (s *devSession) subscription(ctx context.Context, want *gateway.Subscription) (*gateway.Subscription, error) {
	all, err := s.gateway.Subscriptions.List(ctx, everyone)
	if err != nil {
		return nil, err
	}
	for _, have := range all {
		if have.Kind == want.Kind && have.URL == want.URL {
			return have, nil
		}
	}
	return want, s.gateway.Subscriptions.Create(ctx, everyone, want, "now")
}

// stop ends gateway and platform, in that order, and keeps the platform's state.
func (s *devSession) stop() {
	s.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 1500*time.Millisecond)
		defer cancel()
		if s.gateway != nil {
			if err := s.gateway.Stop(ctx); err != nil {
				s.log.Warn("stop the gateway", "err", err)
			}
		}
		if s.platform != nil {
			s.stopSave()
			s.saving.Wait()
			s.platform.stop()
			s.savePlatform()
		}
	})
}

func (s *devSession) path(name string) string { return filepath.Join(s.folder, name) }
