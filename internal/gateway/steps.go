package gateway

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/chasqui/chasqui/gatewayapi"
)

// Outcome is what came of a step of a message.
type Outcome = gatewayapi.StepOutcome

// The outcomes of steps. Exactly one step of an unfinished message is active; those after it are
// pending.
const (
	StepPending = gatewayapi.StepPending
	StepActive  = gatewayapi.StepActive
	StepReached = gatewayapi.StepReached
	StepSkipped = gatewayapi.StepSkipped
	StepFailed  = gatewayapi.StepFailed
	StepPassed  = gatewayapi.StepPassed
	StepUnused  = gatewayapi.StepUnused
)

// Step is one step of a message: where it was to go, and what came of it. Together the steps are
// the trace of every decision about the message.
type Step struct {
	Rule    Rule   `json:"rule"`
	Address string `json:"address,omitempty"` // on a channel other than Messenger
	// Why holds the reason of a step that was skipped or failed. On a pending one it says at
	// acceptance already that it will be skipped.
	Why         *Failure  `json:"why,omitempty"`
	Note        string    `json:"note,omitempty"` // what was changed so that it could be sent
	Outcome     Outcome   `json:"outcome"`
	Account     string    `json:"account,omitempty"` // the channel account that it went by
	Ref         string    `json:"ref,omitempty"`     // the provider's identifier, or the platform's
	StartedAt   time.Time `json:"startedAt,omitzero"`
	EndedAt     time.Time `json:"endedAt,omitzero"` // when it was left, or reached its goal
	AcceptedAt  time.Time `json:"acceptedAt,omitzero"`
	SentAt      time.Time `json:"sentAt,omitzero"`
	DeliveredAt time.Time `json:"deliveredAt,omitzero"`
	ReadAt      time.Time `json:"readAt,omitzero"`
	MarkAt      time.Time `json:"markAt,omitzero"` // what the watermarks of Messenger are compared with, after the step was left
	Late        bool      `json:"late,omitempty"`  // a receipt came after the step had been left
}

// Goal is what the step has to reach.
func (s *Step) Goal() StepGoal {
	if s.Rule.Until == "" {
		return UntilAccepted
	}
	return s.Rule.Until
}

// reached is how far the step has come; "" for nowhere.
func (s *Step) reached() StepGoal {
	switch {
	case !s.ReadAt.IsZero():
		return UntilRead
	case !s.DeliveredAt.IsZero():
		return UntilDelivered
	case !s.SentAt.IsZero():
		return UntilSent
	case !s.AcceptedAt.IsZero():
		return UntilAccepted
	}
	return ""
}

func (s *Step) satisfied() bool { return rank(s.reached()) >= rank(s.Goal()) }

// deadline is when the step is left if it has not reached its goal; zero for not before the message
// ends.
func (s *Step) deadline() time.Time {
	if s.Rule.Within == 0 {
		return time.Time{}
	}
	return s.StartedAt.Add(time.Duration(s.Rule.Within))
}

// Simple reports whether a message needs no trace of steps: Messenger alone, without a goal or a
// time of its own.
func Simple(rules []Rule) bool {
	return len(rules) == 0 || len(rules) == 1 && rules[0].Channel == ChannelMessenger && rules[0].Plain()
}

// Current returns the step that the message is at; nil for a message of Messenger alone that needs
// no trace.
func (m *Message) Current() *Step {
	if len(m.Steps) == 0 {
		return nil
	}
	return &m.Steps[m.Step]
}

// Channel is the channel that the message is on now, or was last.
func (m *Message) Channel() string {
	if s := m.Current(); s != nil {
		return s.Rule.Channel
	}
	return ChannelMessenger
}

// PSID is the Messenger id of the message's person; empty for somebody who is known by another
// address only.
func (m *Message) PSID() string { return PSIDOf(m.Person) }

// PSIDOf returns the person of a conversation if it is one of Messenger, and "" if it is an address
// of another channel.
func PSIDOf(person string) string {
	if strings.Contains(person, ":") {
		return ""
	}
	return person
}

// AddressKey is the person of a conversation with somebody who has no Messenger id here, such as
// sms:447700900000.
func AddressKey(channel, address string) string { return channel + ":" + address }

// Begin starts the first usable step. It returns false, with the message failed, if there is none.
func (m *Message) Begin(now time.Time) bool {
	if len(m.Steps) == 0 {
		return true
	}
	m.Step = -1
	return m.next(now)
}

// MoveOn leaves the current step with its outcome, for the next that can be taken. It returns false
// when there is none: then the message has ended. A message whose time is up ends instead.
func (m *Message) MoveOn(outcome Outcome, why *Failure, now time.Time) bool {
	now = now.UTC()
	s := m.Current()
	if s == nil {
		m.end(outcome, why, now)
		return false
	}
	s.Outcome, s.Why, s.EndedAt = outcome, why, now
	if s.Rule.Channel == ChannelMessenger {
		s.MarkAt, s.Ref = m.MarkAt, m.MID
	}
	m.LateMark = m.lateMark()
	if !now.Before(m.ExpiresAt) {
		m.leaveRest()
		m.end(StepPassed, why, now)
		return false
	}
	return m.next(now)
}

