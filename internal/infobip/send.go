package infobip

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/infobip/wire"
)

// singleMessage is the body of /facebook/1/single, and one message of /facebook/1/multi.
type singleMessage struct {
	From           string            `json:"from"`
	ApplicationKey string            `json:"applicationKey"`
	To             json.RawMessage   `json:"to"`
	Destinations   []json.RawMessage `json:"destinations"`
	BulkID         string            `json:"bulkId"`
	notice
	content
}

// address is whom a message is for, as the caller named it.
type address struct {
	UserKey         string `json:"userKey"`
	FacebookUserKey string `json:"facebookUserKey"`
	PhoneNumber     string `json:"phoneNumber"`
	id              string // of the message, where the caller gives one
}

func (a address) key() string {
	if a.FacebookUserKey != "" {
		return a.FacebookUserKey
	}
	return a.UserKey
}

// shown is the address as answers and reports have it.
func (a address) shown() string {
	if key := a.key(); key != "" {
		return key
	}
	return a.PhoneNumber
}

// to is the address for the core: digits are a PSID, anything else the id of a profile, such as one
// that was imported under its old user key.
func (a address) to() gateway.To {
	to := gateway.To{PhoneNumber: a.PhoneNumber}
	if strings.Trim(a.key(), "0123456789") == "" {
		to.FBMessengerID = a.key()
	} else {
		to.ProfileID = a.key()
	}
	return to
}

// addresses reads whom a message is for: a user key, an object that names one, or a list of such.
func addresses(raw json.RawMessage) ([]address, error) {
	var one string
	var object address
	var list []json.RawMessage
	switch {
	case !given(raw):
		return nil, nil
	case json.Unmarshal(raw, &one) == nil:
		return []address{{UserKey: one}}, nil
	case json.Unmarshal(raw, &list) == nil:
		var all []address
		for _, item := range list {
			some, err := addresses(item)
			if err != nil {
				return nil, err
			}
			all = append(all, some...)
		}
		return all, nil
	}
	var nested struct {
		MessageID string          `json:"messageId"`
		To        json.RawMessage `json:"to"`
	}
	if json.Unmarshal(raw, &nested) == nil && given(nested.To) {
		all, err := addresses(nested.To)
		for i := range all {
			all[i].id = nested.MessageID
		}
		return all, err
	}
	if json.Unmarshal(raw, &object) != nil {
		return nil, gateway.Invalid("to", "must be a user key, or an object with userKey, facebookUserKey or phoneNumber")
	}
	return []address{object}, nil
}

// sendResult is the answer to a request to send.
type sendResult struct {
	BulkID   string       `json:"bulkId,omitempty"`
	Messages []sentResult `json:"messages"`
}

type sentResult struct {
	To           any         `json:"to"`
	Status       wire.Status `json:"status"`
	MessageCount int         `json:"messageCount,omitempty"`
	MessageID    string      `json:"messageId,omitempty"`
}

// outgoing is one message to one address on its way to the core.
type outgoing struct {
	input    gateway.MessageInput
	shownTo  any
	note     wire.Note
	rejected *wire.Status // why it does not go, known before the core was asked
}

func (s *Server) sendSingle(q *request) error {
	var in singleMessage
	if err := q.decode(&in); err != nil {
		return err
	}
	out, err := s.outgoing(&in)
	if err != nil {
		return err
	}
	return q.send(in.BulkID, out)
}

func (s *Server) sendMulti(q *request) error {
	var in struct {
		BulkID   string          `json:"bulkId"`
		Messages []singleMessage `json:"messages"`
	}
	if err := q.decode(&in); err != nil {
		return err
	}
	if len(in.Messages) == 0 {
		return gateway.Invalid("messages", "there is nothing to send")
	}
	var all []outgoing
	for i := range in.Messages {
		out, err := s.outgoing(&in.Messages[i])
		if err != nil {
			var e *gateway.Error
			if errors.As(err, &e) {
				err = e.Under(fmt.Sprintf("messages[%d]", i))
			}
			return err
		}
		all = append(all, out...)
	}
	return q.send(in.BulkID, all)
}

