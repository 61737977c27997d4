// Package storetest holds the behaviour that the store has on SQLite and on PostgreSQL alike, as
// tests, and starts a PostgreSQL for tests that want one. Only tests import it.
package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
)

// Open opens a store for a test, with its leases taken, and closes it afterwards.
func Open(t testing.TB, url string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{URL: url, Logger: slog.New(slog.NewTextHandler(t.Output(), nil)), LeaseTTL: time.Second})
	if err != nil {
		t.Fatalf("open store: %v", err)
	}
	t.Cleanup(func() { s.Close() })
	if err := s.Leases().Start(t.Context()); err != nil {
		t.Fatalf("take leases: %v", err)
	}
	return s
}

// testAbandoned: whoever takes the leases of a node that ended without a word knows so; of one that
// gave them back, nothing is to be feared.
func testAbandoned(t *testing.T, url string) {
	took := func(abandoned bool) *store.Store {
		s, err := store.Open(t.Context(), store.Options{URL: url, Logger: slog.New(slog.NewTextHandler(t.Output(), nil)), LeaseTTL: time.Second})
		must(t, err)
		must(t, s.Leases().Start(t.Context()))
		for {
			held, changed := s.Leases().Held()
			if len(held) == gateway.Partitions+1 {
				for part, epoch := range held {
					if s.Leases().Abandoned(part, epoch) != abandoned {
						t.Fatalf("partition %d: abandoned is %t", part, !abandoned)
					}
					if s.Leases().Abandoned(part, epoch+1) {
						t.Fatalf("partition %d: abandoned under an epoch that is not held", part)
					}
				}
				return s
			}
			select {
			case <-changed:
			case <-t.Context().Done():
				t.Fatal("not all leases were taken")
			}
		}
	}
	s := took(false)
	must(t, s.Close())
	s = took(true)
	must(t, s.Leases().Release(t.Context()))
	must(t, s.Close())
	s = took(false)
	must(t, s.Close())
}

// SQLite returns the path of a new SQLite database.
func SQLite(t testing.TB) string { return filepath.Join(t.TempDir(), "chasqui.db") }

// Run runs the whole suite against databases that fresh makes, one for each test.
func Run(t *testing.T, fresh func(testing.TB) string) {
	for name, test := range map[string]func(*testing.T, string){
		"events are kept once and in order":                   testEvents,
		"concurrent appends leave no gap behind a reader":     testConcurrentAppends,
		"messages are accepted once under a key":              testIdempotency,
		"marks and results hold only for the state they name": testMarks,
		"an echo before a lost answer keeps its id":           testEarlyEcho,
		"a failed write leaves nothing of itself":             testWriteUndone,
		"a cursor goes on where it was saved":                 testCursor,
		"leases that were not given back are known":           testAbandoned,
		"consumers see everything once saved":                 testConsumer,
		"watermarks cover what was sent":                      testReceipts,
		"old rows go, unfinished ones stay":                   testRetire,
		"deliveries are parked and found when due":            testDeliveries,
		"the moment of an event is found":                     testPositionAt,
		"only queued messages can be canceled":                testCancel,
		"a restore holds what was unfinished":                 testRestore,
		"scripts have versions, of which one is active":       testScripts,
		"what a bot knows is changed by one at a time":        testBotPeople,
		"what a bot says later is said once":                  testTimers,
		"whoever leaves a step first wins":                    testSteps,
		"the platform's word on windows is kept":              testHistory,
		"routes are found by id and name":                     testRoutes,
		"one bad request of a group fails alone":              testPoisonedGroup,
		"text that a database cannot hold is made fit":        testAnyText,
		"what a reader cannot deal with is set aside":         testSetAside,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, fresh(t))
		})
	}
}

func inbound(person string, n int) *gateway.Event {
	return &gateway.Event{
		Application: "APP", Person: person, Partition: gateway.Partition("APP", person), PageID: "1", Type: gateway.EventMessageInbound, Channel: "messaging",
		ReceivedAt: time.Now(), Dedup: fmt.Appendf(nil, "%8.8s%08d", person, n), Raw: json.RawMessage(fmt.Sprintf(`{"n":%d}`, n)),
	}
}

