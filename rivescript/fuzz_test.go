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
	f.Add("+ a *\n- {@ <call>x <call>y <star></call></call>}<set v=<call>x</call>>\n? 你好\n- <star>\n+ ¿qué?\n* 1 == 1 => a => b\n- x", "a https://x.pe/a?b=1.5, ¿qué? 我说你好吗", true)
	f.Add("+ *\n- {topic=random}<@>\n+ (a|b *) [c _] #\n- <star><star2><star3>{weight=9}\n- <bot a=<star>>{weight=2}", "b 1.5 c", false)
	f.Add("! array l = a b\n^ |c|d\n! sub ’s =  is\n! person i = you\n+ [*] @l [*]\n- (@l)(@l){person}<star>{/person}<input1><reply1>\n+ <input1> <get v>\n@ <bot b> !", "l’s a·b — “c”", true)
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
