package gateway

import (
	"encoding/json"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

// Publication is an event as subscribers get it, pushed or pulled. docs/events.md fixes it.
type Publication struct {
	ID          string             `json:"id"`
	Type        EventType          `json:"type"`
	CreatedAt   string             `json:"createdAt"`
	Application *string            `json:"application"` // null when no application owns the event
	PageID      string             `json:"pageId,omitempty"`
	Person      *PublicationPerson `json:"person"` // null when the event has none
	ProfileID   string             `json:"profileId,omitempty"`
	Data        json.RawMessage    `json:"data"`
	Raw         json.RawMessage    `json:"raw,omitempty"` // the platform's own event; absent for facts of the gateway's own
}

// PublicationPerson is the person of an event.
type PublicationPerson struct {
	ID string `json:"id"` // PSID
}

// Publish makes what subscribers get of an event. profileID is the profile of its person, pageID the page of its application, for facts of the gateway's own.
func Publish(e *Event, profileID, pageID string) Publication {
	p := Publication{ID: e.ID(), Type: e.Type, CreatedAt: FormatTime(e.ReceivedAt), PageID: e.PageID, ProfileID: profileID, Data: e.Data, Raw: CleanJSON(e.Raw)}
	if e.Application != "" {
		p.Application = &e.Application
	}
	if p.PageID == "" {
		p.PageID = pageID
	}
	if e.Person != "" {
		p.Person = &PublicationPerson{e.Person}
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

// The data of the platform's events. Names are the gateway's; what the platform adds later is in raw.
type (
	inboundData struct {
		PlatformMessageID string                  `json:"platformMessageId,omitempty"`
		Text              string                  `json:"text,omitempty"`
		QuickReply        *quickReplyData         `json:"quickReply,omitempty"`
		Attachments       []attachmentData        `json:"attachments,omitempty"`
		ReplyTo           string                  `json:"replyTo,omitempty"`
		Referral          *referralData           `json:"referral,omitempty"`
		PriorMessage      *messenger.PriorMessage `json:"priorMessage,omitempty"`
		NLP               json.RawMessage         `json:"nlp,omitempty"`
		IsDeleted         bool                    `json:"isDeleted,omitempty"`
		IsUnsupported     bool                    `json:"isUnsupported,omitempty"`
		UserRef           string                  `json:"userRef,omitempty"` // of somebody who writes from a plugin without being signed in
		SentAt            string                  `json:"sentAt,omitempty"`
	}
	quickReplyData struct {
		Payload string `json:"payload"`
	}
	attachmentData struct {
		Type        string                 `json:"type"`
		URL         string                 `json:"url,omitempty"`
		Title       string                 `json:"title,omitempty"`
		StickerID   string                 `json:"stickerId,omitempty"`
		ReelVideoID string                 `json:"reelVideoId,omitempty"`
		Coordinates *messenger.Coordinates `json:"coordinates,omitempty"`
		Products    []messenger.Product    `json:"products,omitempty"`
	}
	echoData struct {
		inboundData
		AppID     string `json:"appId,omitempty"`
		Metadata  string `json:"metadata,omitempty"`
		MessageID string `json:"messageId,omitempty"` // ours, when this gateway sent it
		Part      int    `json:"part,omitempty"`
	}
	editData struct {
		PlatformMessageID string `json:"platformMessageId"`
		Text              string `json:"text"`
		Edits             int    `json:"edits"`
	}
	postbackData struct {
		PlatformMessageID string        `json:"platformMessageId,omitempty"`
		Title             string        `json:"title,omitempty"`
		Payload           string        `json:"payload,omitempty"`
		Referral          *referralData `json:"referral,omitempty"`
	}
	referralData struct {
		Source     string                    `json:"source,omitempty"`
		Ref        string                    `json:"ref,omitempty"`
		AdID       string                    `json:"adId,omitempty"`
		Type       string                    `json:"type,omitempty"`
		RefererURI string                    `json:"refererUri,omitempty"`
		Ad         *messenger.AdsContextData `json:"ad,omitempty"`
		ProductID  string                    `json:"productId,omitempty"`
	}
	optinData struct {
		Kind           string `json:"kind,omitempty"`
		Ref            string `json:"ref,omitempty"`
		UserRef        string `json:"userRef,omitempty"`
		Payload        string `json:"payload,omitempty"`
		MessageRequest string `json:"messageRequest,omitempty"`
		Token          string `json:"token,omitempty"`
		TokenExpiresAt string `json:"tokenExpiresAt,omitempty"`
		Status         string `json:"status,omitempty"`
		Title          string `json:"title,omitempty"`
		Frequency      string `json:"frequency,omitempty"`
		Timezone       string `json:"timezone,omitempty"`
		TokenStatus    string `json:"tokenStatus,omitempty"`
	}
	reactionData struct {
		PlatformMessageID string `json:"platformMessageId"`
		Action            string `json:"action"`
		Reaction          string `json:"reaction,omitempty"`
		Emoji             string `json:"emoji,omitempty"`
	}
	handoverData struct {
		Kind           string              `json:"kind"`
		PreviousOwner  string              `json:"previousOwnerAppId,omitempty"`
		NewOwner       string              `json:"newOwnerAppId,omitempty"`
		RequestedOwner string              `json:"requestedOwnerAppId,omitempty"`
		Metadata       string              `json:"metadata,omitempty"`
		Roles          map[string][]string `json:"roles,omitempty"`
	}
	accountLinkingData struct {
		Status            string `json:"status"`
		AuthorizationCode string `json:"authorizationCode,omitempty"`
	}
	policyData struct {
		Action string `json:"action"`
		Reason string `json:"reason,omitempty"`
	}
	standbyData struct {
		Kind string `json:"kind"`
		Data any    `json:"data"`
	}
	unknownData struct {
		Kind string `json:"kind"`
	}
)

func platformData(e *Event) any {
	event := e.Parse()
	if e.Type == EventStandby {
		kind := TypeOf("messaging", event.Kind)
		return standbyData{string(event.Kind), dataOf(kind, &event)}
	}
	return dataOf(e.Type, &event)
}

// dataOf is the data of one event of the platform. An event whose content could not be read has only its kind.
func dataOf(kind EventType, event *messenger.Event) any {
	switch {
	case kind == EventMessageInbound && event.Message != nil:
		return inboundOf(event)
	case kind == EventMessageEcho && event.Message != nil:
		d := echoData{inboundData: inboundOf(event), AppID: string(event.Message.AppID)}
		tag, _ := ParseTag(event.Message.Metadata)
		d.MessageID, d.Part, d.Metadata = tag.MessageID, tag.Part, tag.Own
		return d
	case kind == EventMessageEdit && event.Edit != nil:
		return editData{string(event.Edit.MID), event.Edit.Text, int(event.Edit.NumEdit)}
	case kind == EventPostback && event.Postback != nil:
		p := event.Postback
		return postbackData{string(p.MID), p.Title, p.Payload, referralOf(p.Referral)}
	case kind == EventReferral && event.Referral != nil:
		return referralOf(event.Referral)
	case kind == EventOptin:
		return optinOf(event)
	case kind == EventReaction && event.Reaction != nil:
		r := event.Reaction
		return reactionData{string(r.MID), r.Action, r.Reaction, r.Emoji}
	case kind == EventHandover:
		return handoverOf(event)
	case kind == EventAccountLinking && event.AccountLinking != nil:
		return accountLinkingData{event.AccountLinking.Status, event.AccountLinking.AuthorizationCode}
	case kind == EventPolicy && event.PolicyEnforcement != nil:
		return policyData{event.PolicyEnforcement.Action, event.PolicyEnforcement.Reason}
	}
	if event.Change != nil && event.Change.Field != "" && event.Kind == messenger.KindUnknown {
		return unknownData{event.Change.Field}
	}
	return unknownData{string(event.Kind)}
}

func inboundOf(event *messenger.Event) inboundData {
	m := event.Message
	d := inboundData{
		PlatformMessageID: string(m.MID), Text: m.Text, Referral: referralOf(m.Referral), PriorMessage: event.PriorMessage, NLP: m.NLP,
		IsDeleted: bool(m.IsDeleted), IsUnsupported: bool(m.IsUnsupported), UserRef: event.Sender.UserRef, SentAt: FormatTime(event.Timestamp),
	}
	if m.QuickReply != nil {
		d.QuickReply = &quickReplyData{m.QuickReply.Payload}
	}
	if m.ReplyTo != nil {
		d.ReplyTo = string(m.ReplyTo.MID)
	}
	for _, a := range m.Attachments {
		out := attachmentData{Type: a.Type, URL: a.Payload.URL, Title: a.Payload.Title, StickerID: string(a.Payload.StickerID),
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

// withAttachment adds an attachment, but for a sticker that stands beside its own picture: for a while of 2026 the platform told of both.
func withAttachment(list []attachmentData, a attachmentData) []attachmentData {
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

func referralOf(r *messenger.Referral) *referralData {
	if r == nil {
		return nil
	}
	d := &referralData{Source: r.Source, Ref: r.Ref, AdID: r.AdID, Type: r.Type, RefererURI: r.RefererURI, Ad: r.AdsContextData}
	if r.Product != nil {
		d.ProductID = r.Product.ID
	}
	return d
}

func optinOf(event *messenger.Event) optinData {
	d := optinData{MessageRequest: event.MessageRequest}
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
		d.TokenExpiresAt = FormatTime(time.UnixMilli(int64(o.TokenExpiryTimestamp)))
	}
	return d
}

func handoverOf(event *messenger.Event) handoverData {
	d := handoverData{Kind: string(event.Kind)}
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
