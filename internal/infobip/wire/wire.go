// Package wire holds Infobip's JSON and XML: what messages, reports, statuses and errors look like
// in its APIs, and what is kept with a message that came through them. It is made of what the
// gateway's own subscribers read.
package wire

import (
	"encoding/json"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
)

// Configuration is a container of actions, as Infobip's API has it. One with a name is an
// application of its OMNI Chat.
type Configuration struct {
	Key         string // 32 upper-case hexadecimal digits
	Application string
	Name        string
	CreatedAt   time.Time
}

// Action makes a subscription an action of a configuration.
type Action struct {
	Configuration string `json:"configuration"`
	CallbackData  string `json:"callbackData,omitempty"`
	Chat          bool   `json:"chat,omitempty"` // of an application of OMNI Chat, whose key its messages name instead of the page's
}

// The APIs of Infobip that messages come through, each with reports and logs of its own.
const (
	APIFacebook = "facebook"
	APIOMNI     = "omni"
)

// Dialect is the dialect of messages that came through Infobip's APIs.
const Dialect = "infobip"

// Note is what is kept with a message that came through Infobip's APIs.
type Note struct {
	API          string `json:"api"`
	BulkID       string `json:"bulkId,omitempty"`
	MessageID    string `json:"messageId,omitempty"` // the caller's own, where one was given
	To           string `json:"to,omitempty"`        // as the caller named the person
	CallbackData string `json:"callbackData,omitempty"`
	NotifyURL    string `json:"notifyUrl,omitempty"`    // where reports go; empty where they wait to be fetched
	XML          bool   `json:"xml,omitempty"`          // reports go there in XML
	Intermediate bool   `json:"intermediate,omitempty"` // that it was sent is reported there too
}

// Origin returns the note as it is kept with the message.
func (n *Note) Origin() (gateway.Origin, error) {
	kept, err := json.Marshal(n)
	return gateway.Origin{Dialect: Dialect, Data: kept}, err
}

// NoteOf returns what is kept with a message; nil when it came another way, or was erased.
func NoteOf(o gateway.Origin) *Note {
	var n Note
	if o.Dialect != Dialect || json.Unmarshal(o.Data, &n) != nil {
		return nil
	}
	return &n
}

// Report is a delivery report on its way: it waits to be fetched, or to be posted to a URL.
type Report struct {
	Pos         int64 // of the event that it tells of
	Partition   int
	Application string
	API         string
	BulkID      string
	MessageID   string // as the caller knows the message
	Message     string // as the gateway does
	Kind        string // sent, delivered, failed or expired: a message has one of each at most
	Channel     string // Infobip's name
	Host        string // of the URL that it is posted to; empty for one that waits to be fetched
	DueAt       time.Time
	Tries       int
	CreatedAt   time.Time
}

const (
	pause   = time.Minute
	retries = 20
)

// Retry returns how long to wait after so many tries have failed: 1 min + 1 min · n², with n from
// 0; false when it was the last of 21.
func Retry(tries int) (time.Duration, bool) {
	n := time.Duration(tries - 1)
	return pause + pause*n*n, tries <= retries
}

// Channel is a channel's name in Infobip's APIs.
func Channel(channel string) string {
	switch channel {
	case gateway.ChannelMessenger:
		return "FACEBOOK"
	case gateway.ChannelSMS:
		return "SMS"
	case gateway.ChannelEmail:
		return "EMAIL"
	}
	return "WEBHOOK"
}
