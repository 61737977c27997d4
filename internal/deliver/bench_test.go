package deliver_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chasqui/chasqui/internal/deliver"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/service"
	"github.com/chasqui/chasqui/internal/store"
	"github.com/chasqui/chasqui/internal/store/storetest"
)

// BenchmarkSend accepts messages for many persons from many goroutines, and waits until a platform
// that takes each at once has them all.
func BenchmarkSend(b *testing.B) {
	platform := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"recipient_id":"1","message_id":"m_1"}`) }))
	defer platform.Close()
	s, log := storetest.Open(b, storetest.SQLite(b)), slog.New(slog.DiscardHandler)
	vault, err := store.OpenVault(b.Context(), s, filepath.Join(b.TempDir(), "key"))
	if err != nil {
		b.Fatal(err)
	}
	key := "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	if err := vault.CreateApplication(b.Context(), &gateway.Application{Key: key, PageID: "1", AppID: "2", State: gateway.ApplicationActive, AccessToken: "t", AppSecret: "s"}); err != nil {
		b.Fatal(err)
	}
	directory, err := service.NewDirectory(b.Context(), vault, log)
	if err != nil {
		b.Fatal(err)
	}
	var sent sync.WaitGroup
	sent.Add(b.N)
	o := deliver.Options{
		Store: s, Directory: directory, Logger: log, Platform: service.Platform{BaseURL: platform.URL}, Policy: &service.Policy{Store: s, Directory: directory, Observe: true},
		Limits: gateway.Limits{TextPerSecond: 1e6, MediaPerSecond: 1e6}, Metrics: deliver.Metrics{Sent: func(string, time.Duration) { sent.Done() }},
	}
	d := deliver.New(o)
	if err := d.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	defer d.Stop(context.Background())
	var next atomic.Int64
	var direct atomic.Int64
	b.ReportAllocs()
	b.ResetTimer()
	var workers sync.WaitGroup
	for range 256 {
		workers.Go(func() {
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				psid := fmt.Sprint("person", n%5000)
				request, err := json.Marshal(&gateway.MessageInput{To: gateway.To{FBMessengerID: psid}, Body: "hello"})
				if err != nil {
					b.Error(err)
				}
				m := &gateway.Message{
					ID: s.NewID("msg"), Partition: gateway.Partition(key, psid), Application: key, Person: psid, APIKey: "key_1", Status: gateway.StatusQueued,
					Request: request, Parts: 1, AcceptedAt: s.Now(), ExpiresAt: s.Now().Add(time.Hour),
				}
				reserved := d.Reserve(m)
				if _, err := s.Accept(b.Context(), []*gateway.Message{m}, nil); err != nil {
					b.Error(err)
				}
				if reserved {
					direct.Add(1)
					d.Go(m)
				}
			}
		})
	}
	workers.Wait()
	sent.Wait()
	b.StopTimer()
	b.ReportMetric(float64(direct.Load())/float64(b.N), "direct/op")
}