// next begins the next step that can be taken.
func (m *Message) next(now time.Time) bool {
	for m.Step+1 < len(m.Steps) {
		m.Step++
		s := &m.Steps[m.Step]
		if s.Why == nil {
			s.Outcome, s.StartedAt = StepActive, now
			m.restart()
			m.StepDue = s.deadline()
			return true
		}
		s.Outcome, s.StartedAt, s.EndedAt = StepSkipped, now, now
	}
	last := m.decisive()
	why := last.Why
	if len(m.Steps) > 1 && why != nil {
		summary := *why
		summary.Message = m.reasons()
		why = &summary
	}
	m.end(last.Outcome, why, now)
	return false
}

// restart makes the message as if nothing of it had been sent, for its new step.
func (m *Message) restart() {
	m.Status, m.PartsSent, m.Echoed, m.MID, m.Error = StatusQueued, 0, 0, "", nil
	m.MarkAt, m.SentAt, m.DeliveredAt, m.ReadAt, m.DueAt, m.SendingAt = time.Time{}, time.Time{}, time.Time{}, time.Time{}, time.Time{}, time.Time{}
	m.Resent, m.content, m.sendAs = false, nil, nil
	if _, parts, err := m.Content(); err == nil {
		m.Parts = max(1, len(parts))
	}
}

// Rewind makes a message start again from its first step, as one that was accepted now.
func (m *Message) Rewind(now time.Time) {
	for i := range m.Steps {
		s := &m.Steps[i]
		fresh := Step{Rule: s.Rule, Address: s.Address, Outcome: StepPending}
		if s.Outcome == StepSkipped && s.Account == "" {
			fresh.Why = s.Why
		}
		*s = fresh
	}
	m.Begin(now)
}

// decisive is the step whose end decides how the message ends: the last that was tried, or else the
// first that was skipped.
func (m *Message) decisive() *Step {
	for i := range slices.Backward(m.Steps[:m.Step+1]) {
		if o := m.Steps[i].Outcome; o == StepFailed || o == StepPassed {
			return &m.Steps[i]
		}
	}
	return &m.Steps[0]
}

func (m *Message) reasons() string {
	var reasons []string
	for i := range m.Steps {
		if s := &m.Steps[i]; s.Why != nil && s.Outcome != StepUnused {
			reasons = append(reasons, s.Rule.Channel+": "+s.Why.Message)
		}
	}
	return strings.Join(reasons, "; ")
}

func (m *Message) end(outcome Outcome, why *Failure, now time.Time) {
	m.Status, m.Error, m.EndedAt, m.StepDue = StatusFailed, why, now.UTC(), time.Time{}
	if outcome == StepPassed {
		m.Status = StatusExpired
	}
}

// leaveRest marks the steps that will not be taken any more.
func (m *Message) leaveRest() {
	for i := m.Step + 1; i < len(m.Steps); i++ {
		m.Steps[i].Outcome = StepUnused
	}
}

// Abandon marks the steps of a message that was canceled.
func (m *Message) Abandon(now time.Time) {
	if s := m.Current(); s != nil && s.Outcome == StepActive {
		s.Outcome, s.EndedAt = StepUnused, now.UTC()
	}
	m.leaveRest()
}

// Expire ends a message whose time is up.
func (m *Message) Expire(why *Failure, now time.Time) {
	if s := m.Current(); s != nil {
		s.Outcome, s.Why, s.EndedAt = StepPassed, why, now.UTC()
		if s.Rule.Channel == ChannelMessenger {
			s.MarkAt, s.Ref = m.MarkAt, m.MID
		}
		m.LateMark = m.lateMark()
		m.leaveRest()
	}
	m.end(StepPassed, why, now)
}

// Progress notes on the current step how far the message has come, and whether that was the step's
// goal. StepDue says afterwards when the step is left if nothing more happens; zero for never.
func (m *Message) Progress(now time.Time) {
	s := m.Current()
	if s == nil {
		return
	}
	if s.AcceptedAt.IsZero() && !m.SentAt.IsZero() {
		s.AcceptedAt = m.SentAt
	}
	if s.Rule.Channel == ChannelMessenger && m.PartsSent == m.Parts {
		s.SentAt = m.SentAt
	}
	s.DeliveredAt, s.ReadAt = m.DeliveredAt, m.ReadAt
	s.Ref = m.MID
	switch {
	case s.satisfied():
		if s.Outcome == StepActive {
			s.Outcome, s.EndedAt = StepReached, now.UTC()
			m.leaveRest()
		}
		m.StepDue = time.Time{}
	case m.StepDue.IsZero() || m.StepDue.After(m.ExpiresAt):
		m.StepDue = m.ExpiresAt // whoever waits for a goal waits no longer than the message lives
	}
}

