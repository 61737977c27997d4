package gateway

import (
	"encoding/json"
	"time"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/messenger"
)

// Publication is an event as subscribers get it, pushed or pulled. docs/events.md fixes it.
type Publication struct {
	ID          string            `json:"id"`
	Type        EventType         `json:"type"`
	CreatedAt   string            `json:"createdAt"`
	Application *string           `json:"application"`      // null when no application owns the event
	Object      string            `json:"object,omitempty"` // of a webhook that is about something else than a page, such as instagram
	PageID      string            `json:"pageId,omitempty"`
	Person      *gatewayapi.Party `json:"person"` // null when the event has none
	ProfileID   string            `json:"profileId,omitempty"`
	Data        json.RawMessage   `json:"data"`
	Raw         json.RawMessage   `json:"raw,omitempty"` // the platform's own event; absent for facts of the gateway's own
}

// Publish makes what subscribers get of an event. profileID is the profile of its person, pageID
// the page of its application, for facts of the gateway's own.
func Publish(e *Event, profileID, pageID string) Publication {
	p := Publication{ID: e.ID(), Type: e.Type, Object: e.Object, CreatedAt: FormatTime(e.ReceivedAt), PageID: e.PageID, ProfileID: profileID, Data: e.Data, Raw: CleanJSON(e.Raw)}
	if e.Application != "" {
		p.Application = &e.Application
	}
	if p.PageID == "" {
		p.PageID = pageID
	}
	if e.Person != "" {
		p.Person = &gatewayapi.Party{ID: e.Person}
	}
	if e.Channel != "" && (e.Type != EventReferral || len(e.Data) == 0) { // a referral is read when it comes
		p.Data = data(platformData(e))
	}
	if p.ProfileID == "" {
		if d := overChannel(e); d != nil {
			p.ProfileID = d.ProfileID
		}
	}
	return p
}

func platformData(e *Event) gatewayapi.EventData {
	event := e.Parse()
	if e.Type == EventStandby {
		return &gatewayapi.Standby{Kind: string(event.Kind), Data: dataOf(TypeOf("messaging", event.Kind), &event)}
	}
	return dataOf(e.Type, &event)
}

// dataOf is the data of one event of the platform. An event whose content could not be read has
// only its kind.
func dataOf(kind EventType, event *messenger.Event) gatewayapi.EventData {
	switch {
	case kind == EventMessageInbound && event.Message != nil:
		return &gatewayapi.MessageInbound{Content: contentOf(event)}
	case kind == EventMessageEcho && event.Message != nil:
		d := &gatewayapi.MessageEcho{Content: contentOf(event), AppID: string(event.Message.AppID)}
		tag, _ := ParseTag(event.Message.Metadata)
		d.MessageID, d.Part, d.Metadata = tag.MessageID, tag.Part, tag.Own
		return d
	case kind == EventMessageEdit && event.Edit != nil:
		return &gatewayapi.MessageEdit{PlatformMessageID: string(event.Edit.MID), Text: event.Edit.Text, Edits: int(event.Edit.NumEdit)}
	case kind == EventPostback && event.Postback != nil:
		p := event.Postback
		return &gatewayapi.Postback{PlatformMessageID: string(p.MID), Title: p.Title, Payload: p.Payload, Referral: referralOf(p.Referral)}
	case kind == EventReferral && event.Referral != nil:
		return referralOf(event.Referral)
	case kind == EventOptin:
		return optinOf(event)
	case kind == EventReaction && event.Reaction != nil:
		r := event.Reaction
		return &gatewayapi.Reaction{PlatformMessageID: string(r.MID), Action: r.Action, Reaction: r.Reaction, Emoji: r.Emoji}
	case kind == EventHandover:
		return handoverOf(event)
	case kind == EventAccountLinking && event.AccountLinking != nil:
		return &gatewayapi.AccountLinking{Status: event.AccountLinking.Status, AuthorizationCode: event.AccountLinking.AuthorizationCode}
	case kind == EventPolicy && event.PolicyEnforcement != nil:
		return &gatewayapi.Policy{Action: event.PolicyEnforcement.Action, Reason: event.PolicyEnforcement.Reason}
	}
	if event.Change != nil && event.Change.Field != "" && event.Kind == messenger.KindUnknown {
		return &gatewayapi.Unknown{Kind: event.Change.Field}
	}
	return &gatewayapi.Unknown{Kind: string(event.Kind)}
}

