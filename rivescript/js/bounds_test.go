package js_test

import (
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chasqui/chasqui/rivescript"
	"github.com/chasqui/chasqui/rivescript/js"
)

// hostile are bodies of macros that take all that they can get, each in its own way, and what becomes of them: words of the error in the reply, or ended when it is the
// worker's end. More than one thing may be true, as which limit is met first depends on the machine.
var hostile = map[string]struct {
	body string
	want []string
}{
	"buffer":            {"return new ArrayBuffer(200*1024*1024*1024).byteLength;", []string{ended}},
	"typed array":       {"return new Uint8Array(30000000000).length;", []string{ended, "RangeError", "Invalid"}},
	"shared buffer":     {"return new SharedArrayBuffer(200*1024*1024*1024).byteLength;", []string{ended, "ReferenceError"}},
	"view":              {"return new DataView(new ArrayBuffer(8e10)).byteLength;", []string{ended}},
	"many buffers":      {"var a = []; while (true) a.push(new Float64Array(1e6));", []string{"too much memory", ended, "too long"}},
	"string doubling":   {"var s = 'xxxxxxxx'; while (true) s += s;", []string{"too much memory", "too long", ended}},
	"array growth":      {"var a = []; while (true) a.push(new Array(1000).fill(7).slice());", []string{"too much memory", "too long", ended}},
	"map growth":        {"var m = new Map(); for (var i = 0; ; i++) m.set('k' + i, {i: i});", []string{"too much memory", "too long", ended}},
	"set growth":        {"var m = new Set(); for (var i = 0; ; i++) m.add('k' + i);", []string{"too much memory", "too long", ended}},
	"sparse":            {"var a = []; a[4294967294] = 1; return a.concat(a).map(String).join('x');", []string{"too", ended}},
	"repeat":            {"return 'x'.repeat(1e9);", []string{"too long"}},
	"pad":               {"return 'x'.padEnd(1e9, 'abc');", []string{"too long"}},
	"replace":           {"var s = 'a'.repeat(1e6); return s.replace(/a/g, s).length;", []string{"too", ended}},
	"split":             {"var s = 'a'.repeat(1e6); var a = []; for (;;) a.push(s.split(''));", []string{"too", ended}},
	"join":              {"return new Array(1e9).join('x');", []string{"too long"}},
	"json deep":         {"var s = '['; for (var i = 0; i < 23; i++) s += s; return JSON.parse(s);", []string{"SyntaxError", "too", ended}},
	"stringify deep":    {"var a = []; for (var i = 0; i < 1e6; i++) a = [a]; return JSON.stringify(a);", []string{"too", "Error", ended}},
	"eval deep":         {"return eval('('.repeat(400000) + '1' + ')'.repeat(400000));", []string{"too", "Error", ended}},
	"eval deep not":     {"return eval('!'.repeat(1000000) + '1');", []string{"too", "Error", ended, "true", "false"}},
	"function":          {"return new Function('return ' + '['.repeat(500000) + ']'.repeat(500000))();", []string{"too", "Error", ended}},
	"regexp back":       {"return /^(?=a)(a+)+$/.test('a'.repeat(34) + '!');", []string{"too long"}},
	"regexp named":      {"return new RegExp('^(?:(a+)\\\\1?)+$').test('a'.repeat(40) + '!');", []string{"too long"}},
	"regexp often":      {"for (;;) /^(?=a)(a+)+$/.test('a'.repeat(34) + '!');", []string{"too long"}},
	"regexp linear":     {"var s = 'a'.repeat(1e6); for (;;) /(a|b|c|d)*z/.test(s);", []string{"too long", ended}},
	"regexp large":      {"return new RegExp('(((a{100}){100}){100}){100}').test('a');", []string{"Error", "too", ended, "false"}},
	"loop":              {"while (true) {}", []string{"too long"}},
	"getter":            {"return {get x() { for (;;); }}.x;", []string{"too long"}},
	"toString":          {"return {toString() { for (;;); }};", []string{"too long"}},
	"valueOf":           {"return 1 + {valueOf() { for (;;); }};", []string{"too long"}},
	"proxy":             {"return new Proxy({}, {get() { for (;;); }}).x;", []string{"too long"}},
	"proxy chain":       {"var p = {}; for (var i = 0; i < 1e5; i++) p = new Proxy(p, {}); return p.x;", []string{"", "too", ended, "Error"}},
	"comparator":        {"return [3, 2, 1].sort(function () { for (;;); });", []string{"too long"}},
	"iterator":          {"for (var x of {[Symbol.iterator]() { return {next() { return {done: false}; }}; }});", []string{"too long"}},
	"spread":            {"return Math.max(...{[Symbol.iterator]() { return {next() { return {done: false, value: 1}; }}; }});", []string{"too", ended}},
	"generator":         {"function* g() { while (true) yield 1; } return Array.from(g()).length;", []string{"too", ended}},
	"promise jobs":      {"function f() { return Promise.resolve().then(f); } return f();", []string{"too", ended}},
	"async":             {"return (async function () { for (;;) await null; })();", []string{"too", ended}},
	"promise not kept":  {"return new Promise(function () {});", []string{"never kept"}},
	"recursion":         {"function f() { return f(); } return f();", []string{"too deep"}},
	"recursion by sort": {"function f() { return [2, 1].sort(f); } return f();", []string{"too deep"}},
	"recursion by JSON": {"var o = {toJSON() { return JSON.stringify(o); }}; return JSON.stringify(o);", []string{"too deep", ended, "too long"}},
	"long answer":       {"return 'x'.repeat(100000);", []string{"more than 65536 bytes"}},
	"object answer":     {"return new Array(1e6).fill('abcdefgh').toString();", []string{"too", "more than"}},
	"long error":        {"throw new Error('x'.repeat(1e6));", []string{"Error: xxx"}},
	"many variables":    {"for (var i = 0; ; i++) rs.setUservar('u', 'v' + i, 'x'.repeat(100));", []string{"too much", "too often", "too long"}},
	"large variable":    {"rs.setUservar('u', 'v', 'x'.repeat(1 << 20)); return 'set';", []string{"too much"}},
	"variables at once": {"var o = {}; for (var i = 0; i < 1e5; i++) o['v' + i] = 'x'.repeat(100); rs.setUservars('u', o);", []string{"too"}},
	"many questions":    {"for (;;) rs.getUservar('u', 'v');", []string{"too often", "too long"}},
	"setter throws":     {"try { rs.setUservar('u', 'v', {toString() { for (;;); }}); } catch (e) {} for (;;);", []string{"too long"}},
	"catches":           {"for (;;) try { for (;;); } catch (e) {} finally { for (;;); }", []string{"too long"}},
	"shadowing":         {"Object.prototype.toString = function () { for (;;); }; return {};", []string{"too long"}},
	"reply recursion":   {"return rs.reply('u', 'go');", []string{"ERR: Deep Recursion", "Budget", ""}},
	"throw":             {"throw new Error('no');", []string{"Error: no"}},
	"throw nothing":     {"throw undefined;", []string{"macro x: undefined"}},
	"files":             {"return typeof require + typeof process + typeof fetch + typeof setTimeout;", []string{"undefinedundefinedundefinedundefined"}},
	"environment":       {"return Object.getOwnPropertyNames(globalThis).filter(n => /env|os|file|sys/i.test(n)).join();", []string{""}},
}

