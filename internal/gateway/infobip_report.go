package gateway

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"net/url"
	"strings"
	"time"

	"github.com/chasqui/chasqui/gatewayapi"
)

// InfobipRow is one delivery report, or one row of the logs.
type InfobipRow struct {
	XMLName      xml.Name      `json:"-" xml:"result"`
	BulkID       *string       `json:"bulkId" xml:"bulkId,omitempty"`
	MessageID    string        `json:"messageId" xml:"messageId"`
	From         string        `json:"from,omitempty" xml:"from,omitempty"` // logs only
	To           string        `json:"to" xml:"to"`
	Text         string        `json:"text,omitempty" xml:"text,omitempty"` // logs only
	SentAt       *string       `json:"sentAt" xml:"sentAt,omitempty"`
	DoneAt       *string       `json:"doneAt" xml:"doneAt,omitempty"`
	MessageCount int           `json:"messageCount" xml:"messageCount"`
	MCCMNC       *string       `json:"mccMnc" xml:"mccMnc,omitempty"`
	CallbackData *string       `json:"callbackData" xml:"callbackData,omitempty"`
	Price        InfobipPrice  `json:"price" xml:"price"`
	Status       InfobipStatus `json:"status" xml:"status"`
	Error        *InfobipError `json:"error,omitempty" xml:"error,omitempty"`
	Channel      string        `json:"channel,omitempty" xml:"channel,omitempty"` // OMNI only
}

// InfobipPrice is nothing: the gateway sells nothing.
type InfobipPrice struct {
	PricePerMessage float64 `json:"pricePerMessage" xml:"pricePerMessage"`
	Currency        string  `json:"currency" xml:"currency"`
}

func infobipFree() InfobipPrice { return InfobipPrice{0, "EUR"} }

// InfobipResults is a list of reports as it is answered and posted.
type InfobipResults struct {
	XMLName xml.Name     `json:"-" xml:"reportResponse"`
	Results []InfobipRow `json:"results" xml:"results>result"`
}

// infobipFacts is what the gateway's own events tell of a message.
type infobipFacts struct {
	MessageID  string          `json:"messageId"`
	Status     Status          `json:"status"`
	Channel    string          `json:"channel"`
	To         gatewayapi.To   `json:"to"`
	Parts      int             `json:"parts"`
	AcceptedAt time.Time       `json:"acceptedAt"`
	SentAt     time.Time       `json:"sentAt"`
	Delivered  time.Time       `json:"deliveredAt"`
	Read       time.Time       `json:"readAt"`
	Error      *Failure        `json:"error"`
	Metadata   json.RawMessage `json:"metadata"`
}

// infobipFactsOf reads an event that says what became of a message which came through Infobip's APIs; nil for any other.
func infobipFactsOf(e *Event) (*infobipFacts, *InfobipNote) {
	switch e.Type {
	case EventMessageSent, EventMessageDelivered, EventMessageRead, EventMessageFailed, EventMessageExpired:
	default:
		return nil, nil
	}
	var f infobipFacts
	if !bytes.Contains(e.Data, []byte(`"infobip"`)) || json.Unmarshal(e.Data, &f) != nil {
		return nil, nil
	}
	n := InfobipNoteOf(f.Metadata)
	if n == nil {
		return nil, nil
	}
	return &f, n
}

// NewInfobipReport makes the report that an event calls for, due at once where it is to be posted; nil when it calls for none.
func NewInfobipReport(e *Event) *InfobipReport {
	f, n := infobipFactsOf(e)
	if f == nil {
		return nil
	}
	kind := strings.TrimPrefix(string(e.Type), "message.")
	switch {
	case e.Type == EventMessageSent && (!n.Intermediate || n.NotifyURL == ""):
		return nil
	case e.Type == EventMessageRead && f.Delivered.Before(f.Read) && !f.Delivered.IsZero():
		return nil // it was reported as delivered already
	case e.Type == EventMessageRead:
		kind = "delivered"
	}
	r := &InfobipReport{
		Pos: e.Pos, Partition: e.Partition, Application: e.Application, API: n.API, BulkID: n.BulkID, MessageID: n.known(f.MessageID), Message: f.MessageID,
		Kind: kind, Channel: InfobipChannel(f.Channel), CreatedAt: e.ReceivedAt,
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
func (n *InfobipNote) known(id string) string {
	if n.MessageID != "" {
		return n.MessageID
	}
	return id
}

// PublishInfobipReport makes the row of an event that a report tells of, and what is kept with its message; nil when there is nothing to tell any more.
func PublishInfobipReport(e *Event) (*InfobipRow, *InfobipNote) {
	f, n := infobipFactsOf(e)
	if f == nil {
		return nil, nil
	}
	r := n.Row(f.MessageID, f.Channel, f.Parts)
	r.To = n.address(f.Channel, f.To)
	sent := f.SentAt
	if sent.IsZero() {
		sent = f.AcceptedAt
	}
	why := InfobipErrorOf(f.Error)
	r.SentAt, r.DoneAt, r.Status, r.Error = FormatInfobipTime(sent), FormatInfobipTime(e.ReceivedAt), InfobipStatusOf(f.Status, f.Error), &why
	if e.Type == EventMessageSent {
		r.Status = InfobipStatusByID(2, "")
	}
	return &r, n
}

// address is the address that a message went to on a channel.
func (n *InfobipNote) address(channel string, to gatewayapi.To) string {
	switch {
	case channel == ChannelSMS && to.PhoneNumber != "":
		return to.PhoneNumber
	case channel == ChannelEmail && to.Email != "":
		return to.Email
	case n.To != "":
		return n.To
	}
	return to.FBMessengerID + to.PhoneNumber
}

// Row is the part of a row that does not change while the message is on a channel.
func (n *InfobipNote) Row(id, channel string, parts int) InfobipRow {
	r := InfobipRow{BulkID: orNull(n.BulkID), MessageID: n.known(id), To: n.To, MessageCount: parts, CallbackData: orNull(n.CallbackData), Price: infobipFree()}
	if n.API == InfobipOMNI {
		r.Channel = InfobipChannel(channel)
	}
	return r
}

// LogInfobip makes the row of the logs for a message; nil when it did not come through that API.
func LogInfobip(m *Message, api string) *InfobipRow {
	in, _, err := m.Content()
	if err != nil {
		return nil
	}
	n := InfobipNoteOf(in.Metadata)
	if n == nil || n.API != api {
		return nil
	}
	r := n.Row(m.ID, m.Channel(), m.Parts)
	r.To = n.address(m.Channel(), gatewayapi.To{FBMessengerID: m.PSID(), PhoneNumber: in.To.PhoneNumber, Email: in.To.Email})
	r.From, r.Text, r.Status = m.Application, in.Body+in.Title, InfobipStatusOf(m.Status, m.Error)
	sent, done := m.SentAt, m.DeliveredAt
	if sent.IsZero() {
		sent = m.AcceptedAt
	}
	if done.IsZero() {
		done = m.EndedAt
	}
	r.SentAt, r.DoneAt = FormatInfobipTime(sent), FormatInfobipTime(done)
	if api == InfobipFacebook {
		why := InfobipErrorOf(m.Error)
		r.Error = &why
	}
	return &r
}

// orNull is nil, which stands as null, for an empty text.
func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
