package gateway

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/chasqui/chasqui/gatewayapi"
)

// Status is the state of an outbound message.
type Status = gatewayapi.MessageStatus

// The states of a message.
const (
	StatusQueued    = gatewayapi.StatusQueued
	StatusSending   = gatewayapi.StatusSending
	StatusUncertain = gatewayapi.StatusUncertain
	StatusSent      = gatewayapi.StatusSent
	StatusDelivered = gatewayapi.StatusDelivered
	StatusRead      = gatewayapi.StatusRead
	StatusFailed    = gatewayapi.StatusFailed
	StatusExpired   = gatewayapi.StatusExpired
	StatusCanceled  = gatewayapi.StatusCanceled
	StatusHeld      = gatewayapi.StatusHeld
)

// Statuses lists every state of a message.
func Statuses() []Status { return gatewayapi.MessageStatuses() }

// Message is an outbound message: what was asked, and what became of it.
type Message struct {
	Seq         int64 // order of acceptance, unique in the database
	ID          string
	Partition   int
	Application string
	Person      string // PSID
	ProfileID   string
	APIKey      string // identifier of the key that asked
	Status      Status
	Request     json.RawMessage // a MessageInput as accepted
	Origin      Origin
	Parts       int // how many sends it takes
	PartsSent   int
	Echoed      int64  // bit k-1 is set when an echo of part k was seen
	MID         string // the platform's id of the part sent last
	Attempts    []Attempt
	Epoch       int64     // of the lease under which it was last sent
	DueAt       time.Time // when it may be tried again; zero means at once
	AcceptedAt  time.Time
	ExpiresAt   time.Time
	SendingAt   time.Time // start of the request that is or was in flight
	MarkAt      time.Time // what watermarks are compared with: the echo's time, or else the start of the last request
	SentAt      time.Time
	DeliveredAt time.Time
	ReadAt      time.Time
	EndedAt     time.Time
	UpdatedAt   time.Time
	Error       *Failure
	Late        bool // the proof that it was sent came after it had been given up
	Resent      bool // sent again while uncertain, as the policy allowed: the person may have it twice

	Steps    []Step    // of a message that goes over several channels, or has a goal or a time on one; nil for Messenger alone
	Step     int       // which of them it is at
	StepDue  time.Time // when that one is left if it has not reached its goal; zero for never
	LateMark int64     // earliest mark of a step of Messenger that was left, whose receipts may still come; 0 for none

	content *content          // what is sent, kept in memory only
	sendAs  *MessengerOptions // the options as the platform's rules have changed them, in memory only
}

// Origin says through which dialect's API a message came, and holds what that dialect keeps with
// it. It is zero for a message of /v1 or of a bot.
type Origin struct {
	Dialect string          // its name
	Data    json.RawMessage // as the dialect writes it; nobody else reads it
}

// Change makes a message on Messenger go out with other options than it has, and notes why on its
// step.
func (m *Message) Change(options MessengerOptions, note string, now time.Time) {
	m.sendAs = &options
	if len(m.Steps) == 0 {
		m.Steps = []Step{{Rule: Rule{Channel: ChannelMessenger}, Outcome: StepActive, StartedAt: now.UTC()}}
	}
	m.Steps[m.Step].Note = note
}

// Options returns the options with which the message goes to Messenger.
func (m *Message) Options(in *MessageInput) MessengerOptions {
	if m.sendAs != nil {
		return *m.sendAs
	}
	return in.ChannelOptions.FBMessenger
}

type content struct {
	input *MessageInput
	parts []Part
}

// SetContent keeps what the message asks for and the sends it takes, so that Content need not work
// them out again.
func (m *Message) SetContent(in *MessageInput, parts []Part) { m.content = &content{in, parts} }

// Input returns the message as it was asked for, whichever step it is at.
func (m *Message) Input() (*MessageInput, error) {
	if m.content != nil && m.Current() == nil {
		return m.content.input, nil
	}
	in := new(MessageInput)
	if err := json.Unmarshal(m.Request, in); err != nil {
		return nil, fmt.Errorf("read request of message %s: %w", m.ID, err)
	}
	return in, nil
}

// Forget drops what Content has worked out, after something that it depends on has changed.
func (m *Message) Forget() { m.content = nil }

// render works out what is sent at the current step. On a channel other than Messenger that is one
// send, which the channel makes up itself.
func (m *Message) render(in *MessageInput) (*content, error) {
	s := m.Current()
	if s == nil {
		parts, err := Render(in, m.ID)
		return &content{in, parts}, err
	}
	in = in.on(s.Rule)
	if s.Rule.Channel != ChannelMessenger {
		return &content{in, nil}, nil
	}
	parts, err := renderStep(in, m.ID, m.Step)
	return &content{in, parts}, err
}

// Content returns what the message asks for at its current step and, on Messenger, the sends it
// takes. It is not safe for several goroutines.
func (m *Message) Content() (*MessageInput, []Part, error) {
	if m.content == nil {
		in := new(MessageInput)
		if err := json.Unmarshal(m.Request, in); err != nil {
			return nil, nil, fmt.Errorf("read request of message %s: %w", m.ID, err)
		}
		c, err := m.render(in)
		if err != nil {
			return nil, nil, fmt.Errorf("render message %s: %w", m.ID, err)
		}
		m.content = c
	}
	return m.content.input, m.content.parts, nil
}

// Lane is the conversation the message belongs to.
func (m *Message) Lane() Lane { return Lane{m.Application, m.Person} }

// Attempt is one try to send one part of a message on one channel.
type Attempt = gatewayapi.Attempt

// Failure says why an attempt or a message failed, for programs (Code, of the table in
// docs/errors.md) and for people (Message).
type Failure = gatewayapi.Failure
