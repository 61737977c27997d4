package comapi

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
)

// messageAnswer is the gateway's part of a message as the API shows it; what was asked stands beside it as it came.
type messageAnswer struct {
	MessageID       string        `json:"messageId"`
	Status          string        `json:"status"`
	StatusDetails   statusDetails `json:"statusDetails"`
	SubmittedOn     string        `json:"submittedOn"`
	SentOn          string        `json:"sentOn"`
	SenderProfileID *string       `json:"senderProfileId"`
	CreatedOn       string        `json:"_createdOn"`
	CreatedBy       string        `json:"_createdBy"`
	UpdatedOn       string        `json:"_updatedOn"`
	UpdatedBy       string        `json:"_updatedBy"`
}

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

// show makes the whole message.
func show(m *gateway.Message) (map[string]json.RawMessage, error) {
	var stored struct {
		Comapi origin `json:"comapi"`
	}
	if err := json.Unmarshal(m.Request, &stored); err != nil {
		return nil, fmt.Errorf("read request of message %s: %w", m.ID, err)
	}
	asked := stored.Comapi.Request
	if asked == nil {
		asked = m.Request // it came by another API
	}
	all := map[string]json.RawMessage{}
	if err := json.Unmarshal(asked, &all); err != nil {
		return nil, fmt.Errorf("read request of message %s: %w", m.ID, err)
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
	answer := messageAnswer{
		MessageID: m.ID, Status: statusOf(m.Status), StatusDetails: details(m, stored.Comapi, updated), SubmittedOn: gateway.FormatTime(m.AcceptedAt),
		SentOn: gateway.FormatTime(sent), CreatedOn: gateway.FormatTime(m.AcceptedAt), CreatedBy: by, UpdatedOn: gateway.FormatTime(updated), UpdatedBy: by,
	}
	var own map[string]json.RawMessage
	if err := json.Unmarshal(encode(answer), &own); err != nil {
		return nil, err
	}
	for name, value := range own {
		all[name] = value
	}
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
