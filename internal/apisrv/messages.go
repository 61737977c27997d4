package apisrv

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/service"
)

// Kinds of cursors.
const (
	cursorMessages = 'm'
	cursorProfiles = 'p'
)

// sendInput is a message to be sent, with its bytes, by which a repeat is told.
type sendInput struct {
	message gateway.MessageInput
	body    []byte
}

func (in *sendInput) read(q *request) (err error) {
	if in.body, err = q.Body(); err != nil {
		return err
	}
	return decode(in.body, &in.message)
}

// message is one as the API shows it. A fresh one was accepted just now.
type message struct {
	of    *gateway.Message
	fresh bool
}

func (m *message) encode() ([]byte, error) {
	if m.fresh {
		if b := queued(m.of); b != nil {
			return b, nil
		}
	}
	out, err := wireMessage(m.of)
	if err != nil {
		return nil, err
	}
	return json.Marshal(out)
}

func (s *server) sendMessage(q *request, in *sendInput) (*message, error) {
	accepted, err := s.o.Messages.Send(q.Context(), q.Key, &in.message, q.Header.Get("Idempotency-Key"), in.body)
	if err != nil {
		return nil, err
	}
	q.W.Header().Set("Location", "/v1/messages/"+accepted.Message.ID)
	if accepted.Replayed {
		q.W.Header().Set("Idempotent-Replayed", "true")
	}
	return &message{accepted.Message, !accepted.Replayed}, nil
}

// checkMessage is the dry run of sendMessage.
func (s *server) checkMessage(q *request, in *gateway.MessageInput) (*gatewayapi.PolicyAnswer, error) {
	m, a, err := s.o.Messages.Check(q.Context(), q.Key, in)
	if err != nil {
		return nil, err
	}
	return &gatewayapi.PolicyAnswer{
		Allowed: a.Allowed, Code: a.Code, Field: a.Field, Message: a.Message, AllowedUntil: gatewayapi.At(a.Until), WouldBeAllowed: orEmpty(a.Would),
		MessagingType: a.SendAs.MessagingType, MessageTag: a.SendAs.MessageTag, Steps: wireSteps(m),
	}, nil
}

// batchInput is a list of messages to be sent, each to be read by itself, with its bytes.
type batchInput struct {
	Messages []json.RawMessage `json:"messages"`
	body     []byte
}

func (in *batchInput) read(q *request) (err error) {
	if in.body, err = q.Body(); err != nil {
		return err
	}
	return decode(in.body, in)
}

// sendBatch gives each message a verdict of its own: one that does not decode is refused alone.
func (s *server) sendBatch(q *request, batch *batchInput) (_ *gatewayapi.SendBatchResult, err error) {
	inputs := make([]gateway.MessageInput, 0, len(batch.Messages))
	results := make([]gatewayapi.BatchVerdict, len(batch.Messages))
	var places []int // of the inputs in the batch
	for i, raw := range batch.Messages {
		results[i].Index = i
		var in gateway.MessageInput
		if err := decode(raw, &in); err != nil {
			results[i].Error = verdictError(err, i)
			continue
		}
		inputs, places = append(inputs, in), append(places, i)
	}
	replayed := false
	if len(inputs) > 0 || len(batch.Messages) == 0 {
		if replayed, err = s.acceptBatch(q, inputs, places, batch.body, results); err != nil {
			return nil, err
		}
	}
	if replayed {
		q.W.Header().Set("Idempotent-Replayed", "true")
	}
	result := gatewayapi.SendBatchResult{Results: results}
	for _, r := range results {
		if r.Message != nil {
			result.Accepted++
		}
	}
	result.Refused = len(results) - result.Accepted
	return &result, nil
}

func (s *server) acceptBatch(q *request, inputs []gateway.MessageInput, places []int, body []byte, results []gatewayapi.BatchVerdict) (bool, error) {
	verdicts, replayed, err := s.o.Messages.SendBatch(q.Context(), q.Key, inputs, q.Header.Get("Idempotency-Key"), body)
	if err != nil {
		return false, err
	}
	for i, v := range verdicts {
		at := places[i]
		if v.Err != nil {
			results[at].Error = verdictError(v.Err, at)
			continue
		}
		if results[at].Message, err = wireMessage(v.Message); err != nil {
			return false, err
		}
	}
	return replayed, nil
}

// verdictError is why the message at a place of a batch was refused; its field is told within the
// message itself, below messages[i].
func verdictError(err error, place int) *gatewayapi.Error {
	var e *gateway.Error
	if !errors.As(err, &e) {
		e = gateway.Errorf(gateway.CodeInternal, "internal error")
	}
	return shownError(e.WithField(inBatch(e.Field, place)), "")
}

func inBatch(field string, place int) string {
	prefix := fmt.Sprintf("messages[%d]", place)
	// The use case names the place among what it was given; only what follows it counts.
	if i := slices.Index([]byte(field), ']'); len(field) > 9 && field[:9] == "messages[" && i > 0 {
		return prefix + field[i+1:]
	}
	if field == "" {
		return prefix
	}
	return prefix + "." + field
}

func (s *server) getMessage(q *request) (*message, error) {
	m, err := s.o.Messages.Get(q.Context(), q.Key, q.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return &message{of: m}, nil
}

func (s *server) releaseMessage(q *request) (*message, error) {
	m, err := s.o.Messages.Release(q.Context(), q.Key, q.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return &message{of: m}, nil
}

func (s *server) cancelMessage(q *request) (*message, error) {
	m, err := s.o.Messages.Cancel(q.Context(), q.Key, q.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return &message{of: m}, nil
}

func listMessagesParams() []param {
	return append(pageParams(), list("application", "Keys of applications."), text("fbMessengerId", "Id of a person."),
		text("profileId", "Id of a profile."), choice("status", "State of the messages.", words(gateway.Statuses())...))
}

func (s *server) listMessages(q *request) (*gatewayapi.MessagePage, error) {
	if err := q.known(listMessagesParams()); err != nil {
		return nil, err
	}
	limit, err := q.limit(pageSize, maxPageSize)
	if err != nil {
		return nil, err
	}
	query := q.URL.Query()
	f := service.MessageFilter{
		Applications: q.list("application"), Person: query.Get("fbMessengerId"), ProfileID: query.Get("profileId"),
		Status: gateway.Status(query.Get("status")), Limit: limit + 1,
	}
	if f.Status != "" && !slices.Contains(gateway.Statuses(), f.Status) {
		return nil, gateway.Invalid("status", "%q is not a state of a message", f.Status)
	}
	if f.Before, err = parsePosition("cursor", cursorMessages, query.Get("cursor")); err != nil {
		return nil, err
	}
	messages, err := s.o.Messages.List(q.Context(), q.Key, f)
	if err != nil {
		return nil, err
	}
	page := gatewayapi.MessagePage{Messages: []gatewayapi.Message{}}
	if len(messages) > limit {
		messages = messages[:limit]
		page.Cursor = positionCursor(cursorMessages, messages[limit-1].Seq)
	}
	for _, m := range messages {
		out, err := wireMessage(m)
		if err != nil {
			return nil, err
		}
		page.Messages = append(page.Messages, *out)
	}
	return &page, nil
}
