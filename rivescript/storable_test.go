package rivescript_test

import (
	"context"
	"testing"

	"github.com/chasqui/chasqui/rivescript"
)

// What a macro says or keeps can be stored: it holds no U+0000 and is UTF-8.
func TestMacrosSayWhatCanBeStored(t *testing.T) {
	t.Parallel()
	odd := func(_ context.Context, c *rivescript.Call, _ []string) (string, error) {
		c.User.Set("kept", "a\x00b\xff")
		return "x\x00y\xff", nil
	}
	e, err := build(rivescript.Options{Macros: map[string]rivescript.Macro{"odd": odd}}, "+ go\n- <call>odd</call>\n+ see\n- <get kept>\n")
	if err != nil {
		t.Fatal(err)
	}
	u := &rivescript.User{}
	for message, want := range map[string]string{"go": "xy", "see": "ab"} {
		e.Reply(t.Context(), u, "go")
		if r := e.Reply(t.Context(), u, message); r.Text != want {
			t.Errorf("%s: %q, %v", message, r.Text, r.Err)
		}
	}
}
