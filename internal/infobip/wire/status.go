package wire

import (
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
)

// timeFormat is how times stand in Infobip's APIs: milliseconds, and an offset without a colon.
const timeFormat = "2006-01-02T15:04:05.000-0700"

// FormatTime is a time in Infobip's APIs; nil, which stands as null, for none.
func FormatTime(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := t.UTC().Format(timeFormat)
	return &s
}

// Status says how a message fares.
type Status struct {
	GroupID     int    `json:"groupId" xml:"groupId"`
	GroupName   string `json:"groupName" xml:"groupName"`
	ID          int    `json:"id" xml:"id"`
	Name        string `json:"name" xml:"name"`
	Description string `json:"description" xml:"description"`
	Action      string `json:"action,omitempty" xml:"action,omitempty"`
}

// The statuses that the gateway gives. Statuses lists all there are.
const (
	StatusDelivered      = 5
	StatusEnroute        = 7
	StatusMissingTo      = 51
	StatusBadDestination = 52
	StatusBadSender      = 13
	StatusNoRoute        = 19
	StatusBadContent     = 100
)

var statuses = [...]Status{
	{1, "PENDING", 3, "PENDING_WAITING_DELIVERY", "Message sent, waiting for delivery report", ""},
	{1, "PENDING", 7, "PENDING_ENROUTE", "Message sent to next instance", ""},
	{1, "PENDING", 26, "PENDING_ACCEPTED", "Message accepted, waits to be sent", ""},
	{2, "UNDELIVERABLE", 4, "UNDELIVERABLE_REJECTED_OPERATOR", "Message rejected by the operator", ""},
	{2, "UNDELIVERABLE", 9, "UNDELIVERABLE_NOT_DELIVERED", "Message sent but not delivered", ""},
	{2, "UNDELIVERABLE", 31, "UNDELIVERABLE_NOT_SENT", "Message was not sent", ""},
	{3, "DELIVERED", 2, "DELIVERED_TO_OPERATOR", "Message delivered to operator", ""},
	{3, "DELIVERED", 5, "DELIVERED_TO_HANDSET", "Message delivered to handset", ""},
	{4, "EXPIRED", 15, "EXPIRED_EXPIRED", "Message expired", ""},
	{4, "EXPIRED", 29, "EXPIRED_DLR_UNKNOWN", "Message sent, but no delivery report came in time", ""},
	{5, "REJECTED", 6, "REJECTED_NETWORK", "Network is not supported", ""},
	{5, "REJECTED", 8, "REJECTED_PREFIX_MISSING", "Number prefix is missing", ""},
	{5, "REJECTED", 10, "REJECTED_DND", "Destination wants no messages", ""},
	{5, "REJECTED", 11, "REJECTED_SOURCE", "Sender is refused", ""},
	{5, "REJECTED", 12, "REJECTED_NOT_ENOUGH_CREDITS", "Not enough credits", ""},
	{5, "REJECTED", 13, "REJECTED_SENDER", "Sender is not known", ""},
	{5, "REJECTED", 14, "REJECTED_DESTINATION_BLOCKLISTED", "Destination is blocked", ""},
	{5, "REJECTED", 17, "REJECTED_PREPAID_PACKAGE_EXPIRED", "Prepaid package has expired", ""},
	{5, "REJECTED", 18, "REJECTED_DESTINATION_NOT_REGISTERED", "Destination is not registered", ""},
	{5, "REJECTED", 19, "REJECTED_ROUTE_NOT_AVAILABLE", "No route is available", ""},
	{5, "REJECTED", 20, "REJECTED_FLOODING_FILTER", "Too many messages to one destination", ""},
	{5, "REJECTED", 21, "REJECTED_SYSTEM_ERROR", "System error", ""},
	{5, "REJECTED", 23, "REJECTED_DUPLICATE_MESSAGE_ID", "Message identifier was used before", ""},
	{5, "REJECTED", 24, "REJECTED_INVALID_UDH", "User data header is not valid", ""},
	{5, "REJECTED", 25, "REJECTED_MESSAGE_TOO_LONG", "Message is too long", ""},
	{5, "REJECTED", 51, "MISSING_TO", "Missing TO", ""},
	{5, "REJECTED", 52, "REJECTED_DESTINATION", "Destination is not valid", ""},
	{5, "REJECTED", 100, "UNDELIVERABLE_REJECTED_PLATFORM", "Message rejected by the platform", ""},
}

// Statuses lists every status of Infobip's table, also those that nothing here comes to.
func Statuses() []Status { return append([]Status(nil), statuses[:]...) }

// StatusByID returns the status of a number of the table; words, where there are any, stand in the
// place of its description.
func StatusByID(id int, words string) Status {
	for _, s := range statuses {
		if s.ID == id {
			if words != "" {
				s.Description = words
			}
			return s
		}
	}
	return Status{}
}

// StatusOf puts the state of a message into the table of statuses.
func StatusOf(s gateway.Status, f *gateway.Failure) Status {
	id, words := 26, ""
	switch s {
	case gateway.StatusSent, gateway.StatusUncertain:
		id = 3
	case gateway.StatusDelivered, gateway.StatusRead:
		id = StatusDelivered
	case gateway.StatusExpired:
		id = 15
	case gateway.StatusCanceled:
		id = 31
	case gateway.StatusFailed:
		id, words = failed(f)
	}
	return StatusByID(id, words)
}

