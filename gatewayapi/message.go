package gatewayapi

import (
	"encoding/json"

	"github.com/chasqui/chasqui/messenger"
)

// SendMessageRequest is the body of POST /v1/messages.
type SendMessageRequest struct {
	// Whom the message is for.
	To To `json:"to"`
	// Comes first, on a line of its own.
	Title string `json:"title,omitempty"`
	// Plain text; over 2,000 characters it is split at word boundaries.
	Body string `json:"body,omitempty"`
	// Texts and files, instead of body.
	MessageParts []MessagePart `json:"messageParts,omitempty"`
	// By channel, the platform's own message object; it wins over title, body and messageParts on
	// that channel.
	CustomBody map[string]json.RawMessage `json:"customBody,omitempty"`
	// Steps to take in order, each a channel's name or an object: the next when one cannot be
	// taken, fails, or its time is up. Empty: fbMessenger.
	Rules []Rule `json:"rules,omitempty"`
	// Stored rules, by id or name, instead of rules.
	Route string `json:"route,omitempty"`
	// Skip channels that the profile has not opted in to.
	RequireOptIn bool `json:"requireOptIn,omitempty"`
	// A person wrote it, not a program; the tag HUMAN_AGENT is for such messages only.
	Human bool `json:"human,omitempty"`
	// Settings that only one channel knows.
	ChannelOptions ChannelOptions `json:"channelOptions,omitzero"`
	// Any JSON; it stays with the gateway and comes back in events.
	Metadata json.RawMessage `json:"metadata,omitempty"`
	// When the message is no longer worth sending; 24 hours from now unless given.
	ExpiresOn *Time `json:"expiresOn,omitempty"`
	// Key of the application; may be left out where only one fits.
	Application string `json:"application,omitempty"`

	// IdempotencyKey goes along as a header: the same request under the same key is not sent twice
	// within seven days, and is repeated by the client when an answer is lost. It is empty in
	// messages that are read.
	IdempotencyKey string `json:"-"`
}

// To is whom a message is for. On Messenger FBMessengerID wins over ProfileID.
type To struct {
	// Id of a profile.
	ProfileID string `json:"profileId,omitempty"`
	// Page-scoped id of a person; wins over profileId.
	FBMessengerID string `json:"fbMessengerId,omitempty"`
	// International phone number; digits, with or without +. mobileNumber is taken too.
	PhoneNumber string `json:"phoneNumber,omitempty"`
	// The same as phoneNumber, under another name; empty in messages that are read.
	MobileNumber string `json:"mobileNumber,omitempty"`
	// E-mail address.
	Email string `json:"email,omitempty"`
	// For merge fields.
	FirstName string `json:"firstName,omitempty"`
	// For merge fields.
	LastName string `json:"lastName,omitempty"`
}

// MessagePart is one piece of a message: text, or a file by URL or in base64.
type MessagePart struct {
	// Name of the file.
	Name string `json:"name,omitempty"`
	// Media type such as text/plain or image/png.
	Type string `json:"type"`
	// The text itself for text/plain, base64 for all other types.
	Data string `json:"data,omitempty"`
	// Where the platform fetches the file.
	URL string `json:"url,omitempty"`
	// Bytes; for information.
	Size int64 `json:"size,omitempty"`
	// Channels the part is for; all when left out.
	Channels []string `json:"channels,omitempty"`
}

// ChannelOptions are settings that only one channel knows.
type ChannelOptions struct {
	// Settings of Messenger.
	FBMessenger MessengerOptions `json:"fbMessenger,omitzero"`
	// Settings of SMS, such as from.
	SMS json.RawMessage `json:"sms,omitempty"`
	// Settings of e-mail, such as subject.
	Email json.RawMessage `json:"email,omitempty"`
	// Handed to the webhook channel as it is.
	Webhook json.RawMessage `json:"webhook,omitempty"`
}

