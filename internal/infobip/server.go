// Package infobip is the face of the gateway for programs written for Infobip's Facebook Messenger API (/facebook/1) and its OMNI APIs (/omni/1, /omnichat/1): the same
// addresses, bodies and codes over the one core of /v1. It translates and decides nothing itself.
package infobip

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/guard"
	"github.com/chasqui/chasqui/internal/infobip/records"
	"github.com/chasqui/chasqui/internal/infobip/wire"
	"github.com/chasqui/chasqui/internal/service"
)

// DefaultMaxBody is the largest body of a request that is taken, in bytes.
const DefaultMaxBody = 10 << 20

// Options says what the face works with. Fields without a word of their own are required.
type Options struct {
	Now           func() time.Time
	NewID         func(prefix string) string
	Keys          *service.Keys
	Applications  *service.Applications
	Messages      *service.Messages
	Profiles      *service.Profiles
	Subscriptions *service.Subscriptions
	Routes        *service.Routes
	Records       *records.Records
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
	mux.Handle("/omni/2/", s) // of which nothing is there: the error is of the face's form
	mux.Handle("/omnichat/1/", s)
	mux.Handle("/auth/1/", s)
}

// route is one call of the face.
type route struct {
	pattern string // method and path
	scope   gateway.Scope
	open    bool // without a credential in the header
	xml     bool // in XML too, for callers who take nothing else
	handle  func(q *request) error
}

func (s *Server) routes() []route {
	const application = "/facebook/1/applications/{key}"
	const configuration = application + "/configurations/{configuration}"
	return []route{
		{pattern: "POST /auth/1/session", open: true, handle: s.startSession},
		{pattern: "DELETE /auth/1/session", open: true, handle: s.endSession},

		{pattern: "POST /facebook/1/applications", scope: gateway.ScopeApplicationsWrite, handle: s.createApplication},
		{pattern: "GET /facebook/1/applications", scope: gateway.ScopeApplicationsRead, handle: s.listApplications},
		{pattern: "GET " + application, scope: gateway.ScopeApplicationsRead, handle: s.getApplication},
		{pattern: "PUT " + application, scope: gateway.ScopeApplicationsWrite, handle: s.updateApplication},
		{pattern: "DELETE " + application, scope: gateway.ScopeApplicationsWrite, handle: s.deleteApplication},

		{pattern: "POST /facebook/1/single", scope: gateway.ScopeMessagesWrite, handle: s.sendSingle},
		{pattern: "POST /facebook/1/multi", scope: gateway.ScopeMessagesWrite, handle: s.sendMulti},
		{pattern: "POST /facebook/1/advanced", scope: gateway.ScopeMessagesWrite, handle: s.sendMulti},
		{pattern: "GET /facebook/1/reports", scope: gateway.ScopeMessagesRead, xml: true, handle: s.reports(wire.APIFacebook)},
		{pattern: "GET /facebook/1/logs", scope: gateway.ScopeMessagesRead, xml: true, handle: s.logs(wire.APIFacebook)},

		{pattern: "POST " + application + "/configurations", scope: gateway.ScopeSubscriptionsWrite, handle: s.createConfiguration},
		{pattern: "GET " + application + "/configurations", scope: gateway.ScopeSubscriptionsRead, handle: s.listConfigurations},
		{pattern: "GET " + configuration, scope: gateway.ScopeSubscriptionsRead, handle: s.getConfiguration},
		{pattern: "DELETE " + configuration, scope: gateway.ScopeSubscriptionsWrite, handle: s.deleteConfiguration},
		{pattern: "POST " + configuration + "/actions", scope: gateway.ScopeSubscriptionsWrite, handle: s.createAction},
		{pattern: "GET " + configuration + "/actions", scope: gateway.ScopeSubscriptionsRead, handle: s.listActions},
		{pattern: "DELETE " + configuration + "/actions/{action}", scope: gateway.ScopeSubscriptionsWrite, handle: s.deleteAction},
		{pattern: "GET /facebook/1/inbox/reports", scope: gateway.ScopeEventsRead, handle: s.inbox},
		{pattern: "GET " + application + "/inbox/reports", scope: gateway.ScopeEventsRead, handle: s.inbox},

		{pattern: "POST /omni/1/scenarios", scope: gateway.ScopeChannelsWrite, handle: s.saveScenario},
		{pattern: "GET /omni/1/scenarios", scope: gateway.ScopeChannelsRead, handle: s.listScenarios},
		{pattern: "GET /omni/1/scenarios/{key}", scope: gateway.ScopeChannelsRead, handle: s.getScenario},
		{pattern: "PUT /omni/1/scenarios/{key}", scope: gateway.ScopeChannelsWrite, handle: s.saveScenario},
		{pattern: "POST /omni/1/text", scope: gateway.ScopeMessagesWrite, handle: s.sendOMNI},
		{pattern: "POST /omni/1/advanced", scope: gateway.ScopeMessagesWrite, handle: s.sendOMNI},
		{pattern: "GET /omni/1/reports", scope: gateway.ScopeMessagesRead, xml: true, handle: s.reports(wire.APIOMNI)},
		{pattern: "GET /omni/1/logs", scope: gateway.ScopeMessagesRead, xml: true, handle: s.logs(wire.APIOMNI)},

		{pattern: "POST /omnichat/1/applications", scope: gateway.ScopeSubscriptionsWrite, handle: s.createChat},
		{pattern: "POST /omnichat/1/applications/{key}/integrations/FACEBOOK/message", scope: gateway.ScopeMessagesWrite, handle: s.sendChat},
	}
}

