package gateway

import (
	"crypto/sha256"
	"encoding/json"
	"strings"

	"github.com/chasqui/chasqui/gatewayapi"
)

// ChannelInboundEvent makes the event of a message that a person sent over another channel than Messenger. profileID is whom it is from, keyword what its text means when it
// is one of the words. The same message of the provider makes the same event.
func ChannelInboundEvent(in ChannelInbound, profileID string, keyword Keyword) *Event {
	d := gatewayapi.MessageInbound{Channel: in.Channel, From: in.From, To: in.To, Account: in.Account, Keyword: keyword, ProfileID: profileID,
		Content: gatewayapi.Content{PlatformMessageID: in.Ref, Text: in.Text, SentAt: gatewayapi.At(in.At)}}
	for _, p := range in.Parts {
		kind, _, _ := strings.Cut(p.Type, "/")
		if kind != "image" && kind != "audio" && kind != "video" {
			kind = "file"
		}
		d.Attachments = append(d.Attachments, gatewayapi.Attachment{Type: kind, URL: p.URL})
	}
	h := sha256.New()
	h.Write([]byte("channel\x00" + in.Account + "\x00" + in.Ref))
	return &Event{Type: EventMessageInbound, Application: in.Application, Person: AddressKey(in.Channel, in.From), Dedup: h.Sum(nil)[:16], Raw: in.Raw, Data: data(d)}
}

// overChannel reads the data of a message that came over another channel than Messenger; nil for any other event.
func overChannel(e *Event) *gatewayapi.MessageInbound {
	var d gatewayapi.MessageInbound
	if e.Type != EventMessageInbound || e.Channel != "" || json.Unmarshal(e.Data, &d) != nil || d.Channel == "" {
		return nil
	}
	return &d
}

// comapiChannelInbound is such a message as Comapi's webhooks carry it.
func comapiChannelInbound(e *Event, d *gatewayapi.MessageInbound, p *Publication) any {
	if OwnChannel(d.Channel) {
		return comapiOwnInbound(e, d, p)
	}
	address := "phoneNumber"
	if d.Channel == ChannelEmail {
		address = "email"
	}
	from := map[string]any{address: d.From}
	if p.ProfileID != "" {
		from["profileId"] = p.ProfileID
	}
	parts := []map[string]any{}
	for _, a := range d.Attachments {
		parts = append(parts, map[string]any{"type": comapiMedia(a.Type), "url": a.URL})
	}
	return map[string]any{
		"channel": d.Channel, "from": from, "to": map[string]any{address: d.To}, "receivedOn": p.CreatedAt, "status": "received", "metadata": map[string]any{},
		"channelData": map[string]any{"body": CleanJSON(e.Raw)}, "messageId": e.ID(), "body": d.Text, "messageParts": parts,
	}
}

// comapiOwnInbound is a message over a channel of the business's own: what the business brought, and what the gateway knows of it.
func comapiOwnInbound(e *Event, d *gatewayapi.MessageInbound, p *Publication) any {
	all := map[string]any{"metadata": map[string]any{}, "messageParts": []any{}}
	var brought map[string]json.RawMessage
	json.Unmarshal(e.Raw, &brought) // was read when it came
	for name, value := range brought {
		all[name] = value
	}
	from := map[string]any{}
	json.Unmarshal(brought["from"], &from) // was read when it came
	if p.ProfileID != "" {
		from["profileId"] = p.ProfileID
	}
	all["channel"], all["from"], all["messageId"], all["receivedOn"], all["status"] = d.Channel, from, e.ID(), p.CreatedAt, "received"
	return all
}

// ComapiInbound is a message.inbound or a postback as Comapi's API shows it.
func ComapiInbound(e *Event, profileID, pageID string) any {
	p := Publish(e, profileID, pageID)
	return comapiInbound(e, &p, nil)
}