// MessengerOptions are settings of Messenger.
type MessengerOptions struct {
	// RESPONSE, UPDATE, MESSAGE_TAG or UTILITY; a tag alone means MESSAGE_TAG, neither means
	// RESPONSE.
	MessagingType messenger.MessagingType `json:"messagingType,omitempty" enum:"RESPONSE,UPDATE,MESSAGE_TAG,UTILITY"`
	// Tag that allows a message outside the 24 hours.
	MessageTag messenger.Tag `json:"messageTag,omitempty"`
	// Persona that speaks.
	PersonaID string `json:"personaId,omitempty"`
	// REGULAR, SILENT_PUSH or NO_PUSH.
	NotificationType messenger.NotificationType `json:"notificationType,omitempty" enum:"REGULAR,SILENT_PUSH,NO_PUSH"`
	// Token of a one-time notification request: allows one message at any time.
	OneTimeToken string `json:"oneTimeNotifToken,omitempty"`
	// Token of marketing messages, which the platform ended on February 10, 2026.
	NotificationToken string `json:"notificationMessagesToken,omitempty"`
}

// Message is a message with what became of it: the request's own fields and the gateway's.
type Message struct {
	// Id of the message.
	ID string `json:"id"`
	// queued, sending, uncertain, sent, delivered, read, failed, expired, canceled or held.
	Status MessageStatus `json:"status" enum:"queued,sending,uncertain,sent,delivered,read,failed,expired,canceled,held"`
	SendMessageRequest
	// Sends that the message takes.
	Parts int `json:"parts"`
	// Sends that are done.
	PartsSent int `json:"partsSent"`
	// The platform's id of the part sent last.
	PlatformMessageID string `json:"platformMessageId,omitempty"`
	// When it was accepted.
	AcceptedAt Time `json:"acceptedAt"`
	// When it last changed.
	UpdatedAt Time `json:"updatedAt"`
	// When the platform took the last part.
	SentAt Time `json:"sentAt,omitzero"`
	// When it reached the person.
	DeliveredAt Time `json:"deliveredAt,omitzero"`
	// When the person read it.
	ReadAt Time `json:"readAt,omitzero"`
	// Why it failed or expired, or is uncertain.
	Failure *Failure `json:"error,omitempty"`
	// The proof that it was sent came after it had been given up.
	Late bool `json:"late,omitempty"`
	// Sent again while uncertain, as the policy allowed: the person may have it twice.
	Resent bool `json:"resent,omitempty"`
	// The rules with what came of each: the trace of every decision. Missing where Messenger alone
	// was asked for.
	Steps []Step `json:"steps,omitempty"`
	// Tries so far, in order.
	Attempts []Attempt `json:"attempts"`
	// States with their times, in order.
	Timeline []TimelineEntry `json:"timeline"`
}

// Step is one rule of a message with what came of it.
type Step struct {
	// Channel of the rule.
	Channel string `json:"channel" enum:"fbMessenger,sms,email,webhook"`
	// What had to be reached.
	Until StepGoal `json:"until" enum:"accepted,sent,delivered,read"`
	// Time to reach it in.
	Within Duration `json:"within,omitzero"`
	// Where it went, on a channel other than Messenger.
	Address string `json:"address,omitempty"`
	// pending, active, reached, skipped, failed, passed or not_used.
	Outcome StepOutcome `json:"outcome" enum:"pending,active,reached,skipped,failed,passed,not_used"`
	// Why it was skipped, failed or passed.
	Failure *Failure `json:"error,omitempty"`
	// What was changed so that it could be sent.
	Note string `json:"note,omitempty"`
	// Channel account that it went by.
	Account string `json:"account,omitempty"`
	// The provider's identifier, or the platform's.
	Ref string `json:"ref,omitempty"`
	// When it began.
	StartedAt Time `json:"startedAt,omitzero"`
	// When it reached its goal or was left.
	EndedAt Time `json:"endedAt,omitzero"`
	// When the provider took it.
	AcceptedAt Time `json:"acceptedAt,omitzero"`
	// When the provider sent it.
	SentAt Time `json:"sentAt,omitzero"`
	// When it reached the person.
	DeliveredAt Time `json:"deliveredAt,omitzero"`
	// When the person read it.
	ReadAt Time `json:"readAt,omitzero"`
	// A receipt came after the step had been left.
	Late bool `json:"late,omitempty"`
}

