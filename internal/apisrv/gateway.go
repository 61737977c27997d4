package apisrv

import (
	"errors"
	"io"
	"net/http"

	"github.com/chasqui/chasqui/internal/gateway"
)

const textPlain = "text/plain"

func (q *request) text(status int, text string) error {
	q.W.Header().Set("Content-Type", "text/plain; charset=utf-8")
	q.W.WriteHeader(status)
	io.WriteString(q.W, text) // when this fails the caller is gone
	return nil
}

func (s *server) healthz(q *request) error { return q.text(http.StatusOK, "ok\n") }

func (s *server) readyz(q *request) error {
	if err := s.o.Ready(q.Context()); err != nil {
		code := gateway.CodeOf(err)
		if code.Status() != http.StatusServiceUnavailable {
			code = gateway.CodeStoreUnavailable
		}
		why := "not ready"
		if e := (*gateway.Error)(nil); errors.As(err, &e) {
			why = "not ready: " + e.Message
		}
		return gateway.Errorf(code, "%s", why).WithCause(err)
	}
	return q.text(http.StatusOK, "ready\n")
}

func (s *server) openAPI(q *request) error {
	q.W.Header().Set("Content-Type", "application/json")
	q.W.WriteHeader(http.StatusOK)
	q.W.Write(s.document.json) // when this fails the caller is gone
	return nil
}

func (s *server) docs(q *request) error {
	h := q.W.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	q.W.WriteHeader(http.StatusOK)
	q.W.Write(s.document.page) // when this fails the caller is gone
	return nil
}
