package gateway

import (
	"encoding/json"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/chasqui/chasqui/gatewayapi"
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
	Rules          []Rule                     `json:"rules,omitempty"` // the channels in the order in which they are tried; none: Messenger
	Route          string                     `json:"route,omitempty"` // stored rules, by id or name, instead of rules
	RequireOptIn   bool                       `json:"requireOptIn,omitempty"`
	Human          bool                       `json:"human,omitempty"` // a person wrote it, not a program
	ChannelOptions ChannelOptions             `json:"channelOptions,omitzero"`
	Metadata       json.RawMessage            `json:"metadata,omitempty"`
	ExpiresOn      *time.Time                 `json:"expiresOn,omitempty"`
	Application    string                     `json:"application,omitempty"`

	AnyChannel bool   `json:"-"` // rules may name channels that are not here, which are skipped
	Origin     Origin `json:"-"` // of the message that is made
}

// What a message is made of.
type (
	To               = gatewayapi.To
	PartInput        = gatewayapi.MessagePart
	ChannelOptions   = gatewayapi.ChannelOptions
	MessengerOptions = gatewayapi.MessengerOptions
)

// Clone copies what Check, Merge and a plan change; the rest is shared.
func (in *MessageInput) Clone() *MessageInput {
	c := *in
	c.MessageParts, c.Rules = slices.Clone(in.MessageParts), slices.Clone(in.Rules)
	return &c
}

// Check returns what is wrong with the input apart from its content, which Render checks: an *Error
// that names the field. It settles phone number and e-mail address into their one form.
func (in *MessageInput) Check(now time.Time) error {
	if err := settle(&in.To); err != nil {
		return err
	}
	if in.Body != "" && blank(in.Body) {
		return Invalid("body", "holds nothing that could be seen")
	}
	for i := range in.MessageParts {
		part := &in.MessageParts[i]
		if part.Type == "text/plain" && part.Data != "" && blank(part.Data) {
			return Invalid(fmt.Sprintf("messageParts[%d].data", i), "holds nothing that could be seen")
		}
		part.URL = encodedURL(part.URL)
	}
	if in.Route != "" && len(in.Rules) > 0 {
		return Invalid("route", "give rules or route, not both")
	}
	if err := checkRules(in.Rules, in.AnyChannel); err != nil {
		return err
	}
	for channel := range in.CustomBody {
		if !in.AnyChannel && !slices.Contains(Channels(), channel) {
			return Invalid("customBody."+channel, "%q is not a channel here; the channels are %s", channel, strings.Join(Channels(), ", "))
		}
	}
	for channel, raw := range map[string]json.RawMessage{ChannelSMS: in.ChannelOptions.SMS, ChannelEmail: in.ChannelOptions.Email, ChannelWebhook: in.ChannelOptions.Webhook} {
		if !absent(raw) && !isObject(raw) {
			return Invalid("channelOptions."+channel, "must be a JSON object")
		}
	}
	if len(in.Metadata) > MaxMetadataBytes {
		return Invalid("metadata", "metadata may have %d bytes, this has %d", MaxMetadataBytes, len(in.Metadata))
	}
	if in.ExpiresOn != nil && !in.ExpiresOn.After(now) {
		return Invalid("expiresOn", "must be in the future")
	}
	if err := checkOptions(in.ChannelOptions.FBMessenger, "channelOptions.fbMessenger."); err != nil {
		return err
	}
	return nil
}

// blank reports whether a text holds nothing that could be seen.
func blank(text string) bool {
	return strings.TrimFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.In(r, unicode.Cf, unicode.Cc) || r == '\u2800' || r == '\u3164'
	}) == ""
}

