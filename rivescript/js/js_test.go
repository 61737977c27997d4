package js_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/chasqui/chasqui/rivescript"
	"github.com/chasqui/chasqui/rivescript/js"
)

func engine(t *testing.T, o rivescript.Options, source string) *rivescript.Engine {
	t.Helper()
	o.Languages = map[string]rivescript.Compiler{"javascript": js.Compiler(js.Limits{})}
	b, err := rivescript.NewBuilder(o)
	if err == nil {
		err = b.Add("test", source)
	}
	if err != nil {
		t.Fatal(err)
	}
	e, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestMacros(t *testing.T) {
	t.Parallel()
	e := engine(t, rivescript.Options{UTF8: true}, `
> object setname javascript
    var uid = rs.currentUser();
    rs.setUservar(uid, "name", args[0]);
    return "";
< object
> object count javascript
    return args.length + ":" + args.join("/");
< object
> object vars javascript
    return rs.getUservar(rs.currentUser(), "name") + " " + rs.getUservar("x", "none") + " " + rs.getBotvar("bot");
< object
> object ask javascript
    return rs.reply(rs.currentUser(), "Hello");
< object
> object later javascript
    return new Promise(function (resolve) { resolve("kept"); });
< object
> object lo javascript
    return _.capitalize("ana") + _.range(3).join("") + _.startCase("two words") + _.sortBy([{n: 2}, {n: 1}], "n")[0].n + moment("2026-11-22T10:05:00Z").add(1, "day").format("dddd Do MMMM YYYY, HH:mm");
< object
! var bot = Chasqui
+ my name is *
- <call>setname <formal></call>Hi <get name>!
+ count *
- <call>count "a b" <star> c</call>
+ vars
- <call>vars</call>
+ hello
- Hi yourself
+ ask
- He says: <call>ask</call>
+ later
- <call>later</call>
+ lo
- <call>lo</call>
+ condition
* <call>count a b</call> == 2:a/b => two
- no
`)
	u := &rivescript.User{ID: "u1"}
	for _, c := range []struct{ in, want string }{
		{"my name is ana", "Hi undefined!"}, {"vars", "Ana undefined Chasqui"}, {"count x y", "4:a b/x/y/c"}, {"ask", "He says: Hi yourself"},
		{"later", "kept"}, {"lo", "Ana012Two Words1Monday 23rd November 2026, 10:05"}, {"condition", "two"},
	} {
		if r := e.Reply(context.Background(), u, c.in); r.Text != c.want {
			t.Errorf("%s: %q, want %q", c.in, r.Text, c.want)
		}
	}
}

// Dexter's scripts split arguments before tags are run.
func TestDexterArguments(t *testing.T) {
	t.Parallel()
	e := engine(t, rivescript.Options{Dialect: rivescript.Dexter}, `
> object count
    return args.length + ":" + args.join("/");
< object
+ count *
- <call>count <star> "<get name>" <get name></call>
`)
	u := &rivescript.User{Vars: map[string]string{"name": "Ana Quispe"}}
	if r := e.Reply(context.Background(), u, "count one two"); r.Text != "3:one two/Ana Quispe/Ana Quispe" {
		t.Error(r.Text)
	}
}

func TestMacrosAreBounded(t *testing.T) { // one after the other: memory is that of the process
	for name, c := range map[string]struct{ body, want string }{
		"time":      {"while (true) {}", "it takes too long"},
		"memory":    {"var a = []; while (true) a.push(new Array(1000).fill(7).slice());", "it takes too"},
		"string":    {"var s = 'xxxxxxxx'; while (true) s += s;", "it takes too"},
		"repeat":    {"return 'x'.repeat(1e9);", "too long"},
		"join":      {"return new Array(1e9).join('x');", "too long"},
		"recursion": {"function f() { return f(); } return f();", "macro x"},
		"throw":     {"throw new Error('no');", "Error: no"},
		"files":     {"return typeof require + typeof process + typeof fetch;", "undefinedundefinedundefined"},
		"long":      {"return 'x'.repeat(100000);", "more than 65536 bytes"},
		"promise":   {"return new Promise(function () {});", "never kept"},
	} {
		t.Run(name, func(t *testing.T) {
			e := engine(t, rivescript.Options{}, "> object x javascript\n"+c.body+"\n< object\n+ go\n- <call>x</call>\n")
			start := time.Now()
			r := e.Reply(context.Background(), &rivescript.User{}, "go")
			if !strings.Contains(r.Text, c.want) {
				t.Errorf("%.200q, want %q", r.Text, c.want)
			}
			t.Log(time.Since(start))
		})
	}
}

func TestBadMacroRefusesTheLoad(t *testing.T) {
	t.Parallel()
	b, err := rivescript.NewBuilder(rivescript.Options{Languages: map[string]rivescript.Compiler{"javascript": js.Compiler(js.Limits{})}})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Add("shop.rive", "+ a\n- b\n> object x javascript\n  return (;\n< object\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Build(); err == nil || !strings.Contains(err.Error(), "shop.rive:3: object x") {
		t.Error(err)
	}
}
