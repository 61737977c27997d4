package comapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
)

// MaxBatch is how many messages one batch may hold.
const MaxBatch = 5000

// send answers 201 with the whole message, also when no rule could be taken: then the message is failed.
func (f *Face) send(q *request) error {
	body, err := q.body()
	if err != nil {
		return err
	}
	out, err := q.plan(q.Context(), body)
	if err != nil {
		return err
	}
	message, err := q.acceptOne(out)
	if err != nil {
		return err
	}
	shown, err := shownAs(message, out.origin)
	if err != nil {
		return err
	}
	return q.reply(http.StatusCreated, shown)
}

// batched is one entry of the answer to a batch.
type batched struct {
	Index     int    `json:"index"`
	MessageID string `json:"messageId"`
}

// sendBatch accepts all messages of a batch in one commit, or none when any is wrong.
func (f *Face) sendBatch(q *request) error {
	body, err := q.body()
	if err != nil {
		return err
	}
	var batch []json.RawMessage
	if err := decode(body, &batch); err != nil {
		return err
	}
	if len(batch) == 0 || len(batch) > MaxBatch {
		return gateway.Invalid("", "a batch holds 1 to %d messages; this has %d", MaxBatch, len(batch))
	}
	outs, answer := make([]*outgoing, len(batch)), make([]batched, len(batch))
	for i, raw := range batch {
		if outs[i], err = q.plan(q.Context(), raw); err != nil {
			return within(i, err)
		}
		answer[i] = batched{i, outs[i].message.ID}
	}
	if err := q.accept(outs...); err != nil {
		return err
	}
	return q.reply(http.StatusAccepted, answer)
}

// within places an error below the message of a batch that it is about.
func within(i int, err error) error {
	var e *gateway.Error
	if !errors.As(err, &e) {
		return err
	}
	return e.Under(fmt.Sprintf("[%d]", i))
}

// acceptOne stores a message and lets it go at once if nothing is in its way. It answers it as it was accepted.
func (q *request) acceptOne(out *outgoing) (*gateway.Message, error) {
	sender := q.f.o.Messages.Sender
	if out.failure != nil || sender == nil {
		return out.message, q.accept(out)
	}
	out.message.Request = keep(out.message.Request, out.origin)
	if !sender.Reserve(out.message) {
		return out.message, q.store(q.Context(), out.message)
	}
	answer := *out.message
	// A caller who goes away must not leave it open whether the message was accepted.
	if err := q.store(context.WithoutCancel(q.Context()), out.message); err != nil {
		sender.Release(out.message)
		return nil, err
	}
	sender.Go(out.message)
	return &answer, nil
}

// store commits messages to the outbox and counts them.
func (q *request) store(ctx context.Context, messages ...*gateway.Message) error {
	if _, err := q.f.o.Store.Accept(ctx, messages, nil); err != nil {
		return err
	}
	if count := q.f.o.Messages.Counted; count != nil {
		for _, m := range messages {
			count(m.Application)
		}
	}
	return nil
}

// accept stores messages in one commit. Those that fail at once are stored in their end state before it is said why.
func (q *request) accept(outs ...*outgoing) error {
	messages := make([]*gateway.Message, len(outs))
	var failed []*store.Result
	for i, o := range outs {
		o.message.Request = keep(o.message.Request, o.origin)
		messages[i] = o.message
		if o.failure != nil {
			o.message.Error, o.message.EndedAt = o.failure, o.message.AcceptedAt
			failed = append(failed, &store.Result{Message: o.message, From: gateway.StatusFailed, Events: []*gateway.Event{failedEvent(o)}})
		}
	}
	if err := q.store(q.Context(), messages...); err != nil || len(failed) == 0 {
		return err
	}
	return q.f.o.Store.Record(q.Context(), failed...)
}

// failedEvent is the message.failed of a message that never was on its way, as docs/events.md has it.
func failedEvent(o *outgoing) *gateway.Event {
	m := o.message
	data := map[string]any{
		"messageId": m.ID, "status": m.Status, "channel": gateway.ChannelMessenger, "parts": m.Parts, "partsSent": 0, "acceptedAt": gateway.FormatTime(m.AcceptedAt),
		"error": o.failure, "to": gateway.To{ProfileID: m.ProfileID, FBMessengerID: m.Person},
	}
	if in, _, err := m.Content(); err == nil && in.Metadata != nil {
		data["metadata"] = in.Metadata
	}
	return &gateway.Event{Application: m.Application, Person: m.Person, Type: gateway.EventMessageFailed, Data: encode(data)}
}

// keep adds what was asked to the stored request, under a name that the core passes over.
func keep(request json.RawMessage, o origin) json.RawMessage {
	var b bytes.Buffer
	b.Write(request[:len(request)-1])
	b.WriteString(`,"comapi":`)
	if len(o.Skipped) == 0 && o.Note == "" { // as most are, so that what was asked is not encoded again
		b.WriteString(`{"request":`)
		b.Write(o.Request)
		b.WriteByte('}')
	} else {
		b.Write(encode(o))
	}
	b.WriteByte('}')
	return b.Bytes()
}

// message answers a message of the api space, whichever API it came by.
func (f *Face) message(q *request) error {
	m, err := f.o.Messages.Get(q.Context(), q.key, q.PathValue("id"))
	if err != nil {
		return err
	}
	if m.Application != q.space.Key {
		return gateway.NotFound("message", m.ID)
	}
	shown, err := show(m)
	if err != nil {
		return err
	}
	return q.reply(http.StatusOK, shown)
}
