// Package infobip is the face of the gateway for programs written for Infobip's Facebook Messenger API (/facebook/1) and its OMNI APIs (/omni/1, /omnichat/1): the same
// addresses, bodies and codes over the one core of /v1. It translates and decides nothing itself.
package infobip

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/service"
	"github.com/chasqui/chasqui/internal/store"
)

// DefaultMaxBody is the largest body of a request that is taken, in bytes.
const DefaultMaxBody = 10 << 20

// Options says what the face works with. Fields without a word of their own are required.
type Options struct {
	Store         *store.Store
	Keys          *service.Keys
	Applications  *service.Applications
	Messages      *service.Messages
	Subscriptions *service.Subscriptions
	Events        *service.Events
	Logger        *slog.Logger
	// MaxBody is in bytes; DefaultMaxBody when 0.
	MaxBody int64
	// Observe is called after each request with its route, such as `POST /facebook/1/single`; nil for no call.
	Observe func(route string, status int, took time.Duration)
}

// Server answers the calls of the face. It is made by New and safe for any number of goroutines.
type Server struct {
	o   Options
	mux *http.ServeMux

	// handing is held while something is handed out once, so that two callers of this process do not get the same.
	handing sync.Mutex
	// boxes are the report boxes that are known to be there, by API, key and applications.
	boxes sync.Map
}

// New makes the face. It answers nothing before Register.
func New(o Options) *Server {
	if o.MaxBody == 0 {
		o.MaxBody = DefaultMaxBody
	}
	s := &Server{o: o, mux: http.NewServeMux()}
	for _, r := range s.routes() {
		s.mux.Handle(r.pattern, s.serve(r))
	}
	s.mux.Handle("/", s.serve(route{handle: func(q *request) error {
		return gateway.Errorf(gateway.CodeNotFound, "there is nothing at %s %s", q.Method, q.URL.Path)
	}}))
	return s
}

// Register puts the face's addresses on a mux. The webhooks of applications, which lie below the same address, belong to ingest and win.
func (s *Server) Register(mux *http.ServeMux) {
	mux.Handle("/facebook/1/", s)
	mux.Handle("/omni/1/", s)
	mux.Handle("/omnichat/1/", s)
}

// route is one call of the face.
type route struct {
	pattern string // method and path
	scope   gateway.Scope
	handle  func(q *request) error
}

func (s *Server) routes() []route {
	const application = "/facebook/1/applications/{key}"
	const configuration = application + "/configurations/{configuration}"
	return []route{
		{"POST /facebook/1/applications", gateway.ScopeApplicationsWrite, s.createApplication},
		{"GET /facebook/1/applications", gateway.ScopeApplicationsRead, s.listApplications},
		{"GET " + application, gateway.ScopeApplicationsRead, s.getApplication},
		{"PUT " + application, gateway.ScopeApplicationsWrite, s.updateApplication},
		{"DELETE " + application, gateway.ScopeApplicationsWrite, s.deleteApplication},

		{"POST /facebook/1/single", gateway.ScopeMessagesWrite, s.sendSingle},
		{"POST /facebook/1/multi", gateway.ScopeMessagesWrite, s.sendMulti},
		{"GET /facebook/1/reports", gateway.ScopeMessagesRead, s.reports(apiFacebook)},
		{"GET /facebook/1/logs", gateway.ScopeMessagesRead, s.logs(apiFacebook)},

		{"POST " + application + "/configurations", gateway.ScopeSubscriptionsWrite, s.createConfiguration},
		{"GET " + application + "/configurations", gateway.ScopeSubscriptionsRead, s.listConfigurations},
		{"GET " + configuration, gateway.ScopeSubscriptionsRead, s.getConfiguration},
		{"DELETE " + configuration, gateway.ScopeSubscriptionsWrite, s.deleteConfiguration},
		{"POST " + configuration + "/actions", gateway.ScopeSubscriptionsWrite, s.createAction},
		{"GET " + configuration + "/actions", gateway.ScopeSubscriptionsRead, s.listActions},
		{"DELETE " + configuration + "/actions/{action}", gateway.ScopeSubscriptionsWrite, s.deleteAction},
		{"GET /facebook/1/inbox/reports", gateway.ScopeEventsRead, s.inbox},
		{"GET " + application + "/inbox/reports", gateway.ScopeEventsRead, s.inbox},

		{"POST /omni/1/scenarios", gateway.ScopeApplicationsRead, s.createScenario},
		{"GET /omni/1/scenarios", gateway.ScopeApplicationsRead, s.listScenarios},
		{"GET /omni/1/scenarios/{key}", gateway.ScopeApplicationsRead, s.getScenario},
		{"PUT /omni/1/scenarios/{key}", gateway.ScopeApplicationsRead, s.createScenario},
		{"POST /omni/1/text", gateway.ScopeMessagesWrite, s.sendOMNI},
		{"POST /omni/1/advanced", gateway.ScopeMessagesWrite, s.sendOMNI},
		{"GET /omni/1/reports", gateway.ScopeMessagesRead, s.reports(apiOMNI)},
		{"GET /omni/1/logs", gateway.ScopeMessagesRead, s.logs(apiOMNI)},
		{"POST /omnichat/1/applications/{key}/integrations/FACEBOOK/message", gateway.ScopeMessagesWrite, s.sendChat},
	}
}

