package script

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chasqui/chasqui/rivescript"
)

// A transcript is a text file that ends in .transcript. Its lines:
//
//	# a comment
//	scripts: a.topic b.topic     which scripts; all of the folder when left out. Before anything is said
//	dialect: dexter              rivescript or dexter; guessed when left out
//	seed: 7                      for choices; 1 when left out
//	> hello                      the person writes
//	!start                       the person taps Get Started: the event get_started_payload, or the payload that follows
//	!start SHORTLINK ref ad      the same, having come by a link, code or ad
//	!referral SHORTLINK ref ad   a person who is known comes by a link, code or ad
//	!postback PAYLOAD            the person taps a button
//	!media image URL             the person sends an attachment
//	!wait 2h30m                  time passes
//	!set name=value              a variable is set
//	?name=value                  a variable must have the value; nothing after = for one that is not set
//	< Hi!                        what the bot answers: one line for each message
//
// A - stands for a ref or an ad that is left out.
type Transcript struct {
	Path  string
	lines []string
}

// ReadTranscripts reads the transcripts of a folder, also those below it.
func ReadTranscripts(dir string) ([]Transcript, error) {
	var all []Transcript
	err := filepath.WalkDir(dir, func(at string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(at) != ".transcript" {
			return err
		}
		b, err := os.ReadFile(at)
		if err != nil {
			return err
		}
		all = append(all, Transcript{at, strings.Split(strings.TrimRight(strings.ReplaceAll(string(b), "\r\n", "\n"), "\n"), "\n")})
		return nil
	})
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("there is no .transcript file in %s", dir)
	}
	return all, err
}

// Failure is a line of a transcript that did not come true.
type Failure struct {
	Path      string
	Line      int
	Want, Got []string
}

// String shows the failure.
func (f Failure) String() string {
	return fmt.Sprintf("%s:%d:\n  want %s\n  got  %s", f.Path, f.Line, strings.Join(f.Want, "\n       "), strings.Join(f.Got, "\n       "))
}

// Run plays a transcript and returns what did not come true. JavaScript compiles the macros. Actual
// is the transcript as it should be written to pass.
func (t Transcript) Run(ctx context.Context, javascript rivescript.Compiler) (failures []Failure, actual string, err error) {
	p := player{t: t, seed: 1, ctx: ctx, javascript: javascript}
	for i := 0; i < len(t.lines); {
		n, err := p.line(i)
		if err != nil {
			return nil, "", fmt.Errorf("%s:%d: %w", t.Path, i+1, err)
		}
		i += n
	}
	return p.failures, strings.Join(p.out, "\n") + "\n", nil
}

type player struct {
	ctx        context.Context
	t          Transcript
	javascript rivescript.Compiler
	scripts    []string
	dialect    rivescript.Dialect
	seed       uint64
	c          *Conversation
	out        []string
	failures   []Failure
}

// line plays one line, with the answers that follow it, and tells how many lines that were.
func (p *player) line(i int) (int, error) {
	line := strings.TrimRight(p.t.lines[i], " \t")
	if line == "" || strings.HasPrefix(line, "#") {
		p.out = append(p.out, line)
		return 1, nil
	}
	if name, value, ok := strings.Cut(line, ":"); ok && slices.Contains([]string{"scripts", "dialect", "seed"}, name) && p.c == nil {
		p.out = append(p.out, line)
		return 1, p.header(name, strings.TrimSpace(value))
	}
	if err := p.begin(); err != nil {
		return 0, err
	}
	if test, ok := strings.CutPrefix(line, "?"); ok {
		return 1, p.check(i, test)
	}
	p.out = append(p.out, line)
	got, answers, err := p.act(line)
	if err != nil || !answers {
		return 1, err
	}
	n := 1
	var want []string
	for i+n < len(p.t.lines) && strings.HasPrefix(p.t.lines[i+n], "<") {
		want = append(want, strings.TrimPrefix(strings.TrimPrefix(strings.TrimRight(p.t.lines[i+n], " \t"), "<"), " "))
		n++
	}
	for _, g := range got {
		p.out = append(p.out, strings.TrimRight("< "+g, " "))
	}
	if !slices.Equal(want, trimmed(got)) {
		p.failures = append(p.failures, Failure{p.t.Path, i + 1, want, got})
	}
	return n, nil
}

