package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/chasqui/chasqui/internal/apisrv"
	"github.com/chasqui/chasqui/internal/transfer"
)

type exportCmd struct {
	Profiles exportProfilesCmd `cmd:"" help:"Write all profiles, as import reads them."`
	Messages exportMessagesCmd `cmd:"" help:"Write messages as JSON lines, newest first."`
	Events   exportEventsCmd   `cmd:"" help:"Write events as JSON lines, in order."`
}

// exportFlags are those of every export.
type exportFlags struct {
	databaseFlags
	Application []string `placeholder:"KEY" help:"Only what belongs to these applications."`
	Out         string   `short:"o" placeholder:"FILE" help:"File to write, which must not be there yet; standard output when left out."`
}

// write opens database and output and has both closed after do.
func (f exportFlags) write(c console, do func(x transfer.Export, w io.Writer) (int64, error)) (err error) {
	if f.Store == "" {
		if _, err := os.Stat(f.Database()); err != nil {
			return fmt.Errorf("there is no database to export from: %w", err)
		}
	}
	s, err := f.open(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	out := c.stdout
	if f.Out != "" {
		file, err := os.OpenFile(f.Out, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return fmt.Errorf("--out: %w", err)
		}
		defer file.Close()
		out = file
	}
	buffered := bufio.NewWriterSize(out, 64<<10)
	n, err := do(transfer.Export{Store: s, Applications: f.Application}, buffered)
	if flushed := buffered.Flush(); err == nil {
		err = flushed
	}
	if err != nil {
		return err
	}
	if f.Out != "" {
		fmt.Fprintf(c.stderr, "wrote %d to %s\n", n, f.Out)
	}
	return nil
}

type exportProfilesCmd struct {
	exportFlags
	Format         string `placeholder:"FORMAT" help:"csv or jsonl; jsonl when left out and --out says nothing else."`
	ForSpreadsheet bool   `help:"Make CSV that people open in a spreadsheet: with a mark for its letters, and an apostrophe before what it would take for a formula. Without, it is for programs, as import reads it."`
}

// Run writes the profiles.
func (cmd exportProfilesCmd) Run(c console) error {
	format := transfer.FormatJSONLines
	if named, ok := transfer.FormatOf(cmd.Out); ok {
		format = named
	}
	if cmd.Format != "" {
		format = transfer.Format(cmd.Format)
	}
	if format != transfer.FormatCSV && format != transfer.FormatJSONLines {
		return usageError{fmt.Errorf("--format: %q is neither csv nor jsonl", cmd.Format)}
	}
	if cmd.ForSpreadsheet && format != transfer.FormatCSV {
		return usageError{errors.New("--for-spreadsheet: only CSV is for spreadsheets: add --format csv, or an --out that ends in .csv")}
	}
	ctx, stop := signal.NotifyContext(c.ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	return cmd.write(c, func(x transfer.Export, w io.Writer) (int64, error) {
		x.Spreadsheet = cmd.ForSpreadsheet
		return x.Profiles(ctx, w, format)
	})
}

// spanFlags say from when to when.
type spanFlags struct {
	Since string `placeholder:"TIME" help:"From this moment on, such as 2026-11-22T14:00:00Z or 2026-11-22."`
	Until string `placeholder:"TIME" help:"Before this moment."`
}

func (f spanFlags) span() (transfer.Span, error) {
	var s transfer.Span
	var err error
	if s.Since, err = moment("--since", f.Since); err == nil {
		s.Until, err = moment("--until", f.Until)
	}
	return s, err
}

func moment(flag, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, form := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(form, text); err == nil {
			return at, nil
		}
	}
	return time.Time{}, usageError{fmt.Errorf("%s: %q is not a time such as 2026-11-22T14:00:00Z or 2026-11-22", flag, text)}
}

type exportMessagesCmd struct {
	exportFlags
	spanFlags
}

// Run writes the messages.
func (cmd exportMessagesCmd) Run(c console) error {
	span, err := cmd.span()
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(c.ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	return cmd.write(c, func(x transfer.Export, w io.Writer) (int64, error) {
		return x.Messages(ctx, w, span, apisrv.ShowMessage)
	})
}

type exportEventsCmd struct {
	exportFlags
	spanFlags
}

// Run writes the events.
func (cmd exportEventsCmd) Run(c console) error {
	span, err := cmd.span()
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(c.ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	return cmd.write(c, func(x transfer.Export, w io.Writer) (int64, error) { return x.Events(ctx, w, span) })
}
