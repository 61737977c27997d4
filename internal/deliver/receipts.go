package deliver

import (
	"context"
	"fmt"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
	"github.com/chasqui/chasqui/messenger"
)

// handleReceipts takes from the log what the platform says about our messages: echoes, deliveries, reads; and the facts that messages were sent, to which
// receipts may have come first.
func (d *Deliverer) handleReceipts(ctx context.Context, events []*gateway.Event) (func(*store.Tx) error, error) {
	var steps []func(*store.Tx) error
	moved := map[gateway.Lane]bool{} // conversations whose watermarks these events move
	for _, e := range events {
		if e.Application == "" || e.Person == "" {
			continue
		}
		switch e.Type {
		case gateway.EventMessageEcho:
			steps = appendStep(steps, echoStep(e))
		case gateway.EventPlatformDelivery, gateway.EventPlatformRead:
			moved[e.Lane()] = true
			d.marks.forget(e.Lane())
			steps = appendStep(steps, receiptStep(e))
		case gateway.EventMessageSent:
			covered := moved[e.Lane()]
			if !covered {
				var err error
				if covered, err = d.marks.cover(ctx, d.o.Store, e); err != nil {
					return nil, err
				}
			}
			if covered {
				steps = append(steps, sentStep(e))
			}
		}
	}
	if len(steps) == 0 {
		return nil, nil
	}
	return func(tx *store.Tx) error {
		for _, step := range steps {
			if err := step(tx); err != nil {
				return err
			}
		}
		return nil
	}, nil
}

func appendStep(steps []func(*store.Tx) error, step func(*store.Tx) error) []func(*store.Tx) error {
	if step == nil {
		return steps
	}
	return append(steps, step)
}

// afterReceipts wakes the lanes for whose messages an echo has come.
func (d *Deliverer) afterReceipts(events []*gateway.Event) {
	for _, e := range events {
		if e.Type == gateway.EventMessageEcho && e.Person != "" {
			d.prove(e.Lane())
		}
	}
}

// echoStep takes an echo of ours: it proves that a part was sent, and gives the time that watermarks are compared with.
func echoStep(e *gateway.Event) func(*store.Tx) error {
	event := e.Parse()
	if event.Message == nil {
		return nil
	}
	tag, ours := gateway.ParseTag(event.Message.Metadata)
	if !ours {
		return nil
	}
	part := tag.Part
	return func(tx *store.Tx) error {
		for range 5 { // another node may change the row between the two statements
			m, err := tx.Message(tag.MessageID)
			if gateway.CodeOf(err) == gateway.CodeNotFound {
				return nil // of another gateway, or gone with its age
			}
			if err != nil || m.Application != e.Application {
				return err
			}
			if len(m.Steps) > 0 && (tag.Step != m.Step || m.Status == gateway.StatusFailed || m.Status == gateway.StatusExpired) {
				return lateEcho(tx, m, tag, event, e)
			}
			if part > m.Parts {
				return nil
			}
			if applied, err := takeEcho(tx, m, part, event); err != nil || applied {
				return err
			}
		}
		return fmt.Errorf("message %s changes faster than its echo can be noted", tag.MessageID)
	}
}

// takeEcho notes that a part of a message was sent; false when the row has changed since it was read.
func takeEcho(tx *store.Tx, m *gateway.Message, part int, event messenger.Event) (bool, error) {
	from, sent := m.Status, m.PartsSent
	m.Echoed |= 1 << (part - 1)
	if part >= m.PartsSent {
		m.MID, m.MarkAt = string(event.Message.MID), event.Timestamp
	}
	var fact *gateway.Event
	if allEchoed(m) {
		fact = proveSent(m, tx.Now())
	}
	applied, err := tx.Echo(m, from, sent)
	if err == nil && applied && fact != nil {
		tx.AppendEvent(fact)
	}
	return applied, err
}

// allEchoed reports whether the echo of every part is there that was not known to be sent.
func allEchoed(m *gateway.Message) bool {
	missing := int64(1)<<m.Parts - int64(1)<<m.PartsSent
	return m.Echoed&missing == missing
}

// proveSent makes a message sent whose last part is proven, if it was uncertain or had been given up as such. It answers the fact that follows.
func proveSent(m *gateway.Message, now time.Time) *gateway.Event {
	switch {
	case m.Status == gateway.StatusUncertain:
	case m.Status == gateway.StatusFailed && m.Error != nil && m.Error.Code == gateway.FailureUnknownOutcome:
		m.Late = true
	default:
		return nil
	}
	m.Error, m.EndedAt, m.PartsSent = nil, time.Time{}, m.Parts-1
	return settle(m, now).Events[0]
}

