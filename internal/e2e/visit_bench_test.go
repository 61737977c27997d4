package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
)

// BenchmarkVisits follows a short link over many connections until every visit is counted; client
// and gateway share the processors.
func BenchmarkVisits(b *testing.B) {
	w := startWorld(b)
	p := w.connect(graphemu.Page{})
	e, err := w.client.CreateEntryPoint(b.Context(), gatewayapi.EntryPoint{Application: p.key, Kind: "link", Ref: "spring"})
	if err != nil {
		b.Fatal(err)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			req, err := http.NewRequest(http.MethodGet, w.url+strings.TrimPrefix(e.ShortLink, w.url), nil)
			if err != nil {
				b.Fatal(err)
			}
			req.Header.Set("User-Agent", firefox)
			resp, err := transport.RoundTrip(req)
			if err != nil {
				b.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != http.StatusFound {
				b.Fatal(resp.StatusCode)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "visits/s")
	visits := func() int64 {
		rows, _ := w.report("ref")
		return rows["spring"].Visits
	}
	await(b, "every visit to be counted", func() (bool, string) { return visits() >= int64(b.N), "" })
}
