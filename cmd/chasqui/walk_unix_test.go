//go:build unix

package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestConnectingAPageAsDocumented runs the lines of docs/emulator.md that connect a page without
// Facebook, on free ports.
func TestConnectingAPageAsDocumented(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"bash", "curl", "sed"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed", program)
		}
	}
	page, err := os.ReadFile("../../docs/emulator.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "\n## Connect a page without Facebook\n")
	_, script, _ := strings.Cut(section, "```sh\n")
	script, _, found := strings.Cut(script, "```")
	if !found || !strings.Contains(script, "chasqui emulate") {
		t.Fatal("the page has no such section any more")
	}
	for _, port := range []string{"8081", "8080"} {
		free, err := freePort()
		if err != nil {
			t.Fatal(err)
		}
		script = strings.ReplaceAll(script, ":"+port, ":"+free)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if err := os.Symlink(self, filepath.Join(folder, "chasqui")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	// The gateway fetches and stores in its own time: the last lines are asked again until they
	// show it.
	events, thread := lineWith(script, "/events?type="), lineWith(script, "/thread")
	script += "\nuntil " + events + " | grep -q 'Are you open?'; do :; done\nuntil " + thread + " | grep -q 'Until six.'; do :; done\necho walked\n"
	cmd := exec.CommandContext(ctx, "bash", "-eu", "-c", "trap 'kill $(jobs -p); wait' EXIT\n"+script)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "PATH="+folder+":"+os.Getenv("PATH"), "CHASQUI_METRICS_ADDR=off")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) } // with what it started
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.CombinedOutput()
	for _, want := range []string{`"state":"active"`, "walked"} {
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%v; no %s in\n%s", err, want, out)
		}
	}
}

// lineWith is the line of a script that holds a text.
func lineWith(script, text string) string {
	for line := range strings.Lines(script) {
		if strings.Contains(line, text) && !strings.HasPrefix(line, "#") {
			return strings.TrimSpace(line)
		}
	}
	return "false"
}
