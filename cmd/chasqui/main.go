// Command chasqui is the self-hosted Messenger gateway: one program with a subcommand for each job.
// This package reads the command line and hands over; it holds no logic of its own.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/chasqui/chasqui/internal/config"
	"github.com/chasqui/chasqui/rivescript/js"
)

// commands is the table of subcommands: one field and one file each.
type commands struct {
	Serve   serveCmd   `cmd:"" help:"Run the gateway."`
	Emulate emulateCmd `cmd:"" help:"Run the emulated platform alone."`
	Dev     devCmd     `cmd:"" help:"Start the gateway and an emulated platform, set up to try them."`
	Bot     botCmd     `cmd:"" help:"Write, check and test bots from scripts."`
	Code    codeCmd    `cmd:"" help:"Draw the QR code of a page's link."`
	Link    linkCmd    `cmd:"" help:"Print a page's link."`
	Bench   benchCmd   `cmd:"" help:"Measure the gateway on this machine."`
	Key     keyCmd     `cmd:"" help:"Make, list and revoke API keys, also while a gateway runs."`
	Import  importCmd  `cmd:"" help:"Import profiles from a file."`
	Export  exportCmd  `cmd:"" help:"Write profiles, messages or events to a file."`
	Migrate migrateCmd `cmd:"" help:"Bring the database to this version's schema."`
	Backup  backupCmd  `cmd:"" help:"Write a backup of the SQLite database, also while a gateway runs."`
	Restore restoreCmd `cmd:"" help:"Restore a backup; unfinished messages come back held."`
	Vacuum  vacuumCmd  `cmd:"" help:"Rewrite the SQLite database without what was removed, while no gateway runs."`
	Config  configCmd  `cmd:"" help:"Describe the configuration."`
	Version versionCmd `cmd:"" help:"Print the version."`
}

// console is what a subcommand sees of the process.
type console struct {
	ctx    context.Context
	args   []string
	env    []string
	stdout io.Writer
	stderr io.Writer
}

// Exit codes: 0 for success, and these.
const (
	exitFailed = 1 // the command was understood and did not succeed
	exitUsage  = 2 // the command line, the environment or the configuration file is wrong
)

// usageError is an error of whoever called the command rather than of what it did.
type usageError struct{ error }

// Unwrap returns the error itself.
func (e usageError) Unwrap() error { return e.error }

func main() {
	js.Main() // a process that runs JavaScript of scripts is this program again
	c := console{ctx: context.Background(), args: os.Args[1:], env: os.Environ(), stdout: os.Stdout, stderr: os.Stderr}
	os.Exit(c.run())
}

// run parses the command line, runs the subcommand and returns the exit code. Errors are one plain
// line on stderr.
func (c console) run() int {
	if len(c.args) == 0 {
		c.args = []string{"--help"}
	}
	parsed, err := c.parse(new(commands))
	if err == nil {
		err = parsed.Run(c)
	} else {
		err = usageError{err}
	}
	if err == nil {
		return 0
	}
	fmt.Fprintf(c.stderr, "chasqui: %s\n", strings.ReplaceAll(err.Error(), "\n", "; "))
	var usage usageError
	if errors.As(err, &usage) {
		return exitUsage
	}
	return exitFailed
}

func (c console) parse(into *commands) (*kong.Context, error) {
	parser, err := kong.New(into,
		kong.Name("chasqui"),
		kong.Description("A self-hosted Messenger gateway. `chasqui config describe` explains every setting."),
		kong.Writers(c.stdout, c.stderr),
		kong.Bind(c),
		kong.TypeMapper(reflect.TypeFor[config.Addresses](), addressesMapper{}),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	if err != nil {
		return nil, err
	}
	return parser.Parse(c.args)
}
