package entrypoint

import (
	"context"
	"html/template"
	"net/http"
	"regexp"
	"sync"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
)

// flushInterval is how often visits are written: what a kill can lose.
const flushInterval = 100 * time.Millisecond

// visits are counted in memory and written in one go.
type visits struct {
	mu     sync.Mutex
	counts map[string]int64 // by entry point
}

// robots are programs that follow links without anybody looking.
var robots = regexp.MustCompile(`(?i)bot\b|bot/|crawl|spider|slurp|facebookexternalhit|facebookcatalog|meta-externalagent|whatsapp/|telegrambot|preview|curl/|wget/|python-|java/|go-http-client|headless|lighthouse|monitor|uptime|scan`)

// person reports whether a request was made by somebody, rather than by a program that looks ahead.
func person(r *http.Request) bool {
	agent := r.UserAgent()
	return r.Method == http.MethodGet && agent != "" && !robots.MatchString(agent) &&
		r.Header.Get("Purpose") != "prefetch" && r.Header.Get("Sec-Purpose") == "" && r.Header.Get("X-Moz") != "prefetch"
}

var gone = template.Must(template.New("gone").Parse(`<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{.}}</title>
<body style="font:18px/1.5 system-ui,sans-serif;margin:20vh auto;max-width:24em;padding:0 1em;text-align:center;color-scheme:light dark"><p>{{.}}</p></body></html>`))

// Visit is GET /m/{slug}: it counts, without a cookie and without anything about the visitor, and
// leads on to the page's thread.
func (t *Tracker) Visit(w http.ResponseWriter, r *http.Request) {
	e := t.o.Points.OfSlug(r.PathValue("slug"))
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Robots-Tag", "noindex")
	switch {
	case e == nil:
		show(w, http.StatusNotFound, "There is no such link.")
		return
	case !e.ExpiresAt.IsZero() && e.ExpiresAt.Before(t.o.Store.Now()):
		show(w, http.StatusGone, "This link has run out.")
		return
	}
	if person(r) {
		t.visits.mu.Lock()
		t.visits.counts[e.ID]++
		t.visits.mu.Unlock()
	}
	http.Redirect(w, r, t.o.Points.Link(e), http.StatusFound)
}

func show(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	gone.Execute(w, text) // a visitor who has gone needs no page
}

// flushVisits writes what was counted, again and again, and a last time at the end.
func (t *Tracker) flushVisits(ctx context.Context) {
	tick := time.NewTicker(flushInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			t.writeVisits(ctx)
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			t.writeVisits(last)
			return
		}
	}
}

func (t *Tracker) writeVisits(ctx context.Context) {
	t.visits.mu.Lock()
	taken := t.visits.counts
	some := len(taken) > 0
	if some {
		t.visits.counts = map[string]int64{}
	}
	t.visits.mu.Unlock()
	if !some {
		return
	}
	now := t.o.Store.Now()
	var counts []store.Count
	for id, n := range taken {
		if e := t.o.Points.Known(id); e != nil {
			counts = append(counts, store.Count{Application: e.Application, Point: id, Ref: e.Ref, Metric: gateway.MetricVisits, At: now, N: n})
		}
	}
	if err := t.o.Store.Write(ctx, func(tx *store.Tx) error { return tx.AddCounts(counts...) }); err == nil {
		return
	} else if ctx.Err() == nil {
		t.o.Logger.Warn("write visits", "err", err)
	}
	t.visits.mu.Lock()
	defer t.visits.mu.Unlock()
	for id, n := range taken {
		t.visits.counts[id] += n
	}
}