// ended stands for the end of a worker.
const ended = "(ended)"

// Whatever a macro does, its turn is over soon, and another's macros answer meanwhile.
func TestNoMacroEndsOrHoldsTheProgram(t *testing.T) {
	t.Parallel()
	pool := newPool(t, js.Options{Workers: 2})
	other := engineOf(t, pool, "other", rivescript.Options{}, "> object ok javascript\nreturn 'fine ' + rs.getUservar('u', 'n');\n< object\n+ hi\n- <call>ok</call>\n")
	ctx, stop := context.WithCancel(t.Context())
	var beside sync.WaitGroup
	var answered atomic.Int64
	beside.Go(func() {
		for ctx.Err() == nil {
			n := strconv.FormatInt(answered.Load(), 10)
			if r := other.Reply(ctx, &rivescript.User{Vars: map[string]string{"n": n}}, "hi"); r.Text != "fine "+n && ctx.Err() == nil {
				t.Errorf("the other's macro answers %q", r.Text)
				return
			}
			answered.Add(1)
		}
	})
	for name, c := range hostile {
		t.Run(name, func(t *testing.T) {
			before := answered.Load()
			e := engineOf(t, pool, "hostile "+name, rivescript.Options{Budget: rivescript.Budget{Time: 400 * time.Millisecond}}, "> object x javascript\n"+c.body+"\n< object\n+ go\n- <call>x</call>\n")
			start := time.Now()
			r := e.Reply(t.Context(), &rivescript.User{}, "go")
			got := r.Text
			if errors.Is(r.Err, rivescript.ErrEnded) {
				got = ended
			}
			for _, want := range c.want {
				if strings.Contains(got, want) && (want != "" || got == "") {
					t.Logf("%.100q after %s; the other was answered %d times", got, time.Since(start), answered.Load()-before)
					return
				}
			}
			t.Errorf("%.300q (%v), want one of %q", got, r.Err, c.want)
		})
	}
	stop()
	beside.Wait()
	if answered.Load() == 0 {
		t.Error("the other was never answered")
	}
	t.Logf("%+v", pool.Stats())
}

