package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/chasqui/chasqui/internal/store"
	"github.com/chasqui/chasqui/internal/store/storetest"
)

// A month in which a million people came by a thousand codes.
const (
	reportOpens = 1_000_000
	reportRefs  = 1000
	reportDays  = 30
)

func BenchmarkReport(b *testing.B) {
	for name, fresh := range map[string]func(testing.TB) string{"SQLite": storetest.SQLite, "PostgreSQL": storetest.Postgres} {
		b.Run(name, func(b *testing.B) {
			s := storetest.Open(b, fresh(b))
			from := time.Date(2026, 10, 1, 5, 0, 0, 0, time.UTC)
			const batch = 20_000
			for start := 0; start < reportOpens; start += batch {
				counts := make([]store.Count, 0, batch)
				for i := start; i < start+batch; i++ {
					ref := i * 7919 % reportRefs
					at := from.Add(time.Duration(i) * (reportDays * 24 * time.Hour / reportOpens))
					counts = append(counts, store.Count{Application: "A", Point: fmt.Sprint("ent_", ref), Ref: fmt.Sprint("table-", ref), Source: "SHORTLINK", Metric: "opens", At: at, N: 1})
				}
				if err := s.Write(b.Context(), func(tx *store.Tx) error { return tx.AddCounts(counts...) }); err != nil {
					b.Fatal(err)
				}
			}
			to := from.AddDate(0, 0, reportDays)
			b.Run("by day", func(b *testing.B) {
				for b.Loop() {
					sums, err := s.SumQuarters(b.Context(), []string{"A"}, from, to)
					if err != nil || len(sums) != reportDays*96 {
						b.Fatal(len(sums), err)
					}
				}
			})
			b.Run("by ref", func(b *testing.B) {
				for b.Loop() {
					sums, err := s.SumPoints(b.Context(), []string{"A"}, from, to)
					total := int64(0)
					for _, x := range sums {
						total += x.N
					}
					if err != nil || len(sums) != reportRefs || total != reportOpens {
						b.Fatal(len(sums), total, err)
					}
				}
			})
		})
	}
}
