package gateway

import "testing"

func TestSpreadsheetCell(t *testing.T) {
	t.Parallel()
	for _, formula := range []string{"=1+1", "+1", "-1", "@x", "\t=1+1", "\r=1+1", "\n=1", "\tx", " =1", "\u00a0=1", "|x", "%x", "\uff1d1", "=HYPERLINK(\"http://evil.example/\")", "-"} {
		if got := SpreadsheetCell(formula); got != "'"+formula {
			t.Errorf("%q became %q", formula, got)
		}
	}
	for _, text := range []string{"", "a", "José", "1", "a=b", "a\t=", "'=1", " a", "(1)", "12 %"} {
		if got := SpreadsheetCell(text); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}
