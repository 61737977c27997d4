//go:build unix

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// served is a gateway in a process of its own.
type served struct {
	t       *testing.T
	process *exec.Cmd
	log     chan map[string]any // each line of the log
}

// serve starts `chasqui serve` with JSON logs. The test's own binary is the program when it is
// called so: see TestMain.
func serve(t *testing.T, args ...string) *served {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "chasqui")
	if err := os.Symlink(self, program); err != nil {
		t.Fatal(err)
	}
	s := &served{t: t, process: exec.Command(program, append([]string{"serve", "--log-format", "json", "--metrics-addr", "127.0.0.1:0"}, args...)...), log: make(chan map[string]any, 1000)}
	stderr, err := s.process.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.process.Process.Kill() })
	go func() {
		defer close(s.log)
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			var line map[string]any
			if json.Unmarshal(lines.Bytes(), &line) == nil {
				s.log <- line
			}
		}
	}()
	return s
}

// await waits for a line of the log with a message, ten seconds at most.
func (s *served) await(message string) map[string]any {
	s.t.Helper()
	late := time.After(10 * time.Second)
	for {
		select {
		case line, ok := <-s.log:
			if !ok {
				s.t.Fatalf("the gateway ended before it logged %q", message)
			}
			if line["msg"] == message {
				return line
			}
		case <-late:
			s.t.Fatalf("%q was not logged", message)
		}
	}
}

func TestHangupAppliesTheConfigurationAnew(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	file := filepath.Join(folder, "chasqui.json")
	configure := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	configure(`{"logLevel":"info"}`)
	s := serve(t, "--config", file, "--addr", "127.0.0.1:0", "--data", filepath.Join(folder, "data"), "--public-url", "http://127.0.0.1:1")
	address := fmt.Sprint(s.await("gateway ready")["addr"])

	hangup := func() {
		t.Helper()
		if err := s.process.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
	}
	configure(`{"logLevel":"loud"}`)
	hangup()
	s.await("the configuration is wrong and was not applied")
	configure(`{"logLevel":"debug"}`)
	hangup()
	s.await("configuration applied")
	res, err := http.Get("http://" + address + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if line := s.await("request"); line["level"] != "DEBUG" || line["path"] != "/readyz" {
		t.Errorf("log line %v", line)
	}
	if err := s.process.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	s.await("stopping")
	for range s.log { // to its end, for Wait closes the pipe
	}
	if err := s.process.Wait(); err != nil {
		t.Errorf("exit after SIGTERM: %v", err)
	}
}
