// Package script works with sets of scripts: it loads them from files, knows how what happens on
// Messenger reaches them, and runs transcripts against them. It is what the command line and the
// bot share.
package script

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/chasqui/chasqui/rivescript"
)

// File is one source of a set. A file that ends in .topic is a topic of Dexter's, named by the
// file.
type File struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// Extensions are those of the files that are taken for scripts when a folder is read.
var Extensions = []string{".rive", ".rs", ".topic"}

// Limits of a set.
const (
	MaxFiles = 1000
	MaxBytes = 16 << 20 // of all files together
)

// Files reads scripts: each path is a file, or a folder whose scripts are read in the order of
// their names, also those below it.
func Files(paths ...string) ([]File, error) {
	var files []File
	total := 0
	add := func(name, at string) error {
		b, err := os.ReadFile(at)
		if err != nil {
			return err
		}
		if total += len(b); total > MaxBytes || len(files) >= MaxFiles {
			return fmt.Errorf("the scripts are more than %d files or %d MiB", MaxFiles, MaxBytes>>20)
		}
		files = append(files, File{name, string(b)})
		return nil
	}
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			if err := add(filepath.ToSlash(p), p); err != nil {
				return nil, err
			}
			continue
		}
		err = filepath.WalkDir(p, func(at string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !slices.Contains(Extensions, filepath.Ext(at)) {
				return err
			}
			name, err := filepath.Rel(p, at)
			if err != nil {
				return err
			}
			return add(filepath.ToSlash(name), at)
		})
		if err != nil {
			return nil, err
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("there is no script (%s) in %s", strings.Join(Extensions, ", "), strings.Join(paths, ", "))
	}
	return files, nil
}

// Build makes an engine of files. All files are read even if one is refused, so that all problems
// are told at once; the error is then a *[rivescript.LoadError].
func Build(o rivescript.Options, files []File) (*rivescript.Engine, []rivescript.Problem, error) {
	b, err := rivescript.NewBuilder(o)
	if err != nil {
		return nil, nil, err
	}
	if err := b.AddAll(sourcesOf(files)); err != nil {
		return nil, b.Warnings(), err
	}
	e, err := b.Build()
	return e, b.Warnings(), err
}

// Check returns all that is wrong with files at once: problems for which Build refuses them, and
// warnings.
func Check(o rivescript.Options, files []File) (problems, warnings []rivescript.Problem, err error) {
	b, err := rivescript.NewBuilder(o)
	if err != nil {
		return nil, nil, err
	}
	return b.Check(sourcesOf(files))
}

func sourcesOf(files []File) []rivescript.Source {
	sources := make([]rivescript.Source, len(files))
	for i, f := range files {
		sources[i] = SourceOf(f)
	}
	return sources
}

// SourceOf is a file as the engine reads it.
func SourceOf(f File) rivescript.Source {
	topic, ok := strings.CutSuffix(path.Base(f.Name), ".topic")
	if !ok {
		topic = ""
	}
	return rivescript.Source{File: f.Name, Topic: topic, Text: f.Text}
}

// Languages are those of macros, given the compiler of the one there is.
func Languages(javascript rivescript.Compiler) map[string]rivescript.Compiler {
	return map[string]rivescript.Compiler{"javascript": javascript}
}

// DialectOf guesses the dialect of files: Dexter's when one of them is a topic file or uses what
// only Dexter has.
func DialectOf(files []File) rivescript.Dialect {
	for _, f := range files {
		if path.Ext(f.Name) == ".topic" || strings.Contains(f.Text, "_fbRef") || strings.Contains(f.Text, "<send>") || strings.Contains(f.Text, "<noreply>") ||
			strings.Contains(f.Text, "^buttons(") || strings.Contains(f.Text, "__fbref__") || strings.Contains(f.Text, "<delay ") {
			return rivescript.Dexter
		}
	}
	return rivescript.RiveScript
}
