package infobip

import (
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
)

// timeFormat is how times stand in this face: milliseconds, and an offset without a colon.
const timeFormat = "2006-01-02T15:04:05.000-0700"

// date is a time on the wire, nil, which stands as null, for none.
func date(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := t.UTC().Format(timeFormat)
	return &s
}

// status says on the wire how a message fares.
type status struct {
	GroupID     int    `json:"groupId"`
	GroupName   string `json:"groupName"`
	ID          int    `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description"`
	Action      string `json:"action,omitempty"`
}

// failure says on the wire why a message came to nothing.
type failure struct {
	GroupID     int    `json:"groupId"`
	GroupName   string `json:"groupName"`
	ID          int    `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description"`
	Permanent   bool   `json:"permanent"`
}

// The statuses that the gateway has a use for.
func waiting() status {
	return status{1, "PENDING", 3, "PENDING_WAITING_DELIVERY", "Message sent, waiting for delivery report", ""}
}
func enroute() status {
	return status{1, "PENDING", 7, "PENDING_ENROUTE", "Message sent to next instance", ""}
}
func accepted() status {
	return status{1, "PENDING", 26, "PENDING_ACCEPTED", "Message accepted, waits to be sent", ""}
}
func notDelivered() status {
	return status{2, "UNDELIVERABLE", 9, "UNDELIVERABLE_NOT_DELIVERED", "Message sent but not delivered", ""}
}
func notSent() status {
	return status{2, "UNDELIVERABLE", 31, "UNDELIVERABLE_NOT_SENT", "Message was not sent", ""}
}
func delivered() status {
	return status{3, "DELIVERED", 5, "DELIVERED_TO_HANDSET", "Message delivered to handset", ""}
}
func expired() status {
	return status{4, "EXPIRED", 15, "EXPIRED_EXPIRED", "Message expired", ""}
}
func badSender(why string) status  { return status{5, "REJECTED", 13, "REJECTED_SENDER", why, ""} }
func missingTo() status            { return status{5, "REJECTED", 51, "MISSING_TO", "Missing TO", ""} }
func badAddress(why string) status { return status{5, "REJECTED", 52, "REJECTED_DESTINATION", why, ""} }
func noRoute(why string) status {
	return status{5, "REJECTED", 19, "REJECTED_ROUTE_NOT_AVAILABLE", why, ""}
}
func badContent(why string) status {
	return status{5, "REJECTED", 100, "UNDELIVERABLE_REJECTED_PLATFORM", why, ""}
}

// noFailure is the error of a message that has none.
func noFailure() failure { return failure{0, "OK", 0, "NO_ERROR", "No Error", false} }

// Groups of the errors of chat channels.
const (
	client   = 1
	provider = 2
	system   = 3
)

// failureOf puts a failure of the core into the numbers of chat channels.
func failureOf(f *gateway.Failure) failure {
	if f == nil {
		return noFailure()
	}
	make := func(group, id int, name string, permanent bool) failure {
		return failure{group, [...]string{"OK", "CLIENT_ERRORS", "PROVIDER_ERRORS", "SYSTEM_ERRORS"}[group], id, name, f.Message, permanent}
	}
	switch f.Code {
	case gateway.FailureExpired:
		return noFailure()
	case gateway.FailureApplicationDeleted:
		return make(client, 7001, "EC_UNKNOWN_APPLICATION", true)
	case gateway.FailureNoAddress:
		return make(client, 7002, "EC_UNKNOWN_USER", true)
	case gateway.FailurePersonUnreachable:
		return make(client, 7003, "EC_BLOCKED_USER", true)
	case gateway.FailureTokenInvalid, gateway.FailurePermissionMissing:
		return make(client, 7004, "EC_UNAUTHORIZED_ACCESS", true)
	case gateway.FailurePlatformRefused, gateway.FailureInvalidContent:
		return make(client, 7006, "EC_BAD_REQUEST", true)
	case gateway.FailureOutsideWindow:
		return make(client, 7010, "EC_NO_SESSION", true)
	case gateway.FailureRateLimited:
		return make(provider, 7017, "EC_TOO_MANY_REQUESTS", false)
	case gateway.FailurePlatformUnavailable:
		return make(provider, 7050, "EC_PROVIDER_INTERNAL_ERROR", false)
	case gateway.FailureUnknownOutcome:
		return make(provider, 7051, "EC_PROVIDER_TIMEOUT", false)
	default:
		return make(system, 7080, "EC_INTERNAL_ERROR", true)
	}
}

// statusOf puts the state of a message into the table of statuses.
func statusOf(s gateway.Status, f *gateway.Failure) status {
	switch s {
	case gateway.StatusSent, gateway.StatusUncertain:
		return waiting()
	case gateway.StatusDelivered, gateway.StatusRead:
		return delivered()
	case gateway.StatusFailed:
		if f != nil && f.Code == gateway.FailureNoAddress {
			return badAddress(f.Message)
		}
		return notDelivered()
	case gateway.StatusExpired:
		return expired()
	case gateway.StatusCanceled:
		return notSent()
	default:
		return accepted()
	}
}
