package gateway

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/chasqui/chasqui/gatewayapi"
)

// StepGoal is what a step of a message has to reach before its time is up.
type StepGoal = gatewayapi.StepGoal

// The goals of steps.
const (
	UntilAccepted  = gatewayapi.UntilAccepted
	UntilSent      = gatewayapi.UntilSent
	UntilDelivered = gatewayapi.UntilDelivered
	UntilRead      = gatewayapi.UntilRead
)

// rank is the place of a goal in the order in which a message reaches them; -1 for none.
func rank(g StepGoal) int { return slices.Index(gatewayapi.StepGoals(), g) }

// Limits of rules.
const (
	MaxRules  = 10
	MinWithin = time.Second
	MaxWithin = 30 * 24 * time.Hour
)

// Rule is a step that a message may take.
type Rule = gatewayapi.Rule

// Duration is a time in JSON as Go writes it, such as 90s or 1h30m.
type Duration = gatewayapi.Duration

// Rules makes the plain rules of channels.
func Rules(channels ...string) []Rule { return gatewayapi.Rules(channels...) }

// checkRules says which of the rules is wrong, or nil. With anyChannel a rule may name a channel
// that is not here.
func checkRules(rules []Rule, anyChannel bool) error {
	if len(rules) > MaxRules {
		return Invalid("rules", "a message may have %d rules, this has %d", MaxRules, len(rules))
	}
	for i, r := range rules {
		if r.Unknown != "" {
			return Invalid(fmt.Sprintf("rules[%d]", i), "a rule is a channel's name, or an object of channel, until, within, channelOptions, customBody and body: unknown field %q", r.Unknown)
		}
		if anyChannel && r.Channel != "" && !slices.Contains(Channels(), r.Channel) {
			continue
		}
		if err := checkRule(r); err != nil {
			return err.Under(fmt.Sprintf("rules[%d]", i))
		}
	}
	return nil
}

func checkRule(r Rule) *Error {
	switch {
	case !slices.Contains(Channels(), r.Channel):
		field := "channel"
		if r.Plain() {
			field = ""
		}
		return Invalid(field, "%q is not a channel here; the channels are %s", r.Channel, strings.Join(Channels(), ", "))
	case r.Until != "" && rank(r.Until) < 0:
		return Invalid("until", "%q is not one of accepted, sent, delivered, read", r.Until)
	case r.Within != 0 && (time.Duration(r.Within) < MinWithin || time.Duration(r.Within) > MaxWithin):
		return Invalid("within", "must be from %s to %s", MinWithin, MaxWithin)
	}
	if r.Channel == ChannelMessenger && !absent(r.ChannelOptions) {
		var o MessengerOptions
		if err := json.Unmarshal(r.ChannelOptions, &o); err != nil {
			return Invalid("channelOptions", "must be an object with the options of %s", r.Channel)
		}
		if err := checkOptions(o, ""); err != nil {
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

// on returns the message as it is on one of its rules' channels.
func (in *MessageInput) on(r Rule) *MessageInput {
	if r.Plain() {
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

// optionsOf returns the raw options of a channel other than Messenger.
func optionsOf(o *ChannelOptions, channel string) json.RawMessage {
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
