package main

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/internal/bench"
)

// benchPlatformCmd is a platform that answers messages at once and sends no webhooks. Everything
// but messages is the emulator's.
type benchPlatformCmd struct {
	Pages int `default:"1" help:"How many pages it has."`
}

// Run serves until its parent is gone.
func (cmd benchPlatformCmd) Run(c console) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	emulator := &graphemu.Server{Quiet: true}
	defer emulator.Close()
	p := &instantPlatform{emulator: emulator}
	p.ledger.Store(bench.NewLedger())
	app := emulator.AddApp(graphemu.App{Name: "Bench"})
	var pages []map[string]string
	for range cmd.Pages {
		page := emulator.AddPage(graphemu.Page{AppID: app.ID})
		pages = append(pages, map[string]string{"page_id": page.ID, "access_token": page.AccessToken, "app_id": app.ID, "app_secret": app.Secret})
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /_bench/pages", func(w http.ResponseWriter, _ *http.Request) { json.NewEncoder(w).Encode(pages) })
	mux.HandleFunc("GET /_bench/report", p.report)
	mux.HandleFunc("PUT /_bench/behaviour", p.behave)
	mux.Handle("/", p)
	go http.Serve(l, mux)
	return bench.Announce(os.Stdin, c.stdout, l)
}

// instantPlatform answers messages without looking at them, but for the numbers in their texts.
type instantPlatform struct {
	emulator    *graphemu.Server
	ledger      atomic.Pointer[bench.Ledger]
	delay       atomic.Int64 // milliseconds
	made        atomic.Int64
	first, last atomic.Int64
}

// ServeHTTP answers a message, or lets the emulator answer.
func (p *instantPlatform) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/messages") {
		p.emulator.ServeHTTP(w, r)
		return
	}
	body := make([]byte, max(0, r.ContentLength))
	if _, err := io.ReadFull(r.Body, body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	now := time.Now().UnixMilli()
	p.first.CompareAndSwap(0, now)
	p.last.Store(now)
	p.ledger.Load().Note(body)
	if delay := p.delay.Load(); delay > 0 {
		time.Sleep(time.Duration(delay) * time.Millisecond)
	}
	w.Header()["Content-Type"] = []string{"application/json"}
	io.WriteString(w, `{"recipient_id":"1","message_id":"m_bench`+strconv.FormatInt(p.made.Add(1), 36)+`"}`)
}

func (p *instantPlatform) report(w http.ResponseWriter, _ *http.Request) {
	json.NewEncoder(w).Encode(bench.PlatformReport{Counts: p.ledger.Load().Counts(), FirstMS: p.first.Load(), LastMS: p.last.Load()})
}

func (p *instantPlatform) behave(w http.ResponseWriter, r *http.Request) {
	var b bench.PlatformBehaviour
	if err := json.NewDecoder(r.Body).Decode(&b); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	p.delay.Store(int64(b.DelayMS))
	if b.Forget {
		p.ledger.Store(bench.NewLedger())
		p.first.Store(0)
	}
}
