package service

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
)

// MaxBatch is how many messages one batch may hold.
const MaxBatch = 1000

// maxIdempotencyKey is how long a caller's Idempotency-Key may be.
const maxIdempotencyKey = 255

// Messages accepts messages for sending and tells what became of them.
type Messages struct {
	Store     *store.Store
	Directory *Directory
	// Sender may take a message on its way as soon as it is accepted; nil for none.
	Sender Sender
	// Counted is told of messages that were accepted; nil for no call.
	Counted func(application string)
	Policy  *Policy
	// Accounts tells which channels beside Messenger there are; nil for none.
	Accounts Accounts
	// CustomerMatching lets a phone number alone go to Messenger where the version of the Graph API still takes it.
	CustomerMatching bool
}

// Sender sends messages. Reserve tells whether a message that is about to be accepted may go at once, and marks it; then Go follows when it was accepted, and
// Release when it was not.
type Sender interface {
	Reserve(*gateway.Message) bool
	Go(*gateway.Message)
	Release(*gateway.Message)
}

// Accepted is the answer to a request to send.
type Accepted struct {
	Message  *gateway.Message
	Replayed bool // the request had been made before under the same idempotency key
}

// Send accepts one message: it is in the outbox when Send returns. idempotencyKey may be empty; body is the request as received, by which repeats
// are told from mistakes. Errors are of the table in docs/errors.md, and nothing is stored then.
func (m *Messages) Send(ctx context.Context, key *gateway.APIKey, in *gateway.MessageInput, idempotencyKey string, body []byte) (Accepted, error) {
	remembered, err := m.idempotency(key, idempotencyKey, body)
	if err != nil {
		return Accepted{}, err
	}
	message, err := m.prepare(ctx, key, in)
	if err != nil {
		// A repeat is answered as before even when it could not be accepted any more.
		if again, ok := m.replay(ctx, remembered); ok {
			return Accepted{again[0], true}, nil
		}
		return Accepted{}, err
	}
	if remembered != nil {
		remembered.Answer = message.ID
	}
	answer := *message
	replayed, err := m.accept(ctx, message, remembered)
	if err != nil {
		return Accepted{}, err
	}
	if !replayed {
		m.count(message)
		return Accepted{Message: &answer}, nil
	}
	again, err := m.remembered(ctx, remembered)
	if err != nil {
		return Accepted{}, err
	}
	return Accepted{again[0], true}, nil
}

// accept commits a message, and lets it go at once if nothing is in its way.
func (m *Messages) accept(ctx context.Context, message *gateway.Message, key *store.Idempotency) (replayed bool, err error) {
	if m.Sender == nil || !m.Sender.Reserve(message) {
		return m.Store.Accept(ctx, []*gateway.Message{message}, key)
	}
	// A caller who goes away must not leave it open whether the message was accepted.
	replayed, err = m.Store.Accept(context.WithoutCancel(ctx), []*gateway.Message{message}, key)
	if err != nil || replayed {
		m.Sender.Release(message)
	} else {
		m.Sender.Go(message)
	}
	return replayed, err
}

// Accept commits messages that Plan has made. A lone one goes at once if nothing is in its way.
func (m *Messages) Accept(ctx context.Context, messages ...*gateway.Message) error {
	var err error
	if len(messages) == 1 && messages[0].Status == gateway.StatusQueued {
		_, err = m.accept(ctx, messages[0], nil)
	} else {
		_, err = m.Store.Accept(ctx, messages, nil)
	}
	if err == nil {
		m.count(messages...)
	}
	return err
}

// Verdict is what became of one message of a batch: the message, or why it was not accepted.
type Verdict struct {
	Message *gateway.Message
	Err     error
}

// SendBatch accepts those of up to MaxBatch messages that can be, in order and in one commit, and tells for each. Under an idempotency key that was used
// before it answers as then, and true.
func (m *Messages) SendBatch(ctx context.Context, key *gateway.APIKey, inputs []gateway.MessageInput, idempotencyKey string, body []byte) ([]Verdict, bool, error) {
	if len(inputs) == 0 || len(inputs) > MaxBatch {
		return nil, false, gateway.Invalid("messages", "give 1 to %d messages; this has %d", MaxBatch, len(inputs))
	}
	remembered, err := m.idempotency(key, idempotencyKey, body)
	if err != nil {
		return nil, false, err
	}
	verdicts := make([]Verdict, len(inputs))
	var accepted []*gateway.Message
	var ids []string
	for i := range inputs {
		message, err := m.prepare(ctx, key, &inputs[i])
		verdicts[i] = Verdict{message, under(err, fmt.Sprintf("messages[%d]", i))}
		id := ""
		if err == nil {
			accepted = append(accepted, message)
			id = message.ID
		}
		ids = append(ids, id)
	}
	if len(accepted) == 0 {
		if again, ok := m.replay(ctx, remembered); ok {
			return asBefore(verdicts, again), true, nil
		}
		return verdicts, false, nil
	}
	if remembered != nil {
		remembered.Answer = strings.Join(ids, ",")
	}
	replayed, err := m.Store.Accept(ctx, accepted, remembered)
	if err == nil && !replayed {
		m.count(accepted...)
	}
	if err != nil || !replayed {
		return verdicts, false, err
	}
	again, err := m.remembered(ctx, remembered)
	if err != nil {
		return nil, false, err
	}
	return asBefore(verdicts, again), true, nil
}

