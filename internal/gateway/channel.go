package gateway

import (
	"encoding/json"
	"slices"
	"time"
)

// Channels beside Messenger, over which a message can go on.
const (
	ChannelSMS     = "sms"
	ChannelEmail   = "email"   // over SMTP
	ChannelWebhook = "webhook" // handed to a URL of the business's own, which reports back
)

// Channels lists every channel, Messenger first.
func Channels() []string {
	return []string{ChannelMessenger, ChannelSMS, ChannelEmail, ChannelWebhook}
}

// OwnChannel reports whether a channel is one of the business's own: webhook, or one of any other
// name, which the webhook account of that name serves.
func OwnChannel(channel string) bool {
	return channel == ChannelWebhook || !slices.Contains(Channels(), channel)
}

// ChannelMessage is one step of a message as a channel's account gets it: merged, with the step's
// own content, and with the address it goes to.
type ChannelMessage struct {
	ID          string // of the message
	Step        int    // from 0; with ID it names this try for as long as the message lives
	Channel     string
	Application string
	To          To     // as far as it is known
	Address     string // digits for sms, an address for email; may be empty for webhook
	Title       string
	Body        string
	Parts       []PartInput     // those that are meant for the channel
	Custom      json.RawMessage // customBody.<channel>; nil when there is none
	Options     json.RawMessage // channelOptions.<channel>; nil when there are none
	Metadata    json.RawMessage
	AcceptedAt  time.Time
	ExpiresAt   time.Time // a provider that can is told not to deliver it later
}

// ChannelSent is the answer of a provider that took a message.
type ChannelSent struct {
	// Ref is the provider's own identifier, by which later reports name the message; empty when
	// reports carry ours, or none will come.
	Ref string
	// Accepted says that the provider has yet to send it and will report when it has; without,
	// taking it is sending it.
	Accepted bool
}

// ChannelErrorKind says what follows from a provider's refusal.
type ChannelErrorKind string

// The kinds of refusals.
const (
	ChannelRetry   ChannelErrorKind = "retry"   // try again, later
	ChannelRefused ChannelErrorKind = "refused" // this message will never be taken
	ChannelUnknown ChannelErrorKind = "unknown" // the answer was lost: it may have been taken
)

// ChannelError says why a provider did not take a message. Any other error counts as ChannelRetry.
type ChannelError struct {
	Kind    ChannelErrorKind
	Failure Failure
	After   time.Duration // for ChannelRetry: not before, when the provider said so
}

// Error gives the failure's words.
func (e *ChannelError) Error() string { return string(e.Failure.Code) + ": " + e.Failure.Message }

// ChannelReport is what a provider says later of a message it took.
type ChannelReport struct {
	Account   string          // identifier of the channel account that the report came by
	By        *ChannelAccount // the account; nil when the business itself says so
	Ref       string          // the provider's identifier, for the trace; the report must say message and step
	MessageID string
	Step      int
	Status    Status // sent, delivered, read or failed
	Failure   *Failure
	At        time.Time // by the provider's clock; zero when it does not say
}

// IsOf reports whether a report can be of a message's step: the business itself says so, or it
// comes by the account that the step went by, or, where that was not recorded, by one that serves
// the message's application on the step's channel.
func (r *ChannelReport) IsOf(m *Message) bool {
	if r.Step < 0 || r.Step >= len(m.Steps) {
		return false
	}
	s := &m.Steps[r.Step]
	if r.By == nil || s.Account != "" {
		return r.By == nil || s.Account == r.Account
	}
	return r.By.Serves(s.Rule.Channel) && (r.By.Application == "" || r.By.Application == m.Application)
}

// ChannelInbound is a message that a person sent over a channel.
type ChannelInbound struct {
	Account     string
	Channel     string
	Application string
	From        string // the person's address: digits for sms
	To          string // the business's own
	Text        string
	Parts       []PartInput // files by URL
	Ref         string      // the provider's identifier; the same one is taken once
	ProfileID   string      // whom the business says it is from, on a channel of its own
	At          time.Time
	Raw         json.RawMessage // as the provider sent it, in JSON
}

// Cleaned returns the report with what a provider wrote made fit to be stored.
func (r ChannelReport) Cleaned() ChannelReport {
	r.Ref, r.MessageID = KeyText(r.Ref), KeyText(r.MessageID)
	if r.Failure != nil {
		failure := *r.Failure
		failure.Message = CleanText(failure.Message)
		r.Failure = &failure
	}
	return r
}

// Cleaned returns the message with what a provider passed on made fit to be stored.
func (in ChannelInbound) Cleaned() ChannelInbound {
	in.From, in.To, in.Ref = KeyText(in.From), KeyText(in.To), KeyText(in.Ref)
	in.Text, in.Raw = CleanText(in.Text), CleanJSON(in.Raw)
	in.Parts = slices.Clone(in.Parts)
	for i, p := range in.Parts {
		in.Parts[i].Type, in.Parts[i].URL = CleanText(p.Type), CleanText(p.URL)
	}
	return in
}
