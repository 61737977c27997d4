package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a server that was started for the benchmark.
type process struct {
	cmd   *exec.Cmd
	stdin io.Closer
	url   string
	log   *tailBuffer
}

// tailBuffer keeps the end of what a process logs, to be shown when it fails.
type tailBuffer struct{ b []byte }

func (t *tailBuffer) Write(p []byte) (int, error) {
	t.b = append(t.b, p...)
	if len(t.b) > 8192 {
		t.b = t.b[len(t.b)-4096:]
	}
	return len(p), nil
}

// start runs a subcommand that prints {"url":…} on its first line once it serves, and ends when
// its standard input does.
func start(ctx context.Context, program string, args ...string) (*process, error) {
	p := &process{cmd: exec.CommandContext(ctx, program, args...), log: &tailBuffer{}}
	p.cmd.Stderr = p.log
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	p.stdin = stdin
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %v: %w", args, err)
	}
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	var ready struct{ URL string }
	if err != nil || json.Unmarshal(line, &ready) != nil {
		p.stop()
		return nil, fmt.Errorf("start %v: %s", args, p.log.b)
	}
	p.url = ready.URL
	return p, nil
}

// startGateway runs `chasqui serve` on a free port and waits until it is ready.
func startGateway(ctx context.Context, o Options, folder, platform string, flags ...string) (*process, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	addr := "127.0.0.1:" + strconv.Itoa(port)
	p := &process{url: "http://" + addr, log: &tailBuffer{}}
	args := []string{"serve", "--addr", addr, "--public-url", p.url, "--data", folder, "--graph-url", platform, "--log-level", "warn", "--metrics-addr", "off"}
	if o.Store != "" {
		args = append(args, "--store", o.Store)
	}
	p.cmd = exec.CommandContext(ctx, o.Program, append(args, flags...)...)
	p.cmd.Stderr = p.log
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the gateway: %w", err)
	}
	for range 200 {
		resp, err := http.Get(p.url + "/readyz")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return p, nil
			}
		}
		if err := pause(ctx, 25*time.Millisecond); err != nil {
			break
		}
	}
	p.stop()
	return nil, fmt.Errorf("the gateway did not become ready: %s", p.log.b)
}

// stop ends the process and waits for it.
func (p *process) stop() {
	if p.stdin != nil {
		p.stdin.Close()
	}
	p.cmd.Process.Signal(syscall.SIGTERM)
	done := make(chan struct{})
	go func() { p.cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		p.cmd.Process.Kill()
		<-done
	}
}

// usage returns the processor time that the process has used, and its peak memory in bytes; zeros
// where the system does not tell.
func (p *process) usage() (cpu time.Duration, peak int64) {
	dir := "/proc/" + strconv.Itoa(p.cmd.Process.Pid)
	if stat, err := os.ReadFile(dir + "/stat"); err == nil {
		// The fields after the name, which is in brackets: 14th and 15th of the line are user and
		// system time in ticks of 10 ms.
		rest := string(stat[strings.LastIndexByte(string(stat), ')')+1:])
		if fields := strings.Fields(rest); len(fields) > 12 {
			user, _ := strconv.ParseInt(fields[11], 10, 64)
			system, _ := strconv.ParseInt(fields[12], 10, 64)
			cpu = time.Duration(user+system) * 10 * time.Millisecond
		}
	}
	if status, err := os.ReadFile(dir + "/status"); err == nil {
		for line := range strings.Lines(string(status)) {
			if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
				kib, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
				peak = kib << 10
			}
		}
	}
	return cpu, peak
}

// freePort asks the system for a port that nobody uses now.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// Announce tells the parent process where a child answers, and waits until the parent is gone or
// wants no more.
func Announce(stdin io.Reader, stdout io.Writer, l net.Listener) error {
	if err := json.NewEncoder(stdout).Encode(map[string]string{"url": "http://" + l.Addr().String()}); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, stdin)
	return err
}
