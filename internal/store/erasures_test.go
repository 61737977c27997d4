package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
	"github.com/chasqui/chasqui/internal/store/storetest"
)

// openAhead opens a store whose clock a test can put forward.
func openAhead(t testing.TB, url string) (*store.Store, *atomic.Int64) {
	t.Helper()
	ahead := new(atomic.Int64)
	s, err := store.Open(t.Context(), store.Options{URL: url, Logger: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
		Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if err := s.Leases().Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s, ahead
}

// fill writes n events of which one in each hundred is of the person, and the others of many.
func fill(t testing.TB, s *store.Store, n int, person string) {
	t.Helper()
	const batch = 5000
	for start := 0; start < n; start += batch {
		events := make([]*gateway.Event, 0, batch)
		for i := start; i < min(start+batch, n); i++ {
			who := fmt.Sprintf("%016d", 5_000_000+i%9973)
			if i%100 == 7 {
				who = person
			}
			events = append(events, &gateway.Event{Application: "APP", Person: who, Partition: gateway.Partition("APP", who), PageID: "1", Type: gateway.EventMessageInbound, Channel: "messaging",
				ReceivedAt: s.Now(), Dedup: fmt.Appendf(nil, "%016d", i),
				Raw: json.RawMessage(fmt.Sprintf(`{"sender":{"id":%q},"message":{"mid":"m_%d","text":"text %s"}}`, who, i, strings.Repeat("x", 200)))})
		}
		if err := s.AppendEvents(t.Context(), events); err != nil {
			t.Fatal(err)
		}
	}
}

func begin(t testing.TB, s *store.Store, person string) *gateway.Erasure {
	t.Helper()
	e := &gateway.Erasure{ID: gateway.NewErasureID(), Source: gateway.ErasureByAPI}
	if err := s.Write(t.Context(), func(tx *store.Tx) error {
		return tx.BeginErasure(e, nil, []gateway.Lane{{Application: "APP", Person: person}})
	}); err != nil {
		t.Fatal(err)
	}
	return e
}

// An erasure that is cut short again and again goes on where it was, and ends with the same.
func TestErasureGoesOn(t *testing.T) {
	t.Parallel()
	for name, fresh := range map[string]func(testing.TB) string{"SQLite": storetest.SQLite, "PostgreSQL": storetest.Postgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, ahead := openAhead(t, fresh(t))
			const person, events = "4000000000000001", 30_000
			fill(t, s, events, person)
			e := begin(t, s, person)
			cuts, last := 0, int64(0)
			for limit := time.Millisecond; e.State != gateway.ErasureDone; limit = limit * 11 / 10 {
				ctx, cancel := context.WithTimeout(t.Context(), limit)
				err := s.Erase(ctx, e)
				cancel()
				if err != nil && !errors.Is(err, context.DeadlineExceeded) && !strings.Contains(err.Error(), "interrupted") && !strings.Contains(err.Error(), "timeout") {
					t.Fatal(err)
				}
				if err != nil {
					cuts++
				}
				if e, err = s.Erasure(t.Context(), e.ID); err != nil {
					t.Fatal(err)
				}
				if e.Pos < last {
					t.Fatalf("it went back from %d to %d", last, e.Pos)
				}
				last = e.Pos
				if e.Tries > 0 {
					ahead.Add(int64(store.EraseSettle))
				}
			}
			if cuts == 0 {
				t.Error("it was never cut short")
			}
			if want := (gateway.ErasureCounts{Events: events / 100}); e.Counts != want || len(e.People) > 0 {
				t.Errorf("it ended with %+v", e)
			}
			list, err := s.ListEvents(t.Context(), store.EventFilter{Limit: events + 1})
			if err != nil || len(list) != events {
				t.Fatalf("%d events (%v)", len(list), err)
			}
			standIns := map[string]int{}
			for _, event := range list {
				if event.Person == person || strings.Contains(string(event.Raw), person) {
					t.Fatalf("event %d is still the person's", event.Pos)
				}
				if string(event.Data) == string(gateway.ErasedData()) {
					standIns[event.Person]++
				}
			}
			if len(standIns) != 1 {
				t.Errorf("the person became %v", standIns)
			}
		})
	}
}

