package gateway

import (
	"encoding/json"
	"time"
)

// InfobipConfiguration is a container of actions, as Infobip's API has it. One with a name is an application of its OMNI Chat.
type InfobipConfiguration struct {
	Key         string // 32 upper-case hexadecimal digits
	Application string
	Name        string
	CreatedAt   time.Time
}

// InfobipAction makes a subscription an action of a configuration.
type InfobipAction struct {
	Configuration string `json:"configuration"`
	CallbackData  string `json:"callbackData,omitempty"`
	Chat          bool   `json:"chat,omitempty"` // of an application of OMNI Chat, whose key its messages name instead of the page's
}

// The APIs of Infobip that messages come through, each with reports and logs of its own.
const (
	InfobipFacebook = "facebook"
	InfobipOMNI     = "omni"
)

// InfobipNote is what is kept with a message that came through Infobip's APIs, in its metadata under "infobip".
type InfobipNote struct {
	API          string `json:"api"`
	BulkID       string `json:"bulkId,omitempty"`
	MessageID    string `json:"messageId,omitempty"` // the caller's own, where one was given
	To           string `json:"to,omitempty"`        // as the caller named the person
	CallbackData string `json:"callbackData,omitempty"`
	NotifyURL    string `json:"notifyUrl,omitempty"`    // where reports go; empty where they wait to be fetched
	XML          bool   `json:"xml,omitempty"`          // reports go there in XML
	Intermediate bool   `json:"intermediate,omitempty"` // that it was sent is reported there too
}

// InfobipMetadata is the metadata of such a message.
type InfobipMetadata struct {
	Infobip *InfobipNote `json:"infobip"`
}

// InfobipNoteOf reads what is kept with a message; nil when it came another way.
func InfobipNoteOf(metadata json.RawMessage) *InfobipNote {
	var m InfobipMetadata
	if json.Unmarshal(metadata, &m) != nil {
		return nil
	}
	return m.Infobip
}

// InfobipReport is a delivery report on its way: it waits to be fetched, or to be posted to a URL.
type InfobipReport struct {
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
	infobipPause   = time.Minute
	infobipRetries = 20
)

// InfobipRetry answers how long to wait after so many tries have failed: 1 min + 1 min · n², with n from 0; false when it was the last of 21.
func InfobipRetry(tries int) (time.Duration, bool) {
	n := time.Duration(tries - 1)
	return infobipPause + infobipPause*n*n, tries <= infobipRetries
}

// NextTryInfobip answers when a delivery in Infobip's format that has just failed is tried again; false when it is dead.
func (d *Delivery) NextTryInfobip(now time.Time) (time.Time, bool) {
	pause, ok := InfobipRetry(len(d.Attempts))
	return now.Add(pause), ok
}

// InfobipChannel is a channel's name in Infobip's APIs.
func InfobipChannel(channel string) string {
	switch channel {
	case ChannelMessenger:
		return "FACEBOOK"
	case ChannelSMS:
		return "SMS"
	case ChannelEmail:
		return "EMAIL"
	}
	return "WEBHOOK"
}
