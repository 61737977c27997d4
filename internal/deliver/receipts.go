package deliver

import (
	"context"
	"fmt"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/outcome"
	"github.com/chasqui/chasqui/internal/store"
)

// handleReceipts takes from the log what the platform says about our messages: echoes, deliveries,
// reads; and the facts that messages were sent, to which receipts may have come first.
func (d *Deliverer) handleReceipts(ctx context.Context, events []*gateway.Event) (func(*store.Tx) error, error) {
	var steps []func(*store.Tx) error
	moved := map[gateway.Lane]bool{} // conversations whose watermarks these events move
	for _, e := range events {
		if e.Application == "" || e.Person == "" {
			continue
		}
		switch e.Type {
		case gateway.EventMessageEcho:
			steps = appendStep(steps, d.echoStep(e))
		case gateway.EventPlatformDelivery, gateway.EventPlatformRead:
			moved[e.Lane()] = true
			d.marks.forget(e.Lane())
			steps = appendStep(steps, d.receiptStep(e))
		case gateway.EventMessageSent:
			covered := moved[e.Lane()]
			if !covered {
				var err error
				if covered, err = d.marks.cover(ctx, d.o.Store, e); err != nil {
					return nil, err
				}
			}
			if covered {
				steps = append(steps, d.sentStep(e))
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
			d.lanes.Wake(e.Lane())
		}
	}
}

// echoStep takes an echo of ours: it proves that a part was sent, and gives the time that
// watermarks are compared with.
func (d *Deliverer) echoStep(e *gateway.Event) func(*store.Tx) error {
	event := e.Parse()
	if event.Message == nil {
		return nil
	}
	tag, ours := gateway.ParseTag(event.Message.Metadata)
	if !ours {
		return nil
	}
	echo := outcome.Echo{Step: tag.Step, Part: tag.Part, MID: string(event.Message.MID), At: event.Timestamp, Cause: e}
	return func(tx *store.Tx) error {
		for range 5 { // another node may change the row between the two statements
			m, err := tx.Message(tag.MessageID)
			if gateway.CodeOf(err) == gateway.CodeNotFound {
				return nil // of another gateway, or gone with its age
			}
			if err != nil || m.Application != e.Application {
				return err
			}
			of := outcome.Decide(m, echo, tx.Now(), d.rules)
			applied := true
			switch {
			case of.Late:
				return recordOutside(tx, of)
			case of.Changed:
				applied, err = tx.Echo(of.Message, of.From, of.Parts)
			}
			if err != nil {
				return err
			}
			if applied {
				appendEvents(tx, of)
				return nil
			}
		}
		return fmt.Errorf("message %s changes faster than its echo can be noted", tag.MessageID)
	}
}

// receiptStep takes a delivery or read receipt: its watermark covers every message sent before.
func (d *Deliverer) receiptStep(e *gateway.Event) func(*store.Tx) error {
	event := e.Parse()
	came := outcome.Marks{Cause: e}
	switch {
	case event.Delivery != nil:
		came.Delivered = int64(event.Delivery.Watermark)
		for _, mid := range event.Delivery.MIDs {
			came.MIDs = append(came.MIDs, string(mid))
		}
	case event.Read != nil:
		came.Read = int64(event.Read.Watermark)
	}
	moved := came.Read > 0
	return func(tx *store.Tx) error {
		marks, err := tx.Marks(e.Lane())
		if err != nil {
			return err
		}
		before := marks
		marks.Delivered, marks.Read = max(marks.Delivered, came.Delivered), max(marks.Read, came.Read)
		if marks != before {
			if err := tx.SetMarks(e.Lane(), marks); err != nil {
				return err
			}
		}
		all := came
		all.Delivered, all.Read = marks.Delivered, marks.Read
		if err := d.applyLate(tx, e.Lane(), outcome.LateMarks(all)); err != nil {
			return err
		}
		return d.applyMarks(tx, e.Lane(), marks, all, moved)
	}
}

// sentStep applies receipts that came before the answer was recorded.
func (d *Deliverer) sentStep(e *gateway.Event) func(*store.Tx) error {
	return func(tx *store.Tx) error {
		marks, err := tx.Marks(e.Lane())
		if err != nil || e.EntryTime > marks.Delivered && e.EntryTime > marks.Read {
			return err
		}
		return d.applyMarks(tx, e.Lane(), marks, outcome.Marks{Delivered: marks.Delivered, Read: marks.Read}, false)
	}
}

// applyLate applies watermarks to the steps on Messenger that messages of the conversation have
// left.
func (d *Deliverer) applyLate(tx *store.Tx, lane gateway.Lane, came outcome.LateMarks) error {
	messages, err := tx.LateWaiting(lane, max(came.Delivered, came.Read))
	if err != nil {
		return err
	}
	for _, m := range messages {
		if err := recordOutside(tx, outcome.Decide(m, came, tx.Now(), d.rules)); err != nil {
			return err
		}
	}
	return nil
}

// applyMarks marks the messages of a conversation that its watermarks cover. read says that the
// read mark has moved: what was delivered before had its turn when it last did.
func (d *Deliverer) applyMarks(tx *store.Tx, lane gateway.Lane, marks store.Marks, came outcome.Marks, read bool) error {
	waiting, err := tx.Awaiting(lane, marks.ReadSeq, read)
	if err != nil {
		return err
	}
	for _, m := range waiting {
		of := outcome.Decide(m, came, tx.Now(), d.rules)
		if !of.Changed {
			continue
		}
		applied, err := tx.Receive(of.Message, of.From)
		if err != nil {
			return err
		}
		if applied {
			appendEvents(tx, of)
		}
	}
	if !read {
		return nil
	}
	return moveReadSeq(tx, lane, marks)
}

// moveReadSeq notes up to where every message of the conversation has come to its end, so that the
// next receipt need not look at them again.
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
