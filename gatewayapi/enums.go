package gatewayapi

import "github.com/chasqui/chasqui/messenger"

// The channels that every gateway has. A channel is a string, not a type of its own, for a business
// may bring its own by any name.
const (
	ChannelMessenger = "fbMessenger"
	ChannelSMS       = "sms"
	ChannelEmail     = "email"
	ChannelWebhook   = "webhook" // handed to a URL of the business's own, which reports back
)

// EventType names a fact in the log, as subscriptions select it and forwarded bodies carry it.
type EventType string

// The types of events. docs/events.md says when each comes about; the payload types of this package
// say what each holds.
const (
	EventMessageInbound   EventType = "message.inbound"
	EventMessageEdit      EventType = "message.edit"
	EventMessageEcho      EventType = "message.echo"
	EventStandby          EventType = "standby"
	EventPostback         EventType = "postback"
	EventReferral         EventType = "referral"
	EventOptin            EventType = "optin"
	EventReaction         EventType = "reaction"
	EventHandover         EventType = "handover"
	EventAccountLinking   EventType = "account_linking"
	EventPolicy           EventType = "policy"
	EventMessageSent      EventType = "message.sent"
	EventMessageDelivered EventType = "message.delivered"
	EventMessageRead      EventType = "message.read"
	EventMessageFailed    EventType = "message.failed"
	EventMessageExpired   EventType = "message.expired"
	EventMessageUncertain EventType = "message.uncertain"
	EventProfileCreated   EventType = "profile.created"
	EventProfileUpdated   EventType = "profile.updated"
	EventUnknown          EventType = "unknown"
)

// EventTypes lists every type that a subscription may select, in the order of the documentation.
func EventTypes() []EventType {
	return []EventType{
		EventMessageInbound, EventMessageEdit, EventMessageEcho, EventStandby, EventPostback, EventReferral, EventOptin, EventReaction,
		EventHandover, EventAccountLinking, EventPolicy, EventMessageSent, EventMessageDelivered, EventMessageRead, EventMessageFailed,
		EventMessageExpired, EventMessageUncertain, EventProfileCreated, EventProfileUpdated, EventUnknown,
	}
}

// eventTypes are the types of the platform's events by kind.
var eventTypes = map[messenger.Kind]EventType{
	messenger.KindMessage:              EventMessageInbound,
	messenger.KindEcho:                 EventMessageEcho,
	messenger.KindEdit:                 EventMessageEdit,
	messenger.KindPostback:             EventPostback,
	messenger.KindReferral:             EventReferral,
	messenger.KindOptin:                EventOptin,
	messenger.KindMessageRequest:       EventOptin,
	messenger.KindReaction:             EventReaction,
	messenger.KindPassThreadControl:    EventHandover,
	messenger.KindTakeThreadControl:    EventHandover,
	messenger.KindRequestThreadControl: EventHandover,
	messenger.KindAppRoles:             EventHandover,
	messenger.KindAccountLinking:       EventAccountLinking,
	messenger.KindPolicyEnforcement:    EventPolicy,
}

// EventTypeOf returns the type of an event of the platform by its kind. It is EventUnknown for
// receipts too, which are no events for subscribers.
func EventTypeOf(kind messenger.Kind) EventType {
	if t, ok := eventTypes[kind]; ok {
		return t
	}
	return EventUnknown
}

// MessageStatus is the state of a message.
type MessageStatus string

// The states of a message: queued → sending → sent → delivered → read, or failed, expired,
// canceled. Uncertain is a state on the way, not an end: the answer to a send was lost and proof is
// awaited. Held is that of an unfinished message after a restore: nothing sends it until somebody
// asks.
const (
	StatusQueued    MessageStatus = "queued"
	StatusSending   MessageStatus = "sending"
	StatusUncertain MessageStatus = "uncertain"
	StatusSent      MessageStatus = "sent"
	StatusDelivered MessageStatus = "delivered"
	StatusRead      MessageStatus = "read"
	StatusFailed    MessageStatus = "failed"
	StatusExpired   MessageStatus = "expired"
	StatusCanceled  MessageStatus = "canceled"
	StatusHeld      MessageStatus = "held"
)

// MessageStatuses lists every state of a message.
func MessageStatuses() []MessageStatus {
	return []MessageStatus{StatusQueued, StatusSending, StatusUncertain, StatusSent, StatusDelivered, StatusRead, StatusFailed, StatusExpired, StatusCanceled, StatusHeld}
}

// Open reports whether a message in this state still waits to be sent or for proof that it was.
func (s MessageStatus) Open() bool {
	return s == StatusQueued || s == StatusSending || s == StatusUncertain
}

// StepGoal is what a step of a message has to reach before its time is up.
type StepGoal string

// The goals of steps. A provider that has taken a message has accepted it; Messenger, and whoever
// gives no reports, has sent it with that too.
const (
	UntilAccepted  StepGoal = "accepted"
	UntilSent      StepGoal = "sent"
	UntilDelivered StepGoal = "delivered"
	UntilRead      StepGoal = "read"
)

// StepGoals lists the goals in the order in which a message reaches them.
func StepGoals() []StepGoal { return []StepGoal{UntilAccepted, UntilSent, UntilDelivered, UntilRead} }

// StepOutcome is what came of a step of a message.
type StepOutcome string

