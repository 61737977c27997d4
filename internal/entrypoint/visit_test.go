package entrypoint_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chasqui/chasqui/internal/entrypoint"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/service"
	"github.com/chasqui/chasqui/internal/service/servicetest"
	"github.com/chasqui/chasqui/internal/store"
)

// A visit leads to the page's thread whoever makes it, and counts when somebody looks; a link that
// has run out leads nowhere.
func TestVisits(t *testing.T) {
	t.Parallel()
	in := servicetest.Open(t)
	in.Connect("A")
	points := &service.EntryPoints{Store: in.Store, Directory: in.Directory, Logger: in.Logger}
	tokens := store.NewTokens(in.Vault)
	tracker := entrypoint.New(entrypoint.Options{Store: in.Store, Directory: in.Directory, Points: points, OptIns: &service.OptIns{Store: in.Store, Directory: in.Directory, Tokens: tokens}, Logger: in.Logger})
	if err := tracker.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	link := &gateway.EntryPoint{Application: "A", Kind: "link", Ref: "poster", ExpiresAt: in.Store.Now().Add(time.Hour)}
	if err := points.Create(t.Context(), gateway.Everything(), link); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /m/{slug}", tracker.Visit)
	visit := func(slug, agent string, header ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, "/m/"+slug, nil)
		r.Header.Set("User-Agent", agent)
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		return w
	}
	const phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Mobile/15E148"
	for range 3 {
		if w := visit(link.Slug, phone); w.Code != http.StatusFound || !strings.Contains(w.Header().Get("Location"), "ref=poster") {
			t.Fatalf("%d %s", w.Code, w.Header())
		}
	}
	visit(link.Slug, "facebookexternalhit/1.1")
	visit(link.Slug, "curl/8.5.0")
	visit(link.Slug, "")
	visit(link.Slug, phone, "Sec-Purpose", "prefetch")
	if w := visit("unknown", phone); w.Code != http.StatusNotFound {
		t.Errorf("a link that is not there: %d", w.Code)
	}
	in.Later(2 * time.Hour)
	if w := visit(link.Slug, phone); w.Code != http.StatusGone || w.Header().Get("Location") != "" {
		t.Errorf("a link that has run out: %d %s", w.Code, w.Header())
	}
	tracker.Stop() // which writes what was counted
	today := in.Store.Now().UTC().Truncate(24 * time.Hour)
	_, total, err := points.Report(t.Context(), gateway.Everything(), service.ReportQuery{From: today.AddDate(0, 0, -1), To: today.AddDate(0, 0, 2), Group: "ref", Zone: time.UTC})
	if err != nil || total.Counts[gateway.MetricVisits] != 3 {
		t.Errorf("%+v, %v; wanted 3 visits", total, err)
	}
}
