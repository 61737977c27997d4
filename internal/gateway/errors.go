package gateway

import (
	"errors"
	"fmt"
	"time"

	"github.com/chasqui/chasqui/gatewayapi"
)

// Code names one kind of error of the gateway's API.
type Code = gatewayapi.ErrorCode

// The codes of the API. ErrorTable says for each what it means and what to do about it.
const (
	CodeInvalidRequest       = gatewayapi.CodeInvalidRequest
	CodeApplicationAmbiguous = gatewayapi.CodeApplicationAmbiguous
	CodeUnauthorized         = gatewayapi.CodeUnauthorized
	CodeForbidden            = gatewayapi.CodeForbidden
	CodeNotFound             = gatewayapi.CodeNotFound
	CodeMethodNotAllowed     = gatewayapi.CodeMethodNotAllowed
	CodeConflict             = gatewayapi.CodeConflict
	CodeIdempotencyMismatch  = gatewayapi.CodeIdempotencyMismatch
	CodeNotCancelable        = gatewayapi.CodeNotCancelable
	CodeNotHeld              = gatewayapi.CodeNotHeld
	CodePreconditionFailed   = gatewayapi.CodePreconditionFailed
	CodePayloadTooLarge      = gatewayapi.CodePayloadTooLarge
	CodeRateLimited          = gatewayapi.CodeRateLimited
	CodeInternal             = gatewayapi.CodeInternal
	CodePlatformUnavailable  = gatewayapi.CodePlatformUnavailable
	CodeStoreUnavailable     = gatewayapi.CodeStoreUnavailable
	CodeDiskLow              = gatewayapi.CodeDiskLow
	CodeOverloaded           = gatewayapi.CodeOverloaded
	CodeShuttingDown         = gatewayapi.CodeShuttingDown
)

// Error is an error that may be shown to a caller of the API. Everything in it is fit to be seen,
// except the cause, which only logs see.
type Error struct {
	// Code is one of the codes of ErrorTable.
	Code Code
	// Message says in plain words what is wrong. It holds no secret and no internal detail.
	Message string
	// Field is the path of the input at fault, such as `page.accessToken` or `messages[3].to`;
	// empty when no single field is.
	Field string
	// RetryAfter tells the caller when to come back; zero when there is no such hint.
	RetryAfter time.Duration

	cause error
}

// Error gives the code, the message and the field, never the cause.
func (e *Error) Error() string {
	if e.Field != "" {
		return fmt.Sprintf("%s: %s: %s", e.Code, e.Field, e.Message)
	}
	return fmt.Sprintf("%s: %s", e.Code, e.Message)
}

// Unwrap returns the internal cause, nil when there is none.
func (e *Error) Unwrap() error { return e.cause }

// Is reports whether target is an *Error of the same code, so that errors.Is can ask for a code.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// WithCause returns a copy of the error that keeps err for the log; err is never shown to a caller.
func (e *Error) WithCause(err error) *Error {
	c := *e
	c.cause = err
	return &c
}

// WithField returns a copy of the error that names the input at fault.
func (e *Error) WithField(field string) *Error {
	c := *e
	c.Field = field
	return &c
}

// Under returns a copy of the error whose field is placed below prefix: `to` under `messages[2]` is
// `messages[2].to`.
func (e *Error) Under(prefix string) *Error {
	c := *e
	switch {
	case c.Field == "":
		c.Field = prefix
	case prefix != "":
		c.Field = prefix + "." + c.Field
	}
	return &c
}

// Errorf makes an error of a code with a message for the caller.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Invalid makes an invalid_request error that names the field at fault.
func Invalid(field, format string, args ...any) *Error {
	return &Error{Code: CodeInvalidRequest, Field: field, Message: fmt.Sprintf(format, args...)}
}

// NotFound makes a not_found error: kind is what was looked for, such as "message", id what it was
// asked by.
func NotFound(kind, id string) *Error {
	return Errorf(CodeNotFound, "there is no %s %q", kind, id)
}

// CodeOf returns the code of the first *Error in err's chain, CodeInternal when there is none, and
// "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return CodeInternal
}
