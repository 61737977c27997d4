package storetest

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
)

// testSteps: who leaves a step wins against everybody who has seen the message before, and marks of
// a step that was left are found by the conversation's watermark.
func testSteps(t *testing.T, url string) {
	s := Open(t, url)
	ctx, now := t.Context(), s.Now().UTC().Truncate(time.Millisecond)
	m := message(s, "1")
	m.AcceptedAt, m.ExpiresAt = now, now.Add(time.Hour)
	m.Steps = []gateway.Step{
		{Rule: gateway.Rule{Channel: gateway.ChannelMessenger, Until: gateway.UntilRead, Within: gateway.Duration(time.Minute)}, Outcome: gateway.StepPending},
		{Rule: gateway.Rule{Channel: gateway.ChannelSMS}, Address: "4477", Outcome: gateway.StepPending},
	}
	m.Begin(now)
	_, err := s.Accept(ctx, []*gateway.Message{m, message(s, "2")}, nil)
	must(t, err)
	if next, err := s.NextStepDue(ctx, now); err != nil || !next.Equal(now.Add(time.Minute)) {
		t.Errorf("next due at %s: %v", next, err)
	}
	if due, err := s.StepsDue(ctx, now.Add(time.Minute-time.Millisecond), 10); err != nil || len(due) != 0 {
		t.Errorf("%d due too early: %v", len(due), err)
	}
	read, err := s.Message(ctx, m.ID)
	must(t, err)
	if diff := cmp.Diff(m.Steps, read.Steps); diff != "" {
		t.Error(diff)
	}
	epoch, _ := s.Leases().Epoch(m.Partition)
	mark := &store.Sending{Seq: m.Seq, Partition: m.Partition, Epoch: epoch, From: gateway.StatusQueued, Step: 0, At: now}
	must(t, s.MarkSending(ctx, mark))
	sent := *read
	sent.Status, sent.PartsSent, sent.MID, sent.SentAt, sent.MarkAt, sent.Epoch = gateway.StatusSent, 1, "m_1", now, now, epoch
	sent.Progress(now)
	must(t, s.Record(ctx, &store.Result{Message: &sent, From: gateway.StatusSending, Epoch: epoch, Fence: epoch}))

	due, err := s.StepsDue(ctx, now.Add(time.Minute), 10)
	must(t, err)
	if len(due) != 1 {
		t.Fatalf("%d due", len(due))
	}
	late, left := *due[0], due[0]
	left.MoveOn(gateway.StepPassed, &gateway.Failure{Code: gateway.FailureNotReached, Message: "x"}, now.Add(time.Minute))
	first := &store.Result{Message: left, From: gateway.StatusSent, Fence: epoch}
	must(t, s.Record(ctx, first))
	late.Status, late.DeliveredAt = gateway.StatusDelivered, now
	late.Progress(now)
	var received bool
	must(t, s.Write(ctx, func(tx *store.Tx) (err error) { received, err = tx.Receive(&late, gateway.StatusSent); return err }))
	again := *mark
	must(t, s.MarkSending(ctx, &again))
	if !first.Applied || received || again.Applied {
		t.Errorf("left %v, a receipt of who saw it before %v, a mark at the step before %v", first.Applied, received, again.Applied)
	}
	moved, err := s.Message(ctx, m.ID)
	must(t, err)
	if moved.Status != gateway.StatusQueued || moved.Step != 1 || moved.PartsSent != 0 || moved.MID != "" || !moved.MarkAt.IsZero() || moved.LateMark != now.UnixMilli() || !moved.StepDue.IsZero() {
		t.Errorf("moved on: %+v", moved)
	}
	must(t, s.Write(ctx, func(tx *store.Tx) error {
		before, err := tx.LateWaiting(m.Lane(), now.UnixMilli()-1)
		must(t, err)
		found, err := tx.LateWaiting(m.Lane(), now.UnixMilli())
		must(t, err)
		if len(before) != 0 || len(found) != 1 || !found[0].ArriveLate(0, gateway.StatusRead, now) {
			t.Fatalf("%d and %d wait for late receipts", len(before), len(found))
		}
		applied, err := tx.UpdateSteps(found[0], gateway.StatusQueued, 1)
		if !applied {
			t.Error("the late receipt was not recorded")
		}
		return err
	}))
	if after, err := s.Message(ctx, m.ID); err != nil || after.LateMark != 0 || !after.Steps[0].Late || after.Status != gateway.StatusQueued {
		t.Errorf("after the late receipt: %+v %v", after, err)
	}
}

