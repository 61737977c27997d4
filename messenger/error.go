package messenger

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// What an [*Error] may be: use them with errors.Is.
var (
	ErrRateLimited   = errors.New("rate limited")
	ErrOutsideWindow = errors.New("outside the messaging window")
	ErrUnreachable   = errors.New("person cannot be reached")
	ErrTokenInvalid  = errors.New("access token is not valid")
	ErrPermission    = errors.New("permission is missing")
	ErrPolicy        = errors.New("restricted by the platform")
	ErrThreadControl = errors.New("another app controls the thread")
	ErrInvalid       = errors.New("request is not valid")
	ErrTemporary     = errors.New("temporary failure of the platform")
	ErrUnreadable    = errors.New("answer cannot be read")
)

// maxErrorBody is how many bytes of an answer an Error keeps.
const maxErrorBody = 4 << 10

// Error is the platform's refusal of a call. It matches the sentinel errors of
// this package through errors.Is. Server sides write one with [WriteError].
//
// Docs: https://developers.facebook.com/docs/graph-api/guides/error-handling
type Error struct {
	Code        int    // 0 when the answer had no error object
	Subcode     int    // 0 when absent
	Type        string // "OAuthException", "GraphMethodException", ...
	Message     string // as the platform words it, usually beginning with "(#code)"
	UserTitle   string // for people, localized; often empty
	UserMessage string // for people, localized; often empty
	TraceID     string // fbtrace_id, to quote to the platform's support
	Transient   bool   // is_transient
	Status      int    // HTTP status
	Header      http.Header
	Body        []byte // the answer, at most 4 KiB of it, without token and secret
}

// Error returns the codes and the platform's message, never a token or secret.
func (e *Error) Error() string {
	var b strings.Builder
	switch {
	case e.Code == 0:
		fmt.Fprintf(&b, "platform answered status %d", e.Status)
	case e.Subcode == 0:
		fmt.Fprintf(&b, "platform error %d", e.Code)
	default:
		fmt.Fprintf(&b, "platform error %d/%d", e.Code, e.Subcode)
	}
	if e.Message != "" {
		b.WriteString(": ")
		b.WriteString(e.Message)
	}
	if e.TraceID != "" {
		fmt.Fprintf(&b, " (trace %s)", e.TraceID)
	}
	return b.String()
}

// Is reports whether the error is of the kind of one of this package's
// sentinel errors.
func (e *Error) Is(target error) bool {
	return e.classify().is == target //nolint:errorlint // sentinels are compared by identity on purpose
}

type wireError struct {
	Message     string `json:"message"`
	Type        string `json:"type"`
	Code        int    `json:"code"`
	Subcode     int    `json:"error_subcode,omitempty"`
	Transient   *bool  `json:"is_transient,omitempty"`
	UserTitle   string `json:"error_user_title,omitempty"`
	UserMessage string `json:"error_user_msg,omitempty"`
	TraceID     string `json:"fbtrace_id,omitempty"`
}

// WriteError writes e as the platform does. A status of 0 becomes 400.
func WriteError(w http.ResponseWriter, e *Error) {
	wire := wireError{
		Message: e.Message, Type: e.Type, Code: e.Code, Subcode: e.Subcode,
		UserTitle: e.UserTitle, UserMessage: e.UserMessage, TraceID: e.TraceID,
	}
	if wire.Type == "" {
		wire.Type = "OAuthException"
	}
	if e.Transient {
		wire.Transient = &e.Transient
	}
	status := e.Status
	if status == 0 {
		status = http.StatusBadRequest
	}
	for name, values := range e.Header {
		w.Header()[http.CanonicalHeaderKey(name)] = values
	}
	if e.Code == 190 {
		w.Header().Set("WWW-Authenticate", `OAuth "Facebook Platform" "invalid_token" "`+strings.ReplaceAll(e.Message, `"`, `'`)+`"`)
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	body, err := json.Marshal(struct {
		Error wireError `json:"error"`
	}{wire})
	if err == nil {
		w.Write(body) //nolint:errcheck // the caller is gone when this fails
	}
}

// errorFrom returns the refusal in an answer, nil when the answer is not a refusal. It accepts a
// status of 200 with an error member, and bodies that are no JSON.
func errorFrom(status int, header http.Header, body []byte, redact func([]byte) []byte) *Error {
	refused := status < 200 || status > 299
	trimmed := bytes.TrimSpace(body)
	isObject := len(trimmed) > 0 && trimmed[0] == '{'
	if !refused && isObject && !bytes.Contains(trimmed, []byte(`"error"`)) {
		return nil
	}
	var errorPart []byte
	if isObject && json.Valid(trimmed) {
		errorPart = member(trimmed, "error")
	}
	if !refused && (errorPart == nil || string(errorPart) == "null") {
		return nil
	}
	e := &Error{Status: status, Header: header, Body: capBody(redact(body))}
	if errorPart != nil {
		e.readWire(redact(errorPart))
	}
	if e.Message == "" && e.Code == 0 {
		e.Message = plainBody(e.Body, header)
	}
	return e
}

// readWire takes the error object field by field, so that one field of an
// unexpected type does not hide the others.
func (e *Error) readWire(part []byte) {
	if text := scalarText(part); text != "" {
		e.Message = text
		return
	}
	eachMember(part, func(key, value []byte) {
		n, _ := scalarInt(value)
		switch string(key) {
		case "message":
			e.Message = scalarText(value)
		case "type":
			e.Type = scalarText(value)
		case "code":
			e.Code = int(n)
		case "error_subcode":
			e.Subcode = int(n)
		case "is_transient":
			e.Transient = string(value) == "true"
		case "error_user_title":
			e.UserTitle = scalarText(value)
		case "error_user_msg":
			e.UserMessage = scalarText(value)
		case "fbtrace_id":
			e.TraceID = scalarText(value)
		}
	})
}

func capBody(b []byte) []byte {
	return bytes.Clone(b[:min(len(b), maxErrorBody)])
}

// plainBody describes an answer that holds no error object.
func plainBody(body []byte, header http.Header) string {
	text := strings.Join(strings.Fields(string(body)), " ")
	if text == "" {
		return "the answer has no body"
	}
	if r := []rune(text); len(r) > 200 {
		text = string(r[:200]) + "…"
	}
	if t := header.Get("Content-Type"); t != "" && !strings.Contains(t, "json") {
		return fmt.Sprintf("the answer is not JSON (%s): %s", t, text)
	}
	return text
}

// regainAccess is how long the platform asks to wait, 0 when it does not say.
func (e *Error) regainAccess() time.Duration {
	if wait := parseUsage(e.Header).RegainAccess; wait > 0 {
		return wait
	}
	if s, ok := scalarInt([]byte(e.Header.Get("Retry-After"))); ok && s > 0 {
		return time.Duration(s) * time.Second
	}
	return 0
}
