package rivescript

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// word is a made-up word that no other number has.
func word(n int) string {
	const consonants, vowels = "bcdfghjklmnpqrstvwxz", "aeiou"
	var b strings.Builder
	for range 4 {
		b.WriteByte(consonants[n%20])
		n /= 20
		b.WriteByte(vowels[n%5])
		n /= 5
	}
	return b.String()
}

// manyTriggers makes a script of n triggers: of each 20, 12 plain, 3 with a star at the end, 2 with options on both sides, 2 with alternatives and an array, one
// with a number; and a catch-all.
func manyTriggers(n int) string {
	var b strings.Builder
	b.WriteString("! version = 2.0\n! array shops = shop market store\n")
	for i := range n {
		w := word(i)
		switch k := i % 20; {
		case k < 12:
			fmt.Fprintf(&b, "+ what is %s today\n", w)
		case k < 15:
			fmt.Fprintf(&b, "+ tell me about %s *\n", w)
		case k < 17:
			fmt.Fprintf(&b, "+ [*] %s [*]\n", w)
		case k < 19:
			fmt.Fprintf(&b, "+ (a|b|@shops) for %s [now|today]\n", w)
		default:
			fmt.Fprintf(&b, "+ buy # %s\n", w)
		}
		fmt.Fprintf(&b, "- reply %d\n", i)
	}
	b.WriteString("+ *\n- What do you mean?\n")
	return b.String()
}

// mixedInputs are 40 % for plain triggers, 40 % for those with options, 20 % for the catch-all alone.
func mixedInputs(n, count int) []string {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	inputs := make([]string, count)
	for i := range inputs {
		base := r.IntN(max(1, n/20)) * 20
		switch k := r.IntN(10); {
		case k < 4:
			inputs[i] = fmt.Sprintf("What is %s today?", word(base+r.IntN(min(12, n))))
		case k < 8:
			inputs[i] = fmt.Sprintf("I really want %s, please", word(base+min(15+r.IntN(2), n-1)))
		default:
			inputs[i] = "nobody ever said anything like this before"
		}
	}
	return inputs
}

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
			e := newEngine(b, Options{}, manyTriggers(n))
			inputs := mixedInputs(n, 1000)
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
	source := manyTriggers(20_000)
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
	e := newEngine(t, Options{}, manyTriggers(2000))
	t.Log("loaded in", time.Since(start))
	u := &User{}
	for _, c := range []struct{ in, want string }{
		{"What is " + word(3) + " today?", "reply 3"}, {"tell me about " + word(12) + " and more", "reply 12"},
		{"so " + word(35) + " it is", "reply 35"}, {"market for " + word(57) + " now", "reply 57"}, {"a for " + word(57), "reply 57"},
		{"buy 12 " + word(59), "reply 59"}, {"buy x " + word(59), "What do you mean?"},
	} {
		if got := e.Reply(context.Background(), u, c.in); got.Text != c.want {
			t.Errorf("%s: %s (%s), want %s", c.in, got.Text, got.Trigger, c.want)
		}
	}
}