// A message in flight is emptied once it has ended, one that waits is canceled, and what others
// hold in memory of a conversation does not bring the person back.
func TestErasureAwaitsWhatIsInFlight(t *testing.T) {
	t.Parallel()
	s, ahead := openAhead(t, storetest.SQLite(t))
	const person = "4000000000000001"
	var all []*gateway.Message
	for i := range 3 {
		m := &gateway.Message{ID: s.NewID("msg"), Partition: gateway.Partition("APP", person), Application: "APP", Person: person, APIKey: "key", Status: gateway.StatusQueued,
			Request: json.RawMessage(fmt.Sprintf(`{"to":{"fbMessengerId":%q},"body":"text %d"}`, person, i)), Parts: 1, AcceptedAt: s.Now(), ExpiresAt: s.Now().Add(time.Hour)}
		all = append(all, m)
	}
	if _, err := s.Accept(t.Context(), all, nil); err != nil {
		t.Fatal(err)
	}
	epoch, _ := s.Leases().Epoch(all[0].Partition)
	mark := &store.Sending{Seq: all[0].Seq, Partition: all[0].Partition, Epoch: epoch, From: gateway.StatusQueued, At: s.Now()}
	if err := s.MarkSending(t.Context(), mark); err != nil || !mark.Applied {
		t.Fatal(mark.Applied, err)
	}
	e := begin(t, s, person)
	for range 3 {
		if err := s.Erase(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		ahead.Add(int64(store.EraseSettle))
	}
	if flying, err := s.Message(t.Context(), all[0].ID); err != nil || flying.Person != person || e.State != gateway.ErasurePending {
		t.Fatalf("while one is in flight: %+v, %v, %s", flying, err, e.State)
	}
	sent := *all[0]
	sent.Status, sent.PartsSent, sent.MID, sent.SentAt = gateway.StatusSent, 1, "m_secret", s.Now()
	fact := &gateway.Event{Type: gateway.EventMessageSent, Application: "APP", Person: person, Data: json.RawMessage(`{"text":"secret"}`)}
	result := &store.Result{Message: &sent, From: gateway.StatusSending, Epoch: epoch, Events: []*gateway.Event{fact}}
	if err := s.Record(t.Context(), result); err != nil || !result.Applied {
		t.Fatal(result.Applied, err)
	}
	for range 2 {
		if err := s.Erase(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		ahead.Add(int64(store.EraseSettle))
	}
	if want := (gateway.ErasureCounts{Messages: 3, Events: 1, Canceled: 2}); e.State != gateway.ErasureDone || !cmp.Equal(e.Counts, want) {
		t.Errorf("it ended as %s with %+v", e.State, e.Counts)
	}
	for i, want := range []gateway.Status{gateway.StatusSent, gateway.StatusCanceled, gateway.StatusCanceled} {
		m, err := s.Message(t.Context(), all[i].ID)
		if err != nil || m.Status != want || m.Person == person || m.MID != "" || strings.Contains(string(m.Request), person) {
			t.Errorf("message %d: %+v, %v", i, m, err)
		}
		if _, _, err := m.Content(); err != nil {
			t.Errorf("message %d cannot be shown: %v", i, err)
		}
	}
	events, _, err := s.ReadEvents(t.Context(), 0, 10)
	if err != nil || len(events) != 1 || events[0].Person == person || string(events[0].Data) != string(gateway.ErasedData()) {
		t.Errorf("readers of the log get %+v, %v", events, err)
	}
}

// An erasure in a log of a million events.
func BenchmarkErase(b *testing.B) {
	s, ahead := openAhead(b, storetest.SQLite(b))
	fill(b, s, 1_000_000, "4000000000000001")
	b.ResetTimer()
	for range b.N {
		e := begin(b, s, "4000000000000001")
		for e.State != gateway.ErasureDone {
			if err := s.Erase(b.Context(), e); err != nil {
				b.Fatal(err)
			}
			ahead.Add(int64(store.EraseSettle))
		}
	}
}
