package main

import (
	"bufio"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/chasqui/chasqui/internal/script"
	"github.com/chasqui/chasqui/rivescript"
	"github.com/chasqui/chasqui/rivescript/js"
)

// botCmd holds the tools for authors of scripts. None of them needs a gateway.
type botCmd struct {
	Chat  botChatCmd  `cmd:"" help:"Talk with a bot in the terminal."`
	Check botCheckCmd `cmd:"" help:"Look for errors: bad triggers, triggers that can never win, names that lead nowhere."`
	Test  botTestCmd  `cmd:"" help:"Run the transcripts of a folder."`
	Eval  botEvalCmd  `cmd:"" help:"Run the engine for another program, over lines of JSON."`
}

// scriptFlags say which scripts, and in which dialect.
type scriptFlags struct {
	Paths   []string `arg:"" name:"file" help:"Scripts (.rive, .rs, .topic), or folders of them."`
	Dialect string   `help:"rivescript or dexter; guessed from the scripts when left out." enum:",rivescript,dexter" default:""`
}

func (f scriptFlags) load() ([]script.File, rivescript.Dialect, error) {
	files, err := script.Files(f.Paths...)
	if err != nil {
		return nil, "", err
	}
	if f.Dialect != "" {
		return files, rivescript.Dialect(f.Dialect), nil
	}
	return files, script.DialectOf(files), nil
}

// javascript runs the macros of a command: also where their memory cannot be limited, for the
// scripts are those of whoever gives it.
func javascript() *js.Pool { return js.NewPool(js.Options{Mode: js.On, Workers: 1}) }

type botCheckCmd struct{ scriptFlags }

// Run prints what is wrong, one line each, and fails when a script is refused.
func (cmd *botCheckCmd) Run(c console) error {
	files, dialect, err := cmd.load()
	if err != nil {
		return err
	}
	macros := javascript()
	defer macros.Close()
	problems, warnings, err := script.Check(rivescript.Options{Dialect: dialect, UTF8: true, Languages: script.Languages(macros.Checker(c.ctx, ""))}, files)
	if err != nil {
		return err
	}
	for _, p := range problems {
		fmt.Fprintf(c.stdout, "error: %s\n", p)
	}
	for _, p := range warnings {
		fmt.Fprintf(c.stdout, "warning: %s\n", p)
	}
	if len(problems) > 0 {
		return fmt.Errorf("%d errors in %d files", len(problems), len(files))
	}
	fmt.Fprintf(c.stdout, "%d files in the dialect %s: %d warnings\n", len(files), dialect, len(warnings))
	return nil
}

type botTestCmd struct {
	Dir    string `arg:"" help:"Folder with .transcript files."`
	Update bool   `help:"Write what the bot answers now into the transcripts."`
}

