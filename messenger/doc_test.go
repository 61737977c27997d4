package messenger_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
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

// TestEverythingIsDocumented holds that every exported name has a comment, and
// that what is deprecated says since when and what to use.
func TestEverythingIsDocumented(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	deprecated := 0
	look := func(name, doc string) {
		if !ast.IsExported(name) {
			return
		}
		if strings.TrimSpace(doc) == "" {
			t.Errorf("%s has no comment", name)
		}
		if _, note, found := strings.Cut(doc, "Deprecated: "); found {
			deprecated++
			if !regexp.MustCompile(`20\d\d`).MatchString(note) || !regexp.MustCompile(`Use\s|no successor|see `).MatchString(note) {
				t.Errorf("%s is deprecated since when, for what? %q", name, note)
			}
		}
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil || ast.IsExported(receiver(d.Recv.List[0].Type)) {
					look(d.Name.Name, d.Doc.Text())
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					switch s := spec.(type) {
					case *ast.TypeSpec:
						look(s.Name.Name, d.Doc.Text()+s.Doc.Text())
					case *ast.ValueSpec:
						for _, name := range s.Names {
							look(name.Name, d.Doc.Text()+s.Doc.Text()+s.Comment.Text())
						}
					}
				}
			}
		}
	}
	if deprecated < 30 {
		t.Errorf("only %d names are deprecated", deprecated)
	}
}
