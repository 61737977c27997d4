package service

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
	"github.com/chasqui/chasqui/messenger"
)

// Accounts tells which channels beside Messenger an application can send over.
type Accounts interface {
	Has(application, channel string) bool
}

// Plan makes a message of an input, which stays as it is: each of its rules with the address it
// leads to. A message none of whose rules can be taken is not refused but failed already.
func (m *Messages) Plan(ctx context.Context, key *gateway.APIKey, given *gateway.MessageInput) (*gateway.Message, error) {
	in := given.Clone()
	if err := in.Check(m.Store.Now()); err != nil {
		return nil, err
	}
	if m.Policy != nil && !m.Policy.Observe {
		if err := in.CheckLimits(); err != nil {
			return nil, err
		}
	}
	if err := m.route(ctx, key, in); err != nil {
		return nil, err
	}
	r, err := m.recipient(ctx, key, in)
	if err != nil {
		return nil, err
	}
	if err := m.settle(ctx, in, &r); err != nil {
		return nil, err
	}
	return m.compose(r, key.ID, in)
}

// route puts stored rules in the place of their name.
func (m *Messages) route(ctx context.Context, key *gateway.APIKey, in *gateway.MessageInput) error {
	if in.Route != "" {
		route, err := routeOf(ctx, m.Store, key, in.Application, in.Route)
		if gateway.CodeOf(err) == gateway.CodeNotFound {
			return gateway.Invalid("route", "there is no route %q", in.Route)
		}
		if err != nil {
			return err
		}
		in.Rules = route.Rules
		if in.Application == "" {
			in.Application = route.Application
		}
	}
	if len(in.Rules) == 0 {
		in.Rules = gateway.Rules(gateway.ChannelMessenger)
	}
	return nil
}

// Compose makes a message of an input that was checked, and stays as it is, for a person of an
// application on Messenger.
func (m *Messages) Compose(address gateway.Lane, apiKey string, in *gateway.MessageInput) (*gateway.Message, error) {
	return m.compose(recipient{application: address.Application, person: address.Person}, apiKey, in.Clone())
}

func (m *Messages) compose(r recipient, apiKey string, in *gateway.MessageInput) (*gateway.Message, error) {
	now := m.Store.Now()
	expires := now.Add(gateway.DefaultExpiry)
	if in.ExpiresOn != nil {
		expires = in.ExpiresOn.UTC()
	}
	if len(in.Rules) == 0 {
		in.Rules = gateway.Rules(gateway.ChannelMessenger)
	}
	in.Application = r.application
	request, err := json.Marshal(in)
	if err != nil {
		return nil, gateway.Invalid("customBody", "this is not JSON").WithCause(err)
	}
	lane := r.lane(in.To)
	message := &gateway.Message{
		ID: m.Store.NewID("msg"), Partition: gateway.Partition(lane.Application, lane.Person), Application: lane.Application, Person: lane.Person,
		ProfileID: in.To.ProfileID, APIKey: apiKey, Status: gateway.StatusQueued, Request: request, Origin: in.Origin,
		AcceptedAt: now, UpdatedAt: now, ExpiresAt: expires, Parts: 1, Steps: m.steps(in, r),
	}
	if len(message.Steps) == 0 {
		parts, err := gateway.Render(in, message.ID)
		if err != nil {
			return nil, err
		}
		message.Parts = len(parts)
		message.SetContent(in, parts)
		return message, nil
	}
	if err := sendable(message); err != nil {
		return nil, err
	}
	message.Begin(now)
	return message, nil
}

// recipient settles through which application a message goes, and to whom.
func (m *Messages) recipient(ctx context.Context, key *gateway.APIKey, in *gateway.MessageInput) (recipient, error) {
	var candidates []*gateway.Application
	if in.Application != "" {
		if err := usable(m.Directory, key, in.Application); err != nil {
			return recipient{}, err
		}
		candidates = append(candidates, m.Directory.Application(in.Application))
	} else {
		for _, a := range m.Directory.Applications() {
			if key.AllowsApplication(a.Key) && a.State != gateway.ApplicationConnecting {
				candidates = append(candidates, a)
			}
		}
	}
	if in.To.ProfileID != "" && in.To.FBMessengerID != "" && key.Limited() {
		if _, err := m.addressee(ctx, key, in.To.ProfileID); err != nil {
			return recipient{}, err
		}
	}
	switch {
	case len(candidates) == 0:
		return recipient{}, gateway.Invalid("application", "no application is connected that this key may use")
	case len(candidates) == 1 && in.To.FBMessengerID != "":
		return recipient{application: candidates[0].Key, person: in.To.FBMessengerID}, nil
	case in.To.FBMessengerID != "":
		return m.ownerOf(ctx, in.To.FBMessengerID, candidates)
	case in.To.ProfileID != "":
		return m.addressOf(ctx, key, in.To.ProfileID, candidates)
	}
	return oneOf([]recipient{{application: candidates[0].Key}}, candidates)
}

