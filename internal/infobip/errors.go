package infobip

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/chasqui/chasqui/internal/face"
	"github.com/chasqui/chasqui/internal/gateway"
)

// refusal is an error for which the original has words of its own.
type refusal struct {
	status          int
	messageID, text string
	field, why      string // the member at fault; empty when no single one is
}

// Error gives the words.
func (r refusal) Error() string { return r.text }

// at returns the refusal with the member at fault.
func (r refusal) at(field, why string) refusal {
	r.field, r.why = field, why
	return r
}

// errXML is for callers who want XML: the face speaks JSON only.
var errXML = refusal{status: http.StatusNotAcceptable, messageID: "NOT_ACCEPTABLE", text: "only JSON is spoken here: send Accept: application/json"}

// The errors of the calls that configure applications, which go by numbers.
var (
	errNoApplication = refusal{status: http.StatusNotFound, messageID: "1", text: "Application does not exist"}
	errNoConfig      = refusal{status: http.StatusNotFound, messageID: "2", text: "Configuration does not exist"}
	errNoAction      = refusal{status: http.StatusNotFound, messageID: "3", text: "Action does not exist"}
	errBadAction     = refusal{status: http.StatusBadRequest, messageID: "8", text: "Invalid action request"}
)

// asError returns the error of the core in a chain.
func asError(err error) (*gateway.Error, bool) {
	var e *gateway.Error
	ok := errors.As(err, &e)
	return e, ok
}

// instead returns other where err says that something was not found.
func instead(err error, other refusal) error {
	if gateway.CodeOf(err) == gateway.CodeNotFound {
		return other
	}
	return err
}

// The error envelope.
type (
	errorBody struct {
		RequestError requestError `json:"requestError"`
	}
	requestError struct {
		ServiceException serviceException `json:"serviceException"`
	}
	serviceException struct {
		MessageID        string              `json:"messageId"`
		Text             string              `json:"text"`
		ValidationErrors map[string][]string `json:"validationErrors,omitempty"`
	}
)

// problem puts an error into the envelope.
func problem(_ *face.Request, err error) face.Problem {
	status, exception := explain(err)
	body, err := json.Marshal(errorBody{requestError{exception}})
	if err != nil {
		body = []byte(`{}`)
	}
	return face.Problem{Status: status, Body: body}
}

// explain puts an error into the original's words.
func explain(err error) (int, serviceException) {
	var own refusal
	if errors.As(err, &own) {
		exception := serviceException{MessageID: own.messageID, Text: own.text}
		if own.why != "" {
			exception.ValidationErrors = map[string][]string{own.field: {own.why}}
		}
		return own.status, exception
	}
	var e *gateway.Error
	if !errors.As(err, &e) {
		return http.StatusInternalServerError, serviceException{MessageID: "GENERAL_ERROR", Text: "Something went wrong. Please contact support."}
	}
	switch status := e.Code.Status(); {
	case status == http.StatusUnauthorized:
		return status, serviceException{MessageID: "UNAUTHORIZED", Text: "Invalid login details"}
	case status == http.StatusTooManyRequests:
		return status, serviceException{MessageID: "THROTTLE_EXCEPTION", Text: "Too many requests. Try again later."}
	case status == http.StatusBadRequest && e.Field != "":
		return status, serviceException{MessageID: "BAD_REQUEST", Text: "Bad request", ValidationErrors: map[string][]string{e.Field: {e.Message}}}
	case status == http.StatusBadRequest:
		return status, serviceException{MessageID: "BAD_REQUEST", Text: "Bad request: " + e.Message}
	default:
		return status, serviceException{MessageID: strings.ToUpper(string(e.Code)), Text: e.Message}
	}
}
