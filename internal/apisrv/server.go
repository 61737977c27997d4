// Package apisrv is the gateway's own API over HTTP: /v1, its description, and the addresses that
// tell how the gateway fares. It turns requests into calls of the use cases and their results into
// gatewayapi's types; it decides nothing itself.
package apisrv

import (
	"context"
	_ "embed"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/chasqui/chasqui/internal/face"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/service"
)

// Options says what the API works with. Fields are required unless noted.
type Options struct {
	*service.Services
	Now    func() time.Time
	Logger *slog.Logger
	// PublicURL is the gateway's own address, for the webhook addresses that it shows.
	PublicURL string
	// Version is the program's, for the description of the API.
	Version string
	// MaxBody is in bytes; face.DefaultMaxBody when 0.
	MaxBody int64
	// Ready says why the gateway should get no requests now, nil when it should.
	Ready func(ctx context.Context) error
	// Observe is called after each request with its route, such as `POST /v1/messages`; nil for no
	// call.
	Observe func(route string, status int, took time.Duration)
}

// server answers requests. It is made by New.
type server struct {
	o        Options
	document *document
}

// New makes the handler of everything that is not a webhook. Requests to an address it does not
// know are answered with the API's own error body.
func New(o Options) (http.Handler, error) {
	s := &server{o: o}
	routes := s.routes()
	calls := make([]face.Route, len(routes))
	for i, route := range routes {
		calls[i] = face.Route{Method: route.method, Path: route.path, Handle: func(r *face.Request) error { return s.handle(r, route) }}
	}
	var err error
	s.document, err = describe(routes, &s.o)
	return face.New(face.Options{
		Routes: calls, Problem: problem, Challenges: []string{`Bearer realm="chasqui"`}, Unknown: s.root, Logger: o.Logger, Observe: o.Observe, MaxBody: o.MaxBody,
	}), err
}

// request is one request on its way through a handler. Its Key is nil on routes without a scope.
type request struct {
	*face.Request
	s *server
}

// handle checks key and scope of a call, and lets it be answered.
func (s *server) handle(r *face.Request, route route) error {
	q := &request{Request: r, s: s}
	if err := q.authorize(route.scope); err != nil {
		return err
	}
	return route.do.handle(q, route.status)
}

func (q *request) authorize(scope gateway.Scope) error {
	if scope == "" {
		return nil
	}
	key, err := q.s.o.Keys.Authenticate(q.Context(), q.Header.Get("Authorization"))
	if err != nil {
		return err
	}
	return q.Allow(key, scope)
}

// root answers who opens the gateway's own address with a page for people.
func (s *server) root(r *face.Request) (bool, error) {
	if r.URL.Path != "/" {
		return false, nil
	}
	h := r.W.Header()
	h.Set("Vary", "Accept")
	if r.Method != http.MethodGet && r.Method != http.MethodHead || !strings.Contains(r.Header.Get("Accept"), "text/html") {
		return false, nil
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	r.W.Write(rootPage) // when this fails the caller is gone
	return true, nil
}

//go:embed root.html
var rootPage []byte
