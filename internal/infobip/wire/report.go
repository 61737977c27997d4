package wire

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"net/url"
	"strings"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
)

// Row is one delivery report, or one row of the logs.
type Row struct {
	XMLName      xml.Name `json:"-" xml:"result"`
	BulkID       *string  `json:"bulkId" xml:"bulkId,omitempty"`
	MessageID    string   `json:"messageId" xml:"messageId"`
	From         string   `json:"from,omitempty" xml:"from,omitempty"` // logs only
	To           string   `json:"to" xml:"to"`
	Text         string   `json:"text,omitempty" xml:"text,omitempty"` // logs only
	SentAt       *string  `json:"sentAt" xml:"sentAt,omitempty"`
	DoneAt       *string  `json:"doneAt" xml:"doneAt,omitempty"`
	MessageCount int      `json:"messageCount" xml:"messageCount"`
	MCCMNC       *string  `json:"mccMnc" xml:"mccMnc,omitempty"`
	CallbackData *string  `json:"callbackData" xml:"callbackData,omitempty"`
	Price        Price    `json:"price" xml:"price"`
	Status       Status   `json:"status" xml:"status"`
	Error        *Error   `json:"error,omitempty" xml:"error,omitempty"`
	Channel      string   `json:"channel,omitempty" xml:"channel,omitempty"` // OMNI only
}

// Price is nothing: the gateway sells nothing.
type Price struct {
	PricePerMessage float64 `json:"pricePerMessage" xml:"pricePerMessage"`
	Currency        string  `json:"currency" xml:"currency"`
}

func free() Price { return Price{0, "EUR"} }

// Results is a list of reports as it is answered and posted.
type Results struct {
	XMLName xml.Name `json:"-" xml:"reportResponse"`
	Results []Row    `json:"results" xml:"results>result"`
}

// facts is what the gateway's own events tell of a message.
type facts struct {
	MessageID  string           `json:"messageId"`
	Status     gateway.Status   `json:"status"`
	Channel    string           `json:"channel"`
	To         recipient        `json:"to"`
	Parts      int              `json:"parts"`
	AcceptedAt time.Time        `json:"acceptedAt"`
	SentAt     time.Time        `json:"sentAt"`
	Delivered  time.Time        `json:"deliveredAt"`
	Read       time.Time        `json:"readAt"`
	Error      *gateway.Failure `json:"error"`
}

// recipient is whom the message was for, by channel.
type recipient struct {
	FBMessengerID string `json:"fbMessengerId"`
	PhoneNumber   string `json:"phoneNumber"`
	Email         string `json:"email"`
}

// factsOf reads an event that says what became of a message which may have come through Infobip's
// APIs; nil for any other. Whether it did is known by what is kept with the message: events of
// older versions have it in the metadata, where any caller can write.
func factsOf(e *gateway.Event) *facts {
	switch e.Type {
	case gateway.EventMessageSent, gateway.EventMessageDelivered, gateway.EventMessageRead, gateway.EventMessageFailed, gateway.EventMessageExpired:
	default:
		return nil
	}
	var f facts
	if !bytes.Contains(e.Data, []byte(`"`+Dialect+`"`)) || json.Unmarshal(e.Data, &f) != nil {
		return nil
	}
	return &f
}

// Reported returns the message that an event tells of, if it is one that may call for a report; ""
// otherwise.
func Reported(e *gateway.Event) string {
	if f := factsOf(e); f != nil {
		return f.MessageID
	}
	return ""
}

// NewReport makes the report that an event calls for, due at once where it is to be posted; nil
// when it calls for none. origin is that of its message.
func NewReport(e *gateway.Event, origin gateway.Origin) *Report {
	f, n := factsOf(e), NoteOf(origin)
	if f == nil || n == nil {
		return nil
	}
	kind := strings.TrimPrefix(string(e.Type), "message.")
	switch {
	case e.Type == gateway.EventMessageSent && (!n.Intermediate || n.NotifyURL == ""):
		return nil
	case e.Type == gateway.EventMessageRead && f.Delivered.Before(f.Read) && !f.Delivered.IsZero():
		return nil // it was reported as delivered already
	case e.Type == gateway.EventMessageRead:
		kind = "delivered"
	}
	r := &Report{
		Pos: e.Pos, Partition: e.Partition, Application: e.Application, API: n.API, BulkID: n.BulkID, MessageID: n.known(f.MessageID), Message: f.MessageID,
		Kind: kind, Channel: Channel(f.Channel), CreatedAt: e.ReceivedAt,
	}
	if n.NotifyURL != "" {
		r.DueAt = e.ReceivedAt
		if u, err := url.Parse(n.NotifyURL); err == nil {
			r.Host = u.Host
		}
	}
	return r
}

// known is the identifier under which the caller knows a message.
func (n *Note) known(id string) string {
	if n.MessageID != "" {
		return n.MessageID
	}
	return id
}

// PublishReport makes the row of an event that a report tells of, and returns what is kept with its
// message; nil when there is nothing to tell any more.
func PublishReport(e *gateway.Event, origin gateway.Origin) (*Row, *Note) {
	f, n := factsOf(e), NoteOf(origin)
	if f == nil || n == nil {
		return nil, nil
	}
	r := n.Row(f.MessageID, f.Channel, f.Parts)
	r.To = n.address(f.Channel, f.To)
	sent := f.SentAt
	if sent.IsZero() {
		sent = f.AcceptedAt
	}
	why := ErrorOf(f.Error)
	r.SentAt, r.DoneAt, r.Status, r.Error = FormatTime(sent), FormatTime(e.ReceivedAt), StatusOf(f.Status, f.Error), &why
	if e.Type == gateway.EventMessageSent {
		r.Status = StatusByID(2, "")
	}
	return &r, n
}

// address is the address that a message went to on a channel.
func (n *Note) address(channel string, to recipient) string {
	switch {
	case channel == gateway.ChannelSMS && to.PhoneNumber != "":
		return to.PhoneNumber
	case channel == gateway.ChannelEmail && to.Email != "":
		return to.Email
	case n.To != "":
		return n.To
	}
	return to.FBMessengerID + to.PhoneNumber
}

// Row is the part of a row that does not change while the message is on a channel.
func (n *Note) Row(id, channel string, parts int) Row {
	r := Row{BulkID: OrNull(n.BulkID), MessageID: n.known(id), To: n.To, MessageCount: parts, CallbackData: OrNull(n.CallbackData), Price: free()}
	if n.API == APIOMNI {
		r.Channel = Channel(channel)
	}
	return r
}

// Log makes the row of the logs for a message; nil when it did not come through that API.
func Log(m *gateway.Message, api string) *Row {
	in, _, err := m.Content()
	if err != nil {
		return nil
	}
	n := NoteOf(m.Origin)
	if n == nil || n.API != api {
		return nil
	}
	r := n.Row(m.ID, m.Channel(), m.Parts)
	r.To = n.address(m.Channel(), recipient{FBMessengerID: m.PSID(), PhoneNumber: in.To.PhoneNumber, Email: in.To.Email})
	r.From, r.Text, r.Status = m.Application, in.Body+in.Title, StatusOf(m.Status, m.Error)
	sent, done := m.SentAt, m.DeliveredAt
	if sent.IsZero() {
		sent = m.AcceptedAt
	}
	if done.IsZero() {
		done = m.EndedAt
	}
	r.SentAt, r.DoneAt = FormatTime(sent), FormatTime(done)
	if api == APIFacebook {
		why := ErrorOf(m.Error)
		r.Error = &why
	}
	return &r
}

// OrNull is nil, which stands as null, for an empty text.
func OrNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
