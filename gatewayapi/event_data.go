package gatewayapi

import (
	"bytes"
	"encoding/json"

	"github.com/chasqui/chasqui/messenger"
)

// EventData is what an event holds, in the gateway's own words: one type for each type of event.
//
//	message.inbound    *MessageInbound
//	message.edit       *MessageEdit
//	message.echo       *MessageEcho
//	standby            *Standby
//	postback           *Postback
//	referral           *ReferralEvent
//	optin              *Optin
//	reaction           *Reaction
//	handover           *Handover
//	account_linking    *AccountLinking
//	policy             *Policy
//	message.sent, message.delivered, message.read, message.failed, message.expired, message.uncertain    *MessageUpdate
//	profile.created, profile.updated    *ProfileChange
//
// It is *Unknown where the platform sent something that the gateway has no name for or could not
// read, *Erased for an event whose person was erased since, and RawData for an event that this
// version of the package does not know; it is nil where there is none. New fields come without
// notice: what a type does not have is in [Event.DataJSON].
type EventData interface{ eventData() }

func (*MessageInbound) eventData() {}
func (*MessageEdit) eventData()    {}
func (*MessageEcho) eventData()    {}
func (*Standby) eventData()        {}
func (*Postback) eventData()       {}
func (*Referral) eventData()       {}
func (*ReferralEvent) eventData()  {}
func (*Optin) eventData()          {}
func (*Reaction) eventData()       {}
func (*Handover) eventData()       {}
func (*AccountLinking) eventData() {}
func (*Policy) eventData()         {}
func (*MessageUpdate) eventData()  {}
func (*ProfileChange) eventData()  {}
func (*Unknown) eventData()        {}
func (*Erased) eventData()         {}
func (RawData) eventData()         {}

// Content is what a message on the platform holds, of a person or of the page.
type Content struct {
	// PlatformMessageID is the platform's id, its mid; for a message over another channel the
	// provider's.
	PlatformMessageID string       `json:"platformMessageId,omitempty"`
	Text              string       `json:"text,omitempty"`
	QuickReply        *QuickReply  `json:"quickReply,omitempty"` // that was tapped; Text is its title
	Attachments       []Attachment `json:"attachments,omitempty"`
	ReplyTo           string       `json:"replyTo,omitempty"` // mid of the message that this one answers
	Referral          *Referral    `json:"referral,omitempty"`
	// PriorMessage is the chat-plugin message that this one continues.
	PriorMessage *messenger.PriorMessage `json:"priorMessage,omitempty"`
	NLP          json.RawMessage         `json:"nlp,omitempty"` // the platform's language analysis, as it sent it
	// IsDeleted is set for a message that was taken back, IsUnsupported for one that the platform
	// cannot show.
	IsDeleted     bool   `json:"isDeleted,omitempty"`
	IsUnsupported bool   `json:"isUnsupported,omitempty"`
	UserRef       string `json:"userRef,omitempty"` // of somebody who writes from a plugin without being signed in
	SentAt        Time   `json:"sentAt,omitzero"`   // by the platform's clock
}

// MessageInbound is a message of a person. Channel is empty for one on Messenger; From, To, Account
// and Keyword are of other channels only.
type MessageInbound struct {
	Channel string `json:"channel,omitempty"`
	From    string `json:"from,omitempty"` // the person's address: digits for sms
	To      string `json:"to,omitempty"`   // the business's own
	Content
	Account   string  `json:"account,omitempty"` // id of the channel account that it came by
	Keyword   Keyword `json:"keyword,omitempty"` // what the text means, where it is one of the account's words
	ProfileID string  `json:"profileId,omitempty"`
}

// QuickReply is a quick reply that was tapped.
type QuickReply struct {
	Payload string `json:"payload"`
}

// Attachment is a file, a place or products in a message. Type is the platform's word, such as
// image, audio, video, file, location, sticker or template.
type Attachment struct {
	Type        string                 `json:"type"`
	URL         string                 `json:"url,omitempty"`
	Title       string                 `json:"title,omitempty"`
	StickerID   string                 `json:"stickerId,omitempty"`
	ReelVideoID string                 `json:"reelVideoId,omitempty"`
	Coordinates *messenger.Coordinates `json:"coordinates,omitempty"`
	Products    []messenger.Product    `json:"products,omitempty"`
}

// MessageEcho is a message of the page, sent by this gateway or any other way.
type MessageEcho struct {
	Content
	AppID     string `json:"appId,omitempty"`     // of the app that sent it
	Metadata  string `json:"metadata,omitempty"`  // the sender's own
	MessageID string `json:"messageId,omitempty"` // ours, when this gateway sent it
	Part      int    `json:"part,omitempty"`      // which part of that message
}

