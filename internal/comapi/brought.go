package comapi

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
)

// toldStatus is what the business says of a message on a channel of its own.
type toldStatus struct {
	Channel       string          `json:"channel"`
	ChannelStatus json.RawMessage `json:"channelStatus,omitempty"`
	Timestamp     *time.Time      `json:"timestamp,omitempty"`
	FailureReason string          `json:"failureReason,omitempty"`
}

const maxReason = 1000

// tell takes the status of a message on a channel of the business's own.
func (f *Face) tell(q *request) error {
	var in toldStatus
	body, err := q.Body()
	if err != nil {
		return err
	}
	if err := decode(body, &in); err != nil {
		return err
	}
	report := gateway.ChannelReport{Status: gateway.Status(q.PathValue("status"))}
	switch report.Status {
	case gateway.StatusSent, gateway.StatusDelivered, gateway.StatusRead:
	case gateway.StatusFailed, gateway.StatusExpired, "filtered":
		why := in.FailureReason
		if len(why) > maxReason {
			return gateway.Invalid("failureReason", "must have at most %d bytes", maxReason)
		}
		if why == "" {
			why = "the channel says: " + string(report.Status)
		}
		report.Status, report.Failure = gateway.StatusFailed, &gateway.Failure{Code: gateway.FailureProviderRefused, Message: why}
	default:
		return gateway.Invalid("status", "%q is none of sent, delivered, read, failed, expired, filtered", report.Status)
	}
	if in.Timestamp != nil {
		report.At = in.Timestamp.UTC()
	}
	m, err := q.ownMessage()
	if err != nil {
		return err
	}
	if err := f.o.Brought.Told(q.Context(), m, in.Channel, report); err != nil {
		return err
	}
	return q.Reply(http.StatusOK, in)
}

// broughtMessage is a message that a person sent over a channel of the business's own.
type broughtMessage struct {
	Channel      string              `json:"channel"`
	From         map[string]any      `json:"from"`
	To           map[string]any      `json:"to"`
	Title        string              `json:"title"`
	Body         string              `json:"body"`
	MessageParts []gateway.PartInput `json:"messageParts"`
	Metadata     map[string]any      `json:"metadata"`
}

// address is the one of those of a sender or recipient by which conversations are told apart: the
// channel's own, or else the first that is known.
func (in *broughtMessage) address(of map[string]any) string {
	for _, name := range []string{in.Channel, in.Channel + "Id", "id", "address", "phoneNumber", "email", "profileId"} {
		if text, ok := of[name].(string); ok && text != "" {
			return text
		}
	}
	return ""
}

// bring takes a message that a person sent over a channel of the business's own, and answers it as
// subscribers get it.
func (f *Face) bring(q *request) error {
	body, err := q.Body()
	if err != nil {
		return err
	}
	var in broughtMessage
	if err := decode(body, &in); err != nil {
		return err
	}
	from := in.address(in.From)
	if from == "" {
		return gateway.Invalid("from", "say who sent it: profileId, phoneNumber, email or an id of the channel's own")
	}
	event := gateway.ChannelInbound{
		Channel: in.Channel, Application: q.space.Key, From: from, To: in.address(in.To), Text: in.Body, Parts: in.MessageParts, Raw: body,
	}
	event.ProfileID, _ = in.From["profileId"].(string)
	phone, _ := in.From["phoneNumber"].(string)
	stored, err := f.o.Brought.Bring(q.Context(), q.Key, event, phone)
	if err != nil {
		return err
	}
	return q.Reply(http.StatusCreated, Inbound(stored, "", q.space.PageID))
}

// tellInbound takes the news that somebody has got or read an inbound message. It is answered with
// the message in that state, of which nothing is kept.
func (f *Face) tellInbound(q *request) error {
	status := q.PathValue("status")
	if status != "delivered" && status != "read" {
		return gateway.Invalid("status", "%q is neither delivered nor read", status)
	}
	body, err := q.Body()
	if err != nil {
		return err
	}
	var in struct {
		Timestamp *time.Time `json:"timestamp"`
	}
	if err := decode(body, &in); err != nil {
		return err
	}
	if in.Timestamp == nil {
		return gateway.Invalid("timestamp", "must be given")
	}
	e, profile, err := f.o.Events.Inbound(q.Context(), q.Key, q.space.Key, q.PathValue("id"))
	if err != nil {
		return err
	}
	shown, err := fields(Inbound(e, profile, q.space.PageID))
	if err != nil {
		return err
	}
	shown["status"] = status
	return q.Reply(http.StatusOK, shown)
}

// fields takes a value apart into the members of its JSON object.
func fields(v any) (map[string]any, error) {
	var all map[string]any
	return all, json.Unmarshal(encode(v), &all)
}