func asBefore(verdicts []Verdict, again []*gateway.Message) []Verdict {
	for i := range verdicts {
		if i < len(again) && again[i] != nil {
			verdicts[i] = Verdict{Message: again[i]}
		}
	}
	return verdicts
}

func under(err error, field string) error {
	var e *gateway.Error
	if errors.As(err, &e) {
		return e.Under(field)
	}
	return err
}

func (m *Messages) count(accepted ...*gateway.Message) {
	if m.Counted == nil {
		return
	}
	for _, message := range accepted {
		m.Counted(message.Application)
	}
}

// prepare checks an input and makes the message of it.
func (m *Messages) prepare(ctx context.Context, key *gateway.APIKey, in *gateway.MessageInput) (*gateway.Message, error) {
	message, err := m.Plan(ctx, key, in)
	if err != nil {
		return nil, err
	}
	if message.Status == gateway.StatusFailed {
		return nil, unreachable(message)
	}
	return message, nil
}

// unreachable is the answer to a message none of whose channels can be taken.
func unreachable(message *gateway.Message) error {
	field := "rules"
	for _, s := range message.Steps {
		switch {
		case s.Why.Code == gateway.FailureNoAccount:
		case message.ProfileID != "":
			field = "to.profileId"
		default:
			field = "to"
		}
	}
	return gateway.Invalid(field, "no channel of the message can be taken: %s", message.Error.Message)
}

