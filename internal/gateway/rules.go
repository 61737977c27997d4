package gateway

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// StepGoal is what a step of a message has to reach before its time is up.
type StepGoal string

// The goals of steps. A provider that has taken a message has accepted it; Messenger, and whoever gives no reports, has sent it with that too.
const (
	UntilAccepted  StepGoal = "accepted"
	UntilSent      StepGoal = "sent"
	UntilDelivered StepGoal = "delivered"
	UntilRead      StepGoal = "read"
)

// StepGoals lists the goals in the order in which a message reaches them.
func StepGoals() []StepGoal { return []StepGoal{UntilAccepted, UntilSent, UntilDelivered, UntilRead} }

func (g StepGoal) rank() int { return slices.Index(StepGoals(), g) }

// Limits of rules.
const (
	MaxRules  = 10
	MinWithin = time.Second
	MaxWithin = 30 * 24 * time.Hour
)

// Rule is a step that a message may take: a channel, what has to be reached there and in which time, and what is different about the message on it. In JSON it is an
// object, or the channel's name alone.
type Rule struct {
	Channel        string          `json:"channel"`
	Until          StepGoal        `json:"until,omitempty"`          // empty: accepted
	Within         Duration        `json:"within,omitzero"`          // empty: as long as the message lives
	ChannelOptions json.RawMessage `json:"channelOptions,omitempty"` // of this channel, instead of the message's
	CustomBody     json.RawMessage `json:"customBody,omitempty"`     // of this channel, instead of the message's
	Body           string          `json:"body,omitempty"`           // instead of the message's title, body and parts
}

// Duration is a time in JSON as Go writes it, such as 90s or 1h30m.
type Duration time.Duration

// String writes it without the units that are zero at its end: 10m, not 10m0s. The zero duration is empty.
func (d Duration) String() string {
	if d == 0 {
		return ""
	}
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// MarshalText writes it as String does.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what Go's time.ParseDuration does.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is no duration such as 30s, 10m or 1h30m", text)
	}
	*d = Duration(v)
	return nil
}

// Rules makes the plain rules of channels.
func Rules(channels ...string) []Rule {
	rules := make([]Rule, len(channels))
	for i, c := range channels {
		rules[i].Channel = c
	}
	return rules
}

// plain tells whether the rule is its channel alone.
func (r Rule) plain() bool {
	return r.Until == "" && r.Within == 0 && r.ChannelOptions == nil && r.CustomBody == nil && r.Body == ""
}

// MarshalJSON writes a plain rule as the channel's name.
func (r Rule) MarshalJSON() ([]byte, error) {
	if r.plain() {
		return json.Marshal(r.Channel)
	}
	type object Rule
	return json.Marshal(object(r))
}

// UnmarshalJSON reads a channel's name, or an object.
func (r *Rule) UnmarshalJSON(b []byte) error {
	*r = Rule{}
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, &r.Channel)
	}
	type object Rule
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode((*object)(r)); err != nil {
		return fmt.Errorf("a rule is a channel's name, or an object of channel, until, within, channelOptions, customBody and body: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	return nil
}

// checkRules says which of the rules is wrong, or nil. With anyChannel a rule may name a channel that is not here.
func checkRules(rules []Rule, anyChannel bool) error {
	if len(rules) > MaxRules {
		return Invalid("rules", "a message may have %d rules, this has %d", MaxRules, len(rules))
	}
	for i, r := range rules {
		if anyChannel && r.Channel != "" && !slices.Contains(Channels(), r.Channel) {
			continue
		}
		if err := r.check(); err != nil {
			return err.Under(fmt.Sprintf("rules[%d]", i))
		}
	}
	return nil
}

func (r Rule) check() *Error {
	switch {
	case !slices.Contains(Channels(), r.Channel):
		field := "channel"
		if r.plain() {
			field = ""
		}
		return Invalid(field, "%q is no channel here; the channels are %s", r.Channel, strings.Join(Channels(), ", "))
	case r.Until != "" && r.Until.rank() < 0:
		return Invalid("until", "%q is none of accepted, sent, delivered, read", r.Until)
	case r.Within != 0 && (time.Duration(r.Within) < MinWithin || time.Duration(r.Within) > MaxWithin):
		return Invalid("within", "must be from %s to %s", MinWithin, MaxWithin)
	}
	if r.Channel == ChannelMessenger && !absent(r.ChannelOptions) {
		var o MessengerOptions
		if err := json.Unmarshal(r.ChannelOptions, &o); err != nil {
			return Invalid("channelOptions", "must be an object with the options of %s", r.Channel)
		}
		if err := o.check(""); err != nil {
			return err.Under("channelOptions")
		}
	}
	for field, raw := range map[string]json.RawMessage{"channelOptions": r.ChannelOptions, "customBody": r.CustomBody} {
		if !absent(raw) && !isObject(raw) {
			return Invalid(field, "must be a JSON object")
		}
	}
	return nil
}

func absent(raw json.RawMessage) bool {
	raw = bytes.TrimSpace(raw)
	return len(raw) == 0 || string(raw) == "null"
}

func isObject(raw json.RawMessage) bool {
	raw = bytes.TrimSpace(raw)
	return len(raw) > 0 && raw[0] == '{'
}

// on answers the message as it is on one of its rules' channels.
func (in *MessageInput) on(r Rule) *MessageInput {
	if r.plain() {
		return in
	}
	out := *in
	if r.Body != "" {
		out.Title, out.Body, out.MessageParts, out.CustomBody = "", r.Body, nil, nil
	}
	if !absent(r.CustomBody) {
		out.CustomBody = map[string]json.RawMessage{r.Channel: r.CustomBody}
	}
	if absent(r.ChannelOptions) {
		return &out
	}
	switch r.Channel {
	case ChannelMessenger:
		out.ChannelOptions.FBMessenger = MessengerOptions{}
		json.Unmarshal(r.ChannelOptions, &out.ChannelOptions.FBMessenger) // was checked when the message was accepted
	case ChannelSMS:
		out.ChannelOptions.SMS = r.ChannelOptions
	case ChannelEmail:
		out.ChannelOptions.Email = r.ChannelOptions
	case ChannelWebhook:
		out.ChannelOptions.Webhook = r.ChannelOptions
	}
	return &out
}

// of answers the raw options of a channel other than Messenger.
func (o ChannelOptions) of(channel string) json.RawMessage {
	switch channel {
	case ChannelSMS:
		return o.SMS
	case ChannelEmail:
		return o.Email
	case ChannelWebhook:
		return o.Webhook
	}
	return nil
}

// Times is n of a unit, and the longest duration where that is more.
func Times(n int, unit time.Duration) time.Duration {
	switch most := math.MaxInt64 / int64(unit); {
	case int64(n) > most:
		return math.MaxInt64
	case int64(n) < -most:
		return math.MinInt64
	}
	return time.Duration(n) * unit
}
