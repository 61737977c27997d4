package graphemu_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chasqui/chasqui/graphemu"
)

// load is sends over plain connections, as cheap for the sender as can be.
type load struct {
	address, token string
	people         []string
	done           atomic.Int64
}

// run sends n messages over a number of connections.
func (l *load) run(tb testing.TB, connections, n int) {
	var left atomic.Int64
	left.Store(int64(n))
	var wg sync.WaitGroup
	for c := range connections {
		wg.Go(func() {
			conn, err := net.Dial("tcp", l.address)
			if err != nil {
				tb.Error(err)
				return
			}
			defer conn.Close()
			in := bufio.NewReader(conn)
			for i := c; left.Add(-1) >= 0; i++ {
				body := `{"messaging_type":"RESPONSE","recipient":{"id":"` + l.people[i%len(l.people)] + `"},"message":{"text":"message number ` + strconv.Itoa(i) + `"}}`
				fmt.Fprintf(conn, "POST /v26.0/me/messages?access_token=%s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", l.token, l.address, len(body), body)
				resp, err := http.ReadResponse(in, nil)
				if err != nil {
					tb.Error(err)
					return
				}
				if resp.StatusCode != http.StatusOK {
					tb.Errorf("status %d", resp.StatusCode)
				}
				io.Copy(io.Discard, resp.Body) //nolint:errcheck // the status was looked at
				resp.Body.Close()
				l.done.Add(1)
			}
		})
	}
	wg.Wait()
}

func newLoad(tb testing.TB, emu *graphemu.Server, people int) (*load, graphemu.App, graphemu.Page) {
	srv := httptest.NewServer(emu)
	tb.Cleanup(func() {
		emu.Close()
		srv.Close()
	})
	app := emu.AddApp(graphemu.App{})
	page := emu.AddPage(graphemu.Page{AppID: app.ID})
	l := &load{address: strings.TrimPrefix(srv.URL, "http://"), token: page.AccessToken}
	for range people {
		l.people = append(l.people, emu.AddPerson(page.ID, graphemu.Person{Open: true}).ID)
	}
	return l, app, page
}

// BenchmarkSends is sends over 64 connections, sender and emulator on the same
// processors. /s is how many a second.
func BenchmarkSends(b *testing.B) {
	b.Run("webhooks=off", func(b *testing.B) {
		l, _, _ := newLoad(b, &graphemu.Server{Quiet: true}, 1000)
		b.ResetTimer()
		began := time.Now()
		l.run(b, 64, b.N)
		b.ReportMetric(float64(b.N)/time.Since(began).Seconds(), "/s")
	})
	b.Run("webhooks=batched", func(b *testing.B) {
		emu := &graphemu.Server{Batching: graphemu.Batching{Linger: 50 * time.Millisecond, Max: 1000}}
		l, app, page := newLoad(b, emu, 1000)
		sink := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body) //nolint:errcheck // what comes is thrown away
			io.WriteString(w, r.URL.Query().Get("hub.challenge"))
		}))
		b.Cleanup(sink.Close)
		for _, call := range []string{
			"/v26.0/" + app.ID + "/subscriptions?access_token=" + app.ID + "%7C" + app.Secret + "&object=page&verify_token=x&fields=messages,message_echoes,message_deliveries&callback_url=" + sink.URL,
			"/v26.0/me/subscribed_apps?access_token=" + page.AccessToken + "&subscribed_fields=messages,message_echoes,message_deliveries",
		} {
			resp, err := http.Post("http://"+l.address+call, "", nil)
			if err != nil || resp.StatusCode != http.StatusOK {
				b.Fatal(resp, err)
			}
			resp.Body.Close()
		}
		b.ResetTimer()
		began := time.Now()
		l.run(b, 64, b.N)
		b.ReportMetric(float64(b.N)/time.Since(began).Seconds(), "/s")
	})
}

// TestFlatMemory sends many messages, a million with CHASQUI_MILLION=1, and
// compares the memory in use half way and at the end.
func TestFlatMemory(t *testing.T) {
	n := 120_000
	if os.Getenv("CHASQUI_MILLION") == "1" {
		n = 1_000_000
	} else if testing.Short() || raceEnabled {
		n = 120_000 / 8
	}
	emu := &graphemu.Server{Quiet: true}
	defer emu.Close()
	page := emu.AddPage(graphemu.Page{})
	var people []string
	for range 500 {
		people = append(people, emu.AddPerson(page.ID, graphemu.Person{Open: true}).ID)
	}
	send := func(from, to int) {
		for i := from; i < to; i++ {
			body := `{"recipient":{"id":"` + people[i%len(people)] + `"},"message":{"text":"number ` + strconv.Itoa(i) + `"}}`
			r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1/v26.0/me/messages?access_token="+page.AccessToken, strings.NewReader(body))
			w := httptest.NewRecorder()
			emu.ServeHTTP(w, r)
			if w.Code != http.StatusOK {
				t.Fatalf("message %d: %s", i, w.Body)
			}
		}
	}
	inUse := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	send(0, n*2/3) // the journal and the threads are full now
	half := inUse()
	send(n*2/3, n)
	if end := inUse(); n >= 120_000 && end > half+half/5+4<<20 {
		t.Errorf("%d messages: %d MiB in use after two thirds, %d MiB at the end", n, half>>20, end>>20)
	} else {
		t.Logf("%d messages: %d MiB in use after two thirds, %d MiB at the end", n, half>>20, end>>20)
	}
}

// TestManyInstances runs two hundred emulators side by side; half of them answer
// their first call within 50 ms of being made, on whatever machine.
func TestManyInstances(t *testing.T) {
	var took []time.Duration
	for i := range 200 {
		began := time.Now()
		emu := &graphemu.Server{}
		srv := httptest.NewServer(emu)
		page := emu.AddPage(graphemu.Page{Name: fmt.Sprint("Page ", i)})
		resp, err := http.Get(srv.URL + "/v26.0/me?access_token=" + page.AccessToken)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		took = append(took, time.Since(began))
		t.Cleanup(func() {
			emu.Close()
			srv.Close()
		})
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("instance %d: %d", i, resp.StatusCode)
		}
	}
	slices.Sort(took)
	t.Logf("the median of 200 answered its first call after %v, the slowest after %v", took[100], took[199])
	if took[100] > 50*time.Millisecond {
		t.Errorf("the median of 200 took %v to start", took[100])
	}
}
