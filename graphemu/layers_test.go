package graphemu

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"
)

// TestLayers holds the state apart from HTTP: files that read calls and write
// answers take no lock, and files that hold the state do not import net/http.
func TestLayers(t *testing.T) {
	t.Parallel()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	// These speak HTTP to other programs, or describe it.
	outside := map[string]bool{
		"server.go": true, "options.go": true, "callbacks.go": true, "data_deletion.go": true, "short_links.go": true,
		"intercept.go": true, "journal.go": true, "media.go": true,
	}
	handlers, state := 0, 0
	for _, entry := range entries {
		name := entry.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		handles := strings.HasPrefix(name, "graph") || strings.HasPrefix(name, "control") || strings.HasPrefix(name, "web_")
		switch {
		case handles || outside[name]:
			handlers++
			ast.Inspect(file, func(n ast.Node) bool {
				if sel, ok := n.(*ast.SelectorExpr); ok && (sel.Sel.Name == "Lock" || sel.Sel.Name == "Unlock" || sel.Sel.Name == "mu") {
					t.Errorf("%s takes a lock", name)
				}
				return true
			})
		default:
			state++
			for _, imported := range file.Imports {
				if imported.Path.Value == `"net/http"` {
					t.Errorf("%s holds state and imports net/http", name)
				}
			}
		}
	}
	if handlers < 30 || state < 30 {
		t.Errorf("found %d files that speak HTTP and %d that hold state", handlers, state)
	}
}
