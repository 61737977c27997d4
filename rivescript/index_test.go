package rivescript

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var drawnWords = []string{"a", "b", "ab", "ba", "cat", "dog", "12", "7", "x1"}

func drawWord(t *rapid.T) string { return rapid.SampledFrom(drawnWords).Draw(t, "word") }

// drawTrigger makes a trigger of any shape.
func drawTrigger(t *rapid.T) string {
	piece := func() string {
		switch rapid.IntRange(0, 11).Draw(t, "piece") {
		case 0:
			return "*"
		case 1:
			return "#"
		case 2:
			return "_"
		case 3:
			return "[" + drawWord(t) + "|" + drawWord(t) + "]"
		case 4:
			return "[*]"
		case 5:
			return "(" + drawWord(t) + "|" + drawWord(t) + " " + drawWord(t) + ")"
		case 6:
			return "@list"
		case 7:
			return "(@list)"
		case 8:
			return "<get v>"
		case 9:
			return drawWord(t) + "*"
		}
		return drawWord(t)
	}
	n := rapid.IntRange(1, 5).Draw(t, "pieces")
	var b strings.Builder
	for i := range n {
		if i > 0 && rapid.IntRange(0, 6).Draw(t, "blank") > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(piece())
	}
	if rapid.IntRange(0, 9).Draw(t, "weight") == 0 {
		b.WriteString("{weight=5}")
	}
	return b.String()
}

func drawMessage(t *rapid.T) string {
	n := rapid.IntRange(0, 7).Draw(t, "words")
	words := make([]string, n)
	for i := range words {
		words[i] = drawWord(t)
	}
	return strings.Join(words, " ")
}

// The index finds what a walk over all triggers finds, with the same captures.
func TestIndexIsTheLinearScan(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var b strings.Builder
		b.WriteString("! array list = cat dog|a b|x1\n")
		dialect := rapid.SampledFrom([]Dialect{RiveScript, Dexter}).Draw(t, "dialect")
		for i := range rapid.IntRange(1, 25).Draw(t, "triggers") {
			if i == 8 {
				b.WriteString("> topic deep inherits random\n")
			}
			fmt.Fprintf(&b, "+ %s\n", drawTrigger(t))
			if rapid.IntRange(0, 4).Draw(t, "after") == 0 {
				fmt.Fprintf(&b, "%% %s\n", drawTrigger(t))
			}
			fmt.Fprintf(&b, "- %d\n", i)
		}
		builder, err := NewBuilder(Options{Dialect: dialect})
		if err != nil {
			t.Fatal(err)
		}
		if err := builder.Add("x", b.String()); err != nil {
			t.Skip(err)
		}
		e, err := builder.Build()
		if err != nil {
			t.Fatal(err)
		}
		u := &User{Vars: map[string]string{"v": drawWord(t)}, Replies: []string{drawMessage(t)}}
		for range 8 {
			message := drawMessage(t)
			turn := &turn{e: e, ctx: context.Background(), u: u, m: &machine{}, message: heard{text: message}, kept: message, began: time.Now()}
			for _, v := range e.views {
				won, caps := turn.find(v, message, message)
				wantWon, wantCaps := scan(turn, v, message)
				if won != wantWon || fmt.Sprint(caps) != fmt.Sprint(wantCaps) {
					t.Fatalf("%s\n%q: index %v %q, scan %v %q", b.String(), message, name(won), caps, name(wantWon), wantCaps)
				}
				after, _, _ := turn.findAfter(v, message)
				if want := scanAfter(turn, v, message); after != want {
					t.Fatalf("%s\n%q after %q: index %v, scan %v", b.String(), message, u.Replies[0], name(after), name(want))
				}
			}
		}
	})
}

func scan(t *turn, v *view, text string) (*trigger, []string) {
	for _, r := range v.plain {
		if caps, ok := t.takes(r.pattern, text); ok {
			return r.trigger, caps
		}
	}
	return nil, nil
}

func scanAfter(t *turn, v *view, text string) *trigger {
	last := t.e.form.reply(t.u.Replies[0])
	for _, r := range v.after {
		if _, ok := t.takes(r.before, last); !ok {
			continue
		}
		if _, ok := t.takes(r.pattern, text); ok {
			return r.trigger
		}
	}
	return nil
}

func name(t *trigger) string {
	if t == nil {
		return "none"
	}
	return fmt.Sprintf("%d %s", t.line, t.text)
}

