package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/chasqui/chasqui/internal/app"
	"github.com/chasqui/chasqui/internal/config"
)

// gcPercent lets the heap grow further between collections than Go's default: what the gateway
// holds in memory is small and bounded, and short-lived garbage is most of what it makes.
const gcPercent = 250

type serveCmd struct {
	configFile
	Settings config.Config `embed:""`
}

// Run runs the gateway until it is told to stop.
func (cmd serveCmd) Run(c console) error {
	if err := cmd.Settings.Validate(); err != nil {
		return usageError{err}
	}
	log, level := newLogger(c.stderr, cmd.Settings)
	if cmd.Settings.PublicURL == "" {
		log.Warn("the setting publicUrl is missing: no page can be connected, for the platform could not reach this gateway")
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	// Signals are taken from here on, so that one during the start does not leave the work half
	// done.
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	defer signal.Stop(signals)
	gateway, err := app.New(c.ctx, app.Options{Config: cmd.Settings, Logger: log, LogLevel: level, Version: version()})
	if err != nil {
		return err
	}
	defer gateway.Stop(c.ctx) // idempotent
	if err := gateway.Start(c.ctx); err != nil {
		return err
	}
	log.Info("gateway ready", "addr", gateway.Addr().String(), "public_url", cmd.Settings.PublicURL)
	for {
		select {
		case s := <-signals:
			if s == syscall.SIGHUP {
				c.reload(gateway, log)
				continue
			}
			log.Info("stopping", "signal", s.String())
			signal.Stop(signals) // a second one ends the process at once
			stop, cancel := context.WithTimeoutCause(c.ctx, cmd.Settings.ShutdownTimeout, fmt.Errorf("sends in flight did not end within %s", cmd.Settings.ShutdownTimeout))
			defer cancel()
			return gateway.Stop(stop)
		case err := <-gateway.Failed():
			return err
		}
	}
}

// reload reads command line, environment and file again. When something is wrong with them the
// gateway goes on as it was.
func (c console) reload(gateway *app.App, log *slog.Logger) {
	var again commands
	_, err := c.parse(&again)
	if err == nil {
		err = gateway.Reload(again.Serve.Settings)
	}
	if err != nil {
		log.Error("the configuration is wrong and was not applied", "err", err)
		return
	}
	log.Info("configuration applied")
}

// newLogger makes the log that the settings ask for. Its level can be changed while it is in use.
func newLogger(w io.Writer, c config.Config) (*slog.Logger, *slog.LevelVar) {
	level := new(slog.LevelVar)
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		level.Set(slog.LevelInfo) // validated before: cannot be
	}
	options := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options)), level
	}
	return slog.New(slog.NewTextHandler(w, options)), level
}