// All calls of a turn share its time, and so do those of the macros that it asks for within.
func TestOneTimeForATurn(t *testing.T) {
	t.Parallel()
	pool := newPool(t, js.Options{Workers: 1})
	loop := "> object loop javascript\nfor (;;);\n< object\n> object again javascript\nreturn rs.reply('u', 'inner') + rs.reply('u', 'inner');\n< object\n"
	e := engineOf(t, pool, "a", rivescript.Options{Budget: rivescript.Budget{Time: 300 * time.Millisecond}}, loop+
		"+ go\n- "+strings.Repeat("<call>loop</call>", 20)+"\n+ nested\n- <call>again</call>\n+ inner\n- <call>loop</call>\n+ redirect\n- {@inner}{@inner}{@inner}\n")
	for _, message := range []string{"go", "nested", "redirect"} {
		r := e.Reply(t.Context(), &rivescript.User{}, message)
		// Of 20 endless macros one ran: for the others no time was left.
		if !errors.Is(r.Err, rivescript.ErrBudget) && r.Text != "[ERR: macro again: it takes too long]" {
			t.Errorf("%s: %.200q %v", message, r.Text, r.Err)
		}
	}
}

// Macros within macros use one worker, so that they cannot wait for one another.
func TestMacrosWithinMacros(t *testing.T) {
	t.Parallel()
	e := engine(t, rivescript.Options{}, `
> object outer javascript
	rs.setUservar("u", "seen", "by outer");
	var inner = rs.reply("u", "inner");
	return inner + "," + rs.getUservar("u", "seen");
< object
> object inner javascript
	var was = rs.getUservar("u", "seen");
	rs.setUservar("u", "seen", "by inner");
	return was + "," + rs.reply("u", "last");
< object
+ outer
- <call>outer</call>
+ inner
- <call>inner</call>
+ last
- last
`)
	if r := e.Reply(t.Context(), &rivescript.User{}, "outer"); r.Text != "by outer,last,by inner" {
		t.Errorf("%q %v", r.Text, r.Err)
	}
}

func TestMacroWithinAMacroThatEnds(t *testing.T) {
	t.Parallel()
	e := engine(t, rivescript.Options{}, `
> object outer javascript
	try { return rs.reply("u", "inner"); } catch (e) { return "caught"; }
< object
> object inner javascript
	return new ArrayBuffer(200*1024*1024*1024).byteLength;
< object
+ outer
- <call>outer</call>
+ inner
- <call>inner</call>
+ hi
- hi
`)
	u := &rivescript.User{}
	if r := e.Reply(t.Context(), u, "outer"); !errors.Is(r.Err, rivescript.ErrEnded) {
		t.Errorf("%q %v", r.Text, r.Err)
	}
	if r := e.Reply(t.Context(), u, "hi"); r.Text != "hi" {
		t.Errorf("%q", r.Text)
	}
}