func contentOf(event *messenger.Event) gatewayapi.Content {
	m := event.Message
	d := gatewayapi.Content{
		PlatformMessageID: string(m.MID), Text: m.Text, Referral: referralOf(m.Referral), PriorMessage: event.PriorMessage, NLP: m.NLP,
		IsDeleted: bool(m.IsDeleted), IsUnsupported: bool(m.IsUnsupported), UserRef: event.Sender.UserRef, SentAt: gatewayapi.At(event.Timestamp),
	}
	if m.QuickReply != nil {
		d.QuickReply = &gatewayapi.QuickReply{Payload: m.QuickReply.Payload}
	}
	if m.ReplyTo != nil {
		d.ReplyTo = string(m.ReplyTo.MID)
	}
	for _, a := range m.Attachments {
		out := gatewayapi.Attachment{Type: a.Type, URL: a.Payload.URL, Title: a.Payload.Title, StickerID: string(a.Payload.StickerID),
			Coordinates: a.Payload.Coordinates, Products: a.Payload.Products}
		if out.URL == "" {
			out.URL = a.URL
		}
		if out.Title == "" {
			out.Title = a.Title
		}
		out.ReelVideoID = string(a.Payload.ReelVideoID)
		d.Attachments = withAttachment(d.Attachments, out)
	}
	return d
}

// withAttachment adds an attachment, but for a sticker that stands beside its own picture: for a
// while of 2026 the platform told of both.
func withAttachment(list []gatewayapi.Attachment, a gatewayapi.Attachment) []gatewayapi.Attachment {
	for i, other := range list {
		if a.URL == "" || other.URL != a.URL || a.Type != "sticker" && other.Type != "sticker" {
			continue
		}
		if a.Type == "sticker" {
			a, other = other, a
		}
		if a.StickerID == "" {
			a.StickerID = other.StickerID
		}
		list[i] = a
		return list
	}
	return append(list, a)
}

func referralOf(r *messenger.Referral) *gatewayapi.Referral {
	if r == nil {
		return nil
	}
	d := &gatewayapi.Referral{Source: r.Source, Ref: r.Ref, AdID: r.AdID, Type: r.Type, RefererURI: r.RefererURI, Ad: r.AdsContextData}
	if r.Product != nil {
		d.ProductID = r.Product.ID
	}
	return d
}

func optinOf(event *messenger.Event) *gatewayapi.Optin {
	d := &gatewayapi.Optin{MessageRequest: event.MessageRequest}
	o := event.Optin
	if o == nil {
		return d
	}
	d.Kind, d.Ref, d.UserRef, d.Payload, d.Status = o.Type, o.Ref, o.UserRef, o.Payload, o.NotificationMessagesStatus
	d.Title, d.Frequency, d.Timezone, d.TokenStatus = o.Title, o.NotificationMessagesFrequency, o.NotificationMessagesTimezone, o.UserTokenStatus
	d.Token = o.OneTimeNotifToken + o.NotificationMessagesToken
	if o.MessageRequest != "" {
		d.MessageRequest = o.MessageRequest
	}
	if o.TokenExpiryTimestamp > 0 {
		d.TokenExpiresAt = gatewayapi.At(time.UnixMilli(int64(o.TokenExpiryTimestamp)))
	}
	return d
}

func handoverOf(event *messenger.Event) *gatewayapi.Handover {
	d := &gatewayapi.Handover{Kind: string(event.Kind)}
	switch {
	case event.PassThread != nil:
		c := event.PassThread
		d.PreviousOwner, d.NewOwner, d.Metadata = string(c.PreviousOwnerAppID), string(c.NewOwnerAppID), c.Metadata
	case event.TakeThread != nil:
		c := event.TakeThread
		d.PreviousOwner, d.NewOwner, d.Metadata = string(c.PreviousOwnerAppID), string(c.NewOwnerAppID), c.Metadata
	case event.RequestThread != nil:
		d.RequestedOwner, d.Metadata = string(event.RequestThread.RequestedOwnerAppID), event.RequestThread.Metadata
	case event.AppRoles != nil:
		d.Roles = event.AppRoles
	}
	return d
}
