package service

import (
	"context"
	"fmt"
	"slices"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/messenger"
)

// Accounts tells which channels beside Messenger an application can send over.
type Accounts interface {
	Has(application, channel string) bool
}

// recipient is whom a message is for, as far as it could be found out.
type recipient struct {
	application string
	person      string           // PSID; empty for none
	profile     *gateway.Profile // nil for none, or when nobody asked
}

// lane is the conversation that a message to the recipient belongs to.
func (r recipient) lane(to gateway.To) gateway.Lane {
	person := r.person
	switch {
	case person != "":
	case to.PhoneNumber != "":
		person = gateway.AddressKey(gateway.ChannelSMS, to.PhoneNumber)
	case to.Email != "":
		person = gateway.AddressKey(gateway.ChannelEmail, to.Email)
	default:
		person = gateway.AddressKey("profile", to.ProfileID)
	}
	return gateway.Lane{Application: r.application, Person: person}
}

// settle reads what the message leaves to be looked up: the profile's addresses on other channels, and the values of merge fields.
func (m *Messages) settle(ctx context.Context, in *gateway.MessageInput, r *recipient) error {
	others := slices.ContainsFunc(in.Rules, func(r gateway.Rule) bool { return r.Channel != gateway.ChannelMessenger })
	fields := in.HasFields()
	if !others && !fields && !in.RequireOptIn {
		return nil
	}
	if r.profile == nil && r.person != "" {
		id, err := m.Store.ProfileOf(ctx, r.application, r.person)
		if err != nil {
			return err
		}
		if id != "" {
			if r.profile, err = m.Store.Profile(ctx, id); err != nil && gateway.CodeOf(err) != gateway.CodeNotFound {
				return err
			}
		}
	}
	if fields {
		in.Merge(r.profile)
	}
	if r.profile == nil || !others {
		return nil
	}
	if in.To.PhoneNumber == "" {
		if digits := gateway.Digits(r.profile.Text("phoneNumber")); len(digits) >= 5 && len(digits) <= 15 {
			in.To.PhoneNumber = digits
		}
	}
	if in.To.Email == "" {
		in.To.Email = r.profile.Text("email")
	}
	return nil
}

// steps makes the plan of a message: each rule with its address, or why it cannot be taken. It answers nil when Messenger alone is asked for in the plainest way.
func (m *Messages) steps(in *gateway.MessageInput, r recipient) []gateway.Step {
	if gateway.Simple(in.Rules) && !in.RequireOptIn && r.person != "" {
		return nil
	}
	steps := make([]gateway.Step, len(in.Rules))
	for i, rule := range in.Rules {
		steps[i] = gateway.Step{Rule: rule, Outcome: gateway.StepPending}
		steps[i].Address, steps[i].Why = m.reach(in, r, rule.Channel)
	}
	return steps
}

// reach answers the address of the recipient on a channel, or why there is no way to it.
func (m *Messages) reach(in *gateway.MessageInput, r recipient, channel string) (string, *gateway.Failure) {
	no := func(code gateway.FailureCode, format string, args ...any) (string, *gateway.Failure) {
		return "", &gateway.Failure{Code: code, Message: fmt.Sprintf(format, args...)}
	}
	if in.RequireOptIn && !optedIn(r.profile, channel) {
		return no(gateway.FailureNotOptedIn, "the customer has not opted in to the channel")
	}
	if channel != gateway.ChannelMessenger && (m.Accounts == nil || !m.Accounts.Has(r.application, channel)) {
		return no(gateway.FailureNoAccount, "the channel has no account here")
	}
	switch {
	case channel == gateway.ChannelSMS && in.To.PhoneNumber == "":
		return no(gateway.FailureNoAddress, "the customer has no phone number")
	case channel == gateway.ChannelSMS:
		return in.To.PhoneNumber, nil
	case channel == gateway.ChannelEmail && in.To.Email == "":
		return no(gateway.FailureNoAddress, "the customer has no e-mail address")
	case channel == gateway.ChannelEmail:
		return in.To.Email, nil
	case channel == gateway.ChannelWebhook || r.person != "":
		return "", nil
	case in.To.PhoneNumber == "" || in.To.ProfileID != "":
		return no(gateway.FailureNoAddress, "the customer has no Messenger address for this page")
	}
	// A phone number alone, on Messenger.
	if !messenger.Support(messenger.FeatureCustomerMatching, m.Policy.Version(r.application), m.Store.Now()).OK {
		return no(gateway.FailureNoAddress, "phone numbers are matched to people by Customer Matching, which Facebook has suspended; give fbMessengerId or profileId")
	}
	if !m.CustomerMatching {
		return no(gateway.FailureNoAddress, "phone numbers are matched to people by Customer Matching, which the setting customerMatching turns on; give fbMessengerId or profileId")
	}
	return in.To.PhoneNumber, nil
}

// optedIn tells whether a customer has opted in to a channel.
func optedIn(profile *gateway.Profile, channel string) bool {
	return profile != nil && slices.Contains(profile.OptIns(), channel)
}

// sendable says what is wrong with the content of a message on the channels that it may take.
func sendable(message *gateway.Message) error {
	at := message.Step
	defer func() {
		message.Step = at
		message.Forget()
	}()
	for i := range message.Steps {
		if message.Steps[i].Why != nil && len(message.Steps) > 1 {
			continue
		}
		message.Step = i
		message.Forget()
		in, _, err := message.Content()
		if err != nil {
			return err
		}
		channel := message.Steps[i].Rule.Channel
		if channel == gateway.ChannelMessenger {
			continue
		}
		for j, p := range in.MessageParts {
			if err := p.Check(fmt.Sprintf("messageParts[%d]", j)); err != nil {
				return err
			}
		}
		shown, err := message.ChannelMessage()
		if err != nil {
			return err
		}
		if shown.Empty() {
			return gateway.Invalid("body", "there is nothing to send over %s: give body, messageParts or customBody.%s", channel, channel)
		}
	}
	return nil
}
