package gateway

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

// ChannelMessenger is the channel of Facebook Messenger.
const ChannelMessenger = "fbMessenger"

// Limits of what one message may ask for.
const (
	MaxParts         = 50    // sends that one message may take
	MaxMetadataBytes = 16384 // of the caller's own metadata
)

// DefaultExpiry is how long a message is tried when nothing else is asked for.
const DefaultExpiry = 24 * time.Hour

// MessageInput is what a caller asks to be sent: the body of POST /v1/messages.
type MessageInput struct {
	To             To                         `json:"to"`
	Title          string                     `json:"title,omitempty"`
	Body           string                     `json:"body,omitempty"`
	MessageParts   []PartInput                `json:"messageParts,omitempty"`
	CustomBody     map[string]json.RawMessage `json:"customBody,omitempty"`
	Rules          []string                   `json:"rules,omitempty"`
	ChannelOptions ChannelOptions             `json:"channelOptions,omitzero"`
	Metadata       json.RawMessage            `json:"metadata,omitempty"`
	ExpiresOn      *time.Time                 `json:"expiresOn,omitempty"`
	Application    string                     `json:"application,omitempty"`
}

// To is whom a message is for. The Messenger id wins over the profile.
type To struct {
	ProfileID     string `json:"profileId,omitempty"`
	FBMessengerID string `json:"fbMessengerId,omitempty"`
	PhoneNumber   string `json:"phoneNumber,omitempty"` // international, in digits
	Email         string `json:"email,omitempty"`
	FirstName     string `json:"firstName,omitempty"`
	LastName      string `json:"lastName,omitempty"`
}

// PartInput is one piece of a message in several: a text, or a file by URL or in base64.
type PartInput struct {
	Name     string   `json:"name,omitempty"`
	Type     string   `json:"type"` // media type, such as text/plain or image/png
	Data     string   `json:"data,omitempty"`
	URL      string   `json:"url,omitempty"`
	Size     int64    `json:"size,omitempty"`
	Channels []string `json:"channels,omitempty"` // the channels the part is for; empty for all
}

// ChannelOptions are settings that only one channel knows.
type ChannelOptions struct {
	FBMessenger MessengerOptions `json:"fbMessenger,omitzero"`
}

// MessengerOptions say why and how a message goes to Messenger.
type MessengerOptions struct {
	MessagingType    messenger.MessagingType    `json:"messagingType,omitempty"`
	MessageTag       messenger.Tag              `json:"messageTag,omitempty"`
	PersonaID        string                     `json:"personaId,omitempty"`
	NotificationType messenger.NotificationType `json:"notificationType,omitempty"`
}

// Check answers what is wrong with the input apart from its content, which Render checks: an *Error that names the field.
func (in *MessageInput) Check(now time.Time) error {
	if in.To.ProfileID == "" && in.To.FBMessengerID == "" {
		return Invalid("to", "name whom the message is for: profileId or fbMessengerId")
	}
	for i, rule := range in.Rules {
		if rule != ChannelMessenger {
			return Invalid(fmt.Sprintf("rules[%d]", i), "%q is no channel here; the channel is %s", rule, ChannelMessenger)
		}
	}
	for channel := range in.CustomBody {
		if channel != ChannelMessenger {
			return Invalid("customBody."+channel, "%q is no channel here; the channel is %s", channel, ChannelMessenger)
		}
	}
	if len(in.Metadata) > MaxMetadataBytes {
		return Invalid("metadata", "metadata may have %d bytes, this has %d", MaxMetadataBytes, len(in.Metadata))
	}
	if in.ExpiresOn != nil && !in.ExpiresOn.After(now) {
		return Invalid("expiresOn", "this moment is over")
	}
	return in.ChannelOptions.FBMessenger.check()
}

func (o MessengerOptions) check() error {
	const at = "channelOptions.fbMessenger."
	types := []messenger.MessagingType{messenger.TypeResponse, messenger.TypeUpdate, messenger.TypeMessageTag, messenger.TypeUtility}
	if o.MessagingType != "" && !slices.Contains(types, o.MessagingType) {
		return Invalid(at+"messagingType", "%q is none of RESPONSE, UPDATE, MESSAGE_TAG, UTILITY", o.MessagingType)
	}
	if o.MessagingType == messenger.TypeMessageTag && o.MessageTag == "" {
		return Invalid(at+"messageTag", "messagingType MESSAGE_TAG needs a messageTag")
	}
	if o.MessageTag != "" && o.MessagingType != "" && o.MessagingType != messenger.TypeMessageTag {
		return Invalid(at+"messageTag", "a tag goes with messagingType MESSAGE_TAG, or with none, not with %s", o.MessagingType)
	}
	notify := []messenger.NotificationType{messenger.NotifyRegular, messenger.NotifySilentPush, messenger.NotifyNoPush}
	if o.NotificationType != "" && !slices.Contains(notify, o.NotificationType) {
		return Invalid(at+"notificationType", "%q is none of REGULAR, SILENT_PUSH, NO_PUSH", o.NotificationType)
	}
	return nil
}

// Settled answers the messaging type that goes on the wire: a tag alone means MESSAGE_TAG, neither means RESPONSE.
func (o MessengerOptions) Settled() messenger.MessagingType {
	switch {
	case o.MessagingType != "":
		return o.MessagingType
	case o.MessageTag != "":
		return messenger.TypeMessageTag
	default:
		return messenger.TypeResponse
	}
}

// forMessenger tells whether a part is meant for this channel.
func (p PartInput) forMessenger() bool {
	return len(p.Channels) == 0 || slices.Contains(p.Channels, ChannelMessenger)
}

// SplitText cuts a text into pieces of at most limit characters, at white space where there is some. Nothing but the white space at a cut is lost.
func SplitText(text string, limit int) []string {
	var pieces []string
	for {
		runes := 0
		cut, space := len(text), -1
		for i, r := range text {
			if runes == limit {
				cut = i
				if isSpace(r) {
					space = i
				}
				break
			}
			if isSpace(r) {
				space = i
			}
			runes++
		}
		if cut == len(text) {
			return append(pieces, text)
		}
		if space > 0 && strings.TrimSpace(text[:space]) != "" {
			cut = space
		}
		pieces = append(pieces, strings.TrimRight(text[:cut], " \t\r\n"))
		text = strings.TrimLeft(text[cut:], " \t\r\n")
		if text == "" {
			return pieces
		}
	}
}

func isSpace(r rune) bool { return r == ' ' || r == '\n' || r == '\t' || r == '\r' }
