package script

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/rivescript"
	"github.com/chasqui/chasqui/rivescript/js"
)

func TestMain(m *testing.M) {
	js.Main()
	os.Exit(m.Run())
}

func compiler(t *testing.T) rivescript.Compiler {
	pool := js.NewPool(js.Options{Workers: 1})
	t.Cleanup(pool.Close)
	return pool.Checker(t.Context(), "")
}

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, map[string]string{"b.rive": "+ b\n- b", "sub/a.topic": "+ a\n- a", "notes.txt": "no", "x.transcript": "no"})
	files, err := Files(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]File{{"b.rive", "+ b\n- b"}, {"sub/a.topic", "+ a\n- a"}}, files); diff != "" {
		t.Error(diff)
	}
	if DialectOf(files) != rivescript.Dexter || DialectOf(files[:1]) != rivescript.RiveScript {
		t.Error("the dialect is not that of the files")
	}
	if _, err := Files(t.TempDir()); err == nil {
		t.Error("an empty folder holds scripts")
	}
	_, _, err = Build(rivescript.Options{}, []File{{"one.rive", "+ a(\n- x"}, {"two.rive", "+ b(\n- x"}})
	if err == nil || !strings.Contains(err.Error(), "one.rive:1") || !strings.Contains(err.Error(), "1 more") {
		t.Error(err)
	}
}

func TestReminderName(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"cup": "cup", "Next Cup": "next_cup", "nextCup": "next_cup", " a-b  c_d ": "a_b_c_d"} {
		if got := ReminderName(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestTranscripts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, map[string]string{
		"default.topic": "+ get_started_payload\n- new by <get _fbRefSource> <get _fbRefParam>\n+ __fbref__\n- back by <get _fbRefSource> <get _fbRefAdId>\n+ __media__\n- <get _mediaType> <get _mediaUrl>\n+ buy *\n- <set item=<star>>You buy <star>.<send>Thanks ^buttons(More)\n+ quiet\n- <noreply>\n",
		"a.transcript":  "# all kinds\n!start SHORTLINK table-7\n< new by SHORTLINK table-7\n!referral ADS - 12\n< back by ADS 12\n!postback BUY_TEA\n< (ERR: No Reply Matched)\n!postback buy tea\n< You buy tea.\n< Thanks ^buttons(More)\n?item=tea\n!media image https://x.pe/a.png\n< image https://x.pe/a.png\n> quiet\n< (nothing)\n!set item=coffee\n?item=coffee\n",
		"b.transcript":  "> buy tea\n< Wrong.\n?item=coffee\n",
	})
	all, err := ReadTranscripts(dir)
	if err != nil || len(all) != 2 {
		t.Fatal(all, err)
	}
	failures, actual, err := all[0].Run(context.Background(), compiler(t))
	if err != nil || len(failures) > 0 || actual != strings.Join(all[0].lines, "\n")+"\n" {
		t.Errorf("%v %v\n%s", failures, err, actual)
	}
	failures, actual, err = all[1].Run(context.Background(), compiler(t))
	if err != nil || len(failures) != 2 {
		t.Fatal(failures, err)
	}
	if want := "> buy tea\n< You buy tea.\n< Thanks ^buttons(More)\n?item=tea\n"; actual != want {
		t.Errorf("%q", actual)
	}
	write(t, dir, map[string]string{"b.transcript": "what\n"})
	all, _ = ReadTranscripts(dir)
	if _, _, err := all[1].Run(context.Background(), compiler(t)); err == nil || !strings.Contains(err.Error(), "b.transcript:1") {
		t.Error(err)
	}
}

// The example that dev runs does what its transcripts say.
func TestCoffeeShop(t *testing.T) {
	t.Parallel()
	all, err := ReadTranscripts(filepath.Join("..", "..", "examples", "scripts"))
	if err != nil {
		t.Fatal(err)
	}
	for _, tr := range all {
		failures, _, err := tr.Run(context.Background(), compiler(t))
		if err != nil {
			t.Error(err)
		}
		for _, f := range failures {
			t.Error(f)
		}
	}
}
