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

type channelStatus struct {
	Status    string         `json:"status"`
	Details   map[string]any `json:"details"`
	UpdatedOn string         `json:"updatedOn"`
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

// show makes the whole message of what is stored.
func show(m *gateway.Message) (map[string]any, error) {
	var stored struct {
		Comapi origin `json:"comapi"`
	}
	if err := json.Unmarshal(m.Request, &stored); err != nil {
		return nil, fmt.Errorf("read request of message %s: %w", m.ID, err)
	}
	if stored.Comapi.Request == nil {
		stored.Comapi.Request = m.Request // it came by another API
	}
	return shownAs(m, stored.Comapi)
}

// shownAs makes the whole message: what was asked as it came, and what the gateway knows of it.
func shownAs(m *gateway.Message, o origin) (map[string]any, error) {
	var asked map[string]json.RawMessage
	if err := json.Unmarshal(o.Request, &asked); err != nil {
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
	all["messageId"], all["status"], all["statusDetails"], all["senderProfileId"] = m.ID, statusOf(m.Status), details(m, o, updated), nil
	all["submittedOn"], all["sentOn"] = gateway.FormatTime(m.AcceptedAt), gateway.FormatTime(sent)
	all["_createdOn"], all["_createdBy"], all["_updatedOn"], all["_updatedBy"] = gateway.FormatTime(m.AcceptedAt), by, gateway.FormatTime(updated), by
	return all, nil
}

// details tells for each channel that was tried or skipped what became of it.
func details(m *gateway.Message, o origin, updated time.Time) statusDetails {
	d := statusDetails{AdditionalInfo: map[string]string{}, ChannelStatus: map[string]channelStatus{}}
	for _, s := range o.Skipped {
		d.ChannelStatus[s.Channel] = channelStatus{"failed", map[string]any{"failureCode": s.Code, "reason": s.Reason, "skipped": true}, gateway.FormatTime(m.AcceptedAt)}
	}
	if len(o.Skipped) > 0 && m.Status == gateway.StatusFailed && len(m.Attempts) == 0 { // no rule was taken
		return d
	}
	d.Channel = gateway.ChannelMessenger
	d.AdditionalInfo["to"] = m.Person
	own := channelStatus{Status: statusOf(m.Status), Details: map[string]any{}, UpdatedOn: gateway.FormatTime(updated)}
	if m.MID != "" {
		own.Details["id"] = m.MID
	}
	if o.Note != "" {
		own.Details["note"] = o.Note
	}
	if m.Error != nil {
		own.Details["failureCode"], own.Details["reason"] = m.Error.Code, m.Error.Message
		if m.Error.PlatformCode != 0 {
			own.Details["platformCode"] = m.Error.PlatformCode
		}
	}
	d.ChannelStatus[gateway.ChannelMessenger] = own
	return d
}