func trimmed(lines []string) []string {
	var out []string
	for _, l := range lines {
		out = append(out, strings.TrimRight(l, " \t"))
	}
	return out
}

func (p *player) header(name, value string) (err error) {
	switch name {
	case "scripts":
		p.scripts = strings.Fields(value)
	case "dialect":
		p.dialect = rivescript.Dialect(value)
	case "seed":
		p.seed, err = strconv.ParseUint(value, 10, 64)
	}
	return err
}

// begin loads the scripts before the first thing that happens.
func (p *player) begin() error {
	if p.c != nil {
		return nil
	}
	dir := filepath.Dir(p.t.Path)
	paths := []string{dir}
	if len(p.scripts) > 0 {
		paths = nil
		for _, s := range p.scripts {
			paths = append(paths, filepath.Join(dir, s))
		}
	}
	files, err := Files(paths...)
	if err != nil {
		return err
	}
	if p.dialect == "" {
		p.dialect = DialectOf(files)
	}
	e, _, err := Build(rivescript.Options{Dialect: p.dialect, UTF8: true, Languages: Languages(p.javascript)}, files)
	if err != nil {
		return err
	}
	p.c = NewConversation(e, p.seed)
	return nil
}

// act does what a line says. It returns what the bot says to it, and whether it may say anything.
func (p *player) act(line string) (got []string, answers bool, err error) {
	if text, ok := strings.CutPrefix(line, ">"); ok {
		return Shown(p.c.Say(p.ctx, strings.TrimSpace(text)), p.dialect), true, nil
	}
	verb, rest, _ := strings.Cut(line, " ")
	rest = strings.TrimSpace(rest)
	fields := strings.Fields(rest)
	switch verb {
	case "!start":
		if len(fields) > 1 || len(fields) == 1 && fields[0] == strings.ToUpper(fields[0]) {
			return Shown(p.c.Refer(p.ctx, referral(fields), "get_started_payload"), p.dialect), true, nil
		}
		payload := "get_started_payload"
		if rest != "" {
			payload = rest
		}
		return Shown(p.c.Happen(p.ctx, payload), p.dialect), true, nil
	case "!referral":
		return Shown(p.c.Refer(p.ctx, referral(fields), ""), p.dialect), true, nil
	case "!postback":
		return Shown(p.c.Happen(p.ctx, rest), p.dialect), true, nil
	case "!media":
		kind, url, _ := strings.Cut(rest, " ")
		Media(p.c.User, kind, url)
		return Shown(p.c.Happen(p.ctx, EventMedia), p.dialect), true, nil
	case "!wait":
		d, err := time.ParseDuration(rest)
		if err != nil {
			return nil, false, err
		}
		return Lines(p.c.Wait(d)), true, nil
	case "!set":
		name, value, ok := strings.Cut(rest, "=")
		if !ok {
			return nil, false, fmt.Errorf("!set is followed by name=value, not by %q", rest)
		}
		p.c.User.Set(strings.TrimSpace(name), strings.TrimSpace(value))
		return nil, false, nil
	}
	return nil, false, fmt.Errorf("a transcript has no line %q", line)
}

// referral reads SOURCE ref ad; - is none.
func referral(fields []string) Referral {
	get := func(i int) string {
		if i < len(fields) && fields[i] != "-" {
			return fields[i]
		}
		return ""
	}
	return Referral{get(0), get(1), get(2)}
}

// check looks at a variable.
func (p *player) check(i int, test string) error {
	name, want, ok := strings.Cut(test, "=")
	if !ok {
		return fmt.Errorf("? is followed by name=value, not by %q", test)
	}
	name, want = strings.TrimSpace(name), strings.TrimSpace(want)
	got, _ := p.c.User.Get(name)
	p.out = append(p.out, "?"+name+"="+got)
	if got != want {
		p.failures = append(p.failures, Failure{p.t.Path, i + 1, []string{name + "=" + want}, []string{name + "=" + got}})
	}
	return nil
}
