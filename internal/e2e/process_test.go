package e2e

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/internal/config"
	"github.com/chasqui/chasqui/internal/store/storetest"
	"github.com/chasqui/chasqui/rivescript/js"
)

// programFolder holds the program while the tests run.
var programFolder string

func TestMain(m *testing.M) {
	js.Main()
	folder, err := os.MkdirTemp("", "chasqui-e2e")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	programFolder = folder
	// These tests wait more than they work. Whoever gives -parallel another value than the default
	// gets that.
	flag.Parse()
	if parallel := flag.Lookup("test.parallel"); parallel.Value.String() == strconv.Itoa(runtime.GOMAXPROCS(0)) {
		flag.Set("test.parallel", strconv.Itoa(3*runtime.GOMAXPROCS(0)))
	}
	code := m.Run()
	storetest.Stop()
	os.RemoveAll(folder)
	os.Exit(code)
}

// build builds the program, once for all tests.
var build = sync.OnceValues(func() (string, error) {
	path := filepath.Join(programFolder, "chasqui")
	if runtime.GOOS == "windows" {
		path += ".exe"
	}
	out, err := exec.Command("go", "build", "-o", path, "github.com/chasqui/chasqui/cmd/chasqui").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build the program: %w: %s", err, out)
	}
	return path, nil
})

// command makes a command whose environment has none of the settings of the tests, which the
// program would take for its own.
func command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = slices.DeleteFunc(os.Environ(), func(entry string) bool { return strings.HasPrefix(entry, "CHASQUI_") })
	return cmd
}

// process is a gateway of its own: `chasqui serve`.
type process struct {
	w     *world
	cmd   *exec.Cmd
	log   bytes.Buffer
	ended chan struct{} // closed when it has ended
	err   error         // how it ended
}

// startApart starts a platform here, and the gateway as a process with an API key. Further flags
// may be given.
func startApart(t *testing.T, p *platform, change func(*config.Config), flags ...string) (*world, *process) {
	t.Helper()
	w := newWorld(t, p, change)
	w.config.Addr = freeAddr(t)
	w.url = "http://" + w.config.Addr
	g := w.serve(flags...)
	w.use(strings.TrimSpace(w.run("key", "create")))
	return w, g
}

// freeAddr returns an address that nothing listens on.
func freeAddr(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// storage are the flags that say where the data lies.
func (w *world) storage() []string {
	args := []string{"--data", w.config.Data}
	if w.config.Store != "" {
		args = append(args, "--store", w.config.Store)
	}
	return args
}

// run runs a subcommand that works on the gateway's data, and returns what it printed.
func (w *world) run(args ...string) string {
	w.t.Helper()
	out, err := w.try(args...)
	if err != nil {
		w.t.Fatalf("%q: %v", args, err)
	}
	return out
}

func (w *world) try(args ...string) (string, error) {
	w.t.Helper()
	program, err := build()
	if err != nil {
		w.t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd := command(w.t.Context(), program, append(args, w.storage()...)...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, stderr.String())
	}
	return string(out), err
}

// serveArgs is the command line of the gateway.
func (w *world) serveArgs(flags ...string) []string {
	c := w.config
	args := append([]string{"serve", "--addr", c.Addr, "--public-url", w.url, "--graph-url", c.GraphURL, "--log-level", "warn", "--metrics-addr", "127.0.0.1:0",
		"--low-disk", fmt.Sprint(c.LowDisk), "--uncertain-wait", c.Uncertain.Wait.String(), "--uncertain-give-up", c.Uncertain.GiveUp.String(),
		"--limits-text-per-second", fmt.Sprint(c.Limits.TextPerSecond)}, w.storage()...)
	return append(args, flags...)
}

// serve starts the gateway as a process and waits until it is ready.
func (w *world) serve(flags ...string) *process {
	w.t.Helper()
	program, err := build()
	if err != nil {
		w.t.Fatal(err)
	}
	return w.spawn(command(context.Background(), program, w.serveArgs(flags...)...))
}

// spawn starts a command that becomes the gateway, and waits until it is ready.
func (w *world) spawn(cmd *exec.Cmd) *process {
	w.t.Helper()
	g := &process{w: w, cmd: cmd, ended: make(chan struct{})}
	g.cmd.Stderr = &g.log
	if err := g.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	go func() {
		g.err = g.cmd.Wait()
		close(g.ended)
	}()
	w.t.Cleanup(g.kill)
	await(w.t, "the gateway to be ready", func() (bool, string) {
		select {
		case <-g.ended:
			w.t.Fatalf("the gateway has ended: %v\n%s", g.err, g.log.String())
		default:
		}
		status := probe(w.url + "/readyz")
		return status == http.StatusOK, fmt.Sprint(status)
	})
	return g
}

// probe returns the status of an address, 0 when nothing answers. Each probe has a connection of
// its own.
func probe(address string) int {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 2 * time.Second}
	resp, err := client.Get(address)
	if err != nil {
		return 0
	}
	resp.Body.Close()
	return resp.StatusCode
}

