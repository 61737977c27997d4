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

// newBench makes a deliverer over a real database whose page is stopped: what is ready stays in
// line.
func newBench(t *testing.T) *Deliverer {
	t.Helper()
	s := storetest.Open(t, storetest.SQLite(t))
	d := New(Options{Store: s, Logger: slog.New(slog.NewTextHandler(t.Output(), nil))})
	d.ctx, d.cancel = context.WithCancel(context.Background())
	t.Cleanup(func() {
		if err := d.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	d.taken, _ = s.Leases().Held()
	d.pages["APP"] = &page{key: "APP", stopped: true}
	return d
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
			d := newBench(t)
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

// A message whose echo came while nobody worked its conversation is sent, however long ago it was
// left.
func TestAnEchoThatCameBeforeTheNextOwner(t *testing.T) {
	t.Parallel()
	for _, status := range []gateway.Status{gateway.StatusSending, gateway.StatusUncertain} {
		t.Run(string(status), func(t *testing.T) {
			t.Parallel()
			d := newBench(t)
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
			d.lanes.Push(row.Lane(), newJob(row))
			if err := d.lanes.Stop(t.Context()); err != nil {
				t.Fatal(err)
			}
			got, err := s.Message(t.Context(), m.ID)
			if err != nil || got.Status != gateway.StatusSent || got.MID != "m_echo" {
				t.Errorf("%v: %s %q", err, got.Status, got.MID)
			}
			if d.lanes.Lanes() != 0 {
				t.Error("its lane is not free")
			}
		})
	}
}

// The database's answer to a mark was lost although the mark was made: nothing was posted under it,
// so that it counts.
func TestAMarkWhoseAnswerWasLostCounts(t *testing.T) {
	t.Parallel()
	d := newBench(t)
	s := d.o.Store
	m := d.accept(t, "1", 1)
	epoch, _ := s.Leases().Epoch(m.Partition)
	mark := &store.Sending{Seq: m.Seq, Partition: m.Partition, Epoch: epoch, From: gateway.StatusQueued, At: d.now()}
	if err := s.MarkSending(t.Context(), mark); err != nil {
		t.Fatal(err)
	}
	if got := d.markedBefore(&job{m: m}, epoch); got != nil {
		t.Error("a mark that this lane did not make counts")
	}
	if got := d.markedBefore(&job{m: m, doubt: mark}, epoch+1); got != nil {
		t.Error("a mark of another lease counts")
	}
	if got := d.markedBefore(&job{m: m, doubt: mark}, epoch); got == nil {
		t.Error("the mark does not count")
	}
}
