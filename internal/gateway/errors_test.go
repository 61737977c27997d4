package gateway

import (
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the generated documents instead of comparing them")

// codesIn returns the string constants of a named type declared in a source file.
func codesIn(t *testing.T, file, typeName string) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	ast.Inspect(f, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if id, ok := spec.Type.(*ast.Ident); !ok || id.Name != typeName {
			return true
		}
		for _, v := range spec.Values {
			s, err := strconv.Unquote(v.(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			codes = append(codes, s)
		}
		return true
	})
	if len(codes) == 0 {
		t.Fatalf("no constants of type %s in %s", typeName, file)
	}
	return codes
}

func TestEveryCodeIsInTheTable(t *testing.T) {
	t.Parallel()
	var got []string
	last := 0
	for _, e := range ErrorTable() {
		got = append(got, string(e.Code))
		if status := e.Code.Status(); status < 400 || status < last {
			t.Errorf("%s: status %d is out of order", e.Code, status)
		}
		last = e.Code.Status()
		if e.Meaning == "" || e.Remedy == "" {
			t.Errorf("%s lacks a meaning or a remedy", e.Code)
		}
	}
	if diff := cmp.Diff(codesIn(t, "../../gatewayapi/codes.go", "ErrorCode"), got); diff != "" {
		t.Errorf("constants and table differ (-constants +table):\n%s", diff)
	}
}

func TestEveryFailureCodeIsInTheTable(t *testing.T) {
	t.Parallel()
	var got []string
	for _, f := range FailureTable() {
		got = append(got, string(f.Code))
		if f.Meaning == "" || f.Remedy == "" {
			t.Errorf("%s lacks a meaning or a remedy", f.Code)
		}
	}
	if diff := cmp.Diff(codesIn(t, "../../gatewayapi/codes.go", "FailureCode"), got); diff != "" {
		t.Errorf("constants and table differ (-constants +table):\n%s", diff)
	}
}

func TestErrorsDocumentIsUpToDate(t *testing.T) {
	t.Parallel()
	const path = "../../docs/errors.md"
	want := ErrorsDocument()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("docs/errors.md is out of date, run `go test ./internal/gateway -run Document -update` (-want +got):\n%s", diff)
	}
}

func TestErrorNeverShowsItsCause(t *testing.T) {
	t.Parallel()
	cause := errors.New("dial tcp 10.0.0.7:5432")
	err := Invalid("to", "must not be empty").WithCause(cause).Under("messages[2]")
	for _, text := range []string{err.Error(), fmt.Sprint(err), fmt.Sprintf("%+v", err)} {
		if strings.Contains(text, "10.0.0.7") {
			t.Errorf("the cause is shown: %s", text)
		}
	}
	if !errors.Is(err, cause) {
		t.Error("the cause cannot be asked for")
	}
	if err.Field != "messages[2].to" {
		t.Errorf("field = %q", err.Field)
	}
	wrapped := fmt.Errorf("accept: %w", err)
	if CodeOf(wrapped) != CodeInvalidRequest || CodeOf(cause) != CodeInternal || CodeOf(nil) != "" {
		t.Error("CodeOf does not find the code")
	}
	if !errors.Is(wrapped, Invalid("", "")) || errors.Is(wrapped, NotFound("message", "m")) {
		t.Error("errors.Is does not match by code")
	}
}
