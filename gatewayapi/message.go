package gatewayapi

import (
	"encoding/json"

	"github.com/chasqui/chasqui/messenger"
)

// SendMessageRequest is the body of POST /v1/messages.
type SendMessageRequest struct {
	To To `json:"to" doc:"Whom the message is for."`
	// Title comes first, on a line of its own.
	Title string `json:"title,omitempty" doc:"Comes first, on a line of its own."`
	// Body is plain text; text over 2,000 characters is split at word boundaries.
	Body string `json:"body,omitempty" doc:"Plain text; over 2,000 characters it is split at word boundaries."`
	// MessageParts stand instead of Body.
	MessageParts []MessagePart `json:"messageParts,omitempty" doc:"Texts and files, instead of body."`
	// CustomBody holds the platform's own message object by channel, and wins over the rest on that channel.
	CustomBody map[string]json.RawMessage `json:"customBody,omitempty" doc:"By channel, the platform's own message object; it wins over title, body and messageParts on that channel."`
	// Rules are the steps to take in order: the next when one cannot be taken, fails, or its time is up. Empty means fbMessenger.
	Rules []Rule `json:"rules,omitempty" doc:"Steps to take in order, each a channel's name or an object. Empty: fbMessenger."`
	// Route names stored rules, by id or name, instead of Rules.
	Route string `json:"route,omitempty" doc:"Stored rules, by id or name, instead of rules."`
	// RequireOptIn skips channels that the profile has not opted in to.
	RequireOptIn bool `json:"requireOptIn,omitempty" doc:"Skip channels that the profile has not opted in to."`
	// Human says that a person wrote the message, which the tag HUMAN_AGENT is for.
	Human bool `json:"human,omitempty" doc:"A person wrote it, not a program; the tag HUMAN_AGENT is for such messages only."`
	// ChannelOptions are settings that only one channel knows.
	ChannelOptions ChannelOptions `json:"channelOptions,omitzero" doc:"Settings that only one channel knows."`
	// Metadata is any JSON; it stays with the gateway and comes back in events.
	Metadata json.RawMessage `json:"metadata,omitempty" doc:"Any JSON; it stays with the gateway and comes back in events."`
	// ExpiresOn is when the message is no longer worth sending; 24 hours from now unless given.
	ExpiresOn *Time `json:"expiresOn,omitempty" doc:"When the message is no longer worth sending; 24 hours from now unless given."`
	// Application is the application's key; it may be left out where only one fits.
	Application string `json:"application,omitempty" doc:"Key of the application; may be left out where only one fits."`

	// IdempotencyKey goes along as a header: the same request under the same key is not sent twice within seven days, and is repeated by the client when an
	// answer is lost. It is empty in messages that are read.
	IdempotencyKey string `json:"-"`
}

// To is whom a message is for. On Messenger FBMessengerID wins over ProfileID.
type To struct {
	ProfileID     string `json:"profileId,omitempty" doc:"Id of a profile."`
	FBMessengerID string `json:"fbMessengerId,omitempty" doc:"Page-scoped id of a person; wins over profileId."`
	PhoneNumber   string `json:"phoneNumber,omitempty" doc:"International phone number; digits, with or without +. mobileNumber is taken too."`
	// MobileNumber is PhoneNumber under another name; it is empty in messages that are read.
	MobileNumber string `json:"mobileNumber,omitempty" doc:"The same as phoneNumber."`
	Email        string `json:"email,omitempty" doc:"E-mail address."`
	FirstName    string `json:"firstName,omitempty" doc:"For merge fields."`
	LastName     string `json:"lastName,omitempty" doc:"For merge fields."`
}

// MessagePart is one piece of a message: text, or a file by URL or in base64.
type MessagePart struct {
	Name string `json:"name,omitempty" doc:"Name of the file."`
	// Type is a media type such as text/plain or image/png.
	Type string `json:"type" doc:"Media type such as text/plain or image/png."`
	// Data is the text itself for text/plain, base64 for all other types.
	Data     string   `json:"data,omitempty" doc:"The text itself for text/plain, base64 for all other types."`
	URL      string   `json:"url,omitempty" doc:"Where the platform fetches the file."`
	Size     int64    `json:"size,omitempty" doc:"Bytes; for information."`
	Channels []string `json:"channels,omitempty" doc:"Channels the part is for; all when left out."`
}

// ChannelOptions are settings that only one channel knows.
type ChannelOptions struct {
	FBMessenger MessengerOptions `json:"fbMessenger,omitzero" doc:"Settings of Messenger."`
	SMS         json.RawMessage  `json:"sms,omitempty" doc:"Settings of SMS, such as from."`
	Email       json.RawMessage  `json:"email,omitempty" doc:"Settings of e-mail, such as subject."`
	Webhook     json.RawMessage  `json:"webhook,omitempty" doc:"Handed to the webhook channel as it is."`
}

