package apisrv_test

import (
	"os"
	"strings"
	"testing"

	"github.com/chasqui/chasqui/internal/gateway"
)

// Whoever makes a key finds each scope where they look.
func TestEachScopeIsDocumented(t *testing.T) {
	t.Parallel()
	for _, page := range []string{"../../docs/api.md", "../../docs/security.md"} {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		var table strings.Builder
		for line := range strings.Lines(string(text)) {
			if strings.HasPrefix(line, "| `") {
				table.WriteString(line)
			}
		}
		for _, scope := range gateway.Scopes() {
			if !strings.Contains(table.String(), "`"+string(scope)+"`") {
				t.Errorf("%s has no row for the scope %s", page, scope)
			}
		}
	}
}
