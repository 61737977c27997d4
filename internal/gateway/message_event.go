package gateway

import (
	"encoding/json"
	"time"
)

// messageData is the `data` of every message.* event about a message of ours.
type messageData struct {
	MessageID         string          `json:"messageId"`
	Status            Status          `json:"status"`
	Channel           string          `json:"channel"`
	To                messageTo       `json:"to"`
	PlatformMessageID string          `json:"platformMessageId,omitempty"`
	Parts             int             `json:"parts"`
	PartsSent         int             `json:"partsSent"`
	AcceptedAt        string          `json:"acceptedAt"`
	SentAt            string          `json:"sentAt,omitempty"`
	DeliveredAt       string          `json:"deliveredAt,omitempty"`
	ReadAt            string          `json:"readAt,omitempty"`
	Step              int             `json:"step,omitempty"`  // from 0, of a message over several channels
	Steps             []stepData      `json:"steps,omitempty"` // of a message over several channels, those that came to something
	Late              bool            `json:"late,omitempty"`
	Resent            bool            `json:"resent,omitempty"`
	Error             *Failure        `json:"error,omitempty"`
	Metadata          json.RawMessage `json:"metadata,omitempty"`
}

// stepData is what has come of one step so far.
type stepData struct {
	Channel     string   `json:"channel"`
	Outcome     Outcome  `json:"outcome"`
	Ref         string   `json:"ref,omitempty"`
	Error       *Failure `json:"error,omitempty"`
	EndedAt     string   `json:"endedAt,omitempty"`
	DeliveredAt string   `json:"deliveredAt,omitempty"`
	ReadAt      string   `json:"readAt,omitempty"`
}

func stepsData(steps []Step) []stepData {
	if len(steps) < 2 {
		return nil
	}
	var all []stepData
	for i := range steps {
		if s := &steps[i]; s.Outcome != StepPending && s.Outcome != StepUnused {
			all = append(all, stepData{s.Rule.Channel, s.Outcome, s.Ref, s.Why, FormatTime(s.EndedAt), FormatTime(s.DeliveredAt), FormatTime(s.ReadAt)})
		}
	}
	return all
}

// step is the part of the step that the data tells of.
func (d *stepData) step() *Step {
	at := func(text string) time.Time {
		t, err := time.Parse(TimeFormat, text)
		if err != nil {
			return time.Time{}
		}
		return t
	}
	return &Step{Rule: Rule{Channel: d.Channel}, Outcome: d.Outcome, Ref: d.Ref, Why: d.Error, EndedAt: at(d.EndedAt), DeliveredAt: at(d.DeliveredAt), ReadAt: at(d.ReadAt)}
}

type messageTo struct {
	ProfileID     string `json:"profileId,omitempty"`
	FBMessengerID string `json:"fbMessengerId,omitempty"`
	PhoneNumber   string `json:"phoneNumber,omitempty"`
	Email         string `json:"email,omitempty"`
}

// MessageEvent makes the fact that something became of a message. Its EntryTime is the moment that watermarks are compared with, 0 on a channel that has none. cause is the
// event of the platform that told of it, nil if none did.
func MessageEvent(kind EventType, m *Message, cause *Event) *Event {
	d := messageData{
		MessageID: m.ID, Status: m.Status, Channel: m.Channel(), Step: m.Step, Steps: stepsData(m.Steps), To: messageTo{ProfileID: m.ProfileID, FBMessengerID: m.PSID()}, PlatformMessageID: m.MID,
		Parts: m.Parts, PartsSent: m.PartsSent, AcceptedAt: FormatTime(m.AcceptedAt), SentAt: FormatTime(m.SentAt),
		DeliveredAt: FormatTime(m.DeliveredAt), ReadAt: FormatTime(m.ReadAt), Late: m.Late, Resent: m.Resent, Error: m.Error,
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
