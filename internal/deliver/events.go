package deliver

import (
	"encoding/json"
	"fmt"

	"github.com/chasqui/chasqui/internal/gateway"
)

// messageData is the `data` of every message.* event about a message of ours.
type messageData struct {
	MessageID         string           `json:"messageId"`
	Status            gateway.Status   `json:"status"`
	Channel           string           `json:"channel"`
	To                messageTo        `json:"to"`
	PlatformMessageID string           `json:"platformMessageId,omitempty"`
	Parts             int              `json:"parts"`
	PartsSent         int              `json:"partsSent"`
	AcceptedAt        string           `json:"acceptedAt"`
	SentAt            string           `json:"sentAt,omitempty"`
	DeliveredAt       string           `json:"deliveredAt,omitempty"`
	ReadAt            string           `json:"readAt,omitempty"`
	Late              bool             `json:"late,omitempty"`
	Resent            bool             `json:"resent,omitempty"`
	Error             *gateway.Failure `json:"error,omitempty"`
	Metadata          json.RawMessage  `json:"metadata,omitempty"`
}

type messageTo struct {
	ProfileID     string `json:"profileId,omitempty"`
	FBMessengerID string `json:"fbMessengerId"`
}

// messageEvent makes the fact that something became of a message. Its EntryTime is the moment that watermarks are compared with. cause is the event of
// the platform that told of it, nil if none did.
func messageEvent(kind gateway.EventType, m *gateway.Message, cause *gateway.Event) *gateway.Event {
	d := messageData{
		MessageID: m.ID, Status: m.Status, Channel: gateway.ChannelMessenger, To: messageTo{m.ProfileID, m.Person}, PlatformMessageID: m.MID,
		Parts: m.Parts, PartsSent: m.PartsSent, AcceptedAt: gateway.FormatTime(m.AcceptedAt), SentAt: gateway.FormatTime(m.SentAt),
		DeliveredAt: gateway.FormatTime(m.DeliveredAt), ReadAt: gateway.FormatTime(m.ReadAt), Late: m.Late, Resent: m.Resent, Error: m.Error,
	}
	if in, _, err := m.Content(); err == nil {
		d.Metadata = in.Metadata
	}
	b, err := json.Marshal(d)
	if err != nil {
		panic(fmt.Sprintf("encode message event: %v", err)) // the metadata was valid JSON when it was accepted
	}
	e := &gateway.Event{Application: m.Application, Person: m.Person, Type: kind, EntryTime: m.MarkAt.UnixMilli(), Data: b}
	if cause != nil {
		e.PageID, e.Raw = cause.PageID, cause.Raw
	}
	return e
}