// failed is the status of a message that failed. Those that the table has a reason for name it.
func failed(f *gateway.Failure) (int, string) {
	if f == nil {
		return 9, ""
	}
	switch f.Code {
	case gateway.FailureNoAddress, gateway.FailureAddressInvalid:
		return StatusBadDestination, f.Message
	case gateway.FailureNoAccount:
		return StatusNoRoute, f.Message
	case gateway.FailureOptedOut, gateway.FailureNotOptedIn:
		return 10, f.Message
	case gateway.FailureProviderRefused, gateway.FailureContentRefused:
		return 4, ""
	case gateway.FailureUnknownOutcome:
		return 29, ""
	}
	return 9, ""
}

// Error says why a message came to nothing.
type Error struct {
	GroupID     int    `json:"groupId" xml:"groupId"`
	GroupName   string `json:"groupName" xml:"groupName"`
	ID          int    `json:"id" xml:"id"`
	Name        string `json:"name" xml:"name"`
	Description string `json:"description" xml:"description"`
	Permanent   bool   `json:"permanent" xml:"permanent"`
}

// Groups of the errors of chat channels.
const (
	groupClient   = 1
	groupProvider = 2
	groupSystem   = 3
)

var errorTable = [...]Error{
	{0, "OK", 0, "NO_ERROR", "No Error", false},
	{groupClient, "CLIENT_ERRORS", 7001, "EC_UNKNOWN_APPLICATION", "Application is not known", true},
	{groupClient, "CLIENT_ERRORS", 7002, "EC_UNKNOWN_USER", "User is not known", true},
	{groupClient, "CLIENT_ERRORS", 7003, "EC_BLOCKED_USER", "User cannot be reached or wants no messages", true},
	{groupClient, "CLIENT_ERRORS", 7004, "EC_UNAUTHORIZED_ACCESS", "Access is refused", true},
	{groupClient, "CLIENT_ERRORS", 7006, "EC_BAD_REQUEST", "Message is refused", true},
	{groupClient, "CLIENT_ERRORS", 7010, "EC_NO_SESSION", "The window for messages to the user is closed", true},
	{groupProvider, "PROVIDER_ERRORS", 7014, "EC_MEDIA_UPLOAD_ERROR", "File could not be fetched or stored", true},
	{groupProvider, "PROVIDER_ERRORS", 7017, "EC_TOO_MANY_REQUESTS", "Too many requests", false},
	{groupClient, "CLIENT_ERRORS", 7021, "EC_LIMITED_FUNCTIONALITY", "The channel cannot be used", true},
	{groupClient, "CLIENT_ERRORS", 7022, "EC_MEDIA_UNSUPPORTED", "File of this type is not taken", true},
	{groupProvider, "PROVIDER_ERRORS", 7050, "EC_PROVIDER_INTERNAL_ERROR", "Provider failed", false},
	{groupProvider, "PROVIDER_ERRORS", 7051, "EC_PROVIDER_TIMEOUT", "Provider did not answer", false},
	{groupSystem, "SYSTEM_ERRORS", 7080, "EC_INTERNAL_ERROR", "Internal error", true},
	{groupClient, "CLIENT_ERRORS", 7102, "EC_PHONE_MATCHING_DISABLED", "Phone numbers are not matched to users", true},
}

// Errors lists every error of a chat channel in Infobip's table, also those that nothing here comes
// to, and the one that stands for none.
func Errors() []Error { return append([]Error(nil), errorTable[:]...) }

// ErrorOf puts a failure into the numbers of chat channels, with its own words; a message that
// merely expired has none.
func ErrorOf(f *gateway.Failure) Error {
	if f == nil {
		return errorTable[0]
	}
	id := errorID(f)
	for _, e := range errorTable {
		if e.ID == id {
			if id != 0 {
				e.Description = f.Message
			}
			return e
		}
	}
	return errorTable[0]
}

func errorID(f *gateway.Failure) int {
	switch f.Code {
	case gateway.FailureExpired, gateway.FailureNotReached:
		return 0
	case gateway.FailureApplicationDeleted:
		return 7001
	case gateway.FailureNoAddress, gateway.FailureAddressInvalid, gateway.FailureUnreachable:
		return 7002
	case gateway.FailurePersonUnreachable, gateway.FailureOptedOut, gateway.FailureNotOptedIn:
		return 7003
	case gateway.FailureTokenInvalid, gateway.FailurePermissionMissing, gateway.FailureAccountRefused:
		return 7004
	case gateway.FailurePlatformRefused:
		if uploadFailed(f.PlatformSubcode) {
			return 7014
		}
		return 7006
	case gateway.FailureInvalidContent, gateway.FailureProviderRefused, gateway.FailureContentRefused, gateway.FailureNoThreadControl:
		return 7006
	case gateway.FailureOutsideWindow:
		return 7010
	case gateway.FailureRateLimited:
		return 7017
	case gateway.FailureNoAccount:
		return 7021
	case gateway.FailurePlatformUnavailable, gateway.FailureProviderUnavailable:
		return 7050
	case gateway.FailureUnknownOutcome:
		return 7051
	}
	return 7080
}

// uploadFailed reports whether the platform could not take in the file of a message.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/error-codes
func uploadFailed(subcode int) bool {
	return subcode == 2018008 || subcode == 2018047 || subcode == 2018294
}
