package deliver

import (
	"context"
	"fmt"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
	"github.com/chasqui/chasqui/messenger"
)

// A report that comes before the answer to its send is recorded waits so long for it, looking so often.
const (
	reportPatience = 10 * time.Second
	reportPoll     = 50 * time.Millisecond
)

// Report takes what a provider says of a message that it was given. It returns once that is committed; after an error the provider has to say it again.
func (d *Deliverer) Report(ctx context.Context, r gateway.ChannelReport) error {
	deadline := time.NewTimer(reportPatience)
	defer deadline.Stop()
	for {
		early := false
		var m *gateway.Message
		err := d.o.Store.Write(ctx, func(tx *store.Tx) (err error) {
			m, early, err = d.report(tx, r)
			return err
		})
		if err != nil || !early {
			if err == nil && m != nil {
				d.pokeSteps(m.StepDue)
				d.prove(m.Lane())
			}
			return err
		}
		select {
		case <-time.After(reportPoll):
		case <-deadline.C:
			return fmt.Errorf("the answer to the send of message %s is not recorded yet", r.MessageID)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// report applies a report. early tells that the message is still being sent, so that the report has to wait.
func (d *Deliverer) report(tx *store.Tx, r gateway.ChannelReport) (m *gateway.Message, early bool, err error) {
	m, err = tx.Message(r.MessageID)
	if gateway.CodeOf(err) == gateway.CodeNotFound {
		return nil, false, nil // gone with its age
	}
	if err != nil || !r.IsOf(m) {
		return nil, false, err
	}
	at := tx.Now()
	over := m.Status == gateway.StatusFailed || m.Status == gateway.StatusExpired || m.Status == gateway.StatusCanceled
	switch {
	case r.Step != m.Step || over:
		return m, false, lateReport(tx, m, r, at)
	case m.Status == gateway.StatusSending:
		return m, true, nil
	case m.Status == gateway.StatusQueued || m.Status == gateway.StatusHeld:
		return m, false, nil // nothing of it was taken
	case r.Status == gateway.StatusFailed:
		return m, false, reportFailed(tx, m, r, at)
	}
	return m, false, reportProgress(tx, m, r, at)
}

// lateReport notes what is said of a step that the message has left.
func lateReport(tx *store.Tx, m *gateway.Message, r gateway.ChannelReport, at time.Time) error {
	kinds := map[gateway.Status]gateway.EventType{
		gateway.StatusSent: gateway.EventMessageSent, gateway.StatusDelivered: gateway.EventMessageDelivered, gateway.StatusRead: gateway.EventMessageRead,
	}
	kind, ok := kinds[r.Status]
	if !ok {
		return nil
	}
	return arriveLate(tx, m, r.Step, r.Status, at, kind, nil)
}

// arriveLate notes a receipt for a step that was left, and the fact of it.
func arriveLate(tx *store.Tx, m *gateway.Message, step int, status gateway.Status, at time.Time, kind gateway.EventType, cause *gateway.Event) error {
	from, atStep := m.Status, m.Step
	if !m.ArriveLate(step, status, at) {
		return nil
	}
	applied, err := tx.UpdateSteps(m, from, atStep)
	if err != nil || !applied {
		return err
	}
	tx.AppendEvent(gateway.LateEvent(kind, m, step, cause))
	return nil
}

// reportFailed takes the news that a provider failed with what it had taken. A step that had not reached its goal is due to be left now; a message that had is failed.
func reportFailed(tx *store.Tx, m *gateway.Message, r gateway.ChannelReport, at time.Time) error {
	if m.Status != gateway.StatusSent && m.Status != gateway.StatusUncertain {
		return nil // it was delivered before: that stands
	}
	from, s := m.Status, m.Current()
	why := r.Failure
	if why == nil {
		why = &gateway.Failure{Code: gateway.FailureProviderRefused, Message: "the provider reported that it failed, and not why"}
	}
	s.Why = why
	if s.Outcome == gateway.StepActive {
		m.StepDue = at
		_, err := tx.UpdateSteps(m, from, m.Step)
		return err
	}
	s.Outcome = gateway.StepFailed
	m.Status, m.Error, m.EndedAt, m.StepDue = gateway.StatusFailed, why, at.UTC(), time.Time{}
	applied, err := tx.UpdateSteps(m, from, m.Step)
	if err == nil && applied {
		tx.AppendEvent(gateway.MessageEvent(gateway.EventMessageFailed, m, nil))
	}
	return err
}

// reportProgress takes the news that a message has come further.
func reportProgress(tx *store.Tx, m *gateway.Message, r gateway.ChannelReport, at time.Time) error {
	from, s := m.Status, m.Current()
	set := func(t *time.Time) {
		if t.IsZero() {
			*t = at.UTC()
		}
	}
	var kinds []gateway.EventType
	if from == gateway.StatusUncertain {
		m.Status, m.PartsSent = gateway.StatusSent, m.Parts
		set(&m.SentAt)
		kinds = append(kinds, gateway.EventMessageSent)
	}
	set(&s.SentAt)
	if r.Ref != "" {
		m.MID = r.Ref
	}
	if (r.Status == gateway.StatusDelivered || r.Status == gateway.StatusRead) && m.DeliveredAt.IsZero() {
		m.Status, m.DeliveredAt = gateway.StatusDelivered, at.UTC()
		kinds = append(kinds, gateway.EventMessageDelivered)
	}
	if r.Status == gateway.StatusRead && m.ReadAt.IsZero() {
		m.Status, m.ReadAt, m.EndedAt = gateway.StatusRead, at.UTC(), at.UTC()
		kinds = append(kinds, gateway.EventMessageRead)
	}
	m.Progress(at)
	applied, err := tx.UpdateSteps(m, from, m.Step)
	if err != nil || !applied {
		return err
	}
	for _, kind := range kinds {
		tx.AppendEvent(gateway.MessageEvent(kind, m, nil))
	}
	return nil
}

// lateMarks applies watermarks to the steps on Messenger that messages of the conversation have left.
func lateMarks(tx *store.Tx, lane gateway.Lane, marks store.Marks, cause *gateway.Event) error {
	messages, err := tx.LateWaiting(lane, max(marks.Delivered, marks.Read))
	if err != nil {
		return err
	}
	for _, m := range messages {
		for i := range m.Steps {
			s := &m.Steps[i]
			mark := s.MarkAt.UnixMilli()
			left := s.Outcome == gateway.StepPassed || s.Outcome == gateway.StepFailed
			if s.Rule.Channel != gateway.ChannelMessenger || !left || s.MarkAt.IsZero() {
				continue
			}
			status, kind := gateway.StatusDelivered, gateway.EventMessageDelivered
			switch {
			case mark <= marks.Read:
				status, kind = gateway.StatusRead, gateway.EventMessageRead
			case mark > marks.Delivered:
				continue
			}
			if err := arriveLate(tx, m, i, status, tx.Now(), kind, cause); err != nil {
				return err
			}
		}
	}
	return nil
}

// lateEcho takes an echo that proves a part of a step which the message has left.
func lateEcho(tx *store.Tx, m *gateway.Message, tag gateway.Tagged, event messenger.Event, e *gateway.Event) error {
	if tag.Step >= len(m.Steps) {
		return nil
	}
	s := &m.Steps[tag.Step]
	if left := s.Outcome == gateway.StepPassed || s.Outcome == gateway.StepFailed; s.Rule.Channel != gateway.ChannelMessenger || !left {
		return nil
	}
	s.Ref, s.MarkAt = string(event.Message.MID), event.Timestamp
	return arriveLate(tx, m, tag.Step, gateway.StatusSent, tx.Now(), gateway.EventMessageSent, e)
}
