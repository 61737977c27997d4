package comapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/messenger"
)

// sendRequest is the body of a request to send.
type sendRequest struct {
	To             *address                   `json:"to"`
	Title          string                     `json:"title"`
	Body           string                     `json:"body"`
	MessageParts   []gateway.PartInput        `json:"messageParts"`
	CustomBody     map[string]json.RawMessage `json:"customBody"`
	ChannelOptions map[string]json.RawMessage `json:"channelOptions"`
	Metadata       json.RawMessage            `json:"metadata"`
	ExpiresOn      *time.Time                 `json:"expiresOn"`
	Rules          []string                   `json:"rules"`
	RuleSet        string                     `json:"ruleSet"`
	RequireOptIn   bool                       `json:"requireOptIn"`
	reserved
}

// address says whom a message is for.
type address struct {
	ProfileID     string `json:"profileId"`
	FBMessengerID string `json:"fbMessengerId"`
	PhoneNumber   string `json:"phoneNumber"`
	MobileNumber  string `json:"mobileNumber"`
	Email         string `json:"email"`
	FirstName     string `json:"firstName"`
	LastName      string `json:"lastName"`
}

// phone is the number in digits alone, whichever field it came in.
func (a *address) phone() string {
	number := a.PhoneNumber
	if number == "" {
		number = a.MobileNumber
	}
	return gateway.Digits(number)
}

// plan turns a request into a message of the core, and answers what was asked as the answer repeats
// it. The error is for requests that are wrong; nothing was stored then.
func (q *request) plan(ctx context.Context, raw json.RawMessage) (*gateway.Message, json.RawMessage, error) {
	var in sendRequest
	if err := decode(raw, &in); err != nil {
		return nil, nil, err
	}
	input, err := q.input(&in)
	if err != nil {
		return nil, nil, err
	}
	var compact bytes.Buffer
	compact.Grow(len(raw))
	if err := json.Compact(&compact, raw); err != nil {
		return nil, nil, err
	}
	asked := json.RawMessage(compact.Bytes())
	if in.reserved.any() {
		if asked, err = without(asked); err != nil {
			return nil, nil, err
		}
	}
	if err := q.customer(ctx, &in); err != nil {
		return nil, nil, err
	}
	message, err := q.f.o.Messages.Plan(ctx, q.Key, input)
	if err != nil {
		return nil, nil, here(err)
	}
	message.Origin = gateway.Origin{Dialect: Dialect, Data: asked}
	return message, asked, nil
}

// input checks a request and turns it into the core's.
func (q *request) input(in *sendRequest) (*gateway.MessageInput, error) {
	switch {
	case in.To == nil || *in.To == (address{}):
		return nil, gateway.Invalid("to", "name whom the message is for: profileId, fbMessengerId or phoneNumber")
	case in.RuleSet != "" && len(in.Rules) > 0:
		return nil, gateway.Invalid("ruleSet", "give rules or ruleSet, not both")
	case in.RuleSet == "" && len(in.Rules) == 0:
		return nil, gateway.Invalid("rules", "name the channels in the order in which they are tried")
	case slices.Contains(in.Rules, ""):
		return nil, gateway.Invalid(fmt.Sprintf("rules[%d]", slices.Index(in.Rules, "")), "a channel's name must not be empty")
	case in.Body == "" && len(in.MessageParts) == 0 && in.Title == "" && len(in.CustomBody) == 0:
		return nil, gateway.Invalid("body", "there is nothing to send: give body, messageParts or customBody")
	}
	to := in.To
	out := &gateway.MessageInput{
		To:    gateway.To{ProfileID: to.ProfileID, FBMessengerID: to.FBMessengerID, PhoneNumber: to.phone(), Email: to.Email, FirstName: to.FirstName, LastName: to.LastName},
		Title: in.Title, Body: in.Body, MessageParts: in.MessageParts, Route: in.RuleSet, RequireOptIn: in.RequireOptIn, Application: q.space.Key,
		Rules: gateway.Rules(in.Rules...), AnyChannel: true,
	}
	if in.Metadata != nil && string(in.Metadata) != "null" {
		out.Metadata = in.Metadata
	}
	if in.ExpiresOn != nil && in.ExpiresOn.After(q.f.o.Now()) { // one that is too short falls back to the default
		out.ExpiresOn = in.ExpiresOn
	}
	in.custom(out)
	options := &out.ChannelOptions
	options.SMS, options.Email, options.Webhook = in.ChannelOptions[gateway.ChannelSMS], in.ChannelOptions[gateway.ChannelEmail], in.ChannelOptions[gateway.ChannelWebhook]
	if own, ok := in.ChannelOptions[gateway.ChannelMessenger]; ok {
		if err := decode(own, &options.FBMessenger); err != nil {
			return nil, under("channelOptions."+gateway.ChannelMessenger, err)
		}
		out.Human = options.FBMessenger.MessageTag == messenger.TagHumanAgent // the tag is the only word for it here
	}
	return out, nil
}

// custom hands over bodies of channels that are here or asked for, and options of those that are
// the business's own.
func (in *sendRequest) custom(out *gateway.MessageInput) {
	for channel, custom := range in.CustomBody {
		if slices.Contains(gateway.Channels(), channel) || slices.Contains(in.Rules, channel) {
			if out.CustomBody == nil {
				out.CustomBody = map[string]json.RawMessage{}
			}
			out.CustomBody[channel] = custom
		}
	}
	for i, channel := range in.Rules {
		if !slices.Contains(gateway.Channels(), channel) {
			out.Rules[i].ChannelOptions = in.ChannelOptions[channel]
		}
	}
}

// here names the field at fault as this API does.
func here(err error) error {
	if e, ok := err.(*gateway.Error); ok && e.Field == "route" {
		return e.WithField("ruleSet")
	}
	return err
}

func under(field string, err error) error {
	if e, ok := err.(*gateway.Error); ok {
		return e.Under(field)
	}
	return err
}