func message(s *store.Store, person string) *gateway.Message {
	return &gateway.Message{
		ID: s.NewID("msg"), Partition: gateway.Partition("APP", person), Application: "APP", Person: person, APIKey: "key_1", Status: gateway.StatusQueued,
		Request: json.RawMessage(`{"body":"x"}`), Parts: 1, AcceptedAt: s.Now(), ExpiresAt: s.Now().Add(time.Hour),
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func testEvents(t *testing.T, url string) {
	s := Open(t, url)
	a, b, again := inbound("1", 1), inbound("2", 1), inbound("1", 1)
	must(t, s.AppendEvents(t.Context(), []*gateway.Event{a, b, again}))
	if a.Pos == 0 || b.Pos <= a.Pos || again.Pos != 0 {
		t.Fatalf("positions %d %d %d", a.Pos, b.Pos, again.Pos)
	}
	must(t, s.AppendEvents(t.Context(), []*gateway.Event{inbound("2", 1)}))
	all, err := s.ListEvents(t.Context(), store.EventFilter{Limit: 10})
	must(t, err)
	if len(all) != 2 || all[0].Pos != a.Pos || string(all[1].Raw) != `{"n":1}` || all[1].Partition != b.Partition {
		t.Fatalf("listed %+v", all)
	}
	one, err := s.Event(t.Context(), a.Pos)
	must(t, err)
	if one.Person != "1" || one.ReceivedAt.UnixMilli() != a.ReceivedAt.UnixMilli() {
		t.Fatalf("read %+v", one)
	}
	if _, err := s.Event(t.Context(), 999); gateway.CodeOf(err) != gateway.CodeNotFound {
		t.Fatalf("an event that is not there: %v", err)
	}
}

// testConcurrentAppends holds that a reader that follows the log sees every event, though several
// writers commit at once.
func testConcurrentAppends(t *testing.T, url string) {
	s := Open(t, url)
	stores := []*store.Store{s}
	if !s.Exclusive() {
		stores = append(stores, Open(t, url)) // a second node
	}
	const writers, each = 8, 50
	var work sync.WaitGroup
	for w := range writers {
		work.Go(func() {
			for n := range each {
				if err := stores[w%len(stores)].AppendEvents(t.Context(), []*gateway.Event{inbound(fmt.Sprint("w", w), n)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	var seen []int64
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for after := int64(0); len(seen) < writers*each; {
		_, moved := s.HeadChanged()
		events, upto, err := s.ReadEvents(ctx, after, 64)
		must(t, err)
		for _, e := range events {
			seen = append(seen, e.Pos)
		}
		if after = upto; len(events) == 0 {
			select {
			case <-moved:
			case <-ctx.Done():
				t.Fatalf("saw %d of %d events", len(seen), writers*each)
			}
		}
	}
	work.Wait()
	if !slices.IsSorted(seen) || len(slices.Compact(slices.Clone(seen))) != writers*each {
		t.Fatal("events were seen twice or out of order")
	}
}

func testIdempotency(t *testing.T, url string) {
	s := Open(t, url)
	accept := func(m *gateway.Message, fingerprint string) bool {
		replayed, err := s.Accept(t.Context(), []*gateway.Message{m}, &store.Idempotency{APIKey: "key_1", Key: "k", Fingerprint: []byte(fingerprint), Answer: m.ID})
		must(t, err)
		return replayed
	}
	first := message(s, "1")
	if accept(first, "a") {
		t.Fatal("the first was taken for a repeat")
	}
	if second := message(s, "1"); !accept(second, "a") {
		t.Fatal("the second was accepted")
	} else if _, err := s.Message(t.Context(), second.ID); gateway.CodeOf(err) != gateway.CodeNotFound {
		t.Fatalf("the second was stored: %v", err)
	}
	remembered, err := s.RememberedAnswer(t.Context(), "key_1", "k")
	must(t, err)
	if remembered == nil || remembered.Answer != first.ID || string(remembered.Fingerprint) != "a" {
		t.Fatalf("remembered %+v", remembered)
	}
	if other, err := s.RememberedAnswer(t.Context(), "key_2", "k"); err != nil || other != nil {
		t.Fatalf("another key's: %+v %v", other, err)
	}
}

func testMarks(t *testing.T, url string) {
	s := Open(t, url)
	m := message(s, "1")
	_, err := s.Accept(t.Context(), []*gateway.Message{m}, nil)
	must(t, err)
	epoch, ok := s.Leases().Epoch(m.Partition)
	if !ok {
		t.Fatal("the lease is not held")
	}
	mark := func(epoch int64) bool {
		k := &store.Sending{Seq: m.Seq, Partition: m.Partition, Epoch: epoch, From: gateway.StatusQueued, At: s.Now()}
		must(t, s.MarkSending(t.Context(), k))
		return k.Applied
	}
	if !s.Exclusive() && mark(epoch+7) {
		t.Fatal("a mark under another epoch applied")
	}
	if !mark(epoch) || mark(epoch) {
		t.Fatal("a mark must apply once")
	}
	sent := *m
	sent.Status, sent.MID, sent.SentAt, sent.PartsSent = gateway.StatusSent, "m_1", s.Now(), 1
	sent.Attempts = []gateway.Attempt{{Number: 1, Outcome: "sent"}}
	r := &store.Result{Message: &sent, From: gateway.StatusSending, Epoch: epoch, Fence: epoch, Events: []*gateway.Event{{Application: "APP", Person: "1", Type: gateway.EventMessageSent, Data: json.RawMessage(`{}`)}}}
	must(t, s.Record(t.Context(), r))
	again := *r
	must(t, s.Record(t.Context(), &again))
	if !r.Applied || again.Applied {
		t.Fatalf("recorded %v and %v", r.Applied, again.Applied)
	}
	events, err := s.ListEvents(t.Context(), store.EventFilter{Limit: 10})
	must(t, err)
	got, err := s.Message(t.Context(), m.ID)
	must(t, err)
	if len(events) != 1 || got.Status != gateway.StatusSent || got.MID != "m_1" || len(got.Attempts) != 1 || got.SentAt.IsZero() {
		t.Fatalf("%d events, message %+v", len(events), got)
	}
}

func testEarlyEcho(t *testing.T, url string) {
	s := Open(t, url)
	m := message(s, "1")
	_, err := s.Accept(t.Context(), []*gateway.Message{m}, nil)
	must(t, err)
	epoch, _ := s.Leases().Epoch(m.Partition)
	must(t, s.MarkSending(t.Context(), &store.Sending{Seq: m.Seq, Partition: m.Partition, Epoch: epoch, From: gateway.StatusQueued, At: s.Now()}))
	must(t, s.Write(t.Context(), func(tx *store.Tx) error {
		echoed, err := tx.Message(m.ID)
		if err != nil {
			return err
		}
		echoed.Echoed, echoed.MID, echoed.MarkAt = 1, "m_echo", tx.Now()
		_, err = tx.Echo(echoed, gateway.StatusSending, echoed.PartsSent)
		return err
	}))
	lost := *m
	lost.Status = gateway.StatusUncertain
	r := &store.Result{Message: &lost, From: gateway.StatusSending, Epoch: epoch, Fence: epoch}
	must(t, s.Record(t.Context(), r))
	got, err := s.Message(t.Context(), m.ID)
	must(t, err)
	if !r.Applied || got.Status != gateway.StatusUncertain || got.Echoed != 1 || got.MID != "m_echo" {
		t.Fatalf("recorded %v: %+v", r.Applied, got)
	}
}

func testWriteUndone(t *testing.T, url string) {
	s := Open(t, url)
	boom := errors.New("boom")
	err := s.Write(t.Context(), func(tx *store.Tx) error {
		tx.AppendEvent(&gateway.Event{Application: "APP", Person: "1", Type: gateway.EventProfileCreated, Data: json.RawMessage(`{}`)})
		if _, err := tx.Exec(`INSERT INTO settings (name, value) VALUES (?, ?)`, "undone", "x"); err != nil {
			return err
		}
		return boom
	})
	if !errors.Is(err, boom) {
		t.Fatalf("got %v", err)
	}
	value, err := s.Setting(t.Context(), "undone")
	must(t, err)
	events, err := s.ListEvents(t.Context(), store.EventFilter{Limit: 10})
	must(t, err)
	if value != "" || len(events) != 0 {
		t.Fatalf("left behind %q and %d events", value, len(events))
	}
}

func testCursor(t *testing.T, url string) {
	s := Open(t, url)
	for n := range 10 {
		must(t, s.AppendEvents(t.Context(), []*gateway.Event{inbound(fmt.Sprint(n), n)}))
	}
	c := s.Reader("test").Cursor()
	must(t, c.Sync(t.Context(), 0))
	events, upto, err := c.Read(t.Context(), 4, 0)
	must(t, err)
	if len(events) != 4 {
		t.Fatalf("read %d", len(events))
	}
	must(t, s.Write(t.Context(), func(tx *store.Tx) error {
		_, err := c.Save(tx, upto)
		return err
	}))
	later := s.Reader("test").Cursor()
	must(t, later.Sync(t.Context(), 0))
	events, _, err = later.Read(t.Context(), 100, 0)
	must(t, err)
	if len(events) != 6 || events[0].Person != "4" {
		t.Fatalf("after the saved place: %d events", len(events))
	}
}

func testConsumer(t *testing.T, url string) {
	s := Open(t, url)
	var mu sync.Mutex
	var got []int64
	c := &store.Consumer{Name: "test", Handle: func(_ context.Context, events []*gateway.Event) (func(*store.Tx) error, error) {
		mu.Lock()
		defer mu.Unlock()
		for _, e := range events {
			got = append(got, e.Pos)
		}
		return nil, nil
	}}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { s.Consume(ctx, c); close(done) }()
	for n := range 200 {
		must(t, s.AppendEvents(t.Context(), []*gateway.Event{inbound(fmt.Sprint(n%7), n)}))
	}
	deadline := time.Now().Add(20 * time.Second)
	for s.Reader(c.Name).Position() < s.Head() && time.Now().Before(deadline) {
		_, moved := s.HeadChanged()
		select {
		case <-moved:
		case <-time.After(5 * time.Millisecond):
		}
	}
	cancel()
	<-done
	if len(got) != 200 || !slices.IsSorted(got) {
		t.Fatalf("consumed %d events", len(got))
	}
	low, err := s.CursorLow(t.Context(), "test")
	must(t, err)
	if low != s.Head() {
		t.Fatalf("saved at %d of %d", low, s.Head())
	}
}

func testReceipts(t *testing.T, url string) {
	s := Open(t, url)
	lane := gateway.Lane{Application: "APP", Person: "1"}
	m := message(s, "1")
	_, err := s.Accept(t.Context(), []*gateway.Message{m}, nil)
	must(t, err)
	must(t, s.Write(t.Context(), func(tx *store.Tx) error {
		if err := tx.TouchConversations([]store.Seen{{Lane: lane, First: tx.Now(), Last: tx.Now(), Inbound: tx.Now()}}); err != nil {
			return err
		}
		if err := tx.SetMarks(lane, store.Marks{Delivered: 5, Read: 3}); err != nil {
			return err
		}
		// A message without a row yet does not lose its conversation's marks.
		return tx.TouchConversations([]store.Seen{{Lane: lane, First: tx.Now(), Last: tx.Now()}})
	}))
	must(t, s.Write(t.Context(), func(tx *store.Tx) error {
		marks, err := tx.Marks(lane)
		if err != nil || marks.Delivered != 5 || marks.Read != 3 {
			return fmt.Errorf("marks %+v: %w", marks, err)
		}
		if waiting, err := tx.Awaiting(lane, 0, true); err != nil || len(waiting) != 0 {
			return fmt.Errorf("a queued message awaits a receipt: %v %w", waiting, err)
		}
		first, err := tx.FirstUnfinished(lane, 0)
		if err != nil || first != m.Seq {
			return fmt.Errorf("first unfinished %d: %w", first, err)
		}
		return nil
	}))
}

func testRetire(t *testing.T, url string) {
	s := Open(t, url)
	open, done := message(s, "1"), message(s, "2")
	done.Status = gateway.StatusCanceled
	_, err := s.Accept(t.Context(), []*gateway.Message{open, done}, nil)
	must(t, err)
	must(t, s.AppendEvents(t.Context(), []*gateway.Event{inbound("1", 1), inbound("1", 2)}))
	n, err := s.Retire(t.Context(), tableOf(t, s, "messages"), store.Retention{Messages: time.Nanosecond}, 100)
	must(t, err)
	if _, err := s.Message(t.Context(), open.ID); n != 1 || err != nil {
		t.Fatalf("removed %d; the open one: %v", n, err)
	}
	events, err := s.ListEvents(t.Context(), store.EventFilter{Limit: 10})
	must(t, err)
	n, err = s.RetireEvents(t.Context(), events[0].Pos, 100)
	must(t, err)
	if left, err := s.ListEvents(t.Context(), store.EventFilter{Limit: 10}); err != nil || n != 1 || len(left) != 1 {
		t.Fatalf("removed %d, left %d: %v", n, len(left), err)
	}
	must(t, s.AppendEvents(t.Context(), []*gateway.Event{inbound("1", 3)}))
}

func testDeliveries(t *testing.T, url string) {
	s := Open(t, url)
	lane := gateway.Lane{Application: "APP", Person: "1"}
	now := s.Now()
	save := func(d ...*gateway.Delivery) {
		must(t, s.Write(t.Context(), func(tx *store.Tx) error { return tx.SaveDeliveries(d) }))
	}
	row := func(pos int64, status gateway.DeliveryStatus, due time.Time) *gateway.Delivery {
		return &gateway.Delivery{Subscription: "sub_1", Pos: pos, Partition: 3, Lane: lane, Status: status, DueAt: due, CreatedAt: now}
	}
	save(row(1, gateway.DeliveryDelivered, time.Time{}), row(2, gateway.DeliveryPending, now.Add(-time.Second)), row(3, gateway.DeliveryWaiting, time.Time{}))
	due, err := s.DueDeliveries(t.Context(), "sub_1", now, 10)
	must(t, err)
	if len(due) != 1 || due[0].Pos != 2 || due[0].Lane != lane {
		t.Fatalf("due %+v", due)
	}
	due[0].Status, due[0].DueAt = gateway.DeliveryDelivered, time.Time{}
	due[0].Attempts = []gateway.DeliveryAttempt{{At: now.UTC(), Status: 200}}
	save(due[0])
	next, err := s.NextInLane(t.Context(), "sub_1", lane)
	must(t, err)
	held, err := s.HeldLanes(t.Context(), "sub_1")
	must(t, err)
	if next == nil || next.Pos != 3 || len(held) != 1 {
		t.Fatalf("next %+v, held %v", next, held)
	}
	// What waits behind nothing any more is due, but not what waits behind that.
	save(row(4, gateway.DeliveryWaiting, time.Time{}))
	for range 2 {
		must(t, s.PromoteWaiting(t.Context(), "sub_1"))
		due, err = s.DueDeliveries(t.Context(), "sub_1", s.Now(), 10)
		must(t, err)
		if len(due) != 1 || due[0].Pos != 3 {
			t.Fatalf("due after the first of a conversation was delivered: %+v", due)
		}
	}
	list, err := s.ListDeliveries(t.Context(), store.DeliveryFilter{Subscription: "sub_1", Limit: 10})
	must(t, err)
	if len(list) != 4 || list[0].Pos != 4 || len(list[2].Attempts) != 1 {
		t.Fatalf("list %+v", list)
	}
	n, err := s.Retire(t.Context(), tableOf(t, s, "deliveries"), store.Retention{Deliveries: time.Nanosecond}, 10)
	must(t, err)
	if n != 2 {
		t.Fatalf("removed %d", n)
	}
}

func testPositionAt(t *testing.T, url string) {
	s := Open(t, url)
	base := s.Now().Add(-time.Hour)
	var events []*gateway.Event
	for n := range 20 {
		e := inbound("1", n)
		e.ReceivedAt = base.Add(time.Duration(n) * time.Minute)
		events = append(events, e)
	}
	must(t, s.AppendEvents(t.Context(), events))
	for n, want := range map[int]int64{0: events[0].Pos - 1, 7: events[6].Pos, 20: events[19].Pos} {
		got, err := s.PositionAt(t.Context(), base.Add(time.Duration(n)*time.Minute))
		must(t, err)
		if got != want {
			t.Errorf("minute %d: position %d, want %d", n, got, want)
		}
	}
}

func testCancel(t *testing.T, url string) {
	s := Open(t, url)
	m := message(s, "1")
	_, err := s.Accept(t.Context(), []*gateway.Message{m}, nil)
	must(t, err)
	canceled, err := s.CancelMessage(t.Context(), m.ID)
	must(t, err)
	if canceled.Status != gateway.StatusCanceled {
		t.Fatalf("status %s", canceled.Status)
	}
	if _, err := s.CancelMessage(t.Context(), m.ID); gateway.CodeOf(err) != gateway.CodeNotCancelable {
		t.Fatalf("a second time: %v", err)
	}
	if _, err := s.CancelMessage(t.Context(), "msg_none"); gateway.CodeOf(err) != gateway.CodeNotFound {
		t.Fatalf("one that is not there: %v", err)
	}
}

func testRestore(t *testing.T, url string) {
	s := Open(t, url)
	open, done := message(s, "1"), message(s, "1")
	done.Status = gateway.StatusFailed
	_, err := s.Accept(t.Context(), []*gateway.Message{open, done}, nil)
	must(t, err)
	before := s.Head()
	for i, due := range []time.Time{s.Now().Add(-time.Minute), s.Now().Add(time.Hour)} {
		timer := &gateway.BotTimer{ID: s.NewID("tmr"), Kind: gateway.TimerReminder, Name: fmt.Sprint(i), Content: json.RawMessage(`""`), DueAt: due}
		must(t, s.Write(t.Context(), func(tx *store.Tx) error { return tx.AddTimer(timer) }))
	}
	held, err := s.AfterRestore(t.Context())
	must(t, err)
	if due, err := s.DueTimers(t.Context(), nil, 10); err != nil || len(due) != 0 {
		t.Errorf("a restore lets bots say again what was due: %+v %v", due, err)
	}
	if m, err := s.Message(t.Context(), open.ID); held != 1 || err != nil || m.Status != gateway.StatusHeld {
		t.Fatalf("held %d: %+v %v", held, m, err)
	}
	released, err := s.ReleaseMessage(t.Context(), open.ID)
	must(t, err)
	if released.Status != gateway.StatusQueued || released.ID != open.ID || released.Seq <= before+1000 {
		t.Fatalf("released %+v", released)
	}
	if _, err := s.ReleaseMessage(t.Context(), open.ID); gateway.CodeOf(err) != gateway.CodeNotHeld {
		t.Fatalf("a second time: %v", err)
	}
	waiting, err := s.OpenInLane(t.Context(), open.Lane(), 0, 10)
	must(t, err)
	if len(waiting) != 1 || waiting[0].ID != open.ID {
		t.Fatalf("in the outbox: %+v", waiting)
	}
}

func tableOf(t *testing.T, s *store.Store, name string) store.Table {
	t.Helper()
	for _, table := range s.Tables() {
		if table.Name == name {
			return table
		}
	}
	t.Fatalf("there is no table %s in the register", name)
	return store.Table{}
}
