package deps

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestProvidersAreNamedInTheTableOnly holds that no code beside a provider's own folder and the
// table tells providers apart: not by name, not by the type of their settings. The channel webhook,
// whose provider has its name, is spoken of everywhere.
func TestProvidersAreNamedInTheTableOnly(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..")
	folders, err := os.ReadDir(filepath.Join(root, "channel"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range folders {
		if f.IsDir() && f.Name() != "providers" && f.Name() != "channeltest" && f.Name() != "webhook" {
			names = append(names, f.Name())
		}
	}
	if len(names) < 4 {
		t.Fatalf("only the providers %v were found", names)
	}
	// A name in quotes, alone or before a setting; a constant; a type.
	telling := regexp.MustCompile(`"(` + strings.Join(names, "|") + `)["./]|\bProvider(?i:` + strings.Join(names, "|") + `)\b|\b(?i:` + strings.Join(names, "|") + `)Settings\b`)
	err = filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		if dir, _, _ := strings.Cut(filepath.ToSlash(rel), "/"); d.IsDir() && (dir == "e2e" || dir == "deps" || d.Name() == "testdata" || strings.HasPrefix(filepath.ToSlash(rel), "channel/")) {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(rel, ".go") || strings.HasSuffix(rel, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if found := telling.FindString(string(text)); found != "" {
			t.Errorf("internal/%s tells providers apart by %s: what is a provider's own belongs into its package", filepath.ToSlash(rel), found)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
