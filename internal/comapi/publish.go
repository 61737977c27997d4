package comapi

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
)

// topicTypes are the events of the API that there are here, with the types of events they are made
// of.
var topicTypes = map[string][]gateway.EventType{
	"message.inbound": {gateway.EventMessageInbound, gateway.EventPostback}, "message.sent": {gateway.EventMessageSent}, "message.delivered": {gateway.EventMessageDelivered},
	"message.read": {gateway.EventMessageRead}, "message.failed": {gateway.EventMessageFailed}, "message.expired": {gateway.EventMessageExpired},
	"facebook.optin": {gateway.EventOptin}, "profile.create": {gateway.EventProfileCreated}, "profile.update": {gateway.EventProfileUpdated},
}

// topicNames are the names by type of event.
var topicNames = func() map[gateway.EventType]string {
	names := map[gateway.EventType]string{}
	for name, types := range topicTypes {
		for _, t := range types {
			names[t] = name
		}
	}
	return names
}()

// topicOf returns the name of an event in the API, "" when it has none there.
func topicOf(e *gateway.Event) string {
	if e.Type == gateway.EventOptin && e.Channel != "" && strings.HasPrefix(optinRef(e), gateway.OptInTokenPrefix) {
		return "" // the fact that follows says what came of the token
	}
	return topicNames[e.Type]
}

func optinRef(e *gateway.Event) string {
	var raw struct {
		Optin struct {
			Ref string `json:"ref"`
		} `json:"optin"`
		Referral struct {
			Ref string `json:"ref"`
		} `json:"referral"`
	}
	json.Unmarshal(e.Raw, &raw) // what cannot be read has no ref
	if raw.Optin.Ref != "" {
		return raw.Optin.Ref
	}
	return raw.Referral.Ref
}

// envelope is an event as webhooks carry it.
type envelope struct {
	EventID    string `json:"eventId"`
	AccountID  int    `json:"accountId"`
	APISpaceID string `json:"apiSpaceId"`
	Name       string `json:"name"`
	Payload    any    `json:"payload"`
	Revision   int    `json:"revision"`
	ETag       string `json:"etag"`
	Timestamp  string `json:"timestamp"`
}

// Publish makes of an event what webhooks carry. last is the newest message to the person; nil when
// there is none.
func Publish(e *gateway.Event, profileID, pageID string, last *gateway.Message) any {
	p := gateway.Publish(e, profileID, pageID)
	out := envelope{EventID: e.ID(), APISpaceID: e.Application, Name: topicOf(e), ETag: `"` + e.ID() + `"`, Timestamp: p.CreatedAt}
	switch e.Type {
	case gateway.EventMessageInbound, gateway.EventPostback:
		out.Payload = inboundPayload(e, &p, last)
	case gateway.EventOptin:
		out.Payload = optinPayload(e, &p)
	case gateway.EventProfileCreated, gateway.EventProfileUpdated:
		out.Payload = profilePayload(e)
	default:
		out.Payload = receiptPayload(e)
	}
	return out
}

// receipt is what the gateway's own events tell of a message.
type receipt struct {
	MessageID string `json:"messageId"`
	Channel   string `json:"channel"`
	To        struct {
		FBMessengerID string `json:"fbMessengerId"`
		PhoneNumber   string `json:"phoneNumber"`
		Email         string `json:"email"`
	} `json:"to"`
	Steps []struct {
		Channel     string           `json:"channel"`
		Outcome     gateway.Outcome  `json:"outcome"`
		Ref         string           `json:"ref"`
		Error       *gateway.Failure `json:"error"`
		EndedAt     time.Time        `json:"endedAt"`
		DeliveredAt time.Time        `json:"deliveredAt"`
		ReadAt      time.Time        `json:"readAt"`
	} `json:"steps"`
	Error    *gateway.Failure `json:"error"`
	Metadata json.RawMessage  `json:"metadata"`
}

// to is the address on the message's channel.
func (r *receipt) to() string {
	switch r.Channel {
	case gateway.ChannelMessenger:
		return r.To.FBMessengerID
	case gateway.ChannelSMS:
		return r.To.PhoneNumber
	case gateway.ChannelEmail:
		return r.To.Email
	}
	return ""
}

func receiptPayload(e *gateway.Event) any {
	var r receipt
	json.Unmarshal(e.Data, &r) // the gateway wrote it
	info := map[string]any{"successful": r.Error == nil && e.Type != gateway.EventMessageExpired}
	if to := r.to(); to != "" {
		info["to"] = to
	}
	channels := map[string]channelStatus{}
	for _, s := range r.Steps {
		if s.Outcome != gateway.StepActive {
			channels[s.Channel] = stepStatus(&gateway.Step{Outcome: s.Outcome, Ref: s.Ref, Why: s.Error, EndedAt: s.EndedAt, DeliveredAt: s.DeliveredAt, ReadAt: s.ReadAt})
		}
	}
	_, decided := channels[r.Channel]
	if e.Type != gateway.EventMessageFailed && e.Type != gateway.EventMessageExpired || !decided { // the end of a message over several channels has each one's own reason
		own := newChannelStatus(strings.TrimPrefix(string(e.Type), "message."), e.ReceivedAt)
		own.failed(r.Error)
		channels[r.Channel] = own
	}
	metadata := r.Metadata
	if metadata == nil {
		metadata = json.RawMessage(`{}`)
	}
	return map[string]any{
		"id": r.MessageID, "channelData": map[string]any{}, "metadata": metadata, "updatedOn": gateway.FormatTime(e.ReceivedAt),
		"details": map[string]any{"channel": r.Channel, "additionalInfo": info, "channelStatus": channels},
	}
}

func optinPayload(e *gateway.Event, p *gateway.Publication) any {
	payload := map[string]any{"fbMessengerId": e.Person, "pageId": p.PageID, "ref": optinRef(e), "rawData": p.Raw}
	if p.ProfileID != "" {
		payload["profileId"] = p.ProfileID
	}
	var d struct {
		ProfileID string                     `json:"profileId"`
		Data      map[string]json.RawMessage `json:"data"`
	}
	if e.Channel != "" || json.Unmarshal(e.Data, &d) != nil || d.ProfileID == "" {
		return payload
	}
	state := map[string]any{"profileId": d.ProfileID}
	for name, value := range d.Data {
		state[name] = value
	}
	payload["stateData"] = state
	return payload
}

func profilePayload(e *gateway.Event) any {
	var d struct {
		Profile map[string]json.RawMessage `json:"profile"`
	}
	json.Unmarshal(e.Data, &d) // the gateway wrote it
	all := map[string]any{}
	for name, value := range d.Profile {
		switch name {
		case gateway.FieldCreatedAt:
			all["_createdOn"] = value
		case gateway.FieldUpdatedAt:
			all["_updatedOn"] = value
		case gateway.FieldMessenger, gateway.FieldFirstTouch, gateway.FieldLastTouch:
		default:
			all[name] = value
		}
	}
	if person := gateway.PSIDOf(e.Person); person != "" {
		all["fbMessengerId"] = person
	}
	return all
}
