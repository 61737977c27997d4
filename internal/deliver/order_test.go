package deliver

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The files of the package read from top to bottom, in the order of the package's comment: none
// calls a function or method of one above it.
func TestFilesCallDownwards(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	files, declared := map[string]*ast.File{}, map[string]string{}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = f
		for _, d := range f.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && declared[f.Name.Name] == "" {
				declared[f.Name.Name] = name
			}
		}
	}
	order := []string{"deliver.go"}
	for _, m := range regexp.MustCompile(`(?m)^\s+(\w+\.go)  `).FindAllStringSubmatch(files["deliver.go"].Doc.Text(), -1) {
		order = append(order, m[1])
	}
	arrows := 0
	for name, f := range files {
		at := slices.Index(order, name)
		if at < 0 {
			t.Errorf("the package's comment does not name %s", name)
			continue
		}
		for _, used := range uses(f) {
			to := declared[used]
			if to == "" || to == name {
				continue
			}
			arrows++
			if slices.Index(order, to) < at {
				t.Errorf("%s calls %s of %s, which stands above it", name, used, to)
			}
		}
	}
	if arrows < len(files) || len(order) != len(files) {
		t.Errorf("%d calls between %d files, of which %d are in order", arrows, len(files), len(order))
	}
}

// uses names what a file selects from a value, and what it takes from other files of its package.
func uses(f *ast.File) []string {
	var used []string
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok && x.Name == "d" {
				used = append(used, s.Sel.Name)
			}
		}
		return true
	})
	for _, id := range f.Unresolved {
		used = append(used, id.Name)
	}
	return used
}
