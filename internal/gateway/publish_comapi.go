package gateway

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/chasqui/chasqui/gatewayapi"
)

// DeliveryFormat says how the deliveries of a forward subscription look and are signed.
type DeliveryFormat string

// FormatOwn is the gateway's: a Publication, signed by the Standard Webhooks scheme. FormatComapi is that of Comapi's webhooks.
const (
	FormatOwn    DeliveryFormat = ""
	FormatComapi DeliveryFormat = "comapi"
)

// Topic is one kind of event that a subscription in Comapi's format wants, by that API's name, such as message.inbound.
type Topic struct {
	Type    string   `json:"type"`
	Filters []Filter `json:"filters,omitempty"`
}

// Filter narrows a topic. The one name there is is channel.
type Filter struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Batching is how a subscription in Comapi's format asked for its events in lists.
type Batching struct {
	On      bool `json:"on,omitempty"`
	Size    int  `json:"size,omitempty"`
	Timeout int  `json:"timeout,omitempty"` // seconds
}

// ComapiTopics lists the events of Comapi's API that there are here, with the types of events they are made of.
func ComapiTopics() map[string][]EventType {
	return map[string][]EventType{
		"message.inbound": {EventMessageInbound, EventPostback}, "message.sent": {EventMessageSent}, "message.delivered": {EventMessageDelivered},
		"message.read": {EventMessageRead}, "message.failed": {EventMessageFailed}, "message.expired": {EventMessageExpired},
		"facebook.optin": {EventOptin}, "profile.create": {EventProfileCreated}, "profile.update": {EventProfileUpdated},
	}
}

// comapiName answers the name of an event in Comapi's API, "" when it has none there.
func comapiName(e *Event) string {
	for name, types := range ComapiTopics() {
		if !slices.Contains(types, e.Type) {
			continue
		}
		if e.Type == EventOptin && e.Channel != "" && strings.HasPrefix(optinRef(e), optInToken) {
			return "" // the fact that follows says what came of the token
		}
		return name
	}
	return ""
}

// optInToken is how the tokens of opt-in states begin.
const optInToken = "cqs_"