// lateMark is the earliest mark of a step of Messenger that was left and whose receipts would be
// late; 0 when none is expected.
func (m *Message) lateMark() int64 {
	var mark int64
	for i := range m.Steps {
		s := &m.Steps[i]
		left := s.Outcome == StepFailed || s.Outcome == StepPassed
		if s.Rule.Channel != ChannelMessenger || !left || s.MarkAt.IsZero() || !s.ReadAt.IsZero() {
			continue
		}
		if at := s.MarkAt.UnixMilli(); mark == 0 || at < mark {
			mark = at
		}
	}
	return mark
}

// ArriveLate notes a receipt for a step that has been left. It never starts anything; a message
// that had come to nothing is corrected by it, if the step has reached its goal after all. It
// reports whether anything is new.
func (m *Message) ArriveLate(step int, status Status, at time.Time) bool {
	s := &m.Steps[step]
	before := rank(s.reached())
	at = at.UTC()
	set := func(t *time.Time) {
		if t.IsZero() {
			*t = at
		}
	}
	switch status {
	case StatusRead:
		set(&s.ReadAt)
		set(&s.DeliveredAt)
		set(&s.SentAt)
	case StatusDelivered:
		set(&s.DeliveredAt)
		set(&s.SentAt)
	case StatusSent:
		set(&s.SentAt)
	}
	set(&s.AcceptedAt)
	if rank(s.reached()) <= before {
		return false
	}
	s.Late = true
	m.LateMark = m.lateMark()
	over := m.Status == StatusFailed || m.Status == StatusExpired
	if over && s.satisfied() {
		s.Outcome = StepReached
		m.Step, m.Late, m.Error, m.EndedAt = step, true, nil, time.Time{}
		m.SentAt, m.DeliveredAt, m.ReadAt, m.MarkAt, m.MID = s.SentAt, s.DeliveredAt, s.ReadAt, s.MarkAt, s.Ref
		m.Status = status
		if status == StatusRead {
			m.EndedAt = at
		}
	}
	return true
}

// ChannelMessage is the current step as the account of its channel gets it.
func (m *Message) ChannelMessage() (*ChannelMessage, error) {
	in, _, err := m.Content()
	if err != nil {
		return nil, err
	}
	s := m.Current()
	out := &ChannelMessage{
		ID: m.ID, Step: m.Step, Channel: s.Rule.Channel, Application: m.Application, To: in.To, Address: s.Address, Title: in.Title, Body: in.Body,
		Options: optionsOf(&in.ChannelOptions, s.Rule.Channel), Metadata: in.Metadata, AcceptedAt: m.AcceptedAt, ExpiresAt: m.ExpiresAt,
	}
	if out.Options == nil && !slices.Contains(Channels(), s.Rule.Channel) {
		out.Options = s.Rule.ChannelOptions
	}
	if out.To.FBMessengerID == "" {
		out.To.FBMessengerID = m.PSID()
	}
	if custom := in.CustomBody[s.Rule.Channel]; !emptyObject(custom) {
		out.Custom = custom
	}
	for _, p := range in.MessageParts {
		if len(p.Channels) == 0 || slices.Contains(p.Channels, s.Rule.Channel) {
			out.Parts = append(out.Parts, p)
		}
	}
	if due := s.deadline(); !due.IsZero() && due.Before(out.ExpiresAt) {
		out.ExpiresAt = due
	}
	if out.Body == "" && len(out.Parts) == 0 && out.Custom == nil {
		out.Body = PlainText(in.CustomBody[ChannelMessenger])
	}
	return out, nil
}

// Empty reports whether there is nothing in the message that the channel could show.
func (c *ChannelMessage) Empty() bool {
	return c.Title == "" && c.Body == "" && len(c.Parts) == 0 && c.Custom == nil
}

// Text is the message in words alone: title, texts, and links to the files that have a URL.
func (c *ChannelMessage) Text() string {
	lines := []string{c.Title, c.Body}
	for _, p := range c.Parts {
		switch {
		case p.Type == "text/plain" && p.URL == "":
			lines = append(lines, p.Data)
		case p.URL != "":
			lines = append(lines, p.URL)
		}
	}
	return strings.Join(slices.DeleteFunc(lines, func(s string) bool { return s == "" }), "\n")
}

// EncodeSteps writes the steps for the database; "" when there are none.
func EncodeSteps(steps []Step) string {
	if len(steps) == 0 {
		return ""
	}
	return string(data(steps))
}

// DecodeSteps reads what EncodeSteps has written.
func DecodeSteps(text string) ([]Step, error) {
	if text == "" {
		return nil, nil
	}
	var steps []Step
	return steps, json.Unmarshal([]byte(text), &steps)
}
