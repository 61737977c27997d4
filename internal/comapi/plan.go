package comapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
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
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, number)
}

// origin is what is kept beside the stored request of a message: what was asked in this API's own words, and how its rules were gone through.
type origin struct {
	Request json.RawMessage `json:"request"`
	Skipped []skipped       `json:"skipped,omitempty"`
	Note    string          `json:"note,omitempty"` // what was changed so that the message could be sent
}

// skipped is a rule that was not taken.
type skipped struct {
	Channel string              `json:"channel"`
	Code    gateway.FailureCode `json:"code"`
	Reason  string              `json:"reason"`
}

// outgoing is a message that is to be stored, and why it fails at once; nil when it is sent.
type outgoing struct {
	message *gateway.Message
	origin  origin
	failure *gateway.Failure
}

// plan turns a request into a message: the first of its rules that can be taken, or none. The error is for requests that are wrong; nothing was stored then.
func (q *request) plan(ctx context.Context, raw json.RawMessage) (*outgoing, error) {
	var in sendRequest
	if err := decode(raw, &in); err != nil {
		return nil, err
	}
	input, err := q.input(&in)
	if err != nil {
		return nil, err
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, raw); err != nil {
		return nil, err
	}
	out := &outgoing{origin: origin{Request: compact.Bytes()}}
	lane := gateway.Lane{Application: q.space.Key, Person: in.To.FBMessengerID}
	profile, err := q.customer(ctx, &in)
	if err != nil {
		return nil, err
	}
	if lane.Person == "" && profile != nil {
		lane.Person = profile.Addresses[q.space.Key]
	}
	if out.message, err = q.f.o.Messages.Compose(lane, q.key.ID, input); err != nil {
		return nil, err
	}
	taken, err := q.take(ctx, out, &in, lane, profile)
	if err != nil {
		return nil, err
	}
	if taken == nil {
		out.fail()
		return out, nil
	}
	if *taken == input.ChannelOptions.FBMessenger {
		return out, nil
	}
	input.ChannelOptions.FBMessenger = *taken
	out.message, err = q.f.o.Messages.Compose(lane, q.key.ID, input)
	return out, err
}

// fail ends the message for the reasons for which its rules were not taken.
func (o *outgoing) fail() {
	reasons := make([]string, len(o.origin.Skipped))
	for i, s := range o.origin.Skipped {
		reasons[i] = s.Channel + ": " + s.Reason
	}
	last := o.origin.Skipped[len(o.origin.Skipped)-1]
	for _, s := range o.origin.Skipped {
		if s.Channel == gateway.ChannelMessenger {
			last = s
		}
	}
	o.failure = &gateway.Failure{Code: last.Code, Message: strings.Join(reasons, "; ")}
	o.message.Status = gateway.StatusFailed
}

// take goes through the rules and answers the options with which the message is sent, nil when no rule can be taken.
func (q *request) take(ctx context.Context, out *outgoing, in *sendRequest, lane gateway.Lane, profile *gateway.Profile) (*gateway.MessengerOptions, error) {
	skip := func(channel string, code gateway.FailureCode, reason string, args ...any) {
		out.origin.Skipped = append(out.origin.Skipped, skipped{channel, code, fmt.Sprintf(reason, args...)})
	}
	for _, channel := range in.Rules {
		switch {
		case channel != gateway.ChannelMessenger:
			skip(channel, gateway.FailureNoAddress, "the channel has no account here")
		case lane.Person == "" && in.To.ProfileID == "" && in.To.phone() != "":
			skip(channel, gateway.FailureNoAddress, "phone numbers are matched to people by Customer Matching, which Facebook has suspended; give fbMessengerId or profileId")
		case lane.Person == "":
			skip(channel, gateway.FailureNoAddress, "the customer has no Messenger address for this page")
		case in.RequireOptIn && !optedIn(profile, channel):
			skip(channel, gateway.FailureNoAddress, "the customer has not opted in to the channel")
		default:
			verdict, err := q.policy(ctx, out.message, lane)
			if err != nil {
				return nil, err
			}
			if verdict.Allowed {
				out.origin.Note = verdict.Message
				options := verdict.SendAs
				if given, _, err := out.message.Content(); err == nil && verdict.Message == "" {
					options = given.ChannelOptions.FBMessenger // the platform's client settles the rest
				}
				return &options, nil
			}
			skip(channel, verdict.Code, "%s", verdict.Message)
		}
	}
	return nil, nil
}