// ownerOf finds the one application, of those given, that knows a person.
func (m *Messages) ownerOf(ctx context.Context, person string, candidates []*gateway.Application) (recipient, error) {
	var found []recipient
	for _, a := range candidates {
		profile, err := m.Store.ProfileOf(ctx, a.Key, person)
		if err != nil {
			return recipient{}, err
		}
		if profile != "" {
			found = append(found, recipient{application: a.Key, person: person})
		}
	}
	return oneOf(found, candidates)
}

// addressOf finds the one application, of those given, at which a profile has an address; without
// any, the one that there is.
func (m *Messages) addressOf(ctx context.Context, key *gateway.APIKey, id string, candidates []*gateway.Application) (recipient, error) {
	profile, err := m.addressee(ctx, key, id)
	if err != nil {
		return recipient{}, err
	}
	var found []recipient
	for _, a := range candidates {
		if person := profile.Addresses[a.Key]; person != "" {
			found = append(found, recipient{a.Key, person, profile})
		}
	}
	if len(found) == 0 && len(candidates) == 1 {
		return recipient{application: candidates[0].Key, profile: profile}, nil
	}
	return oneOf(found, candidates)
}

// addressee returns the profile that a message or a goal names, if the key may see it.
func (m *Messages) addressee(ctx context.Context, key *gateway.APIKey, id string) (*gateway.Profile, error) {
	return addressee(ctx, m.Store, key, id)
}

func addressee(ctx context.Context, st *store.Store, key *gateway.APIKey, id string) (*gateway.Profile, error) {
	profile, err := seen(ctx, st, key, id)
	if gateway.CodeOf(err) == gateway.CodeNotFound {
		return nil, gateway.Invalid("to.profileId", "there is no profile %q", id)
	}
	return profile, err
}

func oneOf(found []recipient, candidates []*gateway.Application) (recipient, error) {
	if len(found) == 1 && found[0].person != "" || len(candidates) == 1 && len(found) == 1 {
		return found[0], nil
	}
	return recipient{}, gateway.Errorf(gateway.CodeApplicationAmbiguous, "%d applications fit: say which one", max(len(found), len(candidates))).WithField("application")
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

// settle reads what the message leaves to be looked up: the profile's addresses on other channels,
// and the values of merge fields.
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
	if r.profile != nil && others {
		gateway.FillTo(&in.To, r.profile)
	}
	return nil
}

// steps makes the plan of a message: each rule with its address, or why it cannot be taken. It
// returns nil when Messenger alone is asked for in the plainest way.
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

// reach returns the address of the recipient on a channel, or why there is no way to it.
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
	case gateway.OwnChannel(channel) || r.person != "":
		return "", nil
	case in.To.PhoneNumber == "" || in.To.ProfileID != "":
		return no(gateway.FailureNoAddress, "the customer has no Messenger address for this page")
	}
	// A phone number alone, on Messenger.
	version := m.Policy.Version(r.application)
	switch {
	case !m.CustomerMatching && !messenger.Support(messenger.FeatureCustomerMatching, version, m.Store.Now()).OK:
		return no(gateway.FailureNoAddress, "phone numbers are matched to people by Customer Matching, which Facebook has suspended; name the person instead")
	case !m.CustomerMatching:
		return no(gateway.FailureNoAddress, "phone numbers are matched to people by Customer Matching, which the setting customerMatching turns on; name the person instead")
	case !messenger.Support(messenger.FeatureCustomerMatching, version, time.Time{}).OK:
		// Whoever turned it on knows a platform that still has it: what its version had counts, and
		// not today's date.
		return no(gateway.FailureNoAddress, "version %s of the Graph API has no Customer Matching: it needs one before v6.0; name the person instead", version)
	}
	return in.To.PhoneNumber, nil
}

// optedIn reports whether a customer has opted in to a channel.
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
			if err := gateway.CheckPart(p, fmt.Sprintf("messageParts[%d]", j)); err != nil {
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