// request is one request on its way through a handler.
type request struct {
	*http.Request
	w   http.ResponseWriter
	s   *Server
	key *gateway.APIKey // nil on routes without a scope
}

// recorder remembers the status for the figures.
type recorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader remembers the status.
func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// Unwrap gives http.ResponseController the writer beneath.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	seen := &recorder{ResponseWriter: w, status: http.StatusOK}
	w.Header().Set("X-Content-Type-Options", "nosniff")
	s.mux.ServeHTTP(seen, r)
	if s.o.Observe != nil {
		s.o.Observe(r.Pattern, seen.status, time.Since(start))
	}
}

// serve makes the handler of a route: it checks the credential and turns errors into answers.
func (s *Server) serve(r route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		q := &request{Request: req, w: w, s: s}
		err := q.authorize(r.scope)
		if err == nil && xmlOnly(req.Header.Get("Accept")) {
			err = errXML
		}
		if err == nil {
			err = r.handle(q)
		}
		if err != nil {
			s.fail(w, req, err)
		}
	})
}

// authorize takes the API key from the header in each of the three forms: `App` and `IBSSO` name it as it is, `Basic` as the password of any user.
func (q *request) authorize(scope gateway.Scope) error {
	header := q.Header.Get("Authorization")
	scheme, token, _ := strings.Cut(header, " ")
	switch {
	case strings.EqualFold(scheme, "Basic"):
		_, token, _ = q.BasicAuth()
	case !strings.EqualFold(scheme, "App") && !strings.EqualFold(scheme, "IBSSO"):
		token = ""
	}
	key, err := q.s.o.Keys.Authenticate(q.Context(), "Bearer "+strings.TrimSpace(token))
	if err != nil {
		return err
	}
	if scope != "" && !key.Allows(scope) {
		return gateway.Errorf(gateway.CodeForbidden, "this key lacks the scope %s", scope)
	}
	q.key = key
	return nil
}

// xmlOnly tells whether a caller takes XML and no JSON.
func xmlOnly(accept string) bool {
	return strings.Contains(accept, "xml") && !strings.Contains(accept, "json") && !strings.Contains(accept, "*/*")
}

// body reads the request's body, at most as much as is allowed.
func (q *request) body() ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(q.w, q.Body, q.s.o.MaxBody))
	var exceeded *http.MaxBytesError
	if errors.As(err, &exceeded) {
		return nil, gateway.Errorf(gateway.CodePayloadTooLarge, "the body may have %d bytes", q.s.o.MaxBody)
	}
	if err != nil {
		return nil, gateway.Invalid("", "the body could not be read to its end").WithCause(err)
	}
	return body, nil
}

// decode reads the body into a value. Names that are not known are passed over and null is the same as nothing, as programs made for the original expect.
func (q *request) decode(into any) error {
	body, err := q.body()
	if err != nil {
		return err
	}
	var wrongType *json.UnmarshalTypeError
	switch err := json.Unmarshal(body, into); {
	case errors.As(err, &wrongType):
		return gateway.Invalid(strings.ReplaceAll(wrongType.Field, "content.", ""), "must not be a %s", wrongType.Value) // content is no member, but embedded
	case err != nil:
		return gateway.Invalid("", "the body is not the JSON that is expected: %s", err)
	}
	return nil
}

// reply answers with a value as JSON.
func (q *request) reply(v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	write(q.w, http.StatusOK, body)
	return nil
}

func write(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	w.Write(body) // when this fails the caller is gone
}

// done answers 204.
func (q *request) done() error {
	q.w.WriteHeader(http.StatusNoContent)
	return nil
}