// testHistory: what the platform has said of a conversation's windows is kept beside what the
// person did.
func testHistory(t *testing.T, url string) {
	s := Open(t, url)
	ctx, at := t.Context(), s.Now().UTC().Truncate(time.Millisecond)
	m := message(s, "1")
	if h, err := s.History(ctx, m.Lane()); err != nil || h != (gateway.History{}) {
		t.Errorf("of nobody: %+v %v", h, err)
	}
	_, err := s.Accept(ctx, []*gateway.Message{m}, nil)
	must(t, err)
	failed := *m
	failed.Status, failed.EndedAt = gateway.StatusFailed, at
	must(t, s.Record(ctx, &store.Result{Message: &failed, From: gateway.StatusQueued, Closed: &store.Closed{At: at}}))
	must(t, s.Write(ctx, func(tx *store.Tx) error {
		return tx.TouchConversations([]store.Seen{{Lane: m.Lane(), First: at, Last: at, Inbound: at.Add(time.Second)}})
	}))
	if h, err := s.History(ctx, m.Lane()); err != nil || !h.RefusedAt.Equal(at) || !h.LastInbound.Equal(at.Add(time.Second)) || !h.HumanRefusedAt.IsZero() {
		t.Errorf("%+v %v", h, err)
	}
}

// testRoutes: names are taken once, and one route is the default.
func testRoutes(t *testing.T, url string) {
	s := Open(t, url)
	ctx := t.Context()
	rules := []gateway.Rule{{Channel: gateway.ChannelSMS, Within: gateway.Duration(time.Minute), CustomBody: json.RawMessage(`{"body":"x"}`)}, {Channel: gateway.ChannelEmail}}
	one, two := &gateway.Route{ID: "A", Name: "one", Rules: rules, Default: true}, &gateway.Route{ID: "B", Name: "two", Application: "APP", Rules: rules[1:], Default: true}
	must(t, s.SaveRoute(ctx, one))
	must(t, s.SaveRoute(ctx, two))
	if err := s.SaveRoute(ctx, &gateway.Route{ID: "C", Name: "one", Rules: rules}); gateway.CodeOf(err) != gateway.CodeConflict {
		t.Errorf("a name that is taken: %v", err)
	}
	named, err := s.RoutesNamed(ctx, "one")
	must(t, err)
	if len(named) != 1 {
		t.Fatalf("routes called one: %+v", named)
	}
	if diff := cmp.Diff(one.Rules, named[0].Rules); diff != "" || named[0].ID != "A" || !named[0].Default {
		t.Errorf("the default of another application counts: %+v %s", named[0], diff)
	}
	twin := &gateway.Route{ID: "D", Name: "one", Application: "APP", Rules: rules, Default: true}
	must(t, s.SaveRoute(ctx, twin))
	named, err = s.RoutesNamed(ctx, "two")
	must(t, err)
	if len(named) != 1 || named[0].Default {
		t.Errorf("two defaults of one application: %+v", named)
	}
	must(t, s.DeleteRoute(ctx, "D"))
	two.Default = true
	two.Name = "three"
	must(t, s.SaveRoute(ctx, two))
	must(t, s.DeleteRoute(ctx, "A"))
	if all, err := s.Routes(ctx); err != nil || len(all) != 1 || all[0].Name != "three" || all[0].Application != "APP" || !all[0].Default {
		t.Errorf("%+v %v", all, err)
	}
	if err := s.DeleteRoute(ctx, "A"); gateway.CodeOf(err) != gateway.CodeNotFound {
		t.Errorf("deleted twice: %v", err)
	}
}