// MessageEdit is a changed message of a person.
type MessageEdit struct {
	PlatformMessageID string `json:"platformMessageId"`
	Text              string `json:"text"` // as it is now
	Edits             int    `json:"edits"`
}

// Postback is a tap on a button, the menu or Get Started.
type Postback struct {
	PlatformMessageID string    `json:"platformMessageId,omitempty"`
	Title             string    `json:"title,omitempty"`
	Payload           string    `json:"payload,omitempty"`
	Referral          *Referral `json:"referral,omitempty"`
}

// Referral says how a person came: by a link, a code or an ad.
type Referral struct {
	Source     string                    `json:"source,omitempty"` // such as SHORTLINK, ADS or MESSENGER_CODE
	Ref        string                    `json:"ref,omitempty"`
	AdID       string                    `json:"adId,omitempty"`
	Type       string                    `json:"type,omitempty"`
	RefererURI string                    `json:"refererUri,omitempty"`
	Ad         *messenger.AdsContextData `json:"ad,omitempty"`
	ProductID  string                    `json:"productId,omitempty"`
}

// ReferralEvent is the data of a referral event: one form for every way in.
type ReferralEvent struct {
	Referral
	Via        string `json:"via"`                  // referral, postback, message, optin
	First      bool   `json:"first"`                // a new thread began with it
	EntryPoint string `json:"entryPoint,omitempty"` // id of the entry point that has the ref
	Retired    bool   `json:"retired,omitempty"`    // it is retired or expired
}

// Optin is a person's word that they may be written to. With Kind "state" it is what became of an
// opt-in state.
type Optin struct {
	Kind           string `json:"kind,omitempty"`
	Ref            string `json:"ref,omitempty"`
	UserRef        string `json:"userRef,omitempty"`
	Payload        string `json:"payload,omitempty"`
	MessageRequest string `json:"messageRequest,omitempty"`
	Token          string `json:"token,omitempty"` // for channelOptions.fbMessenger
	TokenExpiresAt Time   `json:"tokenExpiresAt,omitzero"`
	Status         string `json:"status,omitempty"`
	Title          string `json:"title,omitempty"`
	Frequency      string `json:"frequency,omitempty"`
	Timezone       string `json:"timezone,omitempty"`
	TokenStatus    string `json:"tokenStatus,omitempty"`

	State     OptinState      `json:"state,omitempty"`     // of Kind "state"
	Via       string          `json:"via,omitempty"`       // how the state came back, as in ReferralEvent
	ProfileID string          `json:"profileId,omitempty"` // whom the state is for; missing when it is not good
	Data      json.RawMessage `json:"data,omitempty"`      // what was given with the state
}

// Reaction is an emoji on a message. Action is react or unreact.
type Reaction struct {
	PlatformMessageID string `json:"platformMessageId"`
	Action            string `json:"action"`
	Reaction          string `json:"reaction,omitempty"`
	Emoji             string `json:"emoji,omitempty"`
}

// Handover says that control of a conversation moved between apps, or was asked for. Kind is the
// platform's, such as pass_thread_control.
type Handover struct {
	Kind           string              `json:"kind"`
	PreviousOwner  string              `json:"previousOwnerAppId,omitempty"`
	NewOwner       string              `json:"newOwnerAppId,omitempty"`
	RequestedOwner string              `json:"requestedOwnerAppId,omitempty"`
	Metadata       string              `json:"metadata,omitempty"`
	Roles          map[string][]string `json:"roles,omitempty"`
}

// AccountLinking says that a person linked or unlinked an account. Status is linked or unlinked.
type AccountLinking struct {
	Status            string `json:"status"`
	AuthorizationCode string `json:"authorizationCode,omitempty"`
}

// Policy says that the platform blocked or unblocked the page. Action is warning, block or unblock.
type Policy struct {
	Action string `json:"action"`
	Reason string `json:"reason,omitempty"`
}

// Standby is something in a conversation that another app controls. Kind is the platform's word,
// Data what the event would hold otherwise.
type Standby struct {
	Kind string    `json:"kind"`
	Data EventData `json:"data"`
}

