package messenger_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

// TestCalendar holds the platform's calendar to itself: each feature, tag and
// messaging type of the package stands in it, each row has its source, and its
// days are in order.
func TestCalendar(t *testing.T) {
	t.Parallel()
	constants := typedConstants(t)
	rows, listed := map[string]int{}, map[string]bool{}
	for r := range messenger.Rules() {
		rows[string(r.Feature)]++
		if r.Source == "" {
			t.Errorf("%s has no source", r.Feature)
		}
		if !r.Until.IsZero() && !r.Since.Before(r.Until) {
			t.Errorf("%s ends on %s, before it begins", r.Feature, r.Until.Format(time.DateOnly))
		}
		for _, version := range []string{r.First, r.Removed} {
			if _, ok := messenger.Released(version); !ok && version != "" {
				t.Errorf("%s: nobody knows when %s came out", r.Feature, version)
			}
		}
		if got, ok := messenger.RuleOf(r.Feature); !ok || got.Source != r.Source {
			t.Errorf("%s is not found by its name", r.Feature)
		}
		for _, tag := range r.Tags {
			listed[string(tag)] = true
		}
		for _, kind := range r.Types {
			listed[string(kind)] = true
		}
	}
	for value, kind := range constants {
		switch {
		case kind == "Feature" && rows[value] != 1:
			t.Errorf("feature %s has %d rows", value, rows[value])
		case (kind == "Tag" || kind == "MessagingType") && !listed[value]:
			t.Errorf("%s %s has no row", kind, value)
		}
	}
	if len(constants) < 70 || len(messenger.RulesOfTag(messenger.TagAccountUpdate)) != 2 {
		t.Errorf("%d constants; rows of ACCOUNT_UPDATE: %+v", len(constants), messenger.RulesOfTag(messenger.TagAccountUpdate))
	}
}

// typedConstants are the package's constants of the types that the calendar is
// about, by value.
func typedConstants(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	each(t, ".", func(file *ast.File, _ string) {
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			kind, ok := spec.Type.(*ast.Ident)
			if !ok || kind.Name != "Feature" && kind.Name != "Tag" && kind.Name != "MessagingType" {
				return true
			}
			for _, v := range spec.Values {
				if literal, ok := v.(*ast.BasicLit); ok {
					value, err := strconv.Unquote(literal.Value)
					if err != nil {
						t.Fatal(err)
					}
					all[value] = kind.Name
				}
			}
			return true
		})
	})
	return all
}

// TestTagsAreSpelledOnce looks for tags and days of the platform in the other
// packages: they stand in the calendar alone.
func TestTagsAreSpelledOnce(t *testing.T) {
	t.Parallel()
	tags := map[string]bool{}
	for r := range messenger.Rules() {
		for _, tag := range r.Tags {
			tags[strconv.Quote(string(tag))] = true
		}
	}
	for _, folder := range []string{"../graphemu", "../internal", "../gatewayapi", "../cmd"} {
		each(t, folder, func(file *ast.File, name string) {
			ast.Inspect(file, func(n ast.Node) bool {
				if literal, ok := n.(*ast.BasicLit); ok && tags[literal.Value] {
					t.Errorf("%s spells %s", name, literal.Value)
				}
				if call, ok := n.(*ast.CallExpr); ok && strings.HasPrefix(folder, "../graphemu") && isDay(call) {
					t.Errorf("%s has a day of its own", name)
				}
				return true
			})
		})
	}
}

// isDay reports whether a call makes a day of the platform's time.
func isDay(call *ast.CallExpr) bool {
	f, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || f.Sel.Name != "Date" || len(call.Args) == 0 {
		return false
	}
	year, ok := call.Args[0].(*ast.BasicLit)
	return ok && strings.HasPrefix(year.Value, "20")
}

// each parses the sources of a folder, without tests.
func each(t *testing.T, folder string, do func(file *ast.File, name string)) {
	t.Helper()
	err := filepath.WalkDir(folder, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err == nil {
			do(file, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