// MessengerOptions are settings of Messenger.
type MessengerOptions struct {
	// MessagingType is RESPONSE, UPDATE, MESSAGE_TAG or UTILITY; a tag alone means MESSAGE_TAG, neither means RESPONSE.
	MessagingType    messenger.MessagingType    `json:"messagingType,omitempty" enum:"RESPONSE,UPDATE,MESSAGE_TAG,UTILITY" doc:"RESPONSE, UPDATE, MESSAGE_TAG or UTILITY; a tag alone means MESSAGE_TAG, neither means RESPONSE."`
	MessageTag       messenger.Tag              `json:"messageTag,omitempty" doc:"Tag that allows a message outside the 24 hours."`
	PersonaID        string                     `json:"personaId,omitempty" doc:"Persona that speaks."`
	NotificationType messenger.NotificationType `json:"notificationType,omitempty" enum:"REGULAR,SILENT_PUSH,NO_PUSH" doc:"REGULAR, SILENT_PUSH or NO_PUSH."`
	// A token that the person has given allows a message at any time: once, or for a marketing topic.
	OneTimeToken      string `json:"oneTimeNotifToken,omitempty" doc:"Token of a one-time notification request: allows one message at any time."`
	NotificationToken string `json:"notificationMessagesToken,omitempty" doc:"Token of marketing messages, which the platform ended on February 10, 2026."`
}

// Message is a message with what became of it: the request's own fields and the gateway's.
type Message struct {
	ID     string        `json:"id" doc:"Id of the message."`
	Status MessageStatus `json:"status" enum:"queued,sending,uncertain,sent,delivered,read,failed,expired,canceled,held" doc:"queued, sending, uncertain, sent, delivered, read, failed, expired, canceled or held."`
	SendMessageRequest
	// Parts is how many sends the message takes, PartsSent how many are done.
	Parts     int `json:"parts" doc:"Sends that the message takes."`
	PartsSent int `json:"partsSent" doc:"Sends that are done."`
	// PlatformMessageID is the platform's id of the part sent last.
	PlatformMessageID string `json:"platformMessageId,omitempty" doc:"The platform's id of the part sent last."`
	AcceptedAt        Time   `json:"acceptedAt" doc:"When it was accepted."`
	UpdatedAt         Time   `json:"updatedAt" doc:"When it last changed."`
	SentAt            Time   `json:"sentAt,omitzero" doc:"When the platform took the last part."`
	DeliveredAt       Time   `json:"deliveredAt,omitzero" doc:"When it reached the person."`
	ReadAt            Time   `json:"readAt,omitzero" doc:"When the person read it."`
	// Failure says why the message failed or expired, or why it is uncertain.
	Failure *Failure `json:"error,omitempty" doc:"Why it failed."`
	// Late is set when the proof that it was sent came after it had been given up.
	Late bool `json:"late,omitempty" doc:"The proof that it was sent came after it had been given up."`
	// Resent is set when it was sent again while uncertain, as the policy allowed: the person may have it twice.
	Resent bool `json:"resent,omitempty" doc:"Sent again while uncertain: the person may have it twice."`
	// Steps are the rules with what came of each: the trace of every decision. Missing for a message of Messenger alone that needed none.
	Steps []Step `json:"steps,omitempty" doc:"The rules with what came of each; missing where Messenger alone was asked for."`
	// Attempts are the tries so far, in order.
	Attempts []Attempt `json:"attempts" doc:"Tries so far, in order."`
	// Timeline lists the states with their times, in order.
	Timeline []TimelineEntry `json:"timeline" doc:"States with their times, in order."`
}

// Step is one rule of a message with what came of it.
type Step struct {
	Channel     string      `json:"channel" enum:"fbMessenger,sms,email,webhook" doc:"Channel of the rule."`
	Until       StepGoal    `json:"until" enum:"accepted,sent,delivered,read" doc:"What had to be reached."`
	Within      Duration    `json:"within,omitzero" doc:"Time to reach it in."`
	Address     string      `json:"address,omitempty" doc:"Where it went, on a channel other than Messenger."`
	Outcome     StepOutcome `json:"outcome" enum:"pending,active,reached,skipped,failed,passed,not_used" doc:"pending, active, reached, skipped, failed, passed or not_used."`
	Failure     *Failure    `json:"error,omitempty" doc:"Why it was skipped, failed or passed."`
	Note        string      `json:"note,omitempty" doc:"What was changed so that it could be sent."`
	Account     string      `json:"account,omitempty" doc:"Channel account that it went by."`
	Ref         string      `json:"ref,omitempty" doc:"The provider's identifier, or the platform's."`
	StartedAt   Time        `json:"startedAt,omitzero" doc:"When it began."`
	EndedAt     Time        `json:"endedAt,omitzero" doc:"When it reached its goal or was left."`
	AcceptedAt  Time        `json:"acceptedAt,omitzero" doc:"When the provider took it."`
	SentAt      Time        `json:"sentAt,omitzero" doc:"When the provider sent it."`
	DeliveredAt Time        `json:"deliveredAt,omitzero" doc:"When it reached the person."`
	ReadAt      Time        `json:"readAt,omitzero" doc:"When the person read it."`
	Late        bool        `json:"late,omitempty" doc:"A receipt came after the step had been left."`
}

