package messenger_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// TestMethodsNameTheirDocs holds that every method that calls the platform says
// where the platform describes the call.
func TestMethodsNameTheirDocs(t *testing.T) {
	t.Parallel()
	local := map[string]bool{"As": true, "Version": true}
	paths, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	methods := 0
	for _, file := range files {
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || f.Recv == nil || !f.Name.IsExported() || local[f.Name.Name] {
				continue
			}
			star, ok := f.Recv.List[0].Type.(*ast.StarExpr)
			if !ok {
				continue
			}
			if name, ok := star.X.(*ast.Ident); !ok || name.Name != "Client" {
				continue
			}
			methods++
			if !strings.Contains(f.Doc.Text(), "Docs: https://developers.facebook.com/") {
				t.Errorf("Client.%s has no Docs line", f.Name.Name)
			}
		}
	}
	if methods < 100 {
		t.Errorf("only %d methods found", methods)
	}
}
