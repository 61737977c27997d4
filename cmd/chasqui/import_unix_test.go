//go:build unix

package main

import (
	"bytes"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chasqui/chasqui/internal/app"
	"github.com/chasqui/chasqui/internal/store"
)

// An import that is killed or interrupted goes on behind its last commit: nothing is missing,
// counted twice or reported twice.
func TestImportGoesOnAfterItsEnd(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "chasqui")
	if err := os.Symlink(self, program); err != nil {
		t.Fatal(err)
	}
	const people = 40_000
	file, folder := testPeople(t, people), t.TempDir()
	report := filepath.Join(folder, "refused.csv")
	if err := addPage(t.Context(), folder, "SHOP"); err != nil {
		t.Fatal(err)
	}
	s, err := app.OpenStore(t.Context(), store.Options{URL: filepath.Join(folder, "chasqui.db"), Shared: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	command := func() *exec.Cmd {
		return exec.Command(program, "import", "profiles", "--data", folder, "--report", report, file)
	}
	before := imported(t, s)
	for _, end := range []os.Signal{syscall.SIGKILL, syscall.SIGKILL, os.Interrupt} {
		cmd := command()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cmd.Process.Kill() })
		for deadline := time.Now().Add(20 * time.Second); imported(t, s) == before; {
			if time.Now().After(deadline) {
				t.Fatal("nothing comes in")
			}
			time.Sleep(time.Millisecond)
		}
		if err := cmd.Process.Signal(end); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err == nil {
			t.Fatal("the import ended before it was stopped; give it more people")
		}
		before = imported(t, s)
	}
	var stdout, stderr bytes.Buffer
	last := command()
	last.Stdout, last.Stderr = &stdout, &stderr
	if err := last.Run(); err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	if want := "36000 created, 0 updated, 0 unchanged, 0 skipped, 4000 refused\n"; stdout.String() != want {
		t.Errorf("in all: %q", stdout.String())
	}
	if !strings.Contains(stderr.String(), "went on after ") {
		t.Errorf("it did not say that it went on: %s", stderr.String())
	}
	if n := imported(t, s); n != people*9/10 {
		t.Errorf("%d profiles", n)
	}
	written, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for line := range strings.Lines(string(written)) {
		if seen[line] {
			t.Fatalf("reported twice: %s", line)
		}
		seen[line] = true
	}
	if len(seen) != 1+people/10 {
		t.Errorf("the report has %d lines", len(seen))
	}
}

// imported returns how many profiles there are.
func imported(t *testing.T, s *store.Store) int {
	t.Helper()
	n, err := s.CountProfiles(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}
