package comapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/chasqui/chasqui/internal/gateway"
)

// MaxBatch is how many messages one batch may hold.
const MaxBatch = 5000

// send answers 201 with the whole message, also when no rule could be taken: then the message is
// failed.
func (f *Face) send(q *request) error {
	body, err := q.Body()
	if err != nil {
		return err
	}
	message, asked, err := q.plan(q.Context(), body)
	if err != nil {
		return err
	}
	shown, err := join(message, asked) // as it is accepted, whatever becomes of it meanwhile
	if err != nil {
		return err
	}
	if err := q.f.o.Messages.Accept(q.Context(), message); err != nil {
		return err
	}
	return q.ReplyBody(http.StatusCreated, shown)
}

// batched is one entry of the answer to a batch.
type batched struct {
	Index     int    `json:"index"`
	MessageID string `json:"messageId"`
}

// sendBatch accepts all messages of a batch in one commit, or none when any is wrong.
func (f *Face) sendBatch(q *request) error {
	body, err := q.Body()
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
	messages, answer := make([]*gateway.Message, len(batch)), make([]batched, len(batch))
	for i, raw := range batch {
		if messages[i], _, err = q.plan(q.Context(), raw); err != nil {
			return within(i, err)
		}
		answer[i] = batched{i, messages[i].ID}
	}
	if err := q.f.o.Messages.Accept(q.Context(), messages...); err != nil {
		return err
	}
	return q.Reply(http.StatusAccepted, answer)
}

// within places an error below the message of a batch that it is about.
func within(i int, err error) error {
	var e *gateway.Error
	if !errors.As(err, &e) {
		return err
	}
	return e.Under(fmt.Sprintf("[%d]", i))
}

// message returns a message of the api space, whichever API it came by.
func (f *Face) message(q *request) error {
	m, err := q.ownMessage()
	if err != nil {
		return err
	}
	shown, err := show(m)
	if err != nil {
		return err
	}
	return q.ReplyBody(http.StatusOK, shown)
}

// ownMessage is the message of the path, if it is one of the api space.
func (q *request) ownMessage() (*gateway.Message, error) {
	m, err := q.f.o.Messages.Get(q.Context(), q.Key, q.PathValue("id"))
	if err == nil && m.Application != q.space.Key {
		return nil, gateway.NotFound("message", m.ID)
	}
	return m, err
}
