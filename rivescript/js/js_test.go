package js_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/chasqui/chasqui/rivescript"
	"github.com/chasqui/chasqui/rivescript/js"
)

func TestMain(m *testing.M) {
	js.Main()
	os.Exit(m.Run())
}

// newPool makes a pool that ends with the test.
func newPool(t testing.TB, o js.Options) *js.Pool {
	t.Helper()
	p := js.NewPool(o)
	t.Cleanup(p.Close)
	return p
}

func engine(t testing.TB, o rivescript.Options, source string) *rivescript.Engine {
	t.Helper()
	return engineOf(t, newPool(t, js.Options{Workers: 1}), "test", o, source)
}

func engineOf(t testing.TB, p *js.Pool, tenant string, o rivescript.Options, source string) *rivescript.Engine {
	t.Helper()
	o.Languages = map[string]rivescript.Compiler{"javascript": p.Checker(t.Context(), tenant)}
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

func TestBadMacroRefusesTheLoad(t *testing.T) {
	t.Parallel()
	pool := newPool(t, js.Options{Workers: 1})
	for name, c := range map[string]struct{ body, want string }{
		"syntax":     {"  return (;", "shop.rive:3: object x: "},
		"brackets":   {"return " + strings.Repeat("(", 300_000) + "1" + strings.Repeat(")", 300_000), "shop.rive:3: the object x has"},
		"nested":     {"\nreturn " + strings.Repeat("[", 300) + strings.Repeat("]", 300), "shop.rive:3: object x: its line 2: brackets are nested more than 200 deep"},
		"long":       {"// " + strings.Repeat("x", 65_536), "at most 65536 are allowed"},
		"not closed": {"})(); (function() {", ""},
	} {
		b, err := rivescript.NewBuilder(rivescript.Options{Languages: map[string]rivescript.Compiler{"javascript": pool.Checker(t.Context(), "shop")}})
		if err != nil {
			t.Fatal(err)
		}
		err = b.Add("shop.rive", "+ a\n- b\n> object x javascript\n"+c.body+"\n< object\n")
		if err == nil {
			_, err = b.Build()
		}
		if c.want == "" {
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %.300v, want %q", name, err, c.want)
		}
	}
	if s := pool.Stats(); s.Killed > 0 {
		t.Errorf("%+v", s)
	}
}
