package comapi

import (
	"encoding/json"

	"github.com/chasqui/chasqui/internal/gateway"
)

// received is what the gateway's own subscribers read of what a person wrote or tapped.
type received struct {
	Kind        *string `json:"kind"` // of an event that could not be read
	Channel     string  `json:"channel"`
	From        string  `json:"from"`
	To          string  `json:"to"`
	Text        string  `json:"text"`
	Title       string  `json:"title"`
	Attachments []struct {
		Type string `json:"type"`
		URL  string `json:"url"`
	} `json:"attachments"`
}

func (r *received) parts() []map[string]any {
	parts := []map[string]any{}
	for _, a := range r.Attachments {
		parts = append(parts, map[string]any{"type": mediaType(a.Type), "url": a.URL})
	}
	return parts
}

// mediaType makes a media type of the platform's kind of attachment, which says no more.
func mediaType(kind string) string {
	switch kind {
	case "image", "audio", "video":
		return kind + "/*"
	case "file":
		return "application/octet-stream"
	}
	return "application/x-" + kind
}

// channelOf returns the channel of a message from a person, or of what became of one of ours.
func channelOf(e *gateway.Event) string {
	var r received
	if e.Type == gateway.EventMessageInbound && e.Channel == "" && json.Unmarshal(e.Data, &r) == nil && r.Channel != "" {
		return r.Channel
	}
	return gateway.ChannelMessenger
}

// Inbound is a message.inbound or a postback as the API shows it.
func Inbound(e *gateway.Event, profileID, pageID string) any {
	p := gateway.Publish(e, profileID, pageID)
	return inboundPayload(e, &p, nil)
}

func inboundPayload(e *gateway.Event, p *gateway.Publication, last *gateway.Message) any {
	var r received
	if json.Unmarshal(p.Data, &r) != nil {
		r = received{}
	}
	if e.Channel == "" && r.Channel != "" {
		return channelPayload(e, &r, p)
	}
	from := map[string]any{"fbMessengerId": e.Person}
	if p.ProfileID != "" {
		from["profileId"] = p.ProfileID
	}
	payload := map[string]any{
		"channel": gateway.ChannelMessenger, "from": from, "to": map[string]any{"pageId": p.PageID}, "receivedOn": p.CreatedAt, "status": "received",
		"metadata": map[string]any{}, "channelData": map[string]any{"body": p.Raw}, "messageId": e.ID(), "messageParts": r.parts(),
	}
	switch {
	case e.Channel == "" || r.Kind != nil: // erased, or could not be read
	case e.Type == gateway.EventPostback:
		payload["body"] = r.Title
	default:
		payload["body"] = r.Text
	}
	if last != nil {
		correlation := map[string]any{"messageId": last.ID, "metadata": map[string]any{}}
		if in, _, err := last.Content(); err == nil && in.Metadata != nil {
			correlation["metadata"] = in.Metadata
		}
		payload["correlation"] = correlation
	}
	return payload
}

// channelPayload is a message that came over another channel than Messenger.
func channelPayload(e *gateway.Event, r *received, p *gateway.Publication) any {
	if gateway.OwnChannel(r.Channel) {
		return broughtPayload(e, r, p)
	}
	address := "phoneNumber"
	if r.Channel == gateway.ChannelEmail {
		address = "email"
	}
	from := map[string]any{address: r.From}
	if p.ProfileID != "" {
		from["profileId"] = p.ProfileID
	}
	return map[string]any{
		"channel": r.Channel, "from": from, "to": map[string]any{address: r.To}, "receivedOn": p.CreatedAt, "status": "received", "metadata": map[string]any{},
		"channelData": map[string]any{"body": p.Raw}, "messageId": e.ID(), "body": r.Text, "messageParts": r.parts(),
	}
}

// broughtPayload is a message over a channel of the business's own: what the business brought, and
// what the gateway knows of it.
func broughtPayload(e *gateway.Event, r *received, p *gateway.Publication) any {
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
	all["channel"], all["from"], all["messageId"], all["receivedOn"], all["status"] = r.Channel, from, e.ID(), p.CreatedAt, "received"
	return all
}