// kill ends the process at once, as by kill -9, and waits for it.
func (g *process) kill() {
	g.cmd.Process.Kill() // an error means that it has ended
	<-g.ended
}

func TestSIGTERM(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no SIGTERM")
	}
	const people = 5
	p := startPlatform(t)
	w, g := startApart(t, p, func(*config.Config) {})
	p.SetFaults([]graphemu.Fault{{Endpoint: "messages", DelayMS: 5000}}) // for long enough to be seen on a machine that does much else
	pg := w.connect(graphemu.Page{})
	pulled := w.pull("message.uncertain")
	var first, second []string
	persons := pg.people(people)
	for _, psid := range persons {
		first = append(first, w.send(pg.text(psid, "in flight")))
		second = append(second, w.send(pg.text(psid, "after it")))
	}
	for _, id := range first {
		w.awaitStatus(id, gatewayapi.StatusSending)
	}
	began := time.Now()
	if err := g.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	await(t, "readyz to answer 503 while sends are in flight", func() (bool, string) {
		status := probe(w.url + "/readyz")
		return status == http.StatusServiceUnavailable, fmt.Sprint(status)
	})
	select {
	case <-g.ended:
	case <-time.After(patience):
		t.Fatal("the gateway does not end")
	}
	if took := time.Since(began); g.err != nil || took > patience/2 {
		t.Errorf("it ended with %v after %s: %s", g.err, took, g.log.String())
	}
	for _, psid := range persons {
		if got := pg.thread(psid); !slices.Equal(got, []string{"in flight"}) {
			t.Errorf("after the stop %s has %q", psid, got)
		}
	}
	w.serve()
	for i := range persons {
		for _, id := range []string{first[i], second[i]} {
			if m := w.awaitStatus(id, gatewayapi.StatusDelivered); len(m.Attempts) != 1 || m.Attempts[0].Outcome != "sent" {
				t.Errorf("message %s took %+v", m.Body, m.Attempts)
			}
		}
	}
	if pulled.more(); len(pulled.events) > 0 {
		t.Errorf("%d messages became uncertain", len(pulled.events))
	}
}

// Keys are made, listed and revoked beside a gateway that runs; another gateway is refused in plain
// words.
func TestCommandsBesideAGateway(t *testing.T) {
	t.Parallel()
	w, _ := startApart(t, startPlatform(t), func(*config.Config) {})
	first := w.client
	w.use(strings.TrimSpace(w.run("key", "create", "--name", "second")))
	if _, err := w.client.ListApplications(t.Context()); err != nil {
		t.Errorf("with the new key: %v", err)
	}
	var id string
	for line := range strings.Lines(w.run("key", "list")) {
		if fields := strings.Fields(line); slices.Contains(fields, "second") {
			id = fields[0]
		}
	}
	w.run("key", "revoke", id)
	await(t, "the key to be refused", func() (bool, string) {
		_, err := w.client.ListApplications(t.Context())
		var e *gatewayapi.Error
		return errors.As(err, &e) && e.Status == http.StatusUnauthorized, fmt.Sprint(err)
	})
	if _, err := first.ListApplications(t.Context()); err != nil {
		t.Errorf("with the other key: %v", err)
	}
	if w.config.Store != "" {
		return // any number of gateways may share a PostgreSQL database
	}
	program, err := build()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	out, err := command(ctx, program, "serve", "--addr", "127.0.0.1:0", "--metrics-addr", "off", "--data", w.config.Data).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "another gateway is running on this data folder") {
		t.Errorf("a second gateway ended with %v and said: %s", err, out)
	}
}
