package gatewayapi

import "net/http"

// ErrorCode names one kind of error of the gateway's API. Programs decide by it; its spelling never
// changes once released.
type ErrorCode string

// The codes of the API. docs/errors.md says for each what it means and what to do about it.
const (
	CodeInvalidRequest       ErrorCode = "invalid_request"
	CodeApplicationAmbiguous ErrorCode = "application_ambiguous"
	CodeUnauthorized         ErrorCode = "unauthorized"
	CodeForbidden            ErrorCode = "forbidden"
	CodeNotFound             ErrorCode = "not_found"
	CodeMethodNotAllowed     ErrorCode = "method_not_allowed"
	CodeConflict             ErrorCode = "conflict"
	CodeIdempotencyMismatch  ErrorCode = "idempotency_mismatch"
	CodeNotCancelable        ErrorCode = "not_cancelable"
	CodeNotHeld              ErrorCode = "not_held"
	CodePreconditionFailed   ErrorCode = "precondition_failed"
	CodePayloadTooLarge      ErrorCode = "payload_too_large"
	CodeRateLimited          ErrorCode = "rate_limited"
	CodeInternal             ErrorCode = "internal"
	CodePlatformUnavailable  ErrorCode = "platform_unavailable"
	CodeStoreUnavailable     ErrorCode = "store_unavailable"
	CodeDiskLow              ErrorCode = "disk_low"
	CodeOverloaded           ErrorCode = "overloaded"
	CodeShuttingDown         ErrorCode = "shutting_down"
)

// Status returns the HTTP status that goes with a code; 500 for one that is not known.
func (c ErrorCode) Status() int {
	switch c {
	case CodeInvalidRequest, CodeApplicationAmbiguous:
		return http.StatusBadRequest
	case CodeUnauthorized, CodeInvalidSignature:
		return http.StatusUnauthorized
	case CodeForbidden:
		return http.StatusForbidden
	case CodeNotFound:
		return http.StatusNotFound
	case CodeMethodNotAllowed:
		return http.StatusMethodNotAllowed
	case CodeConflict, CodeIdempotencyMismatch, CodeNotCancelable, CodeNotHeld:
		return http.StatusConflict
	case CodePreconditionFailed:
		return http.StatusPreconditionFailed
	case CodePayloadTooLarge:
		return http.StatusRequestEntityTooLarge
	case CodeRateLimited:
		return http.StatusTooManyRequests
	case CodePlatformUnavailable:
		return http.StatusBadGateway
	case CodeStoreUnavailable, CodeDiskLow, CodeOverloaded, CodeShuttingDown:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// FailureCode says why a message, an attempt or a delivery came to nothing.
type FailureCode string

// The failure codes of messages and deliveries. docs/errors.md explains each.
const (
	FailureOutsideWindow       FailureCode = "outside_window"
	FailurePersonUnreachable   FailureCode = "person_unreachable"
	FailureTokenInvalid        FailureCode = "token_invalid"
	FailurePermissionMissing   FailureCode = "permission_missing"
	FailureNoThreadControl     FailureCode = "no_thread_control"
	FailurePlatformRefused     FailureCode = "platform_refused"
	FailurePlatformUnavailable FailureCode = "platform_unavailable"
	FailureRateLimited         FailureCode = "rate_limited"
	FailureUnknownOutcome      FailureCode = "unknown_outcome"
	FailureExpired             FailureCode = "expired"
	FailureNoAddress           FailureCode = "no_address"
	FailureNoAccount           FailureCode = "no_account"
	FailureNotOptedIn          FailureCode = "not_opted_in"
	FailureNotReached          FailureCode = "not_reached"
	FailureApplicationDeleted  FailureCode = "application_deleted"
	FailureInvalidContent      FailureCode = "invalid_content"
	FailureRefusedAddress      FailureCode = "refused_address"
	FailureEndpointFailed      FailureCode = "endpoint_failed"
	FailureEndpointGone        FailureCode = "endpoint_gone"
	FailureProviderRefused     FailureCode = "provider_refused"
	FailureProviderUnavailable FailureCode = "provider_unavailable"
	FailureAccountRefused      FailureCode = "account_refused"
	FailureAddressInvalid      FailureCode = "address_invalid"
	FailureUnreachable         FailureCode = "unreachable"
	FailureOptedOut            FailureCode = "opted_out"
	FailureContentRefused      FailureCode = "content_refused"
)

// FindingCode names one kind of thing that is wrong, or may become so, with an application at the
// platform.
type FindingCode string

// The codes of findings. docs/facebook-setup.md explains each.
const (
	FindingTokenInvalid      FindingCode = "token_invalid"
	FindingTokenOfOtherApp   FindingCode = "token_of_other_app"
	FindingTokenNotOfPage    FindingCode = "token_not_of_a_page"
	FindingTokenOfOtherPage  FindingCode = "token_of_other_page"
	FindingTokenExpires      FindingCode = "token_expires"
	FindingDataAccessExpires FindingCode = "data_access_expires"
	FindingPermissionMissing FindingCode = "permission_missing"
	FindingPermissionWanted  FindingCode = "permission_wanted"
	FindingSecretInvalid     FindingCode = "app_secret_invalid"
	FindingPageUnpublished   FindingCode = "page_unpublished"
	FindingPageFieldsMissing FindingCode = "page_fields_missing"
	FindingCallbackMissing   FindingCode = "callback_missing"
	FindingCallbackElsewhere FindingCode = "callback_elsewhere"
	FindingCallbackInactive  FindingCode = "callback_inactive"
	FindingCallbackNotHTTPS  FindingCode = "callback_not_https"
	FindingAppFieldsMissing  FindingCode = "app_fields_missing"
	FindingGetStartedMissing FindingCode = "get_started_missing"
	FindingNothingHeard      FindingCode = "nothing_heard"
	FindingRefusedByPlatform FindingCode = "refused_by_platform"
)
