package apisrv

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"strconv"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/gateway"
)

// reply answers with a value as JSON.
func (q *request) reply(status int, v any) error {
	encode := func() ([]byte, error) { return json.Marshal(v) }
	if e, ok := v.(encoder); ok {
		encode = e.encode
	}
	body, err := encode()
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	h := q.w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	q.w.WriteHeader(status)
	q.w.Write(body) // when this fails the caller is gone
	return nil
}

// done answers 204.
func (q *request) done() error {
	q.w.WriteHeader(http.StatusNoContent)
	return nil
}

// fail answers with an error in the API's own shape, and logs what the caller must not see.
func (s *server) fail(w *answer, r *http.Request, err error) {
	var e *gateway.Error
	if !errors.As(err, &e) {
		e = gateway.Errorf(gateway.CodeInternal, "internal error; the log has more under the request id")
		if r.Context().Err() != nil {
			e = gateway.Errorf(gateway.CodeShuttingDown, "the request ended before its answer")
		}
		e = e.WithCause(err)
	}
	status := e.Code.Status()
	switch {
	case status == http.StatusInternalServerError:
		s.o.Logger.Error("request failed", "method", r.Method, "route", r.Pattern, "request_id", w.id, "err", err)
	case status > http.StatusInternalServerError && !errors.Is(err, context.Canceled):
		s.o.Logger.Log(r.Context(), slog.LevelWarn, "request refused", "route", r.Pattern, "code", e.Code, "request_id", w.id, "err", err, "cause", e.Unwrap())
	}
	h := w.Header()
	switch {
	case e.RetryAfter > 0:
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(e.RetryAfter.Seconds()))))
	case status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests:
		h.Set("Retry-After", "1")
	case status == http.StatusUnauthorized:
		h.Set("WWW-Authenticate", `Bearer realm="chasqui"`)
	}
	body, err := json.Marshal(gatewayapi.ErrorBody{Error: *shownError(e, w.id)})
	if err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	w.Write(body) // when this fails the caller is gone
}

func shownError(e *gateway.Error, requestID string) *gatewayapi.Error {
	return &gatewayapi.Error{Code: e.Code, Message: e.Message, Field: e.Field, RequestID: requestID}
}
