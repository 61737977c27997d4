package service

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
)

// MaxBatch is how many messages one batch may hold.
const MaxBatch = 1000

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
	// CustomerMatching lets a phone number alone go to Messenger where the version of the Graph API
	// still takes it.
	CustomerMatching bool
}

// Sender sends messages. Reserve tells whether a message that is about to be accepted may go at
// once, and marks it; then Go follows when it was accepted, and Release when it was not.
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

// Send accepts one message: it is in the outbox when Send returns. idempotencyKey may be empty;
// body is the request as received, by which repeats are told from mistakes. Errors are of the table
// in docs/errors.md, and nothing is stored then.
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
	answer := *message // as it is accepted: whoever sends it changes it from then on
	answer.Steps = slices.Clone(message.Steps)
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

// SendBatch accepts those of up to MaxBatch messages that can be, in order and in one commit, and
// tells for each. Under an idempotency key that was used before it does so as then, and returns
// true.
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

// Check is a dry run: what is wrong with a message is an error, and what the platform's rules say
// of it is the answer. Nothing is stored.
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

func (m *Messages) idempotency(key *gateway.APIKey, idempotencyKey string, body []byte) (*store.Idempotency, error) {
	if idempotencyKey == "" {
		return nil, nil
	}
	if err := gateway.CheckKey("Idempotency-Key", idempotencyKey); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(body)
	return &store.Idempotency{APIKey: key.ID, Key: idempotencyKey, Fingerprint: sum[:]}, nil
}

// replay returns what was answered before under the same key to the same body.
func (m *Messages) replay(ctx context.Context, key *store.Idempotency) ([]*gateway.Message, bool) {
	if key == nil {
		return nil, false
	}
	messages, err := m.remembered(ctx, key)
	return messages, err == nil && len(messages) > 0 && messages[0] != nil
}

// remembered returns the messages of the request that took an idempotency key first, nil for those
// that were not accepted.
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

// Get returns a message that the key may see; a not_found error otherwise.
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

// List returns messages that the key may see, newest first.
func (m *Messages) List(ctx context.Context, key *gateway.APIKey, f store.MessageFilter) ([]*gateway.Message, error) {
	var err error
	if f.Applications, err = narrowed(key, f.Applications); err != nil {
		return nil, err
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