// Attempt is one try to send one part on one channel.
type Attempt struct {
	Number            int            `json:"number" doc:"Counts from 1."`
	Channel           string         `json:"channel" enum:"fbMessenger,sms,email,webhook" doc:"Channel that was tried."`
	Step              int            `json:"step,omitempty" doc:"Which of the rules, from 0."`
	Part              int            `json:"part" doc:"Part that was tried, from 1."`
	StartedAt         Time           `json:"startedAt" doc:"Start of the request."`
	EndedAt           Time           `json:"endedAt,omitzero" doc:"End of the request."`
	Outcome           AttemptOutcome `json:"outcome" enum:"sent,retry,failed,uncertain" doc:"sent, retry, failed or uncertain."`
	PlatformMessageID string         `json:"platformMessageId,omitempty" doc:"The platform's id of what was sent."`
	Failure           *Failure       `json:"error,omitempty" doc:"What went wrong."`
}

// Failure says why something came to nothing. The codes are explained in docs/errors.md.
type Failure struct {
	Code            FailureCode `json:"code" doc:"Failure code of docs/errors.md."`
	Message         string      `json:"message" doc:"Plain words."`
	PlatformCode    int         `json:"platformCode,omitempty" doc:"The platform's error code."`
	PlatformSubcode int         `json:"platformSubcode,omitempty" doc:"The platform's error subcode."`
	TraceID         string      `json:"traceId,omitempty" doc:"The platform's trace id."`
}

// TimelineEntry is a state that a message has reached.
type TimelineEntry struct {
	Status MessageStatus `json:"status" enum:"queued,sending,uncertain,sent,delivered,read,failed,expired,canceled,held" doc:"State reached."`
	At     Time          `json:"at" doc:"When."`
}

// MessagePage is one page of messages, newest first.
type MessagePage struct {
	Messages []Message `json:"messages" doc:"Newest first."`
	// Cursor gets the next page; empty on the last.
	Cursor string `json:"cursor,omitempty" doc:"Gets the next page; missing on the last."`
}

// SendBatchRequest is the body of POST /v1/messages/batch.
type SendBatchRequest struct {
	Messages []SendMessageRequest `json:"messages" doc:"1 to 1,000 messages."`

	// IdempotencyKey goes along as a header, and is that of the whole batch; those of its messages do not count.
	IdempotencyKey string `json:"-"`
}

// SendBatchResult tells for each message of a batch, in order, whether it was accepted.
type SendBatchResult struct {
	Accepted int            `json:"accepted" doc:"Messages accepted."`
	Refused  int            `json:"refused" doc:"Messages refused."`
	Results  []BatchVerdict `json:"results" doc:"One for each message, in order."`
}

// BatchVerdict is the message, or why it was refused.
type BatchVerdict struct {
	Index   int      `json:"index" doc:"Place in the batch, from 0."`
	Message *Message `json:"message,omitempty" doc:"The message, when it was accepted."`
	Error   *Error   `json:"error,omitempty" doc:"Why it was refused."`
}

// PolicyAnswer says whether the platform's rules allow a message.
type PolicyAnswer struct {
	Allowed        bool                    `json:"allowed"`
	Code           FailureCode             `json:"code,omitempty" doc:"Why not, as in a message's failure."`
	Field          string                  `json:"field,omitempty" doc:"The field at fault."`
	Message        string                  `json:"message,omitempty" doc:"In plain words; also for what is allowed but changed."`
	AllowedUntil   Time                    `json:"allowedUntil,omitzero" doc:"When the window closes that allows it."`
	WouldBeAllowed []string                `json:"wouldBeAllowed" doc:"Instead, when it is not allowed."`
	MessagingType  messenger.MessagingType `json:"messagingType" doc:"What it is sent as."`
	MessageTag     messenger.Tag           `json:"messageTag,omitempty"`
	Steps          []Step                  `json:"steps,omitempty" doc:"The rules as they would be taken."`
}
