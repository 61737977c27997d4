package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
	"github.com/chasqui/chasqui/internal/transfer"
)

type importCmd struct {
	Profiles importProfilesCmd `cmd:"" help:"Import profiles from CSV or JSON lines, also while a gateway runs."`
}

type importProfilesCmd struct {
	databaseFlags
	File        string `arg:"" help:"File to read: .csv with a header (comma, semicolon or tab), or .jsonl with one object on each line."`
	Format      string `placeholder:"FORMAT" help:"csv or jsonl, where the file's name does not say."`
	Map         string `placeholder:"FILE.csv" help:"Table of old user keys, rows of oldKey,application,psid; the column userKey is looked up in it."`
	Application string `placeholder:"KEY" help:"Application of the column fbMessengerId where a line names none; the only one there is when left out."`
	OnConflict  string `default:"update" placeholder:"WHAT" help:"What to do when a profile is there already: update merges, skip leaves it, fail stops."`
	Report      string `placeholder:"FILE.csv" help:"File for the refused lines: line, field, reason."`
	Events      bool   `help:"Write profile.created and profile.updated to the log, so that subscriptions get them."`
	Fetch       bool   `help:"Have the platform asked for name and picture of each new person."`
	DryRun      bool   `help:"Say what would become of each line, and change nothing."`
}

// How often an import says how far it is.
const (
	progressInterval = 5 * time.Second
	terminalInterval = 200 * time.Millisecond
)

// shownRefusals is how many refused lines are told one by one on stderr; the report has them all.
const shownRefusals = 20

// Run imports the file. A run that is cut short, in whichever way, goes on where it was when it is
// started again with the same file and flags.
func (cmd importProfilesCmd) Run(c console) error {
	format, ok := transfer.FormatOf(cmd.File)
	if cmd.Format != "" {
		format, ok = transfer.Format(cmd.Format), cmd.Format == string(transfer.FormatCSV) || cmd.Format == string(transfer.FormatJSONLines)
	}
	if !ok {
		return usageError{errors.New("--format: say csv or jsonl; the file's name does not")}
	}
	conflict := store.OnConflict(cmd.OnConflict)
	if conflict != store.ConflictUpdate && conflict != store.ConflictSkip && conflict != store.ConflictFail {
		return usageError{fmt.Errorf("--on-conflict: %q is not one of update, skip, fail", cmd.OnConflict)}
	}
	if _, err := os.Stat(cmd.File); err != nil {
		return err
	}
	s, err := cmd.open(c)
	if err != nil {
		return err
	}
	defer s.Close()
	application, err := theApplication(c.ctx, s, cmd.Application)
	if err != nil {
		return err
	}
	beside, err := s.GatewayRuns()
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(c.ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	shown := newImportDisplay(c.stderr, cmd.DryRun)
	im := &transfer.Import{Store: s, File: cmd.File, Format: format, Application: application, KeysFile: cmd.Map, Report: cmd.Report, OnConflict: conflict,
		Events: cmd.Events, Fetch: cmd.Fetch, DryRun: cmd.DryRun, Gentle: beside, Progress: shown.progress}
	done, err := im.Run(ctx)
	shown.end(done)
	if ctx.Err() != nil && c.ctx.Err() == nil {
		return fmt.Errorf("stopped after %d records: start again with the same file and flags to go on", done.Records())
	}
	if err != nil {
		return err
	}
	return summary(c.stdout, done, cmd.DryRun)
}

// theApplication returns the application named, or the only one there is, or none.
func theApplication(ctx context.Context, s *store.Store, named string) (string, error) {
	keys, err := s.ApplicationKeys(ctx)
	if err != nil {
		return "", err
	}
	if named == "" {
		if len(keys) == 1 {
			return keys[0], nil
		}
		return "", nil
	}
	for _, key := range keys {
		if key == named {
			return named, nil
		}
	}
	return "", fmt.Errorf("--application: %w", gateway.NotFound("application", named))
}

func summary(w io.Writer, p transfer.Progress, dry bool) error {
	form := "%d created, %d updated, %d unchanged, %d skipped, %d refused"
	if dry {
		form = "would be: " + form
	}
	_, err := fmt.Fprintf(w, form, p.Created, p.Updated, p.Unchanged, p.Skipped, p.Refused)
	if err == nil && p.Merged > 0 {
		_, err = fmt.Fprintf(w, "; %d profiles that came about by themselves went into others", p.Merged)
	}
	if err == nil {
		_, err = fmt.Fprintln(w)
	}
	return err
}

// importDisplay tells on stderr how an import goes: one line that changes on a terminal, else a
// line every few seconds.
type importDisplay struct {
	w        io.Writer
	dry      bool
	terminal bool
	begun    time.Time
	last     time.Time
	told     int
}

func newImportDisplay(w io.Writer, dry bool) *importDisplay {
	d := &importDisplay{w: w, dry: dry, begun: time.Now(), last: time.Now()}
	if f, ok := w.(*os.File); ok {
		if info, err := f.Stat(); err == nil {
			d.terminal = info.Mode()&os.ModeCharDevice != 0
		}
	}
	return d
}

func (d *importDisplay) progress(p transfer.Progress) {
	for _, r := range p.Refusals {
		d.told++
		switch {
		case d.told <= shownRefusals:
			d.clear()
			fmt.Fprintf(d.w, "line %d: %s\n", r.Line, refusalText(r))
		case d.told == shownRefusals+1:
			d.clear()
			fmt.Fprintln(d.w, "further refused lines are counted, and in the report")
		}
	}
	interval := progressInterval
	if d.terminal {
		interval = terminalInterval
	}
	if time.Since(d.last) < interval {
		return
	}
	d.last = time.Now()
	d.clear()
	fmt.Fprint(d.w, d.line(p))
	if !d.terminal {
		fmt.Fprintln(d.w)
	}
}

func refusalText(r transfer.Refusal) string {
	if r.Field == "" {
		return r.Reason
	}
	return r.Field + ": " + r.Reason
}

func (d *importDisplay) clear() {
	if d.terminal {
		fmt.Fprint(d.w, "\r\x1b[K")
	}
}

func (d *importDisplay) line(p transfer.Progress) string {
	percent := 100.0
	if p.Size > 0 {
		percent = 100 * float64(p.Bytes) / float64(p.Size)
	}
	return fmt.Sprintf("%5.1f %%  %d records, %.0f a second, %d refused", percent, p.Records(), p.Rate(time.Since(d.begun)), p.Refused)
}

// end leaves the last line.
func (d *importDisplay) end(p transfer.Progress) {
	d.clear()
	if p.Resumed > 0 {
		fmt.Fprintf(d.w, "went on after %d records of an earlier run\n", p.Resumed)
	}
	if p.Records() > 0 {
		fmt.Fprintln(d.w, d.line(p))
	}
}
