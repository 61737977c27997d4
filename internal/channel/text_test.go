package channel

import (
	"strings"
	"testing"
)

func TestToGSM(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"plain @£$": "plain @£$", "‘quoted’ – “so”…": `'quoted' - "so"...`, "naïve façade": "naive facade", "Zażółć gęślą jaźń": "Zazolc gesla jazn",
		"5 € {x}": "5 € {x}", "你好": "??", "ok 👍🏽!": "ok ??!", "ﬁne ½": "fine 1/2", "çà": "cà", "e\u0301": "é",
	} {
		if got := ToGSM(text); got != want || !IsGSM(got) {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

func TestClipped(t *testing.T) {
	t.Parallel()
	if got := Clipped("a\n b\t c" + strings.Repeat("ä", 300)); strings.ContainsAny(got, "\n\t") || len(got) > 310 || !strings.HasPrefix(got, "a b c") {
		t.Errorf("%q", got)
	}
}