func optinRef(e *Event) string {
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

// wantsTopic tells whether one of the topics selects an event.
func (s *Subscription) wantsTopic(e *Event) bool {
	name := comapiName(e)
	channel := ChannelMessenger
	if d := overChannel(e); d != nil {
		channel = d.Channel
	}
	for _, t := range s.Topics {
		if name == "" || t.Type != name {
			continue
		}
		fits := len(t.Filters) == 0
		for _, f := range t.Filters {
			fits = fits || f.Value == channel
		}
		if fits {
			return true
		}
	}
	return false
}

// comapiEnvelope is an event as Comapi's webhooks carry it.
type comapiEnvelope struct {
	EventID    string `json:"eventId"`
	AccountID  int    `json:"accountId"`
	APISpaceID string `json:"apiSpaceId"`
	Name       string `json:"name"`
	Payload    any    `json:"payload"`
	Revision   int    `json:"revision"`
	ETag       string `json:"etag"`
	Timestamp  string `json:"timestamp"`
}

// PublishComapi makes of an event what Comapi's webhooks carry. last is the newest message to the person; nil when there is none.
func PublishComapi(e *Event, profileID, pageID string, last *Message) any {
	p := Publish(e, profileID, pageID)
	out := comapiEnvelope{EventID: e.ID(), APISpaceID: e.Application, Name: comapiName(e), ETag: `"` + e.ID() + `"`, Timestamp: p.CreatedAt}
	switch e.Type {
	case EventMessageInbound, EventPostback:
		out.Payload = comapiInbound(e, &p, last)
	case EventOptin:
		out.Payload = comapiOptin(e, &p)
	case EventProfileCreated, EventProfileUpdated:
		out.Payload = comapiProfile(e)
	default:
		out.Payload = comapiReceipt(e)
	}
	return out
}

func comapiReceipt(e *Event) any {
	var d gatewayapi.MessageUpdate
	json.Unmarshal(e.Data, &d) // the gateway wrote it
	info := map[string]any{"successful": d.Failure == nil && e.Type != EventMessageExpired}
	if to := addressOn(d.To, d.Channel); to != "" {
		info["to"] = to
	}
	channels := map[string]ComapiStatus{}
	for i := range d.Steps {
		if u := &d.Steps[i]; u.Outcome != StepActive {
			s := Step{Outcome: u.Outcome, Ref: u.Ref, Why: u.Failure, EndedAt: u.EndedAt.Time, DeliveredAt: u.DeliveredAt.Time, ReadAt: u.ReadAt.Time}
			channels[u.Channel] = s.Comapi()
		}
	}
	_, decided := channels[d.Channel]
	if e.Type != EventMessageFailed && e.Type != EventMessageExpired || !decided { // the end of a message over several channels has each one's own reason
		own := NewComapiStatus(strings.TrimPrefix(string(e.Type), "message."), e.ReceivedAt)
		own.Failed(d.Failure)
		channels[d.Channel] = own
	}
	metadata := d.Metadata
	if metadata == nil {
		metadata = json.RawMessage(`{}`)
	}
	return map[string]any{
		"id": d.MessageID, "channelData": map[string]any{}, "metadata": metadata, "updatedOn": FormatTime(e.ReceivedAt),
		"details": map[string]any{"channel": d.Channel, "additionalInfo": info, "channelStatus": channels},
	}
}

// addressOn is the address on a channel.
func addressOn(to gatewayapi.To, channel string) string {
	switch channel {
	case ChannelMessenger:
		return to.FBMessengerID
	case ChannelSMS:
		return to.PhoneNumber
	case ChannelEmail:
		return to.Email
	}
	return ""
}

func comapiInbound(e *Event, p *Publication, last *Message) any {
	if d := overChannel(e); d != nil {
		return comapiChannelInbound(e, d, p)
	}
	event := e.Parse()
	from := map[string]any{"fbMessengerId": e.Person}
	if p.ProfileID != "" {
		from["profileId"] = p.ProfileID
	}
	payload := map[string]any{
		"channel": ChannelMessenger, "from": from, "to": map[string]any{"pageId": p.PageID}, "receivedOn": p.CreatedAt, "status": "received",
		"metadata": map[string]any{}, "channelData": map[string]any{"body": CleanJSON(e.Raw)}, "messageId": e.ID(),
	}
	parts := []map[string]any{}
	switch {
	case event.Message != nil:
		in := contentOf(&event)
		payload["body"] = in.Text
		for _, a := range in.Attachments {
			parts = append(parts, map[string]any{"type": comapiMedia(a.Type), "url": a.URL})
		}
	case event.Postback != nil:
		payload["body"] = event.Postback.Title
	}
	payload["messageParts"] = parts
	if last != nil {
		correlation := map[string]any{"messageId": last.ID, "metadata": map[string]any{}}
		if in, _, err := last.Content(); err == nil && in.Metadata != nil {
			correlation["metadata"] = in.Metadata
		}
		payload["correlation"] = correlation
	}
	return payload
}

// comapiMedia makes a media type of the platform's kind of attachment, which says no more.
func comapiMedia(kind string) string {
	switch kind {
	case "image", "audio", "video":
		return kind + "/*"
	case "file":
		return "application/octet-stream"
	}
	return "application/x-" + kind
}

func comapiOptin(e *Event, p *Publication) any {
	payload := map[string]any{"fbMessengerId": e.Person, "pageId": p.PageID, "ref": optinRef(e), "rawData": CleanJSON(e.Raw)}
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

func comapiProfile(e *Event) any {
	var d struct {
		Profile map[string]json.RawMessage `json:"profile"`
	}
	json.Unmarshal(e.Data, &d) // the gateway wrote it
	all := map[string]any{}
	for name, value := range d.Profile {
		switch name {
		case FieldCreatedAt:
			all["_createdOn"] = value
		case FieldUpdatedAt:
			all["_updatedOn"] = value
		case FieldMessenger, FieldFirstTouch, FieldLastTouch:
		default:
			all[name] = value
		}
	}
	if person := PSIDOf(e.Person); person != "" {
		all["fbMessengerId"] = person
	}
	return all
}

// comapiPauses are the pauses after the tries of a delivery in Comapi's format.
var comapiPauses = [...]time.Duration{5 * time.Second, 5 * time.Second, 30 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute,
	15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour, 4 * time.Hour, 4 * time.Hour, 4 * time.Hour, 4 * time.Hour}

// NextTryComapi is NextTry for deliveries in Comapi's format.
func (d *Delivery) NextTryComapi(now time.Time) (time.Time, bool) {
	n := len(d.Attempts)
	if n > len(comapiPauses) {
		return now, false
	}
	return now.Add(comapiPauses[max(n-1, 0)]), true
}

// minComapiSecret is how long a secret of Comapi's webhooks is at least, in bytes.
const minComapiSecret = 16

// ValidateSecret says what is wrong with a signing secret that a caller brings for the subscription, or nil.
func (s *Subscription) ValidateSecret(secret Secret) error {
	if s.Format != FormatComapi {
		return ValidateSigningSecret(secret)
	}
	if n := len(secret.Reveal()); n < minComapiSecret || n > 1000 {
		return Invalid("secret", "must have %d to 1000 bytes", minComapiSecret)
	}
	return nil
}
