package infobip

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/chasqui/chasqui/internal/gateway"
)

// The two APIs of the face, each with reports and logs of its own.
const (
	apiFacebook = "facebook"
	apiOMNI     = "omni"
)

// channelFacebook is Messenger's name among the channels of OMNI.
const channelFacebook = "FACEBOOK"

// note is what the face keeps with a message, in its metadata under "infobip", for reports and logs.
type note struct {
	API          string `json:"api"`
	BulkID       string `json:"bulkId,omitempty"`
	MessageID    string `json:"messageId,omitempty"` // the caller's own, where one was given
	To           string `json:"to"`
	CallbackData string `json:"callbackData,omitempty"`
}

const maxCallbackData = 4000 // characters

type metadata struct {
	Infobip *note `json:"infobip"`
}

// singleMessage is the body of /facebook/1/single, and one message of /facebook/1/multi.
type singleMessage struct {
	From           string            `json:"from"`
	ApplicationKey string            `json:"applicationKey"`
	To             json.RawMessage   `json:"to"`
	Destinations   []json.RawMessage `json:"destinations"`
	CallbackData   string            `json:"callbackData"`
	BulkID         string            `json:"bulkId"`
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

// to is the address for the core: digits are a PSID, anything else the id of a profile, such as one that was imported under its old user key.
func (a address) to() gateway.To {
	if strings.Trim(a.key(), "0123456789") == "" {
		return gateway.To{FBMessengerID: a.key()}
	}
	return gateway.To{ProfileID: a.key()}
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
	To           any    `json:"to"`
	Status       status `json:"status"`
	MessageCount int    `json:"messageCount,omitempty"`
	MessageID    string `json:"messageId,omitempty"`
}

// outgoing is one message to one address on its way to the core.
type outgoing struct {
	input    gateway.MessageInput
	shownTo  any
	note     note
	rejected *status // why it does not go, known before the core was asked
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
	return q.send(apiFacebook, in.BulkID, out)
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
	return q.send(apiFacebook, in.BulkID, all)
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
	if len([]rune(m.CallbackData)) > maxCallbackData {
		return nil, gateway.Invalid("callbackData", "may have %d characters", maxCallbackData)
	}
	if m.From == "" {
		m.From = m.ApplicationKey
	}
	var all []outgoing
	for _, a := range to {
		in, err := m.content.input(s.o.Store.Now())
		if err != nil {
			return nil, err
		}
		in.To, in.Application = a.to(), m.From
		all = append(all, outgoing{input: in, shownTo: a.shown(), rejected: a.rejected(),
			note: note{BulkID: m.BulkID, MessageID: a.id, To: a.shown(), CallbackData: m.CallbackData}})
	}
	return all, nil
}

// rejected says what is wrong with an address before the core is asked, nil when nothing is.
func (a address) rejected() *status {
	var r status
	switch {
	case a.key() != "":
		return nil
	case a.PhoneNumber != "":
		r = badAddress("Facebook has suspended Customer Matching: a phone number cannot be reached on Messenger")
	default:
		r = missingTo()
	}
	return &r
}

// send hands messages to the core and answers the request.
func (q *request) send(api, bulk string, all []outgoing) error {
	answer, err := q.accept(api, bulk, all)
	if err != nil {
		return err
	}
	return q.reply(answer)
}

// accept hands messages to the core and tells what became of each. A lone message that cannot be sent for its content is refused as a whole.
func (q *request) accept(api, bulk string, all []outgoing) (sendResult, error) {
	if _, err := q.reportBox(api, true); err != nil {
		return sendResult{}, err
	}
	if bulk == "" && len(all) > 1 {
		bulk = q.s.o.Store.NewID("blk")
	}
	answer := sendResult{Messages: make([]sentResult, len(all))}
	if len(all) > 1 {
		answer.BulkID = bulk
	}
	var inputs []gateway.MessageInput
	var places []int
	for i := range all {
		out := &all[i]
		answer.Messages[i].To = out.shownTo
		if out.rejected != nil {
			answer.Messages[i].Status = *out.rejected
			continue
		}
		out.note.API, out.note.BulkID = api, bulk
		kept, err := json.Marshal(metadata{&out.note})
		if err != nil {
			return sendResult{}, err
		}
		out.input.Metadata = kept
		inputs, places = append(inputs, out.input), append(places, i)
	}
	if len(all) == 1 && len(inputs) == 1 {
		sent, err := q.s.o.Messages.Send(q.Context(), q.key, &inputs[0], "", nil)
		if err := answer.Messages[0].settle(sent.Message, &all[0], err, true); err != nil {
			return sendResult{}, err
		}
		return answer, nil
	}
	if len(inputs) > 0 {
		verdicts, _, err := q.s.o.Messages.SendBatch(q.Context(), q.key, inputs, "", nil)
		if err != nil {
			return sendResult{}, err
		}
		for i, v := range verdicts {
			if err := answer.Messages[places[i]].settle(v.Message, &all[places[i]], v.Err, false); err != nil {
				return sendResult{}, err
			}
		}
	}
	return answer, nil
}

// settle fills in the answer for one message. It gives the error back when the answer to the whole request is that error.
func (r *sentResult) settle(m *gateway.Message, out *outgoing, err error, alone bool) error {
	if err == nil {
		r.Status, r.MessageCount, r.MessageID = enroute(), m.Parts, m.ID
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
		r.Status = badAddress(e.Message)
	case field == "from":
		r.Status = badSender(e.Message)
	case alone:
		return e.WithField(field)
	default:
		r.Status = badContent(field + ": " + e.Message)
	}
	return nil
}
