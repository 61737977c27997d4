package gateway

import (
	"crypto/sha256"
	"encoding/json"
	"strings"

	"github.com/chasqui/chasqui/gatewayapi"
)

// ChannelInboundEvent makes the event of a message that a person sent over another channel than
// Messenger. profileID is whom it is from, keyword what its text means when it is one of the words.
// The same message of the provider makes the same event.
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

// overChannel reads the data of a message that came over another channel than Messenger; nil for
// any other event.
func overChannel(e *Event) *gatewayapi.MessageInbound {
	var d gatewayapi.MessageInbound
	if e.Type != EventMessageInbound || e.Channel != "" || json.Unmarshal(e.Data, &d) != nil || d.Channel == "" {
		return nil
	}
	return &d
}
