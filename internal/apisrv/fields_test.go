package apisrv

import (
	"encoding/json"
	flags "flag"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flags.Bool("update", false, "write the generated documents instead of comparing them")

// TestFieldsDocumentIsUpToDate holds the descriptions of fields equal to the comments of their Go
// types, so that each stands once.
func TestFieldsDocumentIsUpToDate(t *testing.T) {
	t.Parallel()
	want, err := json.MarshalIndent(commentsOf(t, "../../gatewayapi"), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("fields.json", want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(want), string(fieldsJSON)); diff != "" {
		t.Errorf("fields.json is out of date, run `go test ./internal/apisrv -run Document -update` (-comments +file):\n%s", diff)
	}
}

// commentsOf reads the comments of the fields of a package's structs, by type and name in JSON. A
// struct has those of the structs that it embeds.
func commentsOf(t *testing.T, folder string) map[string]map[string]string {
	t.Helper()
	files, err := filepath.Glob(folder + "/*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %d files, %v", folder, len(files), err)
	}
	all, embeds := map[string]map[string]string{}, map[string][]string{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			if s, ok := spec.Type.(*ast.StructType); ok && spec.Name.IsExported() {
				all[spec.Name.Name], embeds[spec.Name.Name] = fieldComments(t, s)
			}
			return false
		})
	}
	for name, embedded := range embeds {
		for _, other := range embedded {
			own := maps.Clone(all[other])
			maps.Copy(own, all[name])
			all[name] = own
		}
	}
	maps.DeleteFunc(all, func(_ string, fields map[string]string) bool { return len(fields) == 0 })
	return all
}

func fieldComments(t *testing.T, s *ast.StructType) (comments map[string]string, embedded []string) {
	t.Helper()
	comments = map[string]string{}
	for _, f := range s.Fields.List {
		if id, ok := f.Type.(*ast.Ident); ok && len(f.Names) == 0 {
			embedded = append(embedded, id.Name)
		}
		if f.Tag == nil || f.Doc == nil {
			continue
		}
		tag, err := strconv.Unquote(f.Tag.Value)
		if err != nil {
			t.Fatal(err)
		}
		name, _, _ := strings.Cut(reflect.StructTag(tag).Get("json"), ",")
		if name != "" && name != "-" {
			comments[name] = strings.Join(strings.Fields(f.Doc.Text()), " ")
		}
	}
	return comments, embedded
}
