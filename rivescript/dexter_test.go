package rivescript

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSplitMessages(t *testing.T) {
	t.Parallel()
	s := time.Second
	for _, c := range []struct {
		in   string
		want []Message
	}{
		{"Hello", []Message{{Text: "Hello"}}},
		{"One<send>Two <send> Three", []Message{{Text: "One"}, {Text: "Two"}, {Text: "Three"}}},
		{"<delay seconds=2>Hi", []Message{{Text: "Hi", Delay: 2 * s, Seconds: 2}}},
		{"Hi<delay seconds=1.5 nocancel>there", []Message{{Text: "Hi"}, {Text: "there", Delay: 1500 * time.Millisecond, Seconds: 1.5, NoCancel: true}}},
		{"Hi <delay seconds=500> there", []Message{{Text: "Hi"}, {Text: "there", Delay: 120 * s, Seconds: 120}}},
		{"Hi <noreply>", nil},
		{"Hi <delay> <b>x</b>", []Message{{Text: "Hi <delay> <b>x</b>"}}},
		{`Pick ^buttons("Yes, please!", No (really), 'I''d')`, []Message{{Text: "Pick", Shortcodes: []Shortcode{{"buttons", []string{"Yes, please!", "No (really)", "I''d"}}}}}},
		{`^image("https://x.pe/a,b.png")<send>^link(https://x.pe, Shop)`, []Message{
			{Shortcodes: []Shortcode{{"image", []string{"https://x.pe/a,b.png"}}}}, {Shortcodes: []Shortcode{{"link", []string{"https://x.pe", "Shop"}}}}}},
		{`^template({"template_type":"button","text":"a, b (c)","buttons":[]})`, []Message{{Shortcodes: []Shortcode{{"template", []string{`{"template_type":"button","text":"a, b (c)","buttons":[]}`}}}}}},
		{"2^10 and ^unknown(x) and ^buttons(", []Message{{Text: "2^10 and ^unknown(x) and ^buttons("}}},
		{"^notifyAgent()", []Message{{Shortcodes: []Shortcode{{Name: "notifyAgent"}}}}},
		{"^buttons(it's, that's)", []Message{{Shortcodes: []Shortcode{{"buttons", []string{"it's", "that's"}}}}}},
	} {
		if diff := cmp.Diff(c.want, SplitMessages(c.in)); diff != "" {
			t.Errorf("%s: %s", c.in, diff)
		}
	}
}

// What a person writes comes back as text, whatever it looks like; so does what <raw> holds.
func TestMessagesOfWhatAPersonWrote(t *testing.T) {
	t.Parallel()
	e := newEngine(t, Options{Dialect: Dexter}, "+ say *\n- You: <star><send>^buttons(<star>)\n+ later\n- ^reminder(x, <raw>^buttons(a, b)<send>{@ y}</raw>, 12)\n")
	u := &User{}
	got := e.Reply(context.Background(), u, "say ^image(x) {@ later}").Messages()
	want := []Message{{Text: "You: ^image(x) {@ later}"}, {Shortcodes: []Shortcode{{"buttons", []string{"^image(x) {@ later}"}}}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	got = e.Reply(context.Background(), u, "later").Messages()
	want = []Message{{Shortcodes: []Shortcode{{"reminder", []string{"x", "^buttons(a, b)<send>{@ y}", "12"}}}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRequests(t *testing.T) {
	t.Parallel()
	var asked []Request
	o := Options{Dialect: Dexter, Fetch: func(_ context.Context, _ *Call, r Request) (Response, error) {
		asked = append(asked, r)
		if strings.Contains(r.URL, "down") {
			return Response{}, errors.New("down")
		}
		var v any
		err := json.Unmarshal([]byte(`{"main":{"temp":21},"list":["a",{"b":"<set x=1>"}]}`), &v)
		return Response{Status: 200, JSON: v}, err
	}}
	e := newEngine(t, o, `
+ weather in *
$ GET:w https://x.pe/w?q=<star> {"headers":{"X":"<get key>"}}
$ POST https://x.pe/p
* ${{w.__status}} == 200 => It is ${{ w.main.temp }}, ${{main.temp}}, ${{list.0}} ${{w.list.1.b}} ${{w.nothing}}.
- No idea.
+ down
$ GET https://down.pe/
* ${{a.b}} == undefined => unset ${{__status}}
`)
	u := &User{Vars: map[string]string{"key": "k1"}}
	if r := e.Reply(context.Background(), u, "weather in cusco"); r.Text != "It is 21, 21, a <set x=1> ." {
		t.Errorf("%q", r.Text)
	}
	if r := e.Reply(context.Background(), u, "down"); r.Text != "unset 0" {
		t.Errorf("%q", r.Text)
	}
	want := []Request{{"GET", "https://x.pe/w?q=cusco", `{"headers":{"X":"k1"}}`}, {"POST", "https://x.pe/p", ""}, {"GET", "https://down.pe/", ""}}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Error(diff)
	}
}

func TestBudgets(t *testing.T) {
	t.Parallel()
	e := newEngine(t, Options{UTF8: true}, "+ grow\n- <set a=<get a><get a><get a><get a>xxxxxxxxxx>{@grow}\n+ many\n- {@x}{@x}{@x}{@x}{@x}{@x}{@x}{@x}\n+ x\n- {@y}{@y}{@y}{@y}{@y}{@y}{@y}{@y}\n+ y\n- {@z}{@z}{@z}{@z}{@z}{@z}{@z}{@z}\n+ z\n- z\n+ *\n- <star>\n")
	for _, in := range []string{"grow", "many"} {
		u := &User{}
		if r := e.Reply(context.Background(), u, in); !errors.Is(r.Err, ErrBudget) && !errors.Is(r.Err, ErrRecursion) || !strings.HasPrefix(r.Text, "ERR: ") {
			t.Errorf("%s: %.100q %v", in, r.Text, r.Err)
		}
	}
	if r := e.Reply(context.Background(), &User{}, strings.Repeat("é", 100_000)); len(r.Text) > 16<<10 || r.Err != nil {
		t.Error(len(r.Text), r.Err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if r := e.Reply(ctx, &User{}, "z"); !errors.Is(r.Err, context.Canceled) {
		t.Error(r.Err)
	}
}

func TestEngineStaysAsItIs(t *testing.T) {
	t.Parallel()
	b, err := NewBuilder(Options{})
	if err != nil {
		t.Fatal(err)
	}
	build := func(source string) *Engine {
		t.Helper()
		if err := b.Add("x", source); err != nil {
			t.Fatal(err)
		}
		e, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	first := build("! array a = x\n! var n = 1\n+ (@a)\n- first <star> <bot n>\n")
	second := build("! array a = x y\n! var n = 2\n+ new\n- second\n")
	if err := b.Add("bad", "+ a(\n- b\n"); err == nil {
		t.Fatal("a bad source is not refused")
	}
	ask := func(e *Engine, s string) string { return e.Reply(context.Background(), &User{}, s).Text }
	if got := []string{ask(first, "x"), ask(first, "y"), ask(first, "new"), ask(second, "y"), ask(second, "new")}; !cmp.Equal(got,
		[]string{"first x 1", "ERR: No Reply Matched", "ERR: No Reply Matched", "first y 2", "second"}) {
		t.Error(got)
	}
}
