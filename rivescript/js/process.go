package js

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"time"
)

// marker is the environment variable by which a program knows that it is to be a worker.
const marker = "CHASQUI_JS_WORKER"

// worker is a child process. One goroutine uses it at a time.
type worker struct {
	cmd    *exec.Cmd
	in     *os.File // what it reads
	out    *os.File // what it writes
	reader *bufio.Reader
	words  beginning // the first of what it said on its standard error
	gone   chan struct{}
	once   sync.Once
	broken bool
	slow   bool      // the last call used up its time
	since  time.Time // when it became idle
}

// start starts a worker and waits until it has limited itself.
func (p *Pool) start() (*worker, error) {
	command, err := p.command()
	if err != nil {
		return nil, err
	}
	w := &worker{cmd: exec.Command(command[0], command[1:]...), gone: make(chan struct{})}
	w.cmd.Args[0] = "chasqui-javascript"
	// Nothing of the environment: settings may be secrets.
	limits, err := json.Marshal(p.o.Limits)
	if err != nil {
		return nil, err
	}
	w.cmd.Env = []string{marker + "=" + string(limits), "GOTRACEBACK=none", "GOMAXPROCS=2"}
	if root, ok := os.LookupEnv("SystemRoot"); ok { // without which no program starts on Windows
		w.cmd.Env = append(w.cmd.Env, "SystemRoot="+root)
	}
	w.cmd.Stderr = &w.words
	w.cmd.WaitDelay = time.Second
	theirIn, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	out, theirOut, err := os.Pipe()
	if err != nil {
		theirIn.Close()
		in.Close()
		return nil, err
	}
	w.cmd.Stdin, w.cmd.Stdout, w.in, w.out = theirIn, theirOut, in, out
	w.reader = bufio.NewReader(out)
	err = w.cmd.Start()
	theirIn.Close()
	theirOut.Close()
	if err != nil {
		in.Close()
		out.Close()
		return nil, err
	}
	p.running.Add(1)
	go func() {
		w.cmd.Wait()
		p.running.Add(-1)
		close(w.gone)
	}()
	f, err := w.read(startTime)
	switch {
	case err != nil:
		w.kill()
		return nil, fmt.Errorf("it did not get ready: %w: %s", err, oneLine(w.words.String()))
	case f.Kind != kindReady || f.Error != "":
		w.kill()
		return nil, fmt.Errorf("it is not ready: %s", oneLine(f.Error))
	case !f.Limited && p.o.Mode == Auto:
		w.kill()
		return nil, errSystem
	}
	return w, nil
}

// write sends a frame; the worker must take it within a time.
func (w *worker) write(f *frame, within time.Duration) error {
	if err := w.in.SetWriteDeadline(time.Now().Add(within)); err != nil {
		return err
	}
	return writeFrame(w.in, f, maxToWorker)
}

// read waits for a frame.
func (w *worker) read(within time.Duration) (*frame, error) {
	if err := w.out.SetReadDeadline(time.Now().Add(within)); err != nil {
		return nil, err
	}
	return readFrame(w.reader, maxFromWorker)
}

// kill ends the process at once and waits until it is gone.
func (w *worker) kill() {
	w.broken = true
	w.once.Do(func() {
		w.cmd.Process.Kill()
		<-w.gone
		w.in.Close()
		w.out.Close()
	})
}

// end lets the process exit by itself.
func (w *worker) end() {
	w.once.Do(func() {
		w.in.Close()
		select {
		case <-w.gone:
		case <-time.After(time.Second):
			w.cmd.Process.Kill()
			<-w.gone
		}
		w.out.Close()
	})
}

// failed ends a worker with which something went wrong, and says what: errTime, or an error that
// wraps rivescript.ErrEnded.
func (w *worker) failed(err error) error {
	w.kill()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return errTime
	}
	if words := oneLine(w.words.String()); words != "" {
		return fmt.Errorf("%w: %s", errEnded, words)
	}
	return fmt.Errorf("%w: %s", errEnded, w.cmd.ProcessState)
}

// beginning keeps the first of what is written to it.
type beginning struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (t *beginning) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b.Write(p[:min(len(p), 2048-min(2048, t.b.Len()))])
	return len(p), nil
}

func (t *beginning) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.String()
}
