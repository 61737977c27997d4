package gateway

import (
	"crypto/sha256"
	"encoding/json"
	"time"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/messenger"
)

// EventType names a fact in the log, as subscriptions select it and forwarded bodies carry it.
type EventType = gatewayapi.EventType

// The types of events. Those that start with "platform." stay inside: they are the platform's
// receipts, from which message.delivered and message.read are made, and are never forwarded.
const (
	EventMessageInbound   = gatewayapi.EventMessageInbound
	EventMessageEdit      = gatewayapi.EventMessageEdit
	EventMessageEcho      = gatewayapi.EventMessageEcho
	EventStandby          = gatewayapi.EventStandby
	EventPostback         = gatewayapi.EventPostback
	EventReferral         = gatewayapi.EventReferral
	EventOptin            = gatewayapi.EventOptin
	EventReaction         = gatewayapi.EventReaction
	EventHandover         = gatewayapi.EventHandover
	EventAccountLinking   = gatewayapi.EventAccountLinking
	EventPolicy           = gatewayapi.EventPolicy
	EventMessageSent      = gatewayapi.EventMessageSent
	EventMessageDelivered = gatewayapi.EventMessageDelivered
	EventMessageRead      = gatewayapi.EventMessageRead
	EventMessageFailed    = gatewayapi.EventMessageFailed
	EventMessageExpired   = gatewayapi.EventMessageExpired
	EventMessageUncertain = gatewayapi.EventMessageUncertain
	EventProfileCreated   = gatewayapi.EventProfileCreated
	EventProfileUpdated   = gatewayapi.EventProfileUpdated
	EventUnknown          = gatewayapi.EventUnknown

	EventPlatformDelivery EventType = "platform.delivery"
	EventPlatformRead     EventType = "platform.read"
)

// EventTypes lists every type that a subscription may select, in the order of the documentation.
func EventTypes() []EventType { return gatewayapi.EventTypes() }

// Event is a fact in the log. Events from the platform carry its bytes in Raw; facts of the
// gateway's own (message.sent, profile.created …) carry Data, and Raw where one event of the
// platform caused them.
type Event struct {
	Pos         int64 // position in the log, from 1; zero until it is stored
	Partition   int
	Application string // key; empty when no application owns the event
	PageID      string
	Person      string // PSID; empty when the event has none
	Object      string // what the platform's event is about; empty for a page
	Type        EventType
	Channel     string // messaging, standby or changes for the platform's events; empty for the gateway's own
	EntryTime   int64  // the entry's time as the platform gave it, milliseconds; 0 when absent
	ReceivedAt  time.Time
	Dedup       []byte // 16 bytes that identify the fact; nil for the gateway's own
	Raw         json.RawMessage
	Data        json.RawMessage
}

// ObjectPage is the object of the webhooks of pages.
const ObjectPage = "page"

// Parse reads an event of the platform. Raw holds the bytes as they came; what is read has U+FFFD
// in place of bytes and characters that no database and no parser takes.
func (e *Event) Parse() messenger.Event {
	object := e.Object
	if object == "" {
		object = ObjectPage
	}
	return messenger.Envelope{Object: object, PageID: messenger.PageID(e.PageID), Time: e.EntryTime, Channel: e.Channel, Raw: CleanJSON(e.Raw)}.Event()
}

// ID is the event's public identifier.
func (e *Event) ID() string { return EventID(e.Pos) }

// Internal reports whether the event stays inside the gateway.
func (e *Event) Internal() bool {
	return e.Type == EventPlatformDelivery || e.Type == EventPlatformRead
}

// ByPerson reports whether the person did something, rather than the page or the platform.
func (e *Event) ByPerson() bool {
	if e.Channel == "" {
		return false
	}
	switch e.Type {
	case EventMessageInbound, EventMessageEdit, EventPostback, EventReferral, EventOptin, EventReaction, EventAccountLinking:
		return true
	}
	return false
}

// Lane is the conversation the event belongs to, as a key.
func (e *Event) Lane() Lane { return Lane{e.Application, e.Person} }

// Lane is a conversation: what happens in one lane happens in order.
type Lane struct{ Application, Person string }

// TypeOf returns the type of a platform event from its kind and channel.
func TypeOf(channel string, kind messenger.Kind) EventType {
	switch {
	case channel == "standby":
		return EventStandby
	case kind == messenger.KindDelivery:
		return EventPlatformDelivery
	case kind == messenger.KindRead:
		return EventPlatformRead
	}
	return gatewayapi.EventTypeOf(kind)
}

// DedupKey returns the 16 bytes under which a platform event is kept once: the same application,
// kind and message id for messages, echoes and postbacks, and else the same bytes in the same
// place. Receipts are never duplicates of each other unless their bytes are.
func DedupKey(owner string, e messenger.Envelope, k messenger.Keys) []byte {
	h := sha256.New()
	h.Write([]byte(owner))
	h.Write([]byte{0})
	h.Write([]byte(e.Channel))
	h.Write([]byte{0})
	h.Write([]byte(k.Kind))
	h.Write([]byte{0})
	byMID := k.Kind == messenger.KindMessage || k.Kind == messenger.KindEcho || k.Kind == messenger.KindPostback
	if byMID && k.MID != "" {
		h.Write([]byte(k.MID))
	} else {
		h.Write([]byte(e.PageID))
		h.Write([]byte{0})
		h.Write(e.Raw)
	}
	return h.Sum(nil)[:16]
}

// TimeFormat is how times stand in /v1: RFC 3339 in UTC with milliseconds.
const TimeFormat = "2006-01-02T15:04:05.000Z"

// FormatTime formats a time as /v1 shows it; the zero time is empty.
func FormatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(TimeFormat)
}
