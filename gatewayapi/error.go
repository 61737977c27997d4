package gatewayapi

import (
	"errors"
	"time"
)

// Error is the one type of every error of this package: what the gateway refused, and what went
// wrong on the way. errors.Is asks for a code:
//
//	if errors.Is(err, gatewayapi.CodeNotFound) { … }
type Error struct {
	// For programs; its spelling does not change. docs/errors.md explains those of the gateway.
	Code ErrorCode `json:"code"`
	// For people.
	Message string `json:"message"`
	// Path of the input at fault, empty when there is none.
	Field string `json:"field,omitempty"`
	// Names the request in the gateway's log; empty inside the verdicts of a batch.
	RequestID string `json:"requestId,omitempty"`

	// Status is the HTTP status of the answer; 0 where there was none, and inside the verdicts of a
	// batch.
	Status int `json:"-"`
	// RetryAfter is how long the gateway asks to wait; 0 when it does not.
	RetryAfter time.Duration `json:"-"`

	cause error
}

// The codes of what goes wrong before or beside the gateway. No gateway answers with them.
const (
	CodeNoAnswer         ErrorCode = "no_answer"         // the gateway could not be reached, or its answer was lost; errors.Unwrap has the cause
	CodeUnreadable       ErrorCode = "unreadable"        // the answer, or what was to be sent, is not what this package takes it for
	CodeUnknown          ErrorCode = "unknown"           // something between here and the gateway has answered
	CodeInvalidSignature ErrorCode = "invalid_signature" // a delivery is not signed with any of the secrets, or not for now
	CodeInvalidSecret    ErrorCode = "invalid_secret"    // a secret of a Webhook is none
)

// ErrorBody is the body of every answer that is not a success.
type ErrorBody struct {
	Error Error `json:"error"`
}

// Error gives code, field, message and cause.
func (e *Error) Error() string {
	text := "gateway: " + string(e.Code)
	if e.Field != "" {
		text += ": " + e.Field
	}
	if text += ": " + e.Message; e.cause != nil {
		text += ": " + e.cause.Error()
	}
	return text
}

// Unwrap returns what went wrong on the way, such as context.DeadlineExceeded; nil for what the
// gateway refused.
func (e *Error) Unwrap() error { return e.cause }

// Is reports whether target is the error's code, or an *Error of the same code.
func (e *Error) Is(target error) bool {
	switch t := target.(type) {
	case ErrorCode:
		return t == e.Code
	case *Error:
		return t.Code == e.Code
	}
	return false
}

// Error gives the code. It makes a code something that errors.Is can ask for.
func (c ErrorCode) Error() string { return string(c) }

// CodeOf returns the code of an error of this package; empty for nil and for any other.
func CodeOf(err error) ErrorCode {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}
