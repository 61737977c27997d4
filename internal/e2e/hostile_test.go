package e2e

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/service"
)

// macro is a script whose macro is called by "boom" and by an image; other words are answered
// plainly.
func macro(body string) string {
	return "> object x javascript\n" + body + "\n< object\n+ boom\n- [<call>x</call>]\n+ hello\n- still here\n"
}

// hostileMacros end the process that runs them, or would never end.
var hostileMacros = map[string]string{
	"buffer":     "return new ArrayBuffer(200*1024*1024*1024).byteLength;",
	"array":      "return new Uint8Array(30000000000).length;",
	"deep JSON":  "var s = '['; for (var i = 0; i < 23; i++) s += s; return JSON.parse(s);",
	"deep eval":  "return eval('('.repeat(400000) + '1' + ')'.repeat(400000));",
	"regexp":     "return /^(?=a)(a+)+$/.test('a'.repeat(34) + '!');",
	"loop":       "for (;;);",
	"growth":     "var a = []; for (;;) a.push(new Float64Array(100000));",
	"recursion":  "return rs.reply('u', 'boom');",
	"neverthere": "return new Promise(function () {});",
}

// No macro ends the gateway or holds up other pages, whether it is tried over the API or returns
// people.
func TestHostileMacros(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	good := w.connect(graphemu.Page{Name: "Good"})
	good.script("> object shout\nreturn args.join(' ').toUpperCase();\n< object\n+ say *\n- <call>shout <star></call>\n")
	ana := good.person("Ana")
	for name, body := range hostileMacros {
		t.Run(name, func(t *testing.T) {
			bad := w.connect(graphemu.Page{Name: "Bad"})
			s := bad.script(macro(body))
			if _, err := w.client.TryScript(t.Context(), s.ID, gatewayapi.TryScriptRequest{Text: "boom"}); err != nil {
				t.Errorf("try it: %v", err)
			}
			ben := bad.person("Ben")
			for range 3 {
				bad.says(ben, "boom")
			}
			good.says(ana, "say "+name)
			good.awaitSaid(ana, strings.ToUpper(name))
			bad.says(ben, "hello")
			bad.awaitSaid(ben, "still here")
			if status, _ := w.get("/readyz"); status != http.StatusOK {
				t.Errorf("readyz answers %d", status)
			}
		})
	}
}

// Twenty endless macros in one reply take as long as one.
func TestATurnHasOneTime(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{Name: "Slow"})
	s := p.script("> object x javascript\nfor (;;);\n< object\n+ boom\n- " + strings.Repeat("<call>x</call>", 20) + "\n+ *\n- {@ boom}{@ boom}\n")
	for _, text := range []string{"boom", "else"} {
		r, err := w.client.TryScript(t.Context(), s.ID, gatewayapi.TryScriptRequest{Text: text})
		if err != nil || r.Error != "ERR: Budget Exceeded" {
			t.Errorf("%s: %+v %v", text, r, err)
		}
	}
}

// What is too large or too deep is refused with its place before anything is compiled, and checks
// want the scope that uploads want.
func TestScriptChecksAreBounded(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{Name: "Checks"})
	check := func(text string) gatewayapi.ScriptValidation {
		t.Helper()
		v, err := w.client.ValidateScript(t.Context(), gatewayapi.UploadScriptRequest{Application: p.key, Files: []gatewayapi.ScriptFile{{Name: "a.rive", Text: text}}})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	object := func(body string) string {
		return "> object x javascript\n" + body + "\n< object\n+ hi\n- <call>x</call>\n"
	}
	for text, want := range map[string]string{
		object("return " + strings.Repeat("(", 300_000) + "1" + strings.Repeat(")", 300_000) + ";"): "the object x has",
		object("return " + strings.Repeat("(", 300) + "1" + strings.Repeat(")", 300) + ";"):         "brackets are nested more than 200 deep",
		object("return (;"): "object x: ",
		"+ (" + strings.Repeat("abcdef|", 400_000) + "x)\n- a\n": "the line has",
	} {
		v := check(text)
		if v.OK || len(v.Problems) == 0 || !strings.Contains(v.Problems[0].Message, want) || v.Problems[0].File != "a.rive" || v.Problems[0].Line != 1 {
			t.Errorf("%.80q: %+v, want %q", text, v, want)
		}
	}
	// A parser of JavaScript that goes down too deep ends its own process only.
	if v := check(object("return " + strings.Repeat("!", 60_000) + "1;")); !v.OK && !strings.Contains(v.Problems[0].Message, "compile") {
		t.Errorf("%+v", v)
	}
	if v := check(object("return 1;")); !v.OK {
		t.Errorf("%+v", v)
	}
	_, secret, err := service.CreateKey(t.Context(), w.app.Store, "reader", []gateway.Scope{gateway.ScopeScriptsRead}, nil)
	if err != nil {
		t.Fatal(err)
	}
	w.use(secret.Reveal())
	_, err = w.client.ValidateScript(t.Context(), gatewayapi.UploadScriptRequest{Files: []gatewayapi.ScriptFile{{Name: "a.rive", Text: "+ a\n- b\n"}}})
	wantCode(t, err, http.StatusForbidden, "forbidden")
}

// A message of 16 kB on triggers with thousands of alternatives is answered, or its turn given up,
// while other pages are answered.
func TestLongMessagesOnLargeTriggers(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	good, bad := w.connect(graphemu.Page{Name: "Good"}), w.connect(graphemu.Page{Name: "Bad"})
	good.script("+ hello\n- hi\n")
	one := "+ * (" + strings.TrimSuffix(strings.Repeat("a b [c]|", 1_900), "|") + ") *z"
	s := bad.script(strings.Repeat(one+"\n- x\n", 60) + "+ hello\n- still here\n")
	ana, ben := good.person("Ana"), bad.person("Ben")
	var tries sync.WaitGroup
	for range 4 {
		tries.Go(func() {
			r, err := w.client.TryScript(t.Context(), s.ID, gatewayapi.TryScriptRequest{Text: strings.Repeat("a b ", 4_000)})
			if err != nil || r.Error == "" {
				t.Errorf("%+v %v", r, err)
			}
		})
	}
	good.says(ana, "hello")
	good.awaitSaid(ana, "hi")
	bad.says(ben, strings.Repeat("a b ", 490))
	bad.says(ben, "hello")
	bad.awaitSaid(ben, "still here")
	tries.Wait()
}
