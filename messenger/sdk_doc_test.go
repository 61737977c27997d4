package messenger_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// exported is every exported name of the package: X, and X.Y for methods and
// fields.
func exported(t *testing.T) map[string]bool {
	t.Helper()
	paths, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil {
					names[d.Name.Name] = true
				} else {
					names[receiver(d.Recv.List[0].Type)+"."+d.Name.Name] = true
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					switch s := spec.(type) {
					case *ast.ValueSpec:
						for _, name := range s.Names {
							names[name.Name] = true
						}
					case *ast.TypeSpec:
						names[s.Name.Name] = true
						if st, ok := s.Type.(*ast.StructType); ok {
							for _, field := range st.Fields.List {
								for _, name := range field.Names {
									names[s.Name.Name+"."+name.Name] = true
								}
							}
						}
					}
				}
			}
		}
	}
	return names
}

func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}

// TestGuideNamesEverything holds that the guide has every operation of the npm
// package and names nothing that does not exist.
func TestGuideNamesEverything(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../docs/sdk.md")
	if err != nil {
		t.Fatal(err)
	}
	names, theirs := exported(t), map[string]bool{}
	code := regexp.MustCompile("`([A-Z][A-Za-z0-9]*(?:\\.[A-Z][A-Za-z0-9]*)?)`")
	inMethods := false
	for line := range strings.Lines(string(guide)) {
		if strings.HasPrefix(line, "## ") {
			inMethods = strings.HasPrefix(line, "## Method by method")
		}
		cells := strings.Split(line, "|")
		ours := line
		if strings.HasPrefix(line, "| ") && len(cells) >= 4 {
			ours = cells[2]
			if inMethods {
				theirs[strings.Trim(cells[1], " `")] = true
			}
		}
		for _, found := range code.FindAllStringSubmatch(ours, -1) {
			if name := found[1]; !names[name] && name != "Deprecated" && !strings.HasPrefix(name, "CHASQUI") {
				t.Errorf("the guide names %s, which does not exist", name)
			}
		}
	}
	for _, op := range operations {
		if !theirs[op] {
			t.Errorf("the guide does not have %s", op)
		}
	}
	for _, d := range differences {
		if !strings.Contains(string(guide), "| "+d.name+" | "+d.reason+" |") {
			t.Errorf("the guide does not tell that %s", d.name)
		}
	}
}
