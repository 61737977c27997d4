package gateway

import "github.com/chasqui/chasqui/gatewayapi"

// ErrorInfo explains one code of the API.
type ErrorInfo struct {
	// Code is the code as it stands in `error.code`.
	Code Code
	// Meaning says what happened.
	Meaning string
	// Remedy says what the caller can do.
	Remedy string
}

// ErrorTable returns every code of the API in the order of the HTTP statuses. docs/errors.md is
// made from it.
func ErrorTable() []ErrorInfo {
	return []ErrorInfo{
		{CodeInvalidRequest,
			"The request cannot be understood or breaks a rule. `field` names the input at fault. Nothing was changed.",
			"Mend the field named and send again."},
		{CodeApplicationAmbiguous,
			"`application` was left out and more than one application fits, or none does.",
			"Name the application by its key."},
		{CodeUnauthorized,
			"There is no API key, or it is not known, or it was revoked.",
			"Send `Authorization: Bearer chq_…` with a key made by `chasqui key create`."},
		{CodeForbidden,
			"The API key lacks the scope, or is limited to other applications.",
			"Use a key with the scope named in the message."},
		{CodeNotFound,
			"There is nothing under this address or id.",
			"Check the id; what retention has removed is gone too."},
		{CodeMethodNotAllowed,
			"The address exists, but not with this HTTP method.",
			"The `Allow` header lists the methods."},
		{CodeConflict,
			"The request contradicts what is stored, such as a page that is connected already or a profile id that is taken.",
			"Read the thing named, then decide."},
		{CodeIdempotencyMismatch,
			"The Idempotency-Key was used before with another body.",
			"Use a new key for a new message, or send the first body again."},
		{CodeNotCancelable,
			"The message is no longer queued, so that it cannot be canceled.",
			"Read the message to see what became of it."},
		{CodeNotHeld,
			"The message is not held after a restore, or its time is up, so that it cannot be released.",
			"Send a new message if it is still wanted."},
		{CodePreconditionFailed,
			"If-Match does not fit: the thing has changed since it was read.",
			"Read it again, apply the change to what you find, and send the new ETag."},
		{CodePayloadTooLarge,
			"The body is larger than the limit.",
			"Send less, or split the batch."},
		{CodeRateLimited,
			"The platform or the gateway asks for fewer requests.",
			"Wait as long as `Retry-After` says."},
		{CodeInternal,
			"Something went wrong inside the gateway; the log has the cause under the request id.",
			"Send again with the same Idempotency-Key; report it with the request id if it stays."},
		{CodePlatformUnavailable,
			"The Messenger Platform did not answer, or answered with an error of its own.",
			"Send again later. Nothing was changed."},
		{CodeStoreUnavailable,
			"The database cannot be reached or does not commit. Nothing was accepted.",
			"Send again with the same Idempotency-Key after `Retry-After`."},
		{CodeDiskLow,
			"The disk has less room than the setting `lowDisk` keeps free, so that nothing more is accepted.",
			"Make room on the gateway's disk, then send again."},
		{CodeOverloaded,
			"More is coming in than can be committed, or drawn.",
			"Send again after `Retry-After`."},
		{CodeShuttingDown,
			"The gateway is stopping.",
			"Send again; another node or the next start will take it."},
	}
}

// FailureCode says why a message, an attempt or a delivery came to nothing.
type FailureCode = gatewayapi.FailureCode

// The failure codes of messages and deliveries. FailureTable explains each.
const (
	FailureOutsideWindow       = gatewayapi.FailureOutsideWindow
	FailurePersonUnreachable   = gatewayapi.FailurePersonUnreachable
	FailureTokenInvalid        = gatewayapi.FailureTokenInvalid
	FailurePermissionMissing   = gatewayapi.FailurePermissionMissing
	FailureNoThreadControl     = gatewayapi.FailureNoThreadControl
	FailurePlatformRefused     = gatewayapi.FailurePlatformRefused
	FailurePlatformUnavailable = gatewayapi.FailurePlatformUnavailable
	FailureRateLimited         = gatewayapi.FailureRateLimited
	FailureUnknownOutcome      = gatewayapi.FailureUnknownOutcome
	FailureExpired             = gatewayapi.FailureExpired
	FailureNoAddress           = gatewayapi.FailureNoAddress
	FailureNoAccount           = gatewayapi.FailureNoAccount
	FailureNotOptedIn          = gatewayapi.FailureNotOptedIn
	FailureNotReached          = gatewayapi.FailureNotReached
	FailureApplicationDeleted  = gatewayapi.FailureApplicationDeleted
	FailureInvalidContent      = gatewayapi.FailureInvalidContent
	FailureRefusedAddress      = gatewayapi.FailureRefusedAddress
	FailureEndpointFailed      = gatewayapi.FailureEndpointFailed
	FailureEndpointGone        = gatewayapi.FailureEndpointGone
	FailureProviderRefused     = gatewayapi.FailureProviderRefused
	FailureProviderUnavailable = gatewayapi.FailureProviderUnavailable
	FailureAccountRefused      = gatewayapi.FailureAccountRefused
	FailureAddressInvalid      = gatewayapi.FailureAddressInvalid
	FailureUnreachable         = gatewayapi.FailureUnreachable
	FailureOptedOut            = gatewayapi.FailureOptedOut
	FailureContentRefused      = gatewayapi.FailureContentRefused
)