// encodedURL is an address as it can stand in a request: what people copy out of a browser may have
// blanks and letters that have to be encoded.
func encodedURL(address string) string {
	address = strings.TrimSpace(address)
	var b strings.Builder
	for i := range len(address) {
		if c := address[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>\\^`{|}", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// settle checks whom a message is for.
func settle(to *To) error {
	if to.MobileNumber != "" {
		if to.PhoneNumber != "" && Digits(to.PhoneNumber) != Digits(to.MobileNumber) {
			return Invalid("to.mobileNumber", "differs from to.phoneNumber")
		}
		to.PhoneNumber, to.MobileNumber = to.MobileNumber, ""
	}
	if to.PhoneNumber != "" {
		digits, ok := phoneNumber(to.PhoneNumber)
		if !ok {
			return Invalid("to.phoneNumber", "%q is not an international phone number, such as +44 7700 900123, of 5 to 15 digits", to.PhoneNumber)
		}
		to.PhoneNumber = digits
	}
	for field, id := range map[string]string{"to.profileId": to.ProfileID, "to.fbMessengerId": to.FBMessengerID} {
		if err := CheckKey(field, id); err != nil {
			return err
		}
	}
	if to.Email != "" {
		address, err := mail.ParseAddress(to.Email)
		if err != nil {
			return Invalid("to.email", "%q is not an e-mail address", to.Email)
		}
		if len(address.Address) > maxEmail {
			return Invalid("to.email", "an e-mail address has at most %d bytes", maxEmail)
		}
		to.Email = address.Address
	}
	if to.ProfileID == "" && to.FBMessengerID == "" && to.PhoneNumber == "" && to.Email == "" {
		return Invalid("to", "name whom the message is for: profileId, fbMessengerId, phoneNumber or email")
	}
	return nil
}

// maxEmail is how long an e-mail address may be, in bytes.
//
// Docs: https://www.rfc-editor.org/rfc/rfc5321#section-4.5.3.1.3
const maxEmail = 254

// phoneNumber returns an international number in digits; false for what is none of 5 to 15.
func phoneNumber(text string) (string, bool) {
	digits, ok := NormalAddress(ChannelSMS, text)
	return digits, ok && len(digits) >= 5 && len(digits) <= 15
}

// FillTo takes from the profile what the recipient lacks: addresses on channels beside Messenger.
func FillTo(to *To, p *Profile) {
	if to.PhoneNumber == "" {
		if digits, ok := phoneNumber(p.Text("phoneNumber")); ok {
			to.PhoneNumber = digits
		}
	}
	if to.Email == "" {
		to.Email = p.Text("email")
	}
}

// Digits returns the digits of a phone number: what people write around them, such as a plus sign, spaces and dashes, is left out.
func Digits(number string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, number)
}

// checkOptions says what is wrong with the options of Messenger at a path, or returns nil.
func checkOptions(o MessengerOptions, at string) *Error {
	types := []messenger.MessagingType{messenger.TypeResponse, messenger.TypeUpdate, messenger.TypeMessageTag, messenger.TypeUtility}
	if o.MessagingType != "" && !slices.Contains(types, o.MessagingType) {
		return Invalid(at+"messagingType", "%q is not one of RESPONSE, UPDATE, MESSAGE_TAG, UTILITY", o.MessagingType)
	}
	if o.MessagingType == messenger.TypeMessageTag && o.MessageTag == "" {
		return Invalid(at+"messageTag", "messagingType MESSAGE_TAG needs a messageTag")
	}
	if o.MessageTag != "" && o.MessagingType != "" && o.MessagingType != messenger.TypeMessageTag {
		return Invalid(at+"messageTag", "a tag goes with messagingType MESSAGE_TAG, or with none, not with %s", o.MessagingType)
	}
	if o.OneTimeToken != "" && o.NotificationToken != "" {
		return Invalid(at+"notificationMessagesToken", "give this or oneTimeNotifToken, not both")
	}
	notify := []messenger.NotificationType{messenger.NotifyRegular, messenger.NotifySilentPush, messenger.NotifyNoPush}
	if o.NotificationType != "" && !slices.Contains(notify, o.NotificationType) {
		return Invalid(at+"notificationType", "%q is not one of REGULAR, SILENT_PUSH, NO_PUSH", o.NotificationType)
	}
	return nil
}

// Settled returns the messaging type that goes on the wire: a tag alone means MESSAGE_TAG, neither means RESPONSE.
func Settled(o MessengerOptions) messenger.MessagingType {
	switch {
	case o.MessagingType != "":
		return o.MessagingType
	case o.MessageTag != "":
		return messenger.TypeMessageTag
	default:
		return messenger.TypeResponse
	}
}

// forMessenger reports whether a part is meant for this channel.
func forMessenger(p PartInput) bool {
	return len(p.Channels) == 0 || slices.Contains(p.Channels, ChannelMessenger)
}

// SplitText cuts a text into pieces of at most limit characters, at white space where there is some, and never inside what is seen as one character. Nothing but the
// white space at a cut is lost.
func SplitText(text string, limit int) []string {
	var pieces []string
	for {
		runes := 0
		cut, space, whole := len(text), -1, -1
		before := rune(-1)
		for i, r := range text {
			if i > 0 && !joined(before, r) {
				whole = i
			}
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
			before = r
			runes++
		}
		if cut == len(text) {
			return append(pieces, text)
		}
		switch {
		case space > 0 && strings.TrimSpace(text[:space]) != "":
			cut = space
		case whole > 0 && cut-whole <= maxJoined:
			cut = whole
		}
		pieces = append(pieces, strings.TrimRight(text[:cut], " \t\r\n"))
		text = strings.TrimLeft(text[cut:], " \t\r\n")
		if text == "" {
			return pieces
		}
	}
}

// maxJoined is how many bytes of a piece are given up at the most to keep a character whole: a text may be made of nothing but signs that join.
const maxJoined = 200

// joined reports whether two characters are seen as one: an accent and its letter, an emoji and its colour, what a joiner holds together, the two letters of a flag.
//
// Docs: https://www.unicode.org/reports/tr29/ (the common rules of it)
func joined(a, b rune) bool {
	const joiner = '\u200d'
	flag := func(r rune) bool { return r >= 0x1F1E6 && r <= 0x1F1FF }
	switch {
	case a == joiner || b == joiner, unicode.In(b, unicode.Mn, unicode.Me, unicode.Mc):
		return true
	case b >= 0x1F3FB && b <= 0x1F3FF, b >= 0xE0020 && b <= 0xE007F, b >= 0xFE00 && b <= 0xFE0F:
		return true
	}
	return flag(a) && flag(b) || a == '\r' && b == '\n'
}

func isSpace(r rune) bool { return r == ' ' || r == '\n' || r == '\t' || r == '\r' }