// Run plays every transcript.
func (cmd *botTestCmd) Run(c console) error {
	transcripts, err := script.ReadTranscripts(cmd.Dir)
	if err != nil {
		return err
	}
	macros := javascript()
	defer macros.Close()
	failed := 0
	for _, t := range transcripts {
		failures, actual, err := t.Run(c.ctx, macros.Checker(c.ctx, ""))
		if err != nil {
			return err
		}
		if len(failures) > 0 && cmd.Update {
			if err := os.WriteFile(t.Path, []byte(actual), 0o644); err != nil {
				return err
			}
			fmt.Fprintf(c.stdout, "updated %s\n", t.Path)
			continue
		}
		for _, f := range failures {
			fmt.Fprintln(c.stdout, f)
		}
		if len(failures) > 0 {
			failed++
		} else {
			fmt.Fprintf(c.stdout, "ok %s\n", t.Path)
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d transcripts failed", failed, len(transcripts))
	}
	return nil
}

type botChatCmd struct {
	scriptFlags
	Seed uint64 `help:"Makes the same choices each time; 0 leaves them to chance."`
}

const chatHelp = `Write to the bot, or:
  /set name=value        set a variable            /vars        show all variables
  /start [SRC ref ad]    tap Get Started           /referral SRC [ref [ad]]   come back by a link, code or ad
  /event NAME            a postback or an event    /media TYPE URL            send an attachment
  /wait 2h               let time pass             /trace       show why a trigger wins, on and off
  /reload                read the scripts again    /quit        leave
`

// chat is a conversation in the terminal.
type chat struct {
	cmd     *botChatCmd
	c       console
	dialect rivescript.Dialect
	talk    *script.Conversation
	trace   bool
	macros  *js.Pool
}

// Run talks until the input ends.
func (cmd *botChatCmd) Run(c console) error {
	s := &chat{cmd: cmd, c: c, macros: javascript()}
	defer s.macros.Close()
	if err := s.load(); err != nil {
		return err
	}
	fmt.Fprint(c.stdout, chatHelp)
	in := bufio.NewScanner(os.Stdin)
	for fmt.Fprint(c.stdout, "> "); in.Scan(); fmt.Fprint(c.stdout, "> ") {
		line := strings.TrimSpace(in.Text())
		switch {
		case line == "/quit":
			return nil
		case strings.HasPrefix(line, "/"):
			s.command(line)
		default:
			s.explain(line)
			s.show(s.talk.Say(c.ctx, line))
		}
	}
	fmt.Fprintln(c.stdout)
	return in.Err()
}

func (s *chat) load() error {
	files, dialect, err := s.cmd.load()
	if err != nil {
		return err
	}
	e, warnings, err := script.Build(rivescript.Options{Dialect: dialect, UTF8: true, Languages: script.Languages(s.macros.Checker(s.c.ctx, ""))}, files)
	for _, w := range warnings {
		fmt.Fprintf(s.c.stderr, "warning: %s\n", w)
	}
	if err != nil {
		return err
	}
	s.dialect = dialect
	if s.talk == nil {
		s.talk = script.NewConversation(e, s.cmd.Seed)
		for name, value := range map[string]string{"_userFirstName": "Ana", "_userLastName": "Quispe", "_userFullName": "Ana Quispe"} {
			s.talk.User.Set(name, value)
		}
	}
	e.KeepBotVars(s.talk.Engine)
	s.talk.Engine = e
	return nil
}

func (s *chat) command(line string) {
	verb, rest, _ := strings.Cut(line, " ")
	rest = strings.TrimSpace(rest)
	f := append(strings.Fields(rest), "", "", "")
	referral := script.Referral{Source: f[0], Ref: f[1], AdID: f[2]}
	switch verb {
	case "/set":
		name, value, _ := strings.Cut(rest, "=")
		s.talk.User.Set(strings.TrimSpace(name), strings.TrimSpace(value))
	case "/vars":
		for _, name := range slices.Sorted(maps.Keys(s.talk.User.Vars)) {
			fmt.Fprintf(s.c.stdout, "  %s = %s\n", name, s.talk.User.Vars[name])
		}
	case "/start":
		s.show(s.talk.Refer(s.c.ctx, referral, "get_started_payload"))
	case "/referral":
		s.show(s.talk.Refer(s.c.ctx, referral, ""))
	case "/event":
		s.show(s.talk.Happen(s.c.ctx, rest))
	case "/media":
		script.Media(s.talk.User, f[0], f[1])
		s.show(s.talk.Happen(s.c.ctx, script.EventMedia))
	case "/wait":
		d, err := time.ParseDuration(rest)
		if err != nil {
			fmt.Fprintln(s.c.stdout, err)
			return
		}
		s.lines(script.Lines(s.talk.Wait(d)))
	case "/trace":
		s.trace = !s.trace
		fmt.Fprintf(s.c.stdout, "  trace is %s\n", map[bool]string{true: "on", false: "off"}[s.trace])
	case "/reload":
		if err := s.load(); err != nil {
			fmt.Fprintf(s.c.stdout, "  the scripts stay as they were: %v\n", err)
		}
	default:
		fmt.Fprint(s.c.stdout, chatHelp)
	}
}

// explain shows the triggers that take a message, in their order.
func (s *chat) explain(message string) {
	if !s.trace {
		return
	}
	for i, m := range s.talk.Engine.Explain(s.talk.User, message, 5) {
		place := "  then "
		if i == 0 {
			place = "  wins "
		}
		fmt.Fprintf(s.c.stdout, "%s+ %s   (%s:%d, topic %s: %s)\n", place, m.Trigger, m.File, m.Line, m.Topic, m.Why)
	}
}

func (s *chat) show(r rivescript.Reply) { s.lines(script.Shown(r, s.dialect)) }

func (s *chat) lines(lines []string) {
	for _, l := range lines {
		fmt.Fprintln(s.c.stdout, "< "+l)
	}
}
