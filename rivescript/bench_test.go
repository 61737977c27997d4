package rivescript

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chasqui/chasqui/internal/scriptgen"
)

func newEngine(tb testing.TB, o Options, source string) *Engine {
	tb.Helper()
	b, err := NewBuilder(o)
	if err == nil {
		err = b.Add("test", source)
	}
	if err != nil {
		tb.Fatal(err)
	}
	e, err := b.Build()
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

func BenchmarkReply(b *testing.B) {
	for _, n := range []int{10, 1000, 20_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			e := newEngine(b, Options{}, scriptgen.Script(n))
			inputs := scriptgen.Inputs(n, 1000)
			u := &User{}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				e.Reply(context.Background(), u, inputs[i%len(inputs)])
				i++
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "replies/s")
		})
	}
}

func BenchmarkLoad(b *testing.B) {
	source := scriptgen.Script(20_000)
	for b.Loop() {
		newEngine(b, Options{}, source)
	}
}

func BenchmarkThreeOptions(b *testing.B) {
	e := newEngine(b, Options{}, "+ [*] foo [*] bar [*] baz [*]\n- yes\n+ *\n- no\n")
	text := strings.TrimSpace(strings.Repeat("foo bar quux ", 2000/13))
	u := &User{}
	for b.Loop() {
		if r := e.Reply(context.Background(), u, text); r.Text != "no" {
			b.Fatal(r.Text)
		}
	}
}

func TestManyTriggersAnswer(t *testing.T) {
	t.Parallel()
	start := time.Now()
	e := newEngine(t, Options{}, scriptgen.Script(2000))
	t.Log("loaded in", time.Since(start))
	u := &User{}
	for _, c := range []struct{ in, want string }{
		{"What is " + scriptgen.Word(3) + " today?", "reply 3"}, {"tell me about " + scriptgen.Word(12) + " and more", "reply 12"},
		{"so " + scriptgen.Word(35) + " it is", "reply 35"}, {"market for " + scriptgen.Word(57) + " now", "reply 57"}, {"a for " + scriptgen.Word(57), "reply 57"},
		{"buy 12 " + scriptgen.Word(59), "reply 59"}, {"buy x " + scriptgen.Word(59), "What do you mean?"},
	} {
		if got := e.Reply(context.Background(), u, c.in); got.Text != c.want {
			t.Errorf("%s: %s (%s), want %s", c.in, got.Text, got.Trigger, c.want)
		}
	}
}
