package gatewayapi

import (
	"fmt"
	"time"
)

// Error is an answer of the gateway that is not a success. The codes are explained in docs/errors.md.
type Error struct {
	// Code is for programs; its spelling does not change.
	Code string `json:"code"`
	// Message is for people.
	Message string `json:"message"`
	// Field is the path of the input at fault, empty when there is none.
	Field string `json:"field,omitempty"`
	// RequestID names the request in the gateway's log; empty inside the verdicts of a batch.
	RequestID string `json:"requestId,omitempty"`

	// Status is the HTTP status of the answer; 0 inside the verdicts of a batch.
	Status int `json:"-"`
	// RetryAfter is how long the gateway asks to wait; 0 when it does not.
	RetryAfter time.Duration `json:"-"`
}

// ErrorBody is the body of every answer that is not a success.
type ErrorBody struct {
	Error Error `json:"error"`
}

// Error gives code, field and message.
func (e *Error) Error() string {
	if e.Field != "" {
		return fmt.Sprintf("gateway: %s: %s: %s", e.Code, e.Field, e.Message)
	}
	return fmt.Sprintf("gateway: %s: %s", e.Code, e.Message)
}

// Is reports whether target is an *Error of the same code, so that errors.Is can ask for a code.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}