// policy asks the platform's rules about a message.
func (q *request) policy(ctx context.Context, m *gateway.Message, lane gateway.Lane) (gateway.PolicyAnswer, error) {
	in, parts, err := m.Content()
	if err != nil {
		return gateway.PolicyAnswer{}, err
	}
	last, err := q.f.o.Store.LastInbound(ctx, lane)
	if err != nil {
		return gateway.PolicyAnswer{}, err
	}
	version := q.space.GraphVersion
	if version == "" {
		version = q.f.o.Messages.GraphVersion
	}
	question := gateway.PolicyQuestion{Options: in.ChannelOptions.FBMessenger, Message: parts[0].Raw, Version: version, Now: q.f.o.Store.Now()}
	return gateway.Policy(question, gateway.History{LastInbound: last}), nil
}

// input checks a request and turns it into the core's.
func (q *request) input(in *sendRequest) (*gateway.MessageInput, error) {
	now := q.f.o.Store.Now()
	switch {
	case in.To == nil || *in.To == (address{}):
		return nil, gateway.Invalid("to", "name whom the message is for: profileId, fbMessengerId or phoneNumber")
	case in.RuleSet != "" && len(in.Rules) > 0:
		return nil, gateway.Invalid("ruleSet", "give rules or ruleSet, not both")
	case in.RuleSet != "":
		return nil, gateway.Invalid("ruleSet", "there is no rule set %q; give rules", in.RuleSet)
	case len(in.Rules) == 0:
		return nil, gateway.Invalid("rules", "name the channels in the order in which they are tried")
	case slices.Contains(in.Rules, ""):
		return nil, gateway.Invalid(fmt.Sprintf("rules[%d]", slices.Index(in.Rules, "")), "a channel's name must not be empty")
	}
	out := &gateway.MessageInput{To: gateway.To{ProfileID: in.To.ProfileID, FBMessengerID: in.To.FBMessengerID}, Title: in.Title, Body: in.Body, MessageParts: in.MessageParts}
	if in.Metadata != nil && string(in.Metadata) != "null" {
		out.Metadata = in.Metadata
	}
	if in.ExpiresOn != nil && in.ExpiresOn.After(now) { // one that is too short falls back to the default
		out.ExpiresOn = in.ExpiresOn
	}
	custom, hasCustom := in.CustomBody[gateway.ChannelMessenger]
	if hasCustom {
		out.CustomBody = map[string]json.RawMessage{gateway.ChannelMessenger: custom}
	}
	if options, ok := in.ChannelOptions[gateway.ChannelMessenger]; ok {
		if err := decode(options, &out.ChannelOptions.FBMessenger); err != nil {
			return nil, under("channelOptions."+gateway.ChannelMessenger, err)
		}
	}
	if out.To == (gateway.To{}) {
		out.To.FBMessengerID = "-" // whoever has neither cannot be reached, which is no mistake of the request
	}
	if err := out.Check(now); err != nil {
		return nil, err
	}
	if out.To.FBMessengerID == "-" {
		out.To.FBMessengerID = ""
	}
	return out, sendable(in, out)
}

// sendable checks the content. What is only for channels that are not here is not looked at.
func sendable(in *sendRequest, out *gateway.MessageInput) error {
	if in.Body == "" && len(in.MessageParts) == 0 && in.Title == "" && len(in.CustomBody) == 0 {
		return gateway.Invalid("body", "there is nothing to send: give body, messageParts or customBody")
	}
	messenger := slices.Contains(in.Rules, gateway.ChannelMessenger)
	if messenger && in.To.ProfileID == "" {
		return nil // composing it says what is wrong, before anything is stored
	}
	_, err := gateway.Render(out, "msg")
	if err == nil || messenger {
		return err
	}
	out.Title, out.MessageParts, out.CustomBody = "", nil, nil
	out.Body = "A message for " + strings.Join(in.Rules, ", ")
	return nil
}

func under(field string, err error) error {
	if e, ok := err.(*gateway.Error); ok {
		return e.Under(field)
	}
	return err
}
