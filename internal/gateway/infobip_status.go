package gateway

import "time"

// infobipTime is how times stand in Infobip's APIs: milliseconds, and an offset without a colon.
const infobipTime = "2006-01-02T15:04:05.000-0700"

// FormatInfobipTime is a time in Infobip's APIs; nil, which stands as null, for none.
func FormatInfobipTime(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := t.UTC().Format(infobipTime)
	return &s
}

// InfobipStatus says how a message fares.
type InfobipStatus struct {
	GroupID     int    `json:"groupId" xml:"groupId"`
	GroupName   string `json:"groupName" xml:"groupName"`
	ID          int    `json:"id" xml:"id"`
	Name        string `json:"name" xml:"name"`
	Description string `json:"description" xml:"description"`
	Action      string `json:"action,omitempty" xml:"action,omitempty"`
}

// The statuses that the gateway gives. InfobipStatuses lists all there are.
const (
	InfobipDelivered      = 5
	InfobipEnroute        = 7
	InfobipMissingTo      = 51
	InfobipBadDestination = 52
	InfobipBadSender      = 13
	InfobipNoRoute        = 19
	InfobipBadContent     = 100
)

var infobipStatuses = [...]InfobipStatus{
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

// InfobipStatuses lists every status of Infobip's table, also those that nothing here comes to.
func InfobipStatuses() []InfobipStatus { return append([]InfobipStatus(nil), infobipStatuses[:]...) }

// InfobipStatusByID answers the status of a number of the table; words, where there are any, stand in the place of its description.
func InfobipStatusByID(id int, words string) InfobipStatus {
	for _, s := range infobipStatuses {
		if s.ID == id {
			if words != "" {
				s.Description = words
			}
			return s
		}
	}
	return InfobipStatus{}
}

// InfobipStatusOf puts the state of a message into the table of statuses.
func InfobipStatusOf(s Status, f *Failure) InfobipStatus {
	id, words := 26, ""
	switch s {
	case StatusSent, StatusUncertain:
		id = 3
	case StatusDelivered, StatusRead:
		id = InfobipDelivered
	case StatusExpired:
		id = 15
	case StatusCanceled:
		id = 31
	case StatusFailed:
		id, words = infobipFailed(f)
	}
	return InfobipStatusByID(id, words)
}

// infobipFailed is the status of a message that failed. Those that the table has a reason for name it.
func infobipFailed(f *Failure) (int, string) {
	if f == nil {
		return 9, ""
	}
	switch f.Code {
	case FailureNoAddress, FailureAddressInvalid:
		return InfobipBadDestination, f.Message
	case FailureNoAccount:
		return InfobipNoRoute, f.Message
	case FailureOptedOut, FailureNotOptedIn:
		return 10, f.Message
	case FailureProviderRefused, FailureContentRefused:
		return 4, ""
	case FailureUnknownOutcome:
		return 29, ""
	}
	return 9, ""
}

// InfobipError says why a message came to nothing.
type InfobipError struct {
	GroupID     int    `json:"groupId" xml:"groupId"`
	GroupName   string `json:"groupName" xml:"groupName"`
	ID          int    `json:"id" xml:"id"`
	Name        string `json:"name" xml:"name"`
	Description string `json:"description" xml:"description"`
	Permanent   bool   `json:"permanent" xml:"permanent"`
}

// Groups of the errors of chat channels.
const (
	infobipClient   = 1
	infobipProvider = 2
	infobipSystem   = 3
)

var infobipErrors = [...]InfobipError{
	{0, "OK", 0, "NO_ERROR", "No Error", false},
	{infobipClient, "CLIENT_ERRORS", 7001, "EC_UNKNOWN_APPLICATION", "Application is not known", true},
	{infobipClient, "CLIENT_ERRORS", 7002, "EC_UNKNOWN_USER", "User is not known", true},
	{infobipClient, "CLIENT_ERRORS", 7003, "EC_BLOCKED_USER", "User cannot be reached or wants no messages", true},
	{infobipClient, "CLIENT_ERRORS", 7004, "EC_UNAUTHORIZED_ACCESS", "Access is refused", true},
	{infobipClient, "CLIENT_ERRORS", 7006, "EC_BAD_REQUEST", "Message is refused", true},
	{infobipClient, "CLIENT_ERRORS", 7010, "EC_NO_SESSION", "The window for messages to the user is closed", true},
	{infobipProvider, "PROVIDER_ERRORS", 7014, "EC_MEDIA_UPLOAD_ERROR", "File could not be fetched or stored", true},
	{infobipProvider, "PROVIDER_ERRORS", 7017, "EC_TOO_MANY_REQUESTS", "Too many requests", false},
	{infobipClient, "CLIENT_ERRORS", 7021, "EC_LIMITED_FUNCTIONALITY", "The channel cannot be used", true},
	{infobipClient, "CLIENT_ERRORS", 7022, "EC_MEDIA_UNSUPPORTED", "File of this type is not taken", true},
	{infobipProvider, "PROVIDER_ERRORS", 7050, "EC_PROVIDER_INTERNAL_ERROR", "Provider failed", false},
	{infobipProvider, "PROVIDER_ERRORS", 7051, "EC_PROVIDER_TIMEOUT", "Provider did not answer", false},
	{infobipSystem, "SYSTEM_ERRORS", 7080, "EC_INTERNAL_ERROR", "Internal error", true},
	{infobipClient, "CLIENT_ERRORS", 7102, "EC_PHONE_MATCHING_DISABLED", "Phone numbers are not matched to users", true},
}

// InfobipErrors lists every error of a chat channel in Infobip's table, also those that nothing here comes to, and the one that stands for none.
func InfobipErrors() []InfobipError { return append([]InfobipError(nil), infobipErrors[:]...) }

// InfobipErrorOf puts a failure into the numbers of chat channels, with its own words; a message that merely expired has none.
func InfobipErrorOf(f *Failure) InfobipError {
	if f == nil {
		return infobipErrors[0]
	}
	id := infobipErrorID(f)
	for _, e := range infobipErrors {
		if e.ID == id {
			if id != 0 {
				e.Description = f.Message
			}
			return e
		}
	}
	return infobipErrors[0]
}

func infobipErrorID(f *Failure) int {
	switch f.Code {
	case FailureExpired, FailureNotReached:
		return 0
	case FailureApplicationDeleted:
		return 7001
	case FailureNoAddress, FailureAddressInvalid, FailureUnreachable:
		return 7002
	case FailurePersonUnreachable, FailureOptedOut, FailureNotOptedIn:
		return 7003
	case FailureTokenInvalid, FailurePermissionMissing, FailureAccountRefused:
		return 7004
	case FailurePlatformRefused:
		if uploadFailed(f.PlatformSubcode) {
			return 7014
		}
		return 7006
	case FailureInvalidContent, FailureProviderRefused, FailureContentRefused, FailureNoThreadControl:
		return 7006
	case FailureOutsideWindow:
		return 7010
	case FailureRateLimited:
		return 7017
	case FailureNoAccount:
		return 7021
	case FailurePlatformUnavailable, FailureProviderUnavailable:
		return 7050
	case FailureUnknownOutcome:
		return 7051
	}
	return 7080
}

// uploadFailed tells whether the platform could not take in the file of a message.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/error-codes
func uploadFailed(subcode int) bool {
	return subcode == 2018008 || subcode == 2018047 || subcode == 2018294
}
