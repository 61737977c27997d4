package storetest

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
)

// Wire is a connection to a database that can go silent: then nothing passes any more in either
// direction, and nothing is closed.
type Wire struct {
	mu     sync.Mutex
	silent chan struct{} // closed while bytes pass
	ended  chan struct{}
}

// NewWire returns a URL that leads to the database of another URL over a wire.
func NewWire(t testing.TB, database string) (string, *Wire) {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &Wire{silent: make(chan struct{}), ended: make(chan struct{})}
	close(w.silent)
	t.Cleanup(func() { l.Close(); close(w.ended) })
	target := u.Host
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", target)
			if err != nil {
				near.Close()
				continue
			}
			go w.pass(near, far)
			go w.pass(far, near)
		}
	}()
	u.Host = l.Addr().String()
	return u.String(), w
}

func (w *Wire) pass(to, from net.Conn) {
	defer to.Close()
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		if !w.open() {
			<-w.ended // what came is lost, and nobody hears of anything
			from.Close()
			return
		}
		if _, failed := to.Write(b[:n]); failed != nil || err != nil && err != io.EOF || err == io.EOF {
			return
		}
	}
}

// open waits for nothing: it reports whether bytes pass now.
func (w *Wire) open() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case <-w.silent:
		return true
	default:
		return false
	}
}

// Silence makes the wire go silent: connections that are open stay so, and hear nothing more even
// after Restore.
func (w *Wire) Silence() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.silent = make(chan struct{})
}

// Restore lets new connections pass again.
func (w *Wire) Restore() {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.silent)
}
