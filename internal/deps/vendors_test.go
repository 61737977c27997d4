package deps

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// vendors are the dialects' names, and the folders where each may be spoken of beside internal/app,
// which plugs them in, the program's own words and documents.
var vendors = []string{"comapi", "infobip"}

// mayName are the folders that may name a vendor: the dialects themselves, whoever plugs them in,
// measures them or tries them from outside.
var mayName = []string{"internal/comapi", "internal/infobip", "internal/app", "internal/bench", "internal/e2e", "internal/deps", "cmd", "compat", "docs", "bench", "examples", ".ci", ".git"}

// TestNoVendorInTheCore holds that the domain, the store, forwarding and all other parts know no
// API of another vendor by name: not in code, comments, names of files, or migrations.
func TestNoVendorInTheCore(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	looked := 0
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			if slices.Contains(mayName, rel) || d.Name() == "node_modules" || d.Name() == "testdata" {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(rel, ".go") && !strings.HasSuffix(rel, ".sql") {
			return nil
		}
		looked++
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		for _, vendor := range vendors {
			if strings.Contains(strings.ToLower(rel), vendor) {
				t.Errorf("%s is named after %s", rel, vendor)
			}
			if at := strings.Index(strings.ToLower(string(text)), vendor); at >= 0 {
				line := 1 + strings.Count(string(text[:at]), "\n")
				t.Errorf("%s:%d names %s: what is a dialect's own belongs into its package", rel, line, vendor)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if looked < 200 {
		t.Fatalf("only %d files were looked at", looked)
	}
}