// FailureInfo explains one failure code.
type FailureInfo struct {
	// Code is the code as it stands in `failure.code` of a message, an attempt or a delivery.
	Code FailureCode
	// Meaning says what happened.
	Meaning string
	// Remedy says what the caller or the operator can do.
	Remedy string
}

// FailureTable returns every failure code. docs/errors.md is made from it.
func FailureTable() []FailureInfo {
	return []FailureInfo{
		{FailureOutsideWindow,
			"The person's last message is more than 24 hours old (or the person never wrote), and the message carries no tag that would allow it.",
			"Wait for the person to write, or use a message tag that fits the content."},
		{FailurePersonUnreachable,
			"The person blocked the page, deleted the conversation or the account, or the id is not one of this page's.",
			"Do not send again before the person writes."},
		{FailureTokenInvalid,
			"The platform no longer accepts the page's access token. The application is paused and keeps its queue; only a message that expires meanwhile ends with this.",
			"Replace the token: PATCH /v1/applications/{key}."},
		{FailurePermissionMissing,
			"The app lacks a permission the call needs.",
			"Grant the permission in the app's settings, then replace the token."},
		{FailureNoThreadControl,
			"Another app, or somebody in the page's inbox, controls the conversation, and only who controls it may write.",
			"Send again once the conversation is given back, which is a `handover` event or the person's next `message.inbound`."},
		{FailurePlatformRefused,
			"The platform refused the message for good; the attempt holds its code and words.",
			"Mend the message."},
		{FailurePlatformUnavailable,
			"The platform kept failing until the message was no longer worth sending.",
			"Send again."},
		{FailureRateLimited,
			"The platform kept asking for fewer requests until the message expired.",
			"Send less, or give messages a later expiry."},
		{FailureUnknownOutcome,
			"The answer of the platform was lost and no echo or receipt settled within ten minutes whether the message went out.",
			"Look into the conversation before sending again; a later proof corrects the state and is marked late."},
		{FailureExpired,
			"`expiresOn` passed before the message could be sent.",
			"Send again with a later expiry if it is still wanted."},
		{FailureNoAddress,
			"The person has no address on any channel of `rules`.",
			"Add the address to the profile, or send to `fbMessengerId`."},
		{FailureNoAccount,
			"The gateway has no active account for the channel that the application may use.",
			"Make one: POST /v1/channels."},
		{FailureNotOptedIn,
			"The message has `requireOptIn`, and the profile's `optInChannels` does not name the channel.",
			"Add the channel to the profile once the person has agreed."},
		{FailureNotReached,
			"The step's `within`, or the message's `expiresOn`, passed before the goal that `until` names was reached.",
			"Look at the trace in `steps`; a receipt that still comes is recorded there and marked late."},
		{FailureApplicationDeleted,
			"The application was deleted while the message waited.",
			"Connect the page again and send again."},
		{FailureInvalidContent,
			"The stored content can no longer be made into a request to the platform.",
			"Send the message again."},
		{FailureRefusedAddress,
			"The subscription's URL leads to a private or otherwise reserved address, which the operator has not allowed.",
			"Use a public address, or set `forward.allowPrivate`."},
		{FailureEndpointFailed,
			"The subscription's URL did not answer 2xx within 15 seconds, again and again until the event was 24 hours old.",
			"Mend the receiver, then replay."},
		{FailureEndpointGone,
			"The subscription's URL answered 410, which disables the subscription.",
			"Enable the subscription again when the receiver is back, then replay."},
		{FailureProviderRefused,
			"The provider of the channel (SMS, e-mail, webhook) refused the message for good; the attempt holds its code and words.",
			"Read the provider's words; mend the message or the account."},
		{FailureProviderUnavailable,
			"The provider of the channel could not be reached, or kept answering with errors of its own.",
			"Send again later; POST /v1/channels/{id}/check says whether the account works."},
		{FailureAccountRefused,
			"The provider does not accept the account: its credentials, its sender, or what it is allowed or has paid for.",
			"Mend the account: PATCH /v1/channels/{id}, then check it."},
		{FailureAddressInvalid,
			"The address is not a number or mailbox that the provider could send to.",
			"Correct the address in the profile or the message."},
		{FailureUnreachable,
			"The provider could not reach the address: the phone is off or out of service, the mailbox does not exist.",
			"Try another channel, or again later."},
		{FailureOptedOut,
			"The person has asked for no more messages on this channel, by a word such as STOP, at the gateway or at the provider.",
			"Do not send again before the person asks for it; see /v1/opt-outs."},
		{FailureContentRefused,
			"The provider or the carrier took the content for spam or as not allowed.",
			"Change the content, or register the sender with the carrier."},
	}
}
