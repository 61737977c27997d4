package guard_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/guard"
)

// deadline ends only what hangs.
const deadline = 60 * time.Second

type site struct {
	t    *testing.T
	addr string
	g    *guard.Guard
}

// serve serves a handler behind a guard.
func serve(t *testing.T, o guard.Options, h http.Handler) *site {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := guard.New(o)
	server := &http.Server{Handler: g.Handler(h), ConnContext: g.Context, ReadHeaderTimeout: deadline}
	go server.Serve(g.Listener(l))
	t.Cleanup(func() { server.Close() })
	return &site{t, l.Addr().String(), g}
}

func (s *site) dial() net.Conn {
	s.t.Helper()
	c, err := net.DialTimeout("tcp", s.addr, deadline)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(deadline))
	return c
}

// reader returns what was read, or the error of the API.
func reader(limit int64) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			guard.Trust(r)
		}
		body, err := guard.ReadBody(w, r, limit)
		if err != nil {
			http.Error(w, err.Error(), gateway.CodeOf(err).Status())
			return
		}
		fmt.Fprintf(w, "%d bytes", len(body))
	})
}

func answer(t *testing.T, c net.Conn) (int, string) {
	t.Helper()
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// A body that stands still ends when its time is up; one that comes slowly and lives is read to its
// end.
func TestBodiesThatStandStill(t *testing.T) {
	t.Parallel()
	s := serve(t, guard.Options{Grace: 300 * time.Millisecond, ReadRate: 1000}, reader(1<<20))
	still := s.dial()
	fmt.Fprintf(still, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
	if status, said := answer(t, still); status != http.StatusBadRequest || !strings.Contains(said, "to its end") {
		t.Errorf("a body that stands still: %d %s", status, said)
	}
	if _, err := still.Read(make([]byte, 1)); err == nil || errors.Is(err, net.ErrClosed) {
		t.Errorf("its connection is open: %v", err)
	}
	// 8,000 bytes give 8 seconds more than the first.
	slow := s.dial()
	fmt.Fprintf(slow, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8004\r\n\r\n%s", strings.Repeat("x", 8000))
	timer := time.NewTimer(600 * time.Millisecond) // twice what a silent one has
	for i := range 4 {
		if i == 2 {
			<-timer.C
		}
		io.WriteString(slow, "y")
	}
	if status, said := answer(t, slow); status != http.StatusOK || said != "8004 bytes" {
		t.Errorf("a slow body: %d %s", status, said)
	}
}

// Whoever does not take an answer is let go; one who takes it slowly, or waits long for it to be
// made, is not.
func TestAnswersThatAreNotTaken(t *testing.T) {
	t.Parallel()
	ended := make(chan error, 1)
	made := make(chan struct{})
	s := serve(t, guard.Options{Grace: 300 * time.Millisecond, WriteRate: 1 << 30}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/late" {
			<-made
			io.WriteString(w, "late")
			return
		}
		var err error
		for block := make([]byte, 1<<20); err == nil; {
			_, err = w.Write(block)
		}
		ended <- err
	}))
	c := s.dial()
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	select {
	case <-ended:
	case <-time.After(deadline):
		t.Fatal("an answer that nobody takes goes on")
	}
	late := s.dial()
	io.WriteString(late, "GET /late HTTP/1.1\r\nHost: a\r\n\r\n")
	time.AfterFunc(900*time.Millisecond, func() { close(made) }) // three times the grace
	if status, said := answer(t, late); status != http.StatusOK || said != "late" {
		t.Errorf("%d %s", status, said)
	}
}

// Connections that say nothing, or only half of a request, give way to those that do.
func TestMoreConnectionsThanThereIsRoomFor(t *testing.T) {
	t.Parallel()
	working := make(chan struct{})
	s := serve(t, guard.Options{MaxConnections: 20, Grace: deadline}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/work":
			working <- struct{}{}
			<-working
		case "/read":
			guard.ReadBody(w, r, 100)
		}
		io.WriteString(w, "ok")
	}))
	busy := s.dial()
	io.WriteString(busy, "GET /work HTTP/1.1\r\nHost: a\r\n\r\n")
	<-working
	for i := range 150 {
		c := s.dial()
		switch i % 3 {
		case 0:
			io.WriteString(c, "POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n")
		case 1:
			io.WriteString(c, "GET / HT")
		}
	}
	for range 30 {
		c := s.dial()
		io.WriteString(c, "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
		if status, said := answer(t, c); status != http.StatusOK || said != "ok" {
			t.Fatalf("%d %s", status, said)
		}
	}
	if n := s.g.Open(); n > 20 {
		t.Errorf("%d connections are open", n)
	}
	working <- struct{}{}
	if status, said := answer(t, busy); status != http.StatusOK || said != "ok" {
		t.Errorf("whoever was at work was closed: %d %s", status, said)
	}
}

