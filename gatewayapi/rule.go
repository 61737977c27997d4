package gatewayapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Rule is a step that a message may take: a channel, what has to be reached there and in which
// time, and what is different about the message on it. In JSON a rule that is its channel alone may
// be written as the channel's name, and is.
type Rule struct {
	// fbMessenger, sms, email or webhook.
	Channel string `json:"channel" enum:"fbMessenger,sms,email,webhook"`
	// accepted, sent, delivered or read: what has to be reached; accepted unless given.
	Until StepGoal `json:"until,omitempty" enum:"accepted,sent,delivered,read"`
	// Time to reach it in, such as 90s or 10m, from 1 second to 30 days; without, as long as the
	// message lives.
	Within Duration `json:"within,omitzero"`
	// Settings of this channel, instead of the message's.
	ChannelOptions json.RawMessage `json:"channelOptions,omitempty"`
	// The channel's own body, instead of the message's.
	CustomBody json.RawMessage `json:"customBody,omitempty"`
	// Text, instead of the message's title, body and parts.
	Body string `json:"body,omitempty"`

	// Unknown names a member of a rule that was read and that this version of the package does not
	// know; empty for none.
	Unknown string `json:"-"`
}

// Rules makes the plain rules of channels.
func Rules(channels ...string) []Rule {
	rules := make([]Rule, len(channels))
	for i, c := range channels {
		rules[i].Channel = c
	}
	return rules
}

// Plain reports whether the rule is its channel alone.
func (r Rule) Plain() bool {
	return r.Until == "" && r.Within == 0 && r.ChannelOptions == nil && r.CustomBody == nil && r.Body == ""
}

// MarshalJSON writes a plain rule as the channel's name.
func (r Rule) MarshalJSON() ([]byte, error) {
	if r.Plain() {
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
	err := d.Decode((*object)(r))
	if err == nil {
		return nil
	}
	words := strings.TrimPrefix(err.Error(), "json: ")
	if name, ok := strings.CutPrefix(words, "unknown field "); ok {
		*r = Rule{}
		if err = json.Unmarshal(b, (*object)(r)); err == nil {
			r.Unknown = strings.Trim(name, `"`)
			return nil
		}
	}
	return fmt.Errorf("a rule is a channel's name, or an object of channel, until, within, channelOptions, customBody and body: %s", words)
}

// Duration is a time in JSON as Go writes it, such as 90s or 1h30m.
type Duration time.Duration

// String writes it without the units that are zero at its end: 10m, not 10m0s. The zero duration is
// empty.
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
		return fmt.Errorf("%q is not a duration such as 30s, 10m or 1h30m", text)
	}
	*d = Duration(v)
	return nil
}
