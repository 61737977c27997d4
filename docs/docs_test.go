// Package docs has no code: its test holds the links of the documentation.
package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
	testRef = regexp.MustCompile("`(Test[A-Za-z]+)`")
	notSlug = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
)

// pages are the documentation, from this folder.
func pages(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, pattern := range []string{"../*.md", "*.md", "decisions/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found...)
	}
	if len(all) < 10 {
		t.Fatalf("only %d pages found", len(all))
	}
	return all
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// anchors are the places of a page that a link may name.
func anchors(page string) map[string]bool {
	all := map[string]bool{}
	for _, m := range heading.FindAllStringSubmatch(page, -1) {
		all[strings.ReplaceAll(notSlug.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-")] = true
	}
	return all
}

func TestLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	for _, page := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(read(t, page), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			path, anchor, _ := strings.Cut(m[1], "#")
			target := page
			if path != "" {
				target = filepath.Join(filepath.Dir(page), path)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: %s leads nowhere", page, m[1])
			} else if anchor != "" && !anchors(read(t, target))[anchor] {
				t.Errorf("%s: there is no #%s in %s", page, anchor, target)
			}
		}
	}
}

// The pages name tests that hold promises: they must exist.
func TestTestsThatAreNamedExist(t *testing.T) {
	t.Parallel()
	var code strings.Builder
	for _, pattern := range []string{"../*/*_test.go", "../*/*/*_test.go", "../*/*/*/*_test.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			code.WriteString(read(t, file))
		}
	}
	for _, page := range pages(t) {
		for _, m := range testRef.FindAllStringSubmatch(read(t, page), -1) {
			if !strings.Contains(code.String(), "func "+m[1]+"(") {
				t.Errorf("%s names %s, which does not exist", page, m[1])
			}
		}
	}
}

// What a page shows of Go stands in a program that runs as a test.
func TestGoCodeOfPagesStandsInPrograms(t *testing.T) {
	t.Parallel()
	lines := regexp.MustCompile(`(?m)^[ \t]+`)
	flat := func(code string) string { return lines.ReplaceAllString(code, "") }
	var programs strings.Builder
	for _, file := range []string{"../examples/echo-bot/main.go", "../gatewayapi/example_test.go"} {
		programs.WriteString(flat(read(t, file)))
	}
	block := regexp.MustCompile("(?s)```go\n(.*?)```")
	for _, page := range []string{"client.md", "getting-started.md", "events.md"} {
		found := block.FindAllStringSubmatch(read(t, page), -1)
		if len(found) == 0 {
			t.Errorf("%s shows no Go", page)
		}
		for _, m := range found {
			if !strings.Contains(programs.String(), flat(m[1])) {
				t.Errorf("%s shows what no program has:\n%s", page, m[1])
			}
		}
	}
}