// outgoing makes a message for each of its addresses.
func (s *Server) outgoing(m *singleMessage) ([]outgoing, error) {
	var to []address
	for _, raw := range append([]json.RawMessage{m.To}, m.Destinations...) {
		some, err := addresses(raw)
		if err != nil {
			return nil, err
		}
		to = append(to, some...)
	}
	if len(to) == 0 {
		to = []address{{}}
	}
	note, err := m.notice.note(wire.APIFacebook, s.o.Subscriptions.Reach)
	if err != nil {
		return nil, err
	}
	if m.From == "" {
		m.From = m.ApplicationKey
	}
	var all []outgoing
	for _, a := range to {
		in, err := m.content.input(s.o.Now())
		if err != nil {
			return nil, err
		}
		in.To, in.Application = a.to(), m.From
		note.BulkID, note.MessageID, note.To = m.BulkID, a.id, a.shown()
		out := outgoing{input: in, shownTo: a.shown(), note: note}
		if a.shown() == "" {
			out.rejected = rejected(wire.StatusMissingTo, "")
		}
		all = append(all, out)
	}
	return all, nil
}

// rejected is the status of a message that does not go, in the table's words or others.
func rejected(id int, words string) *wire.Status {
	s := wire.StatusByID(id, words)
	return &s
}

// send hands messages to the core and answers the request.
func (q *request) send(bulk string, all []outgoing) error {
	answer, err := q.accept(bulk, all)
	if err != nil {
		return err
	}
	return q.Reply(http.StatusOK, answer)
}

// accept hands messages to the core and tells what became of each. A lone message that cannot be
// sent for its content is refused as a whole.
func (q *request) accept(bulk string, all []outgoing) (sendResult, error) {
	answer := sendResult{Messages: make([]sentResult, len(all))}
	if bulk == "" && len(all) > 1 {
		bulk = q.s.o.NewID("blk")
	}
	answer.BulkID = bulk
	inputs, places := make([]gateway.MessageInput, 0, len(all)), make([]int, 0, len(all))
	for i := range all {
		out := &all[i]
		answer.Messages[i].To = out.shownTo
		if out.rejected != nil {
			answer.Messages[i].Status = *out.rejected
			continue
		}
		out.note.BulkID = bulk
		origin, err := out.note.Origin()
		if err != nil {
			return sendResult{}, err
		}
		out.input.Origin = origin
		inputs, places = append(inputs, out.input), append(places, i)
	}
	switch {
	case len(inputs) == 0:
		return answer, nil
	case len(all) == 1:
		sent, err := q.s.o.Messages.Send(q.Context(), q.Key, &inputs[0], "", nil)
		return answer, answer.Messages[0].settle(sent.Message, &all[0], err, true)
	}
	verdicts, _, err := q.s.o.Messages.SendBatch(q.Context(), q.Key, inputs, "", nil)
	if err != nil {
		return sendResult{}, err
	}
	for i, v := range verdicts {
		if err := answer.Messages[places[i]].settle(v.Message, &all[places[i]], v.Err, false); err != nil {
			return sendResult{}, err
		}
	}
	return answer, nil
}

// settle fills in the answer for one message. It gives the error back when the answer to the whole
// request is that error.
func (r *sentResult) settle(m *gateway.Message, out *outgoing, err error, alone bool) error {
	if err == nil {
		r.Status, r.MessageCount, r.MessageID = wire.StatusByID(wire.StatusEnroute, ""), m.Parts, m.ID
		if out.note.MessageID != "" {
			r.MessageID = out.note.MessageID
		}
		return nil
	}
	var e *gateway.Error
	if !errors.As(err, &e) || e.Code.Status() >= 500 {
		return err
	}
	core := e.Field
	if _, rest, ok := strings.Cut(core, "]."); ok && strings.HasPrefix(core, "messages[") {
		core = rest
	}
	switch field := fieldHere(core); {
	case strings.HasPrefix(field, "to"):
		r.Status = *rejected(wire.StatusBadDestination, e.Message)
	case field == "from":
		r.Status = *rejected(wire.StatusBadSender, e.Message)
	case field == "rules":
		r.Status = *rejected(wire.StatusNoRoute, e.Message)
	case alone:
		return e.WithField(field)
	default:
		r.Status = *rejected(wire.StatusBadContent, field+": "+e.Message)
	}
	return nil
}