// Bodies beyond the room that there is are refused with 503, strangers' first, and the room comes
// back.
func TestRoomForBodies(t *testing.T) {
	t.Parallel()
	const room = 1 << 20
	s := serve(t, guard.Options{MaxBodies: room, Grace: deadline}, reader(room))
	hold := func(n int, headers string) net.Conn {
		t.Helper()
		c := s.dial()
		fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: a\r\n%sContent-Length: %d\r\n\r\n%s", headers, n+1, strings.Repeat("x", n))
		return c
	}
	ask := func(n int, headers string) int {
		t.Helper()
		c := hold(n, headers)
		defer c.Close()
		io.WriteString(c, "y")
		status, _ := answer(t, c)
		return status
	}
	until := func(what string, n int, headers string, want int) {
		t.Helper()
		end := time.Now().Add(deadline)
		for ask(n, headers) != want {
			if time.Now().After(end) {
				t.Fatalf("%s: never answered with %d", what, want)
			}
		}
	}
	const key = "Authorization: x\r\n"
	stranger := hold(room/2-2000, "")
	until("a stranger beside a stranger", 4000, "", http.StatusServiceUnavailable)
	if got := ask(room/4, key); got != http.StatusOK {
		t.Errorf("somebody known beside a stranger: %d", got)
	}
	known := hold(room/2-2000, key)
	until("somebody known beside both", 8000, key, http.StatusServiceUnavailable)
	stranger.Close()
	known.Close()
	until("a stranger, when both are gone", room/2-2000, "", http.StatusOK)
	until("somebody known, when all are gone", room-2000, key, http.StatusOK)
}

// A header promises nothing: what it says of a length is not given before it comes.
func TestReadBody(t *testing.T) {
	t.Parallel()
	s := serve(t, guard.Options{}, reader(1<<20))
	for n, want := range map[int]int{0: 200, 1: 200, 31 << 10: 200, 32 << 10: 200, 33 << 10: 200, 1 << 20: 200, 1<<20 + 1: 413} {
		for name, length := range map[string]bool{"with a length": true, "in chunks": false} {
			var body io.Reader = strings.NewReader(strings.Repeat("x", n))
			if !length {
				body = io.MultiReader(body)
			}
			resp, err := http.Post("http://"+s.addr, "text/plain", body)
			if err != nil {
				t.Fatal(err)
			}
			said, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			if resp.StatusCode != want || want == 200 && string(said) != fmt.Sprintf("%d bytes", n) {
				t.Errorf("%d bytes %s: %d %s", n, name, resp.StatusCode, said)
			}
		}
	}
}

// The address of a request is that of the last hop that is no trusted proxy.
func TestClient(t *testing.T) {
	t.Parallel()
	proxies, err := guard.ParseProxies("127.0.0.1, 10.0.0.0/8,fd00::/8")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		trusted   []netip.Prefix
		forwarded string
		want      string
	}{
		{nil, "203.0.113.9", "127.0.0.1"},
		{proxies, "203.0.113.9", "203.0.113.9"},
		{proxies, "198.51.100.1, 203.0.113.9", "203.0.113.9"},
		{proxies, "198.51.100.1, 203.0.113.9, 10.1.2.3", "203.0.113.9"},
		{proxies, "10.0.0.1, 10.0.0.2", "10.0.0.1"},
		{proxies, "[2001:db8::1]:4711, fd00::1", "2001:db8::1"},
		{proxies, "203.0.113.9, nonsense", "127.0.0.1"},
		{proxies, "", "127.0.0.1"},
	} {
		var mu sync.Mutex
		var got netip.Addr
		s := serve(t, guard.Options{TrustedProxies: test.trusted}, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			got = guard.Client(r)
		}))
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.addr, nil)
		if test.forwarded != "" {
			req.Header.Set("X-Forwarded-For", test.forwarded)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		mu.Lock()
		if got.String() != test.want {
			t.Errorf("%q: %s, want %s", test.forwarded, got, test.want)
		}
		mu.Unlock()
	}
	if _, err := guard.ParseProxies("10.0.0.0/8,proxy.example"); err == nil {
		t.Error("a name was taken for a network")
	}
}
