package deliver

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
	"github.com/chasqui/chasqui/internal/store/storetest"
)

// newBench makes a deliverer over a real database that serves no page: what is ready stays in line.
func newBench(t *testing.T) (*Deliverer, *page) {
	t.Helper()
	s := storetest.Open(t, storetest.SQLite(t))
	d := New(Options{Store: s, Logger: slog.New(slog.NewTextHandler(t.Output(), nil))})
	d.ctx, d.cancel = context.WithCancel(context.Background())
	t.Cleanup(func() { d.cancel(); d.work.Wait(); d.sends.Wait() })
	d.taken, _ = s.Leases().Held()
	p := &page{key: "APP", lanes: map[string]*lane{}, others: map[string]*stream{}, slots: make(chan struct{}, 8)}
	p.text = stream{wake: make(chan struct{}, 1), slots: p.slots}
	p.media = stream{wake: make(chan struct{}, 1), slots: p.slots}
	d.pages["APP"] = p
	return d, p
}

func (d *Deliverer) accept(t *testing.T, person string, parts int) *gateway.Message {
	t.Helper()
	s := d.o.Store
	m := &gateway.Message{
		ID: s.NewID("msg"), Partition: gateway.Partition("APP", person), Application: "APP", Person: person, APIKey: "key_1", Status: gateway.StatusQueued,
		Request: json.RawMessage(`{"to":{"fbMessengerId":"` + person + `"},"body":"x"}`), Parts: parts, AcceptedAt: s.Now(), ExpiresAt: s.Now().Add(time.Hour),
	}
	if _, err := s.Accept(t.Context(), []*gateway.Message{m}, nil); err != nil {
		t.Fatal(err)
	}
	return m
}

// A message that is accepted while the rest of its conversation is read from the database must not be left there.
func TestAMessageThatComesWhileItsLaneIsRead(t *testing.T) {
	t.Parallel()
	d, p := newBench(t)
	first := d.accept(t, "1", 1)
	l := &lane{key: first.Lane(), part: first.Partition, spilled: first.Seq}
	p.lanes["1"] = l
	d.mu.Lock()
	d.loadLane(p, l) // reads, and then waits for the lock
	late := d.accept(t, "1", 1)
	d.admit(late, false)
	d.mu.Unlock()
	d.work.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	if l.busy || len(l.queue) == 0 {
		t.Fatalf("the lane is busy: %v, with %d messages", l.busy, len(l.queue))
	}
	if last := l.queue[len(l.queue)-1].Seq; last != late.Seq && (l.spilled == 0 || l.spilled > late.Seq) {
		t.Errorf("message %d is neither in memory (the last there is %d) nor known to be in the database (%d)", late.Seq, last, l.spilled)
	}
}

// When a node loses partitions, the room that their messages took must go to those of a page that wait in the database.
func TestRoomOfLostPartitionsIsUsed(t *testing.T) {
	t.Parallel()
	d, p := newBench(t)
	waiting := d.accept(t, "waits", 1)
	d.mu.Lock()
	for i := range maxPageRows {
		person := fmt.Sprintf("lost-%d", i)
		if part := gateway.Partition("APP", person); part != waiting.Partition {
			l := &lane{key: gateway.Lane{Application: "APP", Person: person}, part: part}
			l.queue = []*gateway.Message{{Seq: int64(i) + 1e6}}
			p.lanes[person] = l
			p.rows++
		}
	}
	p.spilled = waiting.Seq
	d.mu.Unlock()
	held, _ := d.o.Store.Leases().Held()
	d.layDown(map[int]int64{waiting.Partition: held[waiting.Partition]})
	d.work.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	if l := p.lanes["waits"]; l == nil || l.head().Seq != waiting.Seq {
		t.Errorf("the message that waited in the database is not in memory: %d rows, spilled %d", p.rows, p.spilled)
	}
}

