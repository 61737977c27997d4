package comapi

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
)

type statusDetails struct {
	Channel        string                   `json:"channel,omitempty"`
	AdditionalInfo map[string]string        `json:"additionalInfo"`
	ChannelStatus  map[string]channelStatus `json:"channelStatus"`
}

// statusOf translates a message's state.
func statusOf(s gateway.Status) string {
	switch s {
	case gateway.StatusSent, gateway.StatusDelivered, gateway.StatusRead, gateway.StatusExpired, gateway.StatusFailed:
		return string(s)
	case gateway.StatusCanceled:
		return string(gateway.StatusFailed)
	}
	return "processing"
}

// answered are the members of a message that the gateway writes.
type answered struct {
	MessageID       string        `json:"messageId"`
	Status          string        `json:"status"`
	StatusDetails   statusDetails `json:"statusDetails"`
	SenderProfileID *string       `json:"senderProfileId"`
	SubmittedOn     string        `json:"submittedOn"`
	SentOn          string        `json:"sentOn"`
	CreatedOn       string        `json:"_createdOn"`
	CreatedBy       string        `json:"_createdBy"`
	UpdatedOn       string        `json:"_updatedOn"`
	UpdatedBy       string        `json:"_updatedBy"`
}

// reserved are members of a request that its answer must not repeat.
type reserved struct {
	MessageID       json.RawMessage `json:"messageId"`
	Status          json.RawMessage `json:"status"`
	StatusDetails   json.RawMessage `json:"statusDetails"`
	SenderProfileID json.RawMessage `json:"senderProfileId"`
	SubmittedOn     json.RawMessage `json:"submittedOn"`
	SentOn          json.RawMessage `json:"sentOn"`
	CreatedOn       json.RawMessage `json:"_createdOn"`
	CreatedBy       json.RawMessage `json:"_createdBy"`
	UpdatedOn       json.RawMessage `json:"_updatedOn"`
	UpdatedBy       json.RawMessage `json:"_updatedBy"`
	Application     json.RawMessage `json:"application"`
}

// any reports whether there is one.
func (r *reserved) any() bool {
	return r.MessageID != nil || r.Status != nil || r.StatusDetails != nil || r.SenderProfileID != nil || r.SubmittedOn != nil || r.SentOn != nil ||
		r.CreatedOn != nil || r.CreatedBy != nil || r.UpdatedOn != nil || r.UpdatedBy != nil || r.Application != nil
}

// without takes them out of a request.
func without(asked json.RawMessage) (json.RawMessage, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(asked, &all); err != nil {
		return nil, err
	}
	for _, name := range []string{"messageId", "status", "statusDetails", "senderProfileId", "submittedOn", "sentOn", "_createdOn", "_createdBy", "_updatedOn", "_updatedBy", "application"} {
		delete(all, name)
	}
	return encode(all), nil
}

// show makes the whole message: what was asked as it came, and what the gateway knows of it.
func show(m *gateway.Message) (json.RawMessage, error) {
	request := m.Request // of another API
	if m.Origin.Dialect == Dialect && m.Origin.Data != nil {
		request = m.Origin.Data
	}
	asked, err := without(request)
	if err != nil {
		return nil, fmt.Errorf("read request of message %s: %w", m.ID, err)
	}
	return join(m, asked)
}

// join puts what the gateway knows of a message before what was asked, an object without a member
// that the gateway writes.
func join(m *gateway.Message, asked json.RawMessage) (json.RawMessage, error) {
	by, accepted := "access:"+m.APIKey, gateway.FormatTime(m.AcceptedAt)
	updated, sent := m.UpdatedAt, accepted
	if updated.IsZero() {
		updated = m.AcceptedAt
	}
	if !m.SentAt.IsZero() {
		sent = gateway.FormatTime(m.SentAt)
	}
	own, err := json.Marshal(answered{
		MessageID: m.ID, Status: statusOf(m.Status), StatusDetails: details(m, updated), SubmittedOn: accepted, SentOn: sent,
		CreatedOn: accepted, CreatedBy: by, UpdatedOn: gateway.FormatTime(updated), UpdatedBy: by,
	})
	if err != nil || len(asked) <= len("{}") {
		return own, err
	}
	all := make([]byte, 0, len(own)+len(asked))
	all = append(all, own[:len(own)-1]...)
	all = append(all, ',')
	return append(all, asked[1:]...), nil
}

// details tells for each channel that was tried or skipped what became of it.
func details(m *gateway.Message, updated time.Time) statusDetails {
	d := statusDetails{AdditionalInfo: map[string]string{}, ChannelStatus: map[string]channelStatus{}}
	for i := range m.Steps {
		s := &m.Steps[i]
		if s.Outcome != gateway.StepPending && s.Outcome != gateway.StepUnused && (i != m.Step || s.Outcome == gateway.StepSkipped) {
			d.ChannelStatus[s.Rule.Channel] = stepStatus(s)
		}
	}
	if s := m.Current(); s != nil && s.Outcome == gateway.StepSkipped { // no rule was taken
		return d
	}
	d.Channel = m.Channel()
	if person := m.PSID(); person != "" {
		d.AdditionalInfo["to"] = person
	}
	own := newChannelStatus(statusOf(m.Status), updated)
	if m.MID != "" {
		own.Details["id"] = m.MID
	}
	failure := m.Error
	if s := m.Current(); s != nil {
		if s.Address != "" {
			d.AdditionalInfo["to"] = s.Address
		}
		if s.Note != "" {
			own.Details["note"] = s.Note
		}
		if failure != nil && s.Why != nil {
			failure = s.Why
		}
	}
	own.failed(failure)
	d.ChannelStatus[d.Channel] = own
	return d
}
