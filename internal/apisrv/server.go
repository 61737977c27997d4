// Package apisrv is the gateway's own API over HTTP: /v1, its description, and the addresses that tell how the gateway fares. It turns requests into calls of the
// use cases and their results into gatewayapi's types; it decides nothing itself.
package apisrv

import (
	"context"
	_ "embed"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/guard"
	"github.com/chasqui/chasqui/internal/service"
	"github.com/chasqui/chasqui/internal/store"
)

// DefaultMaxBody is the largest body of a request that is taken, in bytes.
const DefaultMaxBody = 10 << 20

// Options says what the API works with. Fields without a word of their own are required.
type Options struct {
	Store         *store.Store
	Directory     *service.Directory
	Keys          *service.Keys
	Messages      *service.Messages
	Applications  *service.Applications
	Profiles      *service.Profiles
	Erasures      *service.Erasures
	Subscriptions *service.Subscriptions
	Events        *service.Events
	Scripts       *service.Scripts
	Conversations *service.Conversations
	EntryPoints   *service.EntryPoints
	OptIns        *service.OptIns
	Channels      *service.Channels
	Routes        *service.Routes
	Logger        *slog.Logger
	// PublicURL is the gateway's own address, for the webhook addresses that it shows.
	PublicURL string
	// Version is the program's, for the description of the API.
	Version string
	// MaxBody is in bytes; DefaultMaxBody when 0.
	MaxBody int64
	// Ready says why the gateway should get no requests now, nil when it should; nil asks the database only.
	Ready func(ctx context.Context) error
	// Observe is called after each request with its route, such as `POST /v1/messages`; nil for no call.
	Observe func(route string, status int, took time.Duration)
}

// server answers requests. It is made by New.
type server struct {
	o        Options
	mux      *http.ServeMux
	document *document
}

// New makes the handler of everything that is not a webhook. Requests to an address it does not know are answered with the API's own error body.
func New(o Options) (http.Handler, error) {
	if o.MaxBody == 0 {
		o.MaxBody = DefaultMaxBody
	}
	if o.Ready == nil {
		o.Ready = o.Store.Ready
	}
	s := &server{o: o, mux: http.NewServeMux()}
	routes := s.routes()
	for _, route := range routes {
		s.mux.Handle(route.method+" "+route.path, s.serve(route))
	}
	s.mux.HandleFunc("/", s.unknown)
	var err error
	s.document, err = describe(routes, &s.o)
	return s, err
}

// ServeHTTP answers one request.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	answer := &answer{ResponseWriter: w, id: requestID(r)}
	w.Header().Set("X-Request-Id", answer.id)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	s.mux.ServeHTTP(answer, r)
	took := time.Since(start)
	if s.o.Observe != nil {
		s.o.Observe(r.Pattern, answer.status, took)
	}
	if s.o.Logger.Enabled(r.Context(), slog.LevelDebug) {
		s.o.Logger.Debug("request", "method", r.Method, "path", r.URL.Path, "status", answer.status, "took", took, "request_id", answer.id)
	}
}

// answer remembers the status for the log.
type answer struct {
	http.ResponseWriter
	id     string
	status int
}

// WriteHeader remembers the status.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

// Write writes, with status 200 unless another was set.
func (a *answer) Write(b []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	return a.ResponseWriter.Write(b)
}

// Unwrap gives http.ResponseController the writer beneath.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

var callersID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// requestID is the caller's own id for the request where it has a harmless form, and one of ours otherwise.
func requestID(r *http.Request) string {
	if given := r.Header.Get("X-Request-Id"); given != "" && callersID.MatchString(given) {
		return given
	}
	return "req_" + strconv.FormatUint(rand.Uint64(), 36)
}

// request is one request on its way through a handler.
type request struct {
	*http.Request
	w   *answer
	s   *server
	key *gateway.APIKey // nil on routes without a scope
}

// serve makes the handler of a route: it checks key and scope, and turns errors into answers.
func (s *server) serve(route route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A handler of the mux is reached through ServeHTTP only.
		q := &request{Request: r, w: w.(*answer), s: s}
		err := gateway.CheckURL(r.URL)
		if err == nil {
			err = q.authorize(route.scope)
		}
		if err == nil {
			err = route.do.handle(q, route.status)
		}
		if err != nil {
			s.fail(q.w, r, err)
		}
	})
}

func (q *request) authorize(scope gateway.Scope) error {
	if scope == "" {
		return nil
	}
	key, err := q.s.o.Keys.Authenticate(q.Context(), q.Header.Get("Authorization"))
	if err != nil {
		return err
	}
	if !key.Allows(scope) {
		return gateway.Errorf(gateway.CodeForbidden, "this key lacks the scope %s", scope)
	}
	q.key = key
	guard.Trust(q.Request)
	return nil
}

// root is what a person sees who opens the gateway's own address.
func (s *server) root(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	w.Write(rootPage) // when this fails the caller is gone
}

//go:embed root.html
var rootPage []byte

// unknown answers requests that no route takes: at the gateway's own address with a page for people, with 405 when another method would do, 404 otherwise.
func (s *server) unknown(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/" {
		w.Header().Set("Vary", "Accept")
		if (r.Method == http.MethodGet || r.Method == http.MethodHead) && strings.Contains(r.Header.Get("Accept"), "text/html") {
			s.root(w)
			return
		}
	}
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		probe := r.Clone(r.Context())
		probe.Method = method
		if _, pattern := s.mux.Handler(probe); pattern != "/" {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		s.fail(w.(*answer), r, gateway.Errorf(gateway.CodeNotFound, "there is nothing at %s", r.URL.Path))
		return
	}
	for _, method := range allowed {
		w.Header().Add("Allow", method)
	}
	s.fail(w.(*answer), r, gateway.Errorf(gateway.CodeMethodNotAllowed, "%s is not for %s", r.URL.Path, r.Method))
}