// receiptStep takes a delivery or read receipt: its watermark covers every message sent before.
func receiptStep(e *gateway.Event) func(*store.Tx) error {
	event := e.Parse()
	var r receipt
	switch {
	case event.Delivery != nil:
		r.delivered = int64(event.Delivery.Watermark)
		for _, mid := range event.Delivery.MIDs {
			r.mids = append(r.mids, string(mid))
		}
	case event.Read != nil:
		r.read = int64(event.Read.Watermark)
	}
	r.cause = e
	return func(tx *store.Tx) error {
		marks, err := tx.Marks(e.Lane())
		if err != nil {
			return err
		}
		before := marks
		marks.Delivered, marks.Read = max(marks.Delivered, r.delivered), max(marks.Read, r.read)
		if marks != before {
			if err := tx.SetMarks(e.Lane(), marks); err != nil {
				return err
			}
		}
		if err := lateMarks(tx, e.Lane(), marks, e); err != nil {
			return err
		}
		return applyMarks(tx, e.Lane(), marks, r)
	}
}

// sentStep applies receipts that came before the answer was recorded.
func sentStep(e *gateway.Event) func(*store.Tx) error {
	return func(tx *store.Tx) error {
		marks, err := tx.Marks(e.Lane())
		if err != nil || e.EntryTime > marks.Delivered && e.EntryTime > marks.Read {
			return err
		}
		return applyMarks(tx, e.Lane(), marks, receipt{})
	}
}

// receipt is what one event of the platform says: watermarks in milliseconds, and perhaps the ids of what was delivered.
type receipt struct {
	delivered, read int64
	mids            []string
	cause           *gateway.Event
}

// applyMarks marks the messages of a conversation that its watermarks cover.
func applyMarks(tx *store.Tx, lane gateway.Lane, marks store.Marks, r receipt) error {
	// What was delivered before had its turn when the read mark last moved; only an echo may have told since that it was sent before that mark.
	echo := r.cause != nil && r.cause.Type == gateway.EventMessageEcho
	waiting, err := tx.Awaiting(lane, marks.ReadSeq, r.read > 0 || echo && marks.Read > 0)
	if err != nil {
		return err
	}
	for _, m := range waiting {
		mark := m.MarkAt.UnixMilli()
		read := marks.Read > 0 && mark <= marks.Read
		delivered := read || marks.Delivered > 0 && mark <= marks.Delivered || named(m.MID, r.mids)
		if delivered && m.Status == gateway.StatusSent {
			if err := receive(tx, m, gateway.StatusDelivered, r.cause); err != nil {
				return err
			}
		}
		if read {
			if err := receive(tx, m, gateway.StatusRead, r.cause); err != nil {
				return err
			}
		}
	}
	if r.read == 0 {
		return nil
	}
	return moveReadSeq(tx, lane, marks)
}

func named(mid string, mids []string) bool {
	for _, m := range mids {
		if m == mid && m != "" {
			return true
		}
	}
	return false
}

func receive(tx *store.Tx, m *gateway.Message, to gateway.Status, cause *gateway.Event) error {
	from := m.Status
	kind := gateway.EventMessageDelivered
	m.Status = to
	if to == gateway.StatusDelivered {
		m.DeliveredAt = tx.Now().UTC()
	} else {
		m.ReadAt, m.EndedAt = tx.Now().UTC(), tx.Now().UTC()
		kind = gateway.EventMessageRead
	}
	m.Progress(tx.Now())
	applied, err := tx.Receive(m, from)
	if err != nil || !applied {
		return err
	}
	tx.AppendEvent(gateway.MessageEvent(kind, m, cause))
	return nil
}

// moveReadSeq notes up to where every message of the conversation has come to its end, so that the next receipt need not look at them again.
func moveReadSeq(tx *store.Tx, lane gateway.Lane, marks store.Marks) error {
	first, err := tx.FirstUnfinished(lane, marks.ReadSeq)
	if err != nil {
		return err
	}
	seq := first - 1
	if first == 0 {
		if seq, err = tx.LastSeq(lane); err != nil {
			return err
		}
	}
	if seq <= marks.ReadSeq {
		return nil
	}
	marks.ReadSeq = seq
	return tx.SetMarks(lane, marks)
}
