package comapi

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
)

type statusDetails struct {
	Channel        string                          `json:"channel,omitempty"`
	AdditionalInfo map[string]string               `json:"additionalInfo"`
	ChannelStatus  map[string]gateway.ComapiStatus `json:"channelStatus"`
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

// show makes the whole message: what was asked as it came, and what the gateway knows of it.
func show(m *gateway.Message) (map[string]any, error) {
	var stored struct {
		Comapi json.RawMessage `json:"comapi"`
	}
	if err := json.Unmarshal(m.Request, &stored); err != nil {
		return nil, fmt.Errorf("read request of message %s: %w", m.ID, err)
	}
	if stored.Comapi == nil {
		stored.Comapi = m.Request // it came by another API
	}
	var asked map[string]json.RawMessage
	if err := json.Unmarshal(stored.Comapi, &asked); err != nil {
		return nil, fmt.Errorf("read request of message %s: %w", m.ID, err)
	}
	all := make(map[string]any, len(asked)+10)
	for name, value := range asked {
		all[name] = value
	}
	delete(all, "application")
	by := "access:" + m.APIKey
	updated := m.UpdatedAt
	if updated.IsZero() {
		updated = m.AcceptedAt
	}
	sent := m.SentAt
	if sent.IsZero() {
		sent = m.AcceptedAt
	}
	all["messageId"], all["status"], all["statusDetails"], all["senderProfileId"] = m.ID, statusOf(m.Status), details(m, updated), nil
	all["submittedOn"], all["sentOn"] = gateway.FormatTime(m.AcceptedAt), gateway.FormatTime(sent)
	all["_createdOn"], all["_createdBy"], all["_updatedOn"], all["_updatedBy"] = gateway.FormatTime(m.AcceptedAt), by, gateway.FormatTime(updated), by
	return all, nil
}

// details tells for each channel that was tried or skipped what became of it.
func details(m *gateway.Message, updated time.Time) statusDetails {
	d := statusDetails{AdditionalInfo: map[string]string{}, ChannelStatus: map[string]gateway.ComapiStatus{}}
	for i := range m.Steps {
		s := &m.Steps[i]
		if s.Outcome != gateway.StepPending && s.Outcome != gateway.StepUnused && (i != m.Step || s.Outcome == gateway.StepSkipped) {
			d.ChannelStatus[s.Rule.Channel] = s.Comapi()
		}
	}
	if s := m.Current(); s != nil && s.Outcome == gateway.StepSkipped { // no rule was taken
		return d
	}
	d.Channel = m.Channel()
	if person := m.PSID(); person != "" {
		d.AdditionalInfo["to"] = person
	}
	own := gateway.NewComapiStatus(statusOf(m.Status), updated)
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
	own.Failed(failure)
	d.ChannelStatus[d.Channel] = own
	return d
}