// UnmarshalJSON reads the data by the kind.
func (s *Standby) UnmarshalJSON(b []byte) error {
	var raw struct {
		Kind string          `json:"kind"`
		Data json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	s.Kind = raw.Kind
	kind := EventTypeOf(messenger.Kind(raw.Kind))
	if kind == EventReferral {
		s.Data = read(new(Referral), raw.Data)
		return nil
	}
	s.Data = dataOf(kind, raw.Data)
	return nil
}

// MessageUpdate is what became of a message of yours.
type MessageUpdate struct {
	MessageID         string        `json:"messageId"`
	Status            MessageStatus `json:"status"`
	Channel           string        `json:"channel"`
	To                To            `json:"to"`
	PlatformMessageID string        `json:"platformMessageId,omitempty"` // of the part sent last
	Parts             int           `json:"parts"`                       // sends that the message takes
	PartsSent         int           `json:"partsSent"`
	AcceptedAt        Time          `json:"acceptedAt"`
	SentAt            Time          `json:"sentAt,omitzero"`
	DeliveredAt       Time          `json:"deliveredAt,omitzero"`
	ReadAt            Time          `json:"readAt,omitzero"`
	Step              int           `json:"step,omitempty"`  // from 0, of a message over several channels
	Steps             []StepUpdate  `json:"steps,omitempty"` // of a message over several channels, those that came to something
	// Late is set when the proof came after the message, or the step, had been given up.
	Late bool `json:"late,omitempty"`
	// Resent is set when it was sent again while uncertain: the person may have it twice.
	Resent   bool            `json:"resent,omitempty"`
	Failure  *Failure        `json:"error,omitempty"`
	Metadata json.RawMessage `json:"metadata,omitempty"` // as it was given with the message
	// Origin names the API of another vendor that the message came through; empty for /v1 and bots.
	Origin string `json:"origin,omitempty"`
}

// StepUpdate is what has come of one step so far.
type StepUpdate struct {
	Channel     string      `json:"channel"`
	Outcome     StepOutcome `json:"outcome"`
	Ref         string      `json:"ref,omitempty"` // the provider's identifier, or the platform's
	Failure     *Failure    `json:"error,omitempty"`
	EndedAt     Time        `json:"endedAt,omitzero"`
	DeliveredAt Time        `json:"deliveredAt,omitzero"`
	ReadAt      Time        `json:"readAt,omitzero"`
}

// ProfileChange holds a profile that came about or changed, as it is now.
type ProfileChange struct {
	Profile Profile `json:"profile"`
}

// Unknown is an event of the platform that the gateway has no name for, or whose content it could
// not read. Event.Raw has it whole.
type Unknown struct {
	Kind string `json:"kind"` // the platform's word
}

// Erased stands for the data of an event whose person was erased since.
type Erased struct {
	Erased bool `json:"erased"`
}

// RawData is the data of an event of a type that this version of the package does not know, as it
// came.
type RawData json.RawMessage

// MarshalJSON writes the data as it came.
func (d RawData) MarshalJSON() ([]byte, error) { return json.RawMessage(d).MarshalJSON() }

// dataOf reads the data of an event of a type.
func dataOf(t EventType, raw json.RawMessage) EventData {
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	var few struct {
		Kind   *string `json:"kind"`
		Erased bool    `json:"erased"`
	}
	if json.Unmarshal(raw, &few) != nil {
		return RawData(bytes.Clone(raw))
	}
	if few.Erased {
		return &Erased{true}
	}
	var data EventData
	switch t {
	case EventStandby:
		return read(new(Standby), raw)
	case EventOptin:
		return read(new(Optin), raw)
	case EventHandover:
		return read(new(Handover), raw)
	case EventUnknown:
		return read(new(Unknown), raw)
	case EventMessageInbound:
		data = new(MessageInbound)
	case EventMessageEdit:
		data = new(MessageEdit)
	case EventMessageEcho:
		data = new(MessageEcho)
	case EventPostback:
		data = new(Postback)
	case EventReferral:
		data = new(ReferralEvent)
	case EventReaction:
		data = new(Reaction)
	case EventAccountLinking:
		data = new(AccountLinking)
	case EventPolicy:
		data = new(Policy)
	case EventMessageSent, EventMessageDelivered, EventMessageRead, EventMessageFailed, EventMessageExpired, EventMessageUncertain:
		data = new(MessageUpdate)
	case EventProfileCreated, EventProfileUpdated:
		data = new(ProfileChange)
	default:
		return RawData(bytes.Clone(raw))
	}
	if few.Kind != nil {
		return &Unknown{*few.Kind} // the gateway could not read it
	}
	return read(data, raw)
}

// read reads data into its type. What is not of that form is kept as it came: an event is never
// refused for its data.
func read(into EventData, raw json.RawMessage) EventData {
	if json.Unmarshal(raw, into) != nil {
		return RawData(bytes.Clone(raw))
	}
	return into
}