// The echo of every part is there, whatever the state in which whoever sent it left the row.
func TestEchoesSettleWhatANodeLeft(t *testing.T) {
	t.Parallel()
	type row struct {
		name   string
		parts  int
		sent   int
		status gateway.Status
		echoes []int // parts, in the order in which they come
	}
	for _, c := range []row{
		{"given up, one part", 1, 0, gateway.StatusFailed, []int{1}},
		{"given up, all of two parts", 2, 0, gateway.StatusFailed, []int{1, 2}},
		{"given up, in any order", 3, 1, gateway.StatusFailed, []int{3, 2}},
		{"uncertain", 2, 1, gateway.StatusUncertain, []int{2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d, _ := newBench(t)
			s := d.o.Store
			m := d.accept(t, "1", c.parts)
			epoch, _ := s.Leases().Epoch(m.Partition)
			mark := &store.Sending{Seq: m.Seq, Partition: m.Partition, Epoch: epoch, From: gateway.StatusQueued, At: s.Now()}
			if err := s.MarkSending(t.Context(), mark); err != nil {
				t.Fatal(err)
			}
			m.Epoch, m.Status, m.PartsSent, m.SendingAt = epoch, c.status, c.sent, s.Now()
			if c.status == gateway.StatusFailed {
				m.Error, m.EndedAt = &gateway.Failure{Code: gateway.FailureUnknownOutcome, Message: "lost"}, s.Now()
			}
			if err := s.Record(t.Context(), &store.Result{Message: m, From: gateway.StatusSending, Epoch: epoch, Fence: epoch}); err != nil {
				t.Fatal(err)
			}
			for _, part := range c.echoes {
				write, err := d.handleReceipts(t.Context(), []*gateway.Event{echoOf(m, part)})
				if err != nil {
					t.Fatal(err)
				}
				if err := s.Write(t.Context(), write); err != nil {
					t.Fatal(err)
				}
			}
			got, err := s.Message(t.Context(), m.ID)
			if err != nil {
				t.Fatal(err)
			}
			if got.Status != gateway.StatusSent || got.PartsSent != c.parts || got.Late != (c.status == gateway.StatusFailed) {
				t.Errorf("status %s with %d of %d parts, late %v", got.Status, got.PartsSent, got.Parts, got.Late)
			}
		})
	}
}

func echoOf(m *gateway.Message, part int) *gateway.Event {
	raw := fmt.Sprintf(`{"sender":{"id":"9"},"recipient":{"id":%q},"timestamp":%d,"message":{"mid":"m_%d","is_echo":true,"metadata":%q}}`,
		m.Person, time.Now().UnixMilli(), part, fmt.Sprintf("chq1:%s.%d|", m.ID, part))
	return &gateway.Event{Type: gateway.EventMessageEcho, Application: m.Application, Person: m.Person, PageID: "9", Channel: "messaging", Partition: m.Partition, Raw: json.RawMessage(raw)}
}

// A message whose echo came while nobody worked its conversation is sent, however long ago it was left.
func TestAnEchoThatCameBeforeTheNextOwner(t *testing.T) {
	t.Parallel()
	for _, status := range []gateway.Status{gateway.StatusSending, gateway.StatusUncertain} {
		t.Run(string(status), func(t *testing.T) {
			t.Parallel()
			d, p := newBench(t)
			s := d.o.Store
			m := d.accept(t, "1", 1)
			epoch, _ := s.Leases().Epoch(m.Partition)
			if err := s.MarkSending(t.Context(), &store.Sending{Seq: m.Seq, Partition: m.Partition, Epoch: epoch, From: gateway.StatusQueued, At: s.Now().Add(-time.Hour)}); err != nil {
				t.Fatal(err)
			}
			err := s.Write(t.Context(), func(tx *store.Tx) error {
				row, err := tx.Message(m.ID)
				if err != nil {
					return err
				}
				row.Echoed, row.MID, row.Status = 1, "m_echo", status
				_, err = tx.Echo(row, gateway.StatusSending, 0)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			row, err := s.Message(t.Context(), m.ID)
			if err != nil {
				t.Fatal(err)
			}
			row.UpdatedAt = s.Now().Add(-time.Hour)
			d.mu.Lock()
			d.admit(row, true)
			d.mu.Unlock()
			d.sends.Wait()
			got, err := s.Message(t.Context(), m.ID)
			if err != nil || got.Status != gateway.StatusSent || got.MID != "m_echo" {
				t.Errorf("%v: %s %q", err, got.Status, got.MID)
			}
			if len(p.lanes) != 0 {
				t.Error("its lane is not free")
			}
		})
	}
}

// The database's answer to a mark was lost although the mark was made: nothing was posted under it, so that it counts.
func TestAMarkWhoseAnswerWasLostCounts(t *testing.T) {
	t.Parallel()
	d, _ := newBench(t)
	s := d.o.Store
	m := d.accept(t, "1", 1)
	epoch, _ := s.Leases().Epoch(m.Partition)
	mark := &store.Sending{Seq: m.Seq, Partition: m.Partition, Epoch: epoch, From: gateway.StatusQueued, At: d.now()}
	if err := s.MarkSending(t.Context(), mark); err != nil {
		t.Fatal(err)
	}
	if got := d.markedBefore(&lane{}, m, epoch); got != nil {
		t.Error("a mark that this lane did not make counts")
	}
	if got := d.markedBefore(&lane{doubt: mark}, m, epoch+1); got != nil {
		t.Error("a mark of another lease counts")
	}
	if got := d.markedBefore(&lane{doubt: mark}, m, epoch); got == nil {
		t.Error("the mark does not count")
	}
}