func TestOff(t *testing.T) {
	t.Parallel()
	pool := newPool(t, js.Options{Mode: js.Off})
	b, err := rivescript.NewBuilder(rivescript.Options{Languages: map[string]rivescript.Compiler{"javascript": pool.Checker(t.Context(), "a")}})
	if err == nil {
		err = b.Add("a.rive", "> object x javascript\nreturn 1;\n< object\n+ a\n- <call>x</call>\n")
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Build(); err == nil || !strings.Contains(err.Error(), "a.rive:1: object x: JavaScript is turned off") {
		t.Error(err)
	}
	o := rivescript.Options{Languages: map[string]rivescript.Compiler{"javascript": pool.Compiler("a")}}
	if b, err = rivescript.NewBuilder(o); err == nil {
		err = b.Add("a.rive", "> object x javascript\nreturn 1;\n< object\n+ a\n- <call>x</call>\n")
	}
	if err != nil {
		t.Fatal(err)
	}
	e, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	if r := e.Reply(t.Context(), &rivescript.User{}, "a"); r.Text != "[ERR: macro x: JavaScript is turned off here]" {
		t.Error(r.Text)
	}
}

// What does not become a worker is tried again after a while, not in a loop.
func TestAProgramThatIsNoWorker(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/bin/false"); err != nil {
		t.Skip("there is no /bin/false")
	}
	pool := newPool(t, js.Options{Mode: js.On, Command: []string{"/bin/false"}})
	o := rivescript.Options{Languages: map[string]rivescript.Compiler{"javascript": pool.Compiler("a")}}
	b, err := rivescript.NewBuilder(o)
	if err == nil {
		err = b.Add("a.rive", "> object x javascript\nreturn 1;\n< object\n+ a\n- <call>x</call>\n")
	}
	if err != nil {
		t.Fatal(err)
	}
	e, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if r := e.Reply(t.Context(), &rivescript.User{}, "a"); !errors.Is(r.Err, rivescript.ErrUnavailable) {
			t.Errorf("%q %v", r.Text, r.Err)
		}
	}
	if r := e.Reply(t.Context(), &rivescript.User{}, "a"); !strings.Contains(r.Err.Error(), "the next try is in") {
		t.Error(r.Err)
	}
}

// Workers end when nobody needs them.
func TestWorkersEnd(t *testing.T) {
	t.Parallel()
	pool := newPool(t, js.Options{Workers: 2, Idle: 10 * time.Millisecond})
	e := engineOf(t, pool, "a", rivescript.Options{}, "> object x javascript\nreturn 1;\n< object\n+ a\n- <call>x</call>\n")
	for i := range 3 {
		if r := e.Reply(t.Context(), &rivescript.User{}, "a"); r.Text != "1" {
			t.Fatal(r.Text, r.Err)
		}
		tick := time.NewTicker(5 * time.Millisecond)
		for deadline := time.Now().Add(time.Minute); pool.Stats().Running > 0; <-tick.C {
			if time.Now().After(deadline) {
				t.Fatalf("%+v", pool.Stats())
			}
		}
		tick.Stop()
		if s := pool.Stats(); s.Started < int64(i+1) || s.Killed > 0 {
			t.Errorf("%+v", s)
		}
	}
}

// BenchmarkCall is what a macro takes beside what the engine does.
func BenchmarkCall(b *testing.B) {
	pool := newPool(b, js.Options{})
	for name, body := range map[string]string{"plain": "return args.join(' ').toUpperCase();", "variables": "rs.setUservar('u', 'n', 1 + Number(rs.getUservar('u', 'n'))); return 'x';"} {
		e := engineOf(b, pool, "a", rivescript.Options{}, "> object x javascript\n"+body+"\n< object\n+ *\n- <call>x <star></call>\n")
		b.Run(name, func(b *testing.B) {
			u := &rivescript.User{Vars: map[string]string{"n": "1"}}
			for b.Loop() {
				if r := e.Reply(b.Context(), u, "hello there"); r.Err != nil {
					b.Fatal(r.Err)
				}
			}
		})
	}
}

// A script whose macros use up their time again and again is held for a while, so that what it makes others wait for comes to an end.
func TestMacrosThatTakeTooMuchTooOften(t *testing.T) {
	t.Parallel()
	pool := newPool(t, js.Options{Workers: 1})
	e := engineOf(t, pool, "a", rivescript.Options{Budget: rivescript.Budget{Time: 20 * time.Millisecond}}, "> object x javascript\nfor (;;);\n< object\n+ go\n- <call>x</call>\n")
	held := 0
	for range 13 {
		if r := e.Reply(t.Context(), &rivescript.User{}, "go"); strings.Contains(r.Text, "too often") {
			held++
		}
	}
	if held != 3 {
		t.Errorf("%d of 13 calls are held", held)
	}
	other := engineOf(t, pool, "b", rivescript.Options{}, "> object x javascript\nreturn 1;\n< object\n+ go\n- <call>x</call>\n")
	if r := other.Reply(t.Context(), &rivescript.User{}, "go"); r.Text != "1" {
		t.Error(r.Text)
	}
}
