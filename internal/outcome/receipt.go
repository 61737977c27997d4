package outcome

import (
	"slices"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
)

// Echo is the platform's echo of a part: it proves that the part was sent.
type Echo struct {
	Step  int // that it was sent at
	Part  int // from 1
	MID   string
	At    time.Time
	Cause *gateway.Event
}

func (e Echo) decide(_ Rules, d *Decision, now time.Time) {
	m := d.Message
	over := m.Status == gateway.StatusFailed || m.Status == gateway.StatusExpired
	switch {
	case len(m.Steps) > 0 && (e.Step != m.Step || over):
		e.late(d, now)
		return
	case e.Part > m.Parts:
		return
	}
	d.Changed = true
	m.Echoed |= 1 << (e.Part - 1)
	if e.Part >= m.PartsSent {
		m.MID, m.MarkAt = e.MID, e.At
	}
	missing := int64(1)<<m.Parts - int64(1)<<m.PartsSent // the parts not known to be sent
	if m.Echoed&missing != missing {
		return
	}
	switch {
	case m.Status == gateway.StatusUncertain:
	case m.Status == gateway.StatusFailed && m.Error != nil && m.Error.Code == gateway.FailureUnknownOutcome:
		m.Late = true
	default:
		return
	}
	m.Error, m.EndedAt, m.PartsSent = nil, time.Time{}, m.Parts-1
	d.prove(now)
}

// late takes an echo of a step that the message has left.
func (e Echo) late(d *Decision, now time.Time) {
	m := d.Message
	if e.Step >= len(m.Steps) || !expectsReceipts(&m.Steps[e.Step]) {
		return
	}
	m.Steps[e.Step].Ref, m.Steps[e.Step].MarkAt = e.MID, e.At
	d.late(e.Step, gateway.StatusSent, gateway.EventMessageSent, now, e.Cause)
}

// expectsReceipts reports whether a step is one of Messenger that was left after it was tried.
func expectsReceipts(s *gateway.Step) bool {
	left := s.Outcome == gateway.StepPassed || s.Outcome == gateway.StepFailed
	return s.Rule.Channel == gateway.ChannelMessenger && left
}

// late notes a receipt for a step that was left, and the fact of it.
func (d *Decision) late(step int, status gateway.Status, kind gateway.EventType, now time.Time, cause *gateway.Event) {
	d.Late = true
	if !d.Message.ArriveLate(step, status, now) {
		return
	}
	d.Changed = true
	d.Events = append(d.Events, gateway.LateEvent(kind, d.Message, step, cause))
}

// Marks are the watermarks of a conversation on Messenger, in milliseconds: what was sent by then
// is delivered or read.
type Marks struct {
	Delivered, Read int64
	MIDs            []string // delivered too
	Cause           *gateway.Event
}

func (w Marks) decide(_ Rules, d *Decision, now time.Time) {
	m := d.Message
	mark := m.MarkAt.UnixMilli()
	read := w.Read > 0 && mark <= w.Read
	delivered := read || w.Delivered > 0 && mark <= w.Delivered || m.MID != "" && slices.Contains(w.MIDs, m.MID)
	if delivered && m.Status == gateway.StatusSent {
		m.DeliveredAt = now
		d.become(gateway.StatusDelivered)
		m.Progress(now)
		d.tell(gateway.EventMessageDelivered, w.Cause)
	}
	if read && m.Status == gateway.StatusDelivered {
		m.ReadAt, m.EndedAt = now, now
		d.become(gateway.StatusRead)
		m.Progress(now)
		d.tell(gateway.EventMessageRead, w.Cause)
	}
}

// LateMarks are watermarks for the steps on Messenger that the message has left.
type LateMarks Marks

func (w LateMarks) decide(_ Rules, d *Decision, now time.Time) {
	m := d.Message
	for i := range m.Steps {
		s := &m.Steps[i]
		if !expectsReceipts(s) || s.MarkAt.IsZero() {
			continue
		}
		switch mark := s.MarkAt.UnixMilli(); {
		case mark <= w.Read:
			d.late(i, gateway.StatusRead, gateway.EventMessageRead, now, w.Cause)
		case mark <= w.Delivered:
			d.late(i, gateway.StatusDelivered, gateway.EventMessageDelivered, now, w.Cause)
		}
	}
}

// Report is what a provider says of a message that it took.
type Report struct{ gateway.ChannelReport }

func (r Report) decide(_ Rules, d *Decision, now time.Time) {
	m := d.Message
	over := m.Status == gateway.StatusFailed || m.Status == gateway.StatusExpired || m.Status == gateway.StatusCanceled
	switch {
	case r.Step != m.Step || over:
		r.late(d, now)
	case m.Status == gateway.StatusSending:
		d.Next = Later
	case m.Status == gateway.StatusQueued || m.Status == gateway.StatusHeld: // nothing of it was taken
	case r.Status == gateway.StatusFailed:
		r.failed(d, now)
	default:
		r.progress(d, now)
	}
}

func (r Report) late(d *Decision, now time.Time) {
	switch r.Status {
	case gateway.StatusSent:
		d.late(r.Step, r.Status, gateway.EventMessageSent, now, nil)
	case gateway.StatusDelivered:
		d.late(r.Step, r.Status, gateway.EventMessageDelivered, now, nil)
	case gateway.StatusRead:
		d.late(r.Step, r.Status, gateway.EventMessageRead, now, nil)
	}
}

// failed takes the news that a provider failed with what it had taken. A step that had not reached
// its goal is due to be left now; a message that had is failed.
func (r Report) failed(d *Decision, now time.Time) {
	m := d.Message
	if m.Status != gateway.StatusSent && m.Status != gateway.StatusUncertain {
		return // it was delivered before: that stands
	}
	why := r.Failure
	if why == nil {
		why = &gateway.Failure{Code: gateway.FailureProviderRefused, Message: "the provider reported that it failed, and not why"}
	}
	d.Changed = true
	s := m.Current()
	s.Why = why
	if s.Outcome == gateway.StepActive {
		m.StepDue = now
		return
	}
	s.Outcome = gateway.StepFailed
	m.Error, m.EndedAt, m.StepDue = why, now, time.Time{}
	d.become(gateway.StatusFailed)
	d.tell(gateway.EventMessageFailed, nil)
}

// progress takes the news that a message has come further.
func (r Report) progress(d *Decision, now time.Time) {
	m := d.Message
	s := m.Current()
	set := func(t *time.Time) {
		if t.IsZero() {
			*t = now
		}
	}
	var kinds []gateway.EventType
	d.Changed = true
	if m.Status == gateway.StatusUncertain {
		m.Status, m.PartsSent = gateway.StatusSent, m.Parts
		set(&m.SentAt)
		kinds = append(kinds, gateway.EventMessageSent)
	}
	set(&s.SentAt)
	if r.Ref != "" {
		m.MID = r.Ref
	}
	if (r.Status == gateway.StatusDelivered || r.Status == gateway.StatusRead) && m.DeliveredAt.IsZero() {
		m.Status, m.DeliveredAt = gateway.StatusDelivered, now
		kinds = append(kinds, gateway.EventMessageDelivered)
	}
	if r.Status == gateway.StatusRead && m.ReadAt.IsZero() {
		m.Status, m.ReadAt, m.EndedAt = gateway.StatusRead, now, now
		kinds = append(kinds, gateway.EventMessageRead)
	}
	m.Progress(now)
	for _, kind := range kinds {
		d.tell(kind, nil)
	}
}
