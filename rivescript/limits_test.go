package rivescript_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chasqui/chasqui/rivescript"
)

// build makes an engine of a source, or says why not.
func build(o rivescript.Options, source string) (*rivescript.Engine, error) {
	b, err := rivescript.NewBuilder(o)
	if err == nil {
		err = b.Add("x.rive", source)
	}
	if err != nil {
		return nil, err
	}
	return b.Build()
}

// lines writes a line so many times, with its number in the place of %d.
func lines(n int, line string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.ReplaceAll(line, "%d", fmt.Sprint(i)))
	}
	return b.String()
}

// A script that would take too much is refused when it is read, with file and line.
func TestScriptsThatAreTooLarge(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ source, want string }{
		"alternatives":      {"+ (" + strings.TrimSuffix(strings.Repeat("abcdef|", 400_000), "|") + ")\n- a\n", "x.rive:1: the line has"},
		"continued":         {"+ a\n- b\n" + strings.Repeat("^ bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\n", 4000), "x.rive:2: the line has"},
		"previous":          {"+ a\n% " + strings.Repeat("x", 20_000) + "\n- a\n", "x.rive:2: the line has"},
		"condition":         {"+ a\n* " + strings.Repeat("x", 70_000) + " == 1 => a\n- a\n", "x.rive:2: the line has"},
		"array":             {"! array a = " + strings.Repeat("x ", 600_000) + "\n", "x.rive:1: the line has"},
		"variable":          {"! var a = " + strings.Repeat("x", 70_000) + "\n", "x.rive:1: the definition has"},
		"substitution":      {"! sub a = " + strings.Repeat("x", 2_000) + "\n", "x.rive:1: a substitution puts in at most"},
		"substitutions":     {lines(600, "! sub "+strings.Repeat("y", 500)+"%d = x\n"), "all together replace at most"},
		"object":            {"> object x javascript\n" + strings.Repeat("// xxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n", 4000) + "< object\n", "x.rive:1: the object x has"},
		"objects":           {strings.Repeat("> object x javascript\nreturn 1;\n< object\n", 1100), "more than 1000 objects"},
		"triggers":          {lines(100_100, "+ a%d\n- a\n"), "more than 100000 triggers"},
		"lines":             {"+ a\n" + strings.Repeat("- a\n", 500_100), "more than 500000 lines"},
		"topics":            {lines(10_100, "> topic t%d\n< topic\n"), "more than 10000 topics"},
		"includes":          {"> topic a includes " + lines(1100, "t%d ") + "\n< topic\n", "more than 1000"},
		"views":             {"+ a\n- a\n> topic big\n" + lines(30_000, "+ a%d\n- a\n") + "< topic\n" + lines(100, "> topic t%d includes big\n+ b\n- b\n< topic\n"), "the topics hold more than"},
		"brackets":          {"+ a " + strings.Repeat("(", 300) + "b" + strings.Repeat(")", 300) + "\n- a\n", "x.rive:1: trigger"},
		"options":           {"+ a " + strings.Repeat("[", 300) + "b" + strings.Repeat("]", 300) + "\n- a\n", "x.rive:1: trigger"},
		"parts of triggers": {lines(700, "+ %d "+strings.Repeat("*a", 4_000)+"\n- a\n"), "parts of triggers"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := build(rivescript.Options{UTF8: true}, c.source); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%.200v, want %q", err, c.want)
			}
		})
	}
}

// What a script holds takes memory and time by its own size: nothing multiplies it.
func TestScriptsThatOnlyLookLarge(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ source, message, want string }{
		"weights":         {"+ a\n" + strings.Repeat("- {weight=10000}b\n", 20_000), "a", "b"},
		"array, often":    {"! array a = " + strings.Repeat("xyzw ", 200_000) + "\n" + lines(20_000, "+ say %d (@a)\n- b\n"), "say 7 xyzw", "b"},
		"topics in rings": {lines(300, "> topic t%d includes t0 t1 t2 inherits t3 t4 t5\n+ a%d\n- b\n< topic\n") + "+ a\n- {topic=t9}b\n", "a", "b"},
		"warnings":        {strings.Repeat("x y\n", 400_000) + "+ a\n- b\n", "a", "b"},
		"continuations":   {"! array a = x\n" + strings.Repeat("^ y\n", 250_000) + "+ a\n- b\n", "a", "b"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, err := build(rivescript.Options{UTF8: true, First: true}, c.source)
			if err != nil {
				t.Fatal(err)
			}
			if r := e.Reply(context.Background(), &rivescript.User{}, c.message); r.Text != c.want {
				t.Errorf("%.200q, want %q", r.Text, c.want)
			}
		})
	}
}

// Whatever a script makes of a message, the turn ends, and says that it took too much.
func TestTurnsThatTakeTooMuch(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a b ", 4_000)
	for name, c := range map[string]struct{ source, message string }{
		"alternatives":    {lines(100, "+ * ("+strings.TrimSuffix(strings.Repeat("a b [c]|", 1_900), "|")+") *z%d\n- x\n"), long},
		"stars":           {lines(400, "+ "+strings.Repeat("* ", 1_000)+"*z%d\n- x\n"), long},
		"options":         {lines(900, "+ "+strings.Repeat("[a|b] ", 600)+"*z%d\n- x\n"), long},
		"conditions":      {"+ a\n" + strings.Repeat("* <get x><get y><get z> == 1 => x\n", 400_000) + "- y\n", "a"},
		"arrays in reply": {"! array a = " + strings.Repeat("x ", 400_000) + "\n+ a\n- " + strings.Repeat("(@a)", 10_000) + "\n", "a"},
		"variables":       {lines(100_000, "! var v%d = x\n") + "+ a\n- " + strings.Repeat("<bot a=1>", 7_000) + "\n", "a"},
		"redirects":       {"+ a\n- {@b}{@b}\n+ b\n- {@c}{@c}\n+ c\n- {@d}{@d}\n+ d\n- " + strings.Repeat("{@e}", 200) + "\n+ e\n- e\n", "a"},
		"doubling":        {"+ a\n- <set x=<get x><get x>y>" + strings.Repeat("<set x=<get x><get x>>", 100) + "<get x>\n", "a"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, err := build(rivescript.Options{UTF8: true}, c.source)
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			if r := e.Reply(context.Background(), &rivescript.User{}, c.message); !errors.Is(r.Err, rivescript.ErrBudget) {
				t.Errorf("%.200q %v", r.Text, r.Err)
			}
			t.Log(time.Since(start))
		})
	}
}

// Variables of the bot that people make it set do not grow without end.
func TestBotVariablesAreBounded(t *testing.T) {
	t.Parallel()
	e, err := build(rivescript.Options{UTF8: true}, "+ note *\n- <bot n<star>="+strings.Repeat("x", 10_000)+">noted\n+ show *\n- <bot n<star>>\n")
	if err != nil {
		t.Fatal(err)
	}
	u := &rivescript.User{}
	for i := range 200 {
		if r := e.Reply(context.Background(), u, fmt.Sprint("note ", i)); r.Text != "noted" {
			t.Fatal(r.Text, r.Err)
		}
	}
	if r := e.Reply(context.Background(), u, "show 1"); len(r.Text) != 10_000 {
		t.Errorf("the first is gone: %q", r.Text)
	}
	if r := e.Reply(context.Background(), u, "show 199"); r.Text != "undefined" {
		t.Errorf("%d bytes are kept", len(r.Text))
	}
}
