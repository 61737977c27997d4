package infobip

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/messenger"
)

// Bounds of validityPeriod.
const (
	minValidity = 30 * time.Second // more than this
	maxValidity = 48 * time.Hour   // longer ones are cut
)

// content is what is to be sent on Messenger. Buttons, Message, MessagingType and MessageTag are
// this gateway's own.
type content struct {
	Type          string                  `json:"type"`
	ContentType   string                  `json:"contentType"`
	Text          string                  `json:"text"`
	URL           string                  `json:"url"`
	Buttons       []json.RawMessage       `json:"buttons"`
	Message       json.RawMessage         `json:"message"`
	MessagingType messenger.MessagingType `json:"messagingType"`
	MessageTag    messenger.Tag           `json:"messageTag"`
	validity
}

// input makes the core's input of the content; whom it is for is still open.
func (c *content) input(now time.Time) (gateway.MessageInput, error) {
	var in gateway.MessageInput
	in.ChannelOptions.FBMessenger = c.options()
	period, err := c.period()
	if err != nil {
		return in, err
	}
	if period > 0 {
		end := now.Add(period)
		in.ExpiresOn = &end
	}
	return in, c.fill(&in)
}

func (c *content) options() gateway.MessengerOptions {
	return gateway.MessengerOptions{MessagingType: c.MessagingType, MessageTag: c.MessageTag}
}

// fill sets what is sent.
func (c *content) fill(in *gateway.MessageInput) error {
	kind := strings.ToUpper(c.Type)
	if kind == "" {
		kind = strings.ToUpper(c.ContentType)
	}
	media := map[string]string{"IMAGE": "image/*", "AUDIO": "audio/*", "VIDEO": "video/*", "FILE": "application/octet-stream"}
	switch {
	case given(c.Message):
		in.CustomBody = map[string]json.RawMessage{gateway.ChannelMessenger: c.Message}
	case len(c.Buttons) > 0:
		template, err := json.Marshal(map[string]any{"attachment": map[string]any{
			"type": "template", "payload": map[string]any{"template_type": "button", "text": c.Text, "buttons": c.Buttons},
		}})
		if err != nil {
			return gateway.Invalid("buttons", "these are not buttons").WithCause(err)
		}
		in.CustomBody = map[string]json.RawMessage{gateway.ChannelMessenger: template}
	case media[kind] != "":
		if c.URL == "" {
			return gateway.Invalid("url", "type %s needs the address of the content", kind)
		}
		in.Title, in.MessageParts = c.Text, []gateway.PartInput{{Type: media[kind], URL: c.URL}}
	case kind != "" && kind != "TEXT":
		return gateway.Invalid("type", "%q is none of TEXT, IMAGE, AUDIO, VIDEO, FILE", kind)
	case c.Text == "":
		return gateway.Invalid("text", "there is nothing to send")
	default:
		in.Body = c.Text
	}
	return nil
}

// validity is how long a message is tried.
type validity struct {
	ValidityPeriod         float64 `json:"validityPeriod"`
	ValidityPeriodTimeUnit string  `json:"validityPeriodTimeUnit"`
}

// period is how long the message is tried; zero for as long as the core does by itself.
func (c *validity) period() (time.Duration, error) {
	if c.ValidityPeriod == 0 {
		return 0, nil
	}
	units := map[string]time.Duration{"": time.Minute, "SECONDS": time.Second, "MINUTES": time.Minute, "HOURS": time.Hour}
	unit, ok := units[strings.ToUpper(c.ValidityPeriodTimeUnit)]
	if !ok {
		return 0, gateway.Invalid("validityPeriodTimeUnit", "%q is none of SECONDS, MINUTES, HOURS", c.ValidityPeriodTimeUnit)
	}
	if c.ValidityPeriod >= float64(maxValidity/unit) {
		return maxValidity, nil
	}
	period := time.Duration(c.ValidityPeriod * float64(unit))
	if period <= minValidity {
		return 0, gateway.Invalid("validityPeriod", "must be more than 30 seconds")
	}
	return period, nil
}

// given reports whether a member is there and not null.
func given(raw json.RawMessage) bool { return len(raw) > 0 && string(raw) != "null" }

// fieldHere names an input of the core as it is called in this face.
func fieldHere(field string) string {
	field = strings.TrimPrefix(field, "channelOptions.fbMessenger.")
	switch {
	case field == "body":
		return "text"
	case field == "application":
		return "from"
	case field == "expiresOn":
		return "validityPeriod"
	case strings.HasPrefix(field, "messageParts"):
		return "url"
	case field == "metadata":
		return "callbackData"
	case strings.HasPrefix(field, "customBody.fbMessenger"):
		return "message" + strings.TrimPrefix(field, "customBody.fbMessenger")
	}
	return field
}
