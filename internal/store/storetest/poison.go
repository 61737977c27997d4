package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
)

// testPoisonedGroup commits good and bad requests at once, again and again: only the bad ones may
// fail.
func testPoisonedGroup(t *testing.T, url string) {
	s := Open(t, url)
	taken := message(s, "taken")
	_, err := s.Accept(t.Context(), []*gateway.Message{taken}, nil)
	must(t, err)
	var work sync.WaitGroup
	var refused atomic.Int64
	for worker := range 8 {
		work.Go(func() {
			for n := range 25 {
				person := fmt.Sprintf("%d-%d", worker, n)
				if worker < 2 { // the id is another message's, which no database takes
					bad := message(s, person)
					bad.ID = taken.ID
					if _, err := s.Accept(t.Context(), []*gateway.Message{bad}, nil); err == nil {
						t.Error("a message with another's id was accepted")
					}
					refused.Add(1)
					continue
				}
				if _, err := s.Accept(t.Context(), []*gateway.Message{message(s, person)}, &store.Idempotency{APIKey: "k", Key: person, Fingerprint: []byte{1}}); err != nil {
					t.Errorf("a good message was refused: %v", err)
				}
				if err := s.AppendEvents(t.Context(), []*gateway.Event{inbound(person, n)}); err != nil {
					t.Errorf("an event was refused: %v", err)
				}
				runs := 0
				err := s.Write(t.Context(), func(tx *store.Tx) error {
					runs++
					tx.AppendEvent(&gateway.Event{Type: gateway.EventProfileCreated, Application: "APP", Person: person})
					return nil
				})
				if err != nil || runs == 0 {
					t.Errorf("a write was refused: %v", err)
				}
			}
		})
	}
	work.Wait()
	messages, err := s.ListMessages(t.Context(), store.MessageFilter{Limit: 1000})
	must(t, err)
	events, err := s.ListEvents(t.Context(), store.EventFilter{Limit: 1000})
	must(t, err)
	if len(messages) != 1+6*25 || len(events) != 2*6*25 || refused.Load() != 2*25 {
		t.Errorf("stored %d messages and %d events", len(messages), len(events))
	}
}

// testAnyText stores text that databases differ about, in every kind of request.
func testAnyText(t *testing.T, url string) {
	s := Open(t, url)
	for i, text := range []string{"a\x00b", "\xff\xfe", "x" + strings.Repeat("\xed\xa0\x80", 3), strings.Repeat("ж", 3000)} {
		person := gateway.KeyText(text)
		e := inbound(person, i)
		e.Dedup = []byte{byte(i)}
		e.PageID, e.Channel = text, text
		must(t, s.AppendEvents(t.Context(), []*gateway.Event{e}))
		m := message(s, person)
		m.ProfileID = text
		_, err := s.Accept(t.Context(), []*gateway.Message{m}, &store.Idempotency{APIKey: "k", Key: gateway.KeyText(text), Fingerprint: []byte{1}})
		must(t, err)
		must(t, s.Write(t.Context(), func(tx *store.Tx) error {
			return tx.AddCounts(store.Count{Application: "APP", Ref: text, Source: text, Metric: gateway.MetricOpens, At: tx.Now(), N: 1})
		}))
		if _, err := s.ListMessages(t.Context(), store.MessageFilter{Person: text, Limit: 1}); err != nil {
			t.Errorf("list by %.20q: %v", text, err)
		}
	}
}

// testSetAside lets a consumer meet events that it cannot deal with, in each way in which that
// happens.
func testSetAside(t *testing.T, url string) {
	s := Open(t, url)
	var mu sync.Mutex
	var got []int64
	mended := false
	c := &store.Consumer{Name: "test", Handle: func(_ context.Context, events []*gateway.Event) (func(*store.Tx) error, error) {
		mu.Lock()
		well := mended
		mu.Unlock()
		for _, e := range events {
			switch {
			case well:
			case e.Person == "error":
				return nil, errors.New("no idea what this is")
			case e.Person == "panic":
				var none []int
				none[len(events)]++
			case e.Person == "refused":
				return func(tx *store.Tx) error {
					_, err := tx.Exec(`INSERT INTO log_head (one, pos) VALUES (1, 1)`)
					return err
				}, nil
			case e.Person == "late panic":
				return func(*store.Tx) error { panic("too late") }, nil
			}
		}
		return func(tx *store.Tx) error {
			tx.OnCommit(func() {
				mu.Lock()
				defer mu.Unlock()
				for _, e := range events {
					got = append(got, e.Pos)
				}
			})
			return nil
		}, nil
	}}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan struct{})
	go func() { s.Consume(ctx, c); close(done) }()
	people := []string{"1", "error", "2", "panic", "3", "refused", "4", "late panic", "5"}
	for n, person := range people {
		must(t, s.AppendEvents(t.Context(), []*gateway.Event{inbound(person, n)}))
	}
	until(t, func() bool { return s.Reader(c.Name).Position() >= s.Head() })
	aside, err := s.SetAsides(t.Context(), store.SetAsideFilter{Limit: 10})
	must(t, err)
	var names []string
	for _, x := range aside {
		names = append(names, x.Person)
		if x.Reason == "" || x.Reader != "test" || x.Failures < 2 {
			t.Errorf("set aside: %+v", x)
		}
	}
	if want := []string{"late panic", "refused", "panic", "error"}; !slices.Equal(names, want) || len(got) != 5 || !slices.IsSorted(got) {
		t.Fatalf("set aside %v, want %v; the others came at %v", names, want, got)
	}
	if r := s.Reader("test"); r.SetAsideHere() != 4 || r.Failing() != 0 {
		t.Errorf("the reader set aside %d and fails for %v", r.SetAsideHere(), r.Failing())
	}
	if err := s.RetrySetAside(t.Context(), "test", aside[0].Pos); err == nil {
		t.Error("what fails still could be dealt with anew")
	}
	mu.Lock()
	mended = true
	mu.Unlock()
	for _, x := range aside {
		must(t, s.RetrySetAside(t.Context(), "test", x.Pos))
	}
	if aside, err = s.SetAsides(t.Context(), store.SetAsideFilter{Limit: 10}); err != nil || len(aside) != 0 || len(got) != 9 {
		t.Errorf("after all were dealt with: %v, %d aside, %d dealt with", err, len(aside), len(got))
	}
	if err := s.RetrySetAside(t.Context(), "test", 1); gateway.CodeOf(err) != gateway.CodeNotFound {
		t.Errorf("retry of what is not set aside: %v", err)
	}
	cancel()
	<-done
}

func until(t *testing.T, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it does not come about")
		}
	}
}