// The matcher takes and captures what a regular expression of the same pattern does, where ASCII is all there is.
func TestMatcherIsARegularExpression(t *testing.T) {
	t.Parallel()
	list := []string{"cat", "dog", "a b"}
	rapid.Check(t, func(t *rapid.T) {
		text := strings.ReplaceAll(drawTrigger(t), "{weight=5}", "")
		p, err := parsePattern(strings.ReplaceAll(text, "<get v>", "cat"), false, false)
		if err != nil {
			t.Skip(err)
		}
		re := regexp.MustCompile("^(?:" + expression(p.seq, list, len(p.seq) == 1) + ")$")
		prog := compile(p, func(string) []string { return list }, nil)
		var m machine
		for range 10 {
			message := drawMessage(t)
			want := re.FindStringSubmatchIndex(message)
			if ok := m.match(prog, message); ok != (want != nil) {
				t.Fatalf("%q takes %q: %v; %s: %v", text, message, ok, re, want != nil)
			}
			for i := range prog.captures {
				if want != nil && (m.caps[i].from != want[2+2*i] || m.caps[i].to != want[3+2*i]) && want[2+2*i] >= 0 {
					t.Fatalf("%q in %q: capture %d is %v, %s: %v", text, message, i, m.caps[i], re, want)
				}
			}
		}
	})
}

func expression(seq []node, list []string, alone bool) string {
	const edge = `(?:\s|\b|^|$)+`
	var b strings.Builder
	wild := func(n node, what string) {
		if n.capture {
			b.WriteString("(" + what + ")")
		} else {
			b.WriteString(what)
		}
	}
	for _, n := range seq {
		switch n.kind {
		case nodeText:
			b.WriteString(regexp.QuoteMeta(n.text))
		case nodeStar:
			if alone {
				wild(n, ".*?")
			} else {
				wild(n, ".+?")
			}
		case nodeDigit:
			wild(n, `\d+?`)
		case nodeAlpha:
			wild(n, `[^\s\d]+?`)
		case nodeArray:
			b.WriteString("(?:" + strings.Join(list, "|") + ")")
		case nodeGroup:
			alts := make([]string, len(n.alts))
			for i, alt := range n.alts {
				alts[i] = expression(alt, list, false)
			}
			if n.capture {
				b.WriteString("(" + strings.Join(alts, "|") + ")")
			} else {
				b.WriteString("(?:" + strings.Join(alts, "|") + ")")
			}
		case nodeOption:
			var alts []string
			for _, alt := range n.alts {
				alts = append(alts, edge+expression(alt, list, false)+edge)
			}
			b.WriteString("(?:" + strings.Join(append(alts, edge), "|") + ")")
		}
	}
	return b.String()
}

// What is replaced in one pass is what replacing phrase by phrase gives.
func TestSubstitutionsInOnePass(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		table := map[string]string{}
		for range rapid.IntRange(0, 6).Draw(t, "phrases") {
			table[strings.Join(rapid.SliceOfN(rapid.SampledFrom(drawnWords), 1, 3).Draw(t, "phrase"), " ")] = drawWord(t)
		}
		text := drawMessage(t)
		if got, want := newSubstitutions(table, true).apply(text), phraseByPhrase(table, text); got != want {
			t.Fatalf("%v: %q gives %q, want %q", table, text, got, want)
		}
	})
}

func phraseByPhrase(table map[string]string, text string) string {
	phrases := make([]string, 0, len(table))
	for from := range table {
		phrases = append(phrases, from)
	}
	for i := range phrases { // the longest first: words, then characters, then the alphabet
		for j := i + 1; j < len(phrases); j++ {
			a, b := phrases[i], phrases[j]
			wa, wb := strings.Count(a, " "), strings.Count(b, " ")
			if wb > wa || wb == wa && (len(b) > len(a) || len(b) == len(a) && b < a) {
				phrases[i], phrases[j] = b, a
			}
		}
	}
	done := []string{}
	for _, from := range phrases {
		re := regexp.MustCompile(`\b` + regexp.QuoteMeta(from) + `\b`)
		text = re.ReplaceAllStringFunc(text, func(string) string {
			done = append(done, table[from])
			return "\x00" + strings.Repeat("\x01", len(done)) + "\x00"
		})
	}
	for i := len(done); i > 0; i-- {
		text = strings.ReplaceAll(text, "\x00"+strings.Repeat("\x01", i)+"\x00", done[i-1])
	}
	return text
}