// Attempt is one try to send one part on one channel.
type Attempt struct {
	// Counts from 1.
	Number int `json:"number"`
	// Channel that was tried.
	Channel string `json:"channel" enum:"fbMessenger,sms,email,webhook"`
	// Which of the rules, from 0.
	Step int `json:"step,omitempty"`
	// Part that was tried, from 1.
	Part int `json:"part"`
	// Start of the request.
	StartedAt Time `json:"startedAt"`
	// End of the request.
	EndedAt Time `json:"endedAt,omitzero"`
	// sent, retry, failed or uncertain.
	Outcome AttemptOutcome `json:"outcome" enum:"sent,retry,failed,uncertain"`
	// The platform's id of what was sent.
	PlatformMessageID string `json:"platformMessageId,omitempty"`
	// What went wrong.
	Failure *Failure `json:"error,omitempty"`
}

// Failure says why something came to nothing. The codes are explained in docs/errors.md.
type Failure struct {
	// Failure code of docs/errors.md.
	Code FailureCode `json:"code"`
	// Plain words.
	Message string `json:"message"`
	// The platform's error code.
	PlatformCode int `json:"platformCode,omitempty"`
	// The platform's error subcode.
	PlatformSubcode int `json:"platformSubcode,omitempty"`
	// The platform's trace id.
	TraceID string `json:"traceId,omitempty"`
}

// TimelineEntry is a state that a message has reached.
type TimelineEntry struct {
	// State reached.
	Status MessageStatus `json:"status" enum:"queued,sending,uncertain,sent,delivered,read,failed,expired,canceled,held"`
	// When.
	At Time `json:"at"`
}

// MessagePage is one page of messages, newest first.
type MessagePage struct {
	// Newest first.
	Messages []Message `json:"messages"`
	// Gets the next page; missing on the last.
	Cursor string `json:"cursor,omitempty"`
}

// SendBatchRequest is the body of POST /v1/messages/batch.
type SendBatchRequest struct {
	// 1 to 1,000 messages.
	Messages []SendMessageRequest `json:"messages"`

	// IdempotencyKey goes along as a header, and is that of the whole batch; those of its messages
	// do not count.
	IdempotencyKey string `json:"-"`
}

// SendBatchResult tells for each message of a batch, in order, whether it was accepted.
type SendBatchResult struct {
	// Messages accepted.
	Accepted int `json:"accepted"`
	// Messages refused.
	Refused int `json:"refused"`
	// One for each message, in order.
	Results []BatchVerdict `json:"results"`
}

// BatchVerdict is the message, or why it was refused.
type BatchVerdict struct {
	// Place in the batch, from 0.
	Index int `json:"index"`
	// The message, when it was accepted.
	Message *Message `json:"message,omitempty"`
	// Why it was refused.
	Error *Error `json:"error,omitempty"`
}

// PolicyAnswer says whether the platform's rules allow a message.
type PolicyAnswer struct {
	Allowed bool `json:"allowed"`
	// Why not, as in a message's failure.
	Code FailureCode `json:"code,omitempty"`
	// The field at fault.
	Field string `json:"field,omitempty"`
	// In plain words; also for what is allowed but changed.
	Message string `json:"message,omitempty"`
	// When the window closes that allows it.
	AllowedUntil Time `json:"allowedUntil,omitzero"`
	// Instead, when it is not allowed.
	WouldBeAllowed []string `json:"wouldBeAllowed"`
	// What it is sent as.
	MessagingType messenger.MessagingType `json:"messagingType"`
	MessageTag    messenger.Tag           `json:"messageTag,omitempty"`
	// The rules as they would be taken.
	Steps []Step `json:"steps,omitempty"`
}
