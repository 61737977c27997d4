package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/chasqui/chasqui/internal/bench"
)

// benchCmd measures the gateway on this machine. Its last two subcommands are the servers beside
// it, which it starts itself.
type benchCmd struct {
	Inbound  benchInboundCmd  `cmd:"" help:"Measure how fast webhooks are taken, beside a bare handler."`
	Outbound benchOutboundCmd `cmd:"" help:"Measure how fast messages are sent, beside a bare handler."`
	Faces    benchFacesCmd    `cmd:"" help:"Measure what Comapi's and Infobip's APIs cost beside the gateway's own."`
	Platform benchPlatformCmd `cmd:"" hidden:"" help:"The instant platform of a benchmark."`
	Baseline benchBaselineCmd `cmd:"" hidden:"" help:"The baseline of a benchmark."`
}

type benchFlags struct {
	Duration    time.Duration `default:"10s" help:"How long each load lasts."`
	Connections int           `help:"Connections that carry the load; 0 is the default of the benchmark."`
	Store       string        `placeholder:"URL" help:"Database of the gateway: postgres://…; SQLite when left out."`
	Output      string        `placeholder:"FILE" help:"Write the report as JSON to this file, instead of below the table."`
}

type benchInboundCmd struct{ benchFlags }

// Run measures the way in.
func (cmd benchInboundCmd) Run(c console) error {
	return cmd.measure(c, 64, func(o bench.Options) (bench.Report, error) { return bench.Inbound(c.ctx, o) })
}

type benchOutboundCmd struct{ benchFlags }

// Run measures the way out.
func (cmd benchOutboundCmd) Run(c console) error {
	return cmd.measure(c, 256, func(o bench.Options) (bench.Report, error) { return bench.Outbound(c.ctx, o) })
}

type benchFacesCmd struct{ benchFlags }

// Run measures the APIs beside each other.
func (cmd benchFacesCmd) Run(c console) error {
	return cmd.measure(c, 256, func(o bench.Options) (bench.Report, error) { return bench.Faces(c.ctx, o) })
}

func (cmd benchFlags) measure(c console, connections int, run func(bench.Options) (bench.Report, error)) error {
	ctx, stop := signal.NotifyContext(c.ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	c.ctx = ctx
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	if cmd.Connections > 0 {
		connections = cmd.Connections
	}
	report, err := run(bench.Options{Program: program, Duration: cmd.Duration, Connections: connections, Store: cmd.Store, Progress: c.stderr})
	if err != nil {
		return err
	}
	encoded, err := json.Marshal(report)
	if err != nil {
		return err
	}
	if cmd.Output != "" {
		if err := os.WriteFile(cmd.Output, append(encoded, '\n'), 0o644); err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
		return report.Write(c.stdout)
	}
	if err := report.Write(c.stdout); err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.stdout, "\n%s\n", encoded)
	return err
}

type benchBaselineCmd struct {
	Database string `required:"" help:"File of the database."`
	Forward  string `help:"Address that each body is posted on to."`
}

// Run serves the baseline until its parent is gone.
func (cmd benchBaselineCmd) Run(c console) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	baseline, err := bench.NewBaseline(cmd.Database, cmd.Forward)
	if err != nil {
		return err
	}
	go baseline.Serve(l)
	return bench.Announce(os.Stdin, c.stdout, l)
}