// The outcomes of steps. Exactly one step of an unfinished message is active; those after it are
// pending.
const (
	StepPending StepOutcome = "pending"
	StepActive  StepOutcome = "active"
	StepReached StepOutcome = "reached"  // it reached its goal: the message goes no further
	StepSkipped StepOutcome = "skipped"  // it could not be taken: no address, no account, refused by policy
	StepFailed  StepOutcome = "failed"   // the provider refused it for good, or reported that it failed
	StepPassed  StepOutcome = "passed"   // its time was up before it reached its goal
	StepUnused  StepOutcome = "not_used" // an earlier one reached its goal, or the message ended before
)

// AttemptOutcome is what came of one attempt to send.
type AttemptOutcome string

// The outcomes of attempts.
const (
	AttemptSent      AttemptOutcome = "sent"
	AttemptRetry     AttemptOutcome = "retry"     // it is tried again
	AttemptFailed    AttemptOutcome = "failed"    // it is not
	AttemptUncertain AttemptOutcome = "uncertain" // the answer was lost
)

// ApplicationState says whether an application takes part.
type ApplicationState string

// The states of an application.
const (
	ApplicationConnecting ApplicationState = "connecting"
	ApplicationActive     ApplicationState = "active"
	ApplicationPaused     ApplicationState = "paused" // the platform refuses its token; what is queued stays
)

// Severity says how much a finding matters.
type Severity string

// The severities of findings.
const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning" // nothing stops working now
)

// SubscriptionKind says how events reach the subscriber.
type SubscriptionKind string

// The kinds of subscriptions: the gateway posts to a URL, or the subscriber asks.
const (
	KindForward SubscriptionKind = "forward"
	KindPull    SubscriptionKind = "pull"
)

// SubscriptionState says whether a subscription takes part.
type SubscriptionState string

// The states of a subscription. A disabled one keeps its place in the log and goes on from there
// when it is enabled.
const (
	SubscriptionActive   SubscriptionState = "active"
	SubscriptionDisabled SubscriptionState = "disabled"
)

// DeliveryOrder says what a forward subscription waits for.
type DeliveryOrder string

// OrderConversation delivers the events of one conversation strictly in order; OrderNone delivers
// each by itself.
const (
	OrderConversation DeliveryOrder = "conversation"
	OrderNone         DeliveryOrder = "none"
)

// FromNow and FromEarliest say where in the log a subscription begins, or begins again; From takes
// any time in RFC 3339, too.
const (
	FromNow      = "now"
	FromEarliest = "earliest"
)

// DeliveryStatus is the state of a delivery of one event to one forward subscription.
type DeliveryStatus string

// The states of a delivery: pending ones are tried when they are due, waiting ones stand behind a
// pending one of their conversation, dead ones were tried for as long as the schedule says.
const (
	DeliveryPending   DeliveryStatus = "pending"
	DeliveryWaiting   DeliveryStatus = "waiting"
	DeliveryDelivered DeliveryStatus = "delivered"
	DeliveryDead      DeliveryStatus = "dead"
)

// Provider is who takes the messages of a channel, or the protocol that it speaks.
type Provider string

// The providers whose settings have fields of their own here. A gateway may have more.
const (
	ProviderSMPP    Provider = "smpp"    // sms, over SMPP 3.4
	ProviderTwilio  Provider = "twilio"  // sms, over HTTP in the shape of Twilio's REST API
	ProviderSMTP    Provider = "smtp"    // email
	ProviderWebhook Provider = "webhook" // a URL of the business's own
)

// Channel returns the channel that one of the providers above serves; empty for any other. An
// account says its channel itself.
func (p Provider) Channel() string {
	switch p {
	case ProviderSMPP, ProviderTwilio:
		return ChannelSMS
	case ProviderSMTP:
		return ChannelEmail
	case ProviderWebhook:
		return ChannelWebhook
	}
	return ""
}

// ChannelState says whether messages go through a channel account.
type ChannelState string

// The states of a channel account.
const (
	ChannelActive   ChannelState = "active"
	ChannelDisabled ChannelState = "disabled"
)

// Keyword is what a word of an inbound SMS means.
type Keyword string

// The meanings of words.
const (
	KeywordStop  Keyword = "stop"
	KeywordStart Keyword = "start"
	KeywordHelp  Keyword = "help"
)

// ErasureStatus is how far an erasure has come.
type ErasureStatus string

// The states of an erasure.
const (
	ErasurePending ErasureStatus = "pending"
	ErasureDone    ErasureStatus = "done"
)

// ErasureSource is who asked for an erasure.
type ErasureSource string

// The sources of erasures.
const (
	ErasureByAPI      ErasureSource = "api"
	ErasureByPlatform ErasureSource = "platform" // its data-deletion callback
)

// EntryPointKind says what an entry point is.
type EntryPointKind string

// The kinds of entry points.
const (
	EntryCode            EntryPointKind = "code"
	EntryLink            EntryPointKind = "link"
	EntryAd              EntryPointKind = "ad"
	EntrySendToMessenger EntryPointKind = "sendToMessenger"
)

// OptinState is what became of an opt-in state with which somebody came.
type OptinState string

// What becomes of opt-in states.
const (
	OptinBound    OptinState = "bound"    // the person is that profile's now
	OptinExpired  OptinState = "expired"  // its time was up
	OptinUsed     OptinState = "used"     // it could be used once, and was
	OptinForged   OptinState = "forged"   // it is not ours, was changed, or is for another page
	OptinConflict OptinState = "conflict" // the person belongs to another profile that was given to them, or the profile is not for whoever made the state
)

// ScriptDialect is the language of a script.
type ScriptDialect string

// The dialects of scripts.
const (
	DialectRiveScript ScriptDialect = "rivescript"
	DialectDexter     ScriptDialect = "dexter"
)
