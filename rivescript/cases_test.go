package rivescript

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A case file holds scripts and what is said with them:
//
//	== name
//	dialect utf8 …                 options, on a line of their own
//	the script
//	--
//	> what the person writes       ! name=value sets a variable, !! word is an event
//	< the reply                    several lines are one reply; "|| " begins another that will do
//	= name value                   a variable afterwards
//	~ words                        the load is refused, or warns, with these words
type testCase struct {
	name, options, script string
	talk                  []string
}

func readCases(t *testing.T, file string) []testCase {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var cases []testCase
	for _, block := range strings.Split("\n"+string(b), "\n== ")[1:] {
		head, talk, ok := strings.Cut(block, "\n--\n")
		if !ok {
			t.Fatalf("%s: the case %.40q has no --", file, block)
		}
		lines := strings.SplitN(head, "\n", 3)
		cases = append(cases, testCase{lines[0], lines[1], lines[2], strings.Split(strings.TrimSpace(talk), "\n")})
	}
	return cases
}

func TestCases(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/cases/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	for _, file := range files {
		for _, c := range readCases(t, file) {
			t.Run(strings.TrimSuffix(filepath.Base(file), ".txt")+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				c.run(t)
			})
		}
	}
}

func (c *testCase) run(t *testing.T) {
	o := caseOptions(c.options)
	o.Macros = map[string]Macro{"echo": func(_ context.Context, _ *Call, args []string) (string, error) { return strings.Join(args, " "), nil }}
	b, err := NewBuilder(o)
	if err != nil {
		t.Fatal(err)
	}
	loadErr := b.Add("case", c.script)
	problems := []string{}
	if loadErr != nil {
		problems = append(problems, loadErr.Error())
	}
	for _, w := range b.Warnings() {
		problems = append(problems, w.String())
	}
	e, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	u := &User{ID: "ana"}
	for i := 0; i < len(c.talk); i++ {
		line := c.talk[i]
		switch {
		case line == "":
		case strings.HasPrefix(line, "> "), line == ">", strings.HasPrefix(line, "!! "):
			var reply Reply
			if word, ok := strings.CutPrefix(line, "!! "); ok {
				reply = e.Event(context.Background(), u, word)
			} else {
				reply = e.Reply(context.Background(), u, strings.TrimPrefix(line, ">"))
			}
			var want []string
			for i+1 < len(c.talk) && strings.HasPrefix(c.talk[i+1], "<") {
				i++
				want = append(want, strings.TrimPrefix(strings.TrimPrefix(c.talk[i], "<"), " "))
			}
			if !oneOf(reply.Text, strings.Join(want, "\n")) {
				t.Errorf("%s\n got %q\nwant %q (won: %s)", line, reply.Text, strings.Join(want, "\n"), reply.Trigger)
			}
		case strings.HasPrefix(line, "! "):
			name, value, _ := strings.Cut(line[2:], "=")
			u.Set(name, value)
		case strings.HasPrefix(line, "= "):
			name, value, _ := strings.Cut(line[2:], " ")
			if got, ok := u.Get(name); got != value || !ok && value != "" {
				t.Errorf("%s is %q, want %q", name, got, value)
			}
		case strings.HasPrefix(line, "~ "):
			if !strings.Contains(strings.Join(problems, "\n"), line[2:]) {
				t.Errorf("problems %q, want %q", problems, line[2:])
			}
			loadErr = nil
		default:
			t.Fatalf("what is %q?", line)
		}
	}
	if loadErr != nil {
		t.Errorf("load: %v", loadErr)
	}
}

func oneOf(got, want string) bool {
	for w := range strings.SplitSeq(want, " || ") {
		if got == w {
			return true
		}
	}
	return false
}

func caseOptions(text string) Options {
	var o Options
	for _, f := range strings.Fields(text) {
		switch f {
		case "utf8":
			o.UTF8 = true
		case "dexter":
			o.Dialect = Dexter
		case "rivescript":
		case "space", "newline", "none":
			o.Concat = f
		}
	}
	return o
}