// Plan makes a message of an input: each of its rules with the address it leads to. A message that no rule of which can be taken is not refused but failed already.
func (m *Messages) Plan(ctx context.Context, key *gateway.APIKey, in *gateway.MessageInput) (*gateway.Message, error) {
	if err := in.Check(m.Store.Now()); err != nil {
		return nil, err
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
		route, err := m.Store.Route(ctx, in.Route)
		if gateway.CodeOf(err) == gateway.CodeNotFound {
			return gateway.Invalid("route", "there is no route %q", in.Route)
		}
		if err != nil {
			return err
		}
		if !key.AllowsRoute(route) {
			return gateway.Invalid("route", "there is no route %q", in.Route)
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

// Check is a dry run: what is wrong with a message is an error, and what the platform's rules say of it is the answer. Nothing is stored.
func (m *Messages) Check(ctx context.Context, key *gateway.APIKey, in *gateway.MessageInput) (*gateway.Message, gateway.PolicyAnswer, error) {
	message, err := m.prepare(ctx, key, in)
	if err != nil {
		return nil, gateway.PolicyAnswer{}, err
	}
	for i := range message.Steps {
		if s := &message.Steps[i]; s.Rule.Channel == gateway.ChannelMessenger && s.Why == nil {
			message.Step = i
			message.Forget()
			break
		}
	}
	if message.Channel() != gateway.ChannelMessenger || message.PSID() == "" {
		return message, gateway.PolicyAnswer{Allowed: true}, nil
	}
	answer, err := m.Policy.Ask(ctx, message)
	return message, answer, err
}

// Compose makes a message of an input that was checked, for a person of an application on Messenger.
func (m *Messages) Compose(address gateway.Lane, apiKey string, in *gateway.MessageInput) (*gateway.Message, error) {
	return m.compose(recipient{application: address.Application, person: address.Person}, apiKey, in)
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
		ProfileID: in.To.ProfileID, APIKey: apiKey, Status: gateway.StatusQueued, Request: request,
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
		a := m.Directory.Application(in.Application)
		if a == nil {
			return recipient{}, gateway.Invalid("application", "there is no application %q", in.Application)
		}
		if !key.AllowsApplication(a.Key) {
			return recipient{}, gateway.Errorf(gateway.CodeForbidden, "this key may not use application %s", a.Key).WithField("application")
		}
		candidates = append(candidates, a)
	} else {
		for _, a := range m.Directory.Applications() {
			if key.AllowsApplication(a.Key) && a.State != gateway.ApplicationConnecting {
				candidates = append(candidates, a)
			}
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
		return m.addressOf(ctx, in.To.ProfileID, candidates)
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

// addressOf finds the one application, of those given, at which a profile has an address; without any, the one that there is.
func (m *Messages) addressOf(ctx context.Context, id string, candidates []*gateway.Application) (recipient, error) {
	profile, err := m.Store.Profile(ctx, id)
	if gateway.CodeOf(err) == gateway.CodeNotFound {
		return recipient{}, gateway.Invalid("to.profileId", "there is no profile %q", id)
	}
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

func oneOf(found []recipient, candidates []*gateway.Application) (recipient, error) {
	if len(found) == 1 && found[0].person != "" || len(candidates) == 1 && len(found) == 1 {
		return found[0], nil
	}
	return recipient{}, gateway.Errorf(gateway.CodeApplicationAmbiguous, "%d applications fit: say which one", max(len(found), len(candidates))).WithField("application")
}

func (m *Messages) idempotency(key *gateway.APIKey, idempotencyKey string, body []byte) (*store.Idempotency, error) {
	if idempotencyKey == "" {
		return nil, nil
	}
	if len(idempotencyKey) > maxIdempotencyKey {
		return nil, gateway.Invalid("Idempotency-Key", "the key may have %d bytes, this has %d", maxIdempotencyKey, len(idempotencyKey))
	}
	sum := sha256.Sum256(body)
	return &store.Idempotency{APIKey: key.ID, Key: idempotencyKey, Fingerprint: sum[:]}, nil
}

// replay answers what was answered before under the same key to the same body.
func (m *Messages) replay(ctx context.Context, key *store.Idempotency) ([]*gateway.Message, bool) {
	if key == nil {
		return nil, false
	}
	messages, err := m.remembered(ctx, key)
	return messages, err == nil && len(messages) > 0 && messages[0] != nil
}

// remembered answers the messages of the request that took an idempotency key first, nil for those that were not accepted.
func (m *Messages) remembered(ctx context.Context, key *store.Idempotency) ([]*gateway.Message, error) {
	first, err := m.Store.RememberedAnswer(ctx, key.APIKey, key.Key)
	if err != nil || first == nil {
		return nil, err
	}
	if !bytes.Equal(first.Fingerprint, key.Fingerprint) {
		return nil, gateway.Errorf(gateway.CodeIdempotencyMismatch, "this Idempotency-Key was used with another body").WithField("Idempotency-Key")
	}
	var messages []*gateway.Message
	for id := range strings.SplitSeq(first.Answer, ",") {
		var message *gateway.Message
		if id != "" {
			if message, err = m.Store.Message(ctx, id); err != nil {
				return nil, err
			}
		}
		messages = append(messages, message)
	}
	return messages, nil
}

// Get answers a message that the key may see; a not_found error otherwise.
func (m *Messages) Get(ctx context.Context, key *gateway.APIKey, id string) (*gateway.Message, error) {
	message, err := m.Store.Message(ctx, id)
	if err != nil {
		return nil, err
	}
	if !key.AllowsApplication(message.Application) {
		return nil, gateway.NotFound("message", id)
	}
	return message, nil
}

// List answers messages that the key may see, newest first.
func (m *Messages) List(ctx context.Context, key *gateway.APIKey, f store.MessageFilter) ([]*gateway.Message, error) {
	if key.Limited() {
		if len(f.Applications) == 0 {
			f.Applications = key.Applications
		}
		for _, a := range f.Applications {
			if !slices.Contains(key.Applications, a) {
				return nil, gateway.Errorf(gateway.CodeForbidden, "this key may not use application %s", a).WithField("application")
			}
		}
	}
	return m.Store.ListMessages(ctx, f)
}

// Cancel ends a message that is still queued; a not_cancelable error otherwise.
func (m *Messages) Cancel(ctx context.Context, key *gateway.APIKey, id string) (*gateway.Message, error) {
	if _, err := m.Get(ctx, key, id); err != nil {
		return nil, err
	}
	return m.Store.CancelMessage(ctx, id)
}

// Release puts a message that a restore has held back in line; a not_held error otherwise.
func (m *Messages) Release(ctx context.Context, key *gateway.APIKey, id string) (*gateway.Message, error) {
	if _, err := m.Get(ctx, key, id); err != nil {
		return nil, err
	}
	return m.Store.ReleaseMessage(ctx, id)
}
