package rivescript

import (
	"context"
	"testing"
	"time"
)

// FuzzEngine loads any text and says anything to it: nothing may crash, and nothing may take long.
func FuzzEngine(f *testing.F) {
	f.Add("+ hello *\n- hi <star>", "hello you", true)
	f.Add("> begin\n+ request\n- {ok}\n< begin\n! sub a = b\n+ [*] (a|@b) _ # [x|y]\n% *\n- <set a=<get b>>{random}a|b{/random}{@<star>}<call>x \"y</call>\n^ z", "a b 1", false)
	f.Add("+ a\n* <get x> == y => z\n$ GET:x http://y {\"a\":1}\n- ^buttons(a, \"b\")<send><delay seconds=2><raw>{@a}</raw> ${{a.b}}", "a", true)
	f.Add("> topic x includes y inherits z\n+ <bot a>{weight=3}\n- (@a)\\n\\s<@><input1><reply2>", "é\x00😀", false)
	f.Fuzz(func(t *testing.T, source, message string, dexter bool) {
		o := Options{UTF8: true}
		if dexter {
			o.Dialect = Dexter
		}
		b, err := NewBuilder(o)
		if err != nil {
			t.Fatal(err)
		}
		if b.Add("fuzz", source) != nil {
			return
		}
		e, err := b.Build()
		if err != nil {
			return
		}
		u := &User{ID: message}
		start := time.Now()
		for range 3 {
			r := e.Reply(context.Background(), u, message)
			r.Messages()
			e.Event(context.Background(), u, message)
		}
		if took := time.Since(start); took > 20*time.Second {
			t.Fatal(took)
		}
	})
}