// Patterns lists the calls of the face: method and path, as http.ServeMux has them.
func Patterns() []string {
	var s Server
	var all []string
	for _, r := range s.routes() {
		all = append(all, r.pattern)
	}
	return all
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
		err := gateway.CheckURL(req.URL)
		if err == nil && !r.open {
			err = q.authorize(r.scope)
		}
		if err == nil && !r.xml && xmlOnly(req.Header.Get("Accept")) {
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

// xmlOnly tells whether a caller takes XML and no JSON.
func xmlOnly(accept string) bool {
	return strings.Contains(accept, "xml") && !strings.Contains(accept, "json") && !strings.Contains(accept, "*/*")
}

// maxOpenBody is the largest body of a call that needs no credential in its header, in bytes: a name and a key.
const maxOpenBody = 4 << 10

// body reads the request's body, at most as much as is allowed: little of a caller who has not shown who they are.
func (q *request) body() ([]byte, error) {
	limit := q.s.o.MaxBody
	if q.key == nil {
		limit = min(limit, maxOpenBody)
	}
	body, err := guard.ReadBody(q.w, q.Request, limit)
	if err != nil {
		return nil, err
	}
	return body, gateway.CheckJSON(body)
}

// decode reads the body into a value. Names that are not known are passed over and null is the same as nothing, as programs made for the original expect.
func (q *request) decode(into any) error {
	body, err := q.body()
	if err != nil {
		return err
	}
	body = withLists(body)
	var wrongType *json.UnmarshalTypeError
	switch err := json.Unmarshal(body, into); {
	case errors.As(err, &wrongType):
		return gateway.Invalid(embedded.Replace(wrongType.Field), "must not be a %s", wrongType.Value)
	case err != nil:
		return gateway.Invalid("", "the body is not the JSON that is expected: %s", err)
	}
	return nil
}

// loneDestination is a member whose value is one destination rather than a list of them. Within a text of the body its quotes would have a backslash.
var loneDestination = regexp.MustCompile(`"destinations"\s*:\s*\{`)

// withLists makes a list of one of a destination that stands alone, as some callers have it, in the body and in each of its messages. What is no JSON stays as it is.
func withLists(body []byte) []byte {
	if !loneDestination.Match(body) {
		return body
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(body, &members) != nil {
		return body
	}
	if d := members["destinations"]; len(d) > 0 && d[0] == '{' {
		members["destinations"] = slices.Concat([]byte{'['}, d, []byte{']'})
	}
	var messages []json.RawMessage
	if m := members["messages"]; len(m) > 0 && json.Unmarshal(m, &messages) == nil {
		for i := range messages {
			messages[i] = withLists(messages[i])
		}
		if list, err := json.Marshal(messages); err == nil {
			members["messages"] = list
		}
	}
	if out, err := json.Marshal(members); err == nil {
		return out
	}
	return body
}

// embedded takes out of a path what is no member, but embedded.
var embedded = strings.NewReplacer("singleMessage.", "", "content.", "", "notice.", "", "validity.", "")

// reply answers with a value as JSON.
func (q *request) reply(v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	write(q.w, http.StatusOK, body)
	return nil
}

// replyRows answers with reports or rows of the logs, in XML where the caller takes nothing else.
func (q *request) replyRows(rows []wire.Row) error {
	if !xmlOnly(q.Header.Get("Accept")) {
		return q.reply(wire.Results{Results: rows})
	}
	body, err := xml.Marshal(wire.Results{Results: rows})
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	q.w.Header().Set("Content-Type", "application/xml")
	write(q.w, http.StatusOK, append([]byte(xml.Header), body...))
	return nil
}

func write(w http.ResponseWriter, status int, body []byte) {
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	w.Write(body) // when this fails the caller is gone
}

// done answers 204.
func (q *request) done() error {
	q.w.WriteHeader(http.StatusNoContent)
	return nil
}
