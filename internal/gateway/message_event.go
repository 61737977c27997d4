package gateway

import "github.com/chasqui/chasqui/gatewayapi"

// stepUpdates says what has come of the steps of a message over several channels so far.
func stepUpdates(steps []Step) []gatewayapi.StepUpdate {
	if len(steps) < 2 {
		return nil
	}
	var all []gatewayapi.StepUpdate
	for i := range steps {
		if s := &steps[i]; s.Outcome != StepPending && s.Outcome != StepUnused {
			all = append(all, gatewayapi.StepUpdate{
				Channel: s.Rule.Channel, Outcome: s.Outcome, Ref: s.Ref, Failure: s.Why,
				EndedAt: gatewayapi.At(s.EndedAt), DeliveredAt: gatewayapi.At(s.DeliveredAt), ReadAt: gatewayapi.At(s.ReadAt),
			})
		}
	}
	return all
}

// MessageEvent makes the fact that something became of a message. Its EntryTime is the moment that
// watermarks are compared with, 0 on a channel that has none. cause is the event of the platform
// that told of it, nil if none did.
func MessageEvent(kind EventType, m *Message, cause *Event) *Event {
	d := gatewayapi.MessageUpdate{
		MessageID: m.ID, Status: m.Status, Channel: m.Channel(), Step: m.Step, Steps: stepUpdates(m.Steps), To: gatewayapi.To{ProfileID: m.ProfileID, FBMessengerID: m.PSID()},
		PlatformMessageID: m.MID, Parts: m.Parts, PartsSent: m.PartsSent, AcceptedAt: gatewayapi.At(m.AcceptedAt), SentAt: gatewayapi.At(m.SentAt),
		DeliveredAt: gatewayapi.At(m.DeliveredAt), ReadAt: gatewayapi.At(m.ReadAt), Late: m.Late, Resent: m.Resent, Failure: m.Error, Origin: m.Origin.Dialect,
	}
	if in, _, err := m.Content(); err == nil {
		d.Metadata = in.Metadata
		d.To.PhoneNumber, d.To.Email = in.To.PhoneNumber, in.To.Email
	}
	e := &Event{Application: m.Application, Person: m.Person, Type: kind, Data: data(d)}
	if !m.MarkAt.IsZero() {
		e.EntryTime = m.MarkAt.UnixMilli()
	}
	if cause != nil {
		e.PageID, e.Raw = cause.PageID, cause.Raw
	}
	return e
}

// LateEvent makes the fact that a receipt came for a step that the message had left.
func LateEvent(kind EventType, m *Message, step int, cause *Event) *Event {
	own := *m
	s := m.Steps[step]
	own.Step, own.Late, own.Error, own.MID, own.MarkAt = step, true, nil, s.Ref, s.MarkAt
	own.SentAt, own.DeliveredAt, own.ReadAt = s.SentAt, s.DeliveredAt, s.ReadAt
	return MessageEvent(kind, &own, cause)
}
