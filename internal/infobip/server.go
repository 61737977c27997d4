// Package infobip is the face of the gateway for programs written for Infobip's Facebook Messenger
// API (/facebook/1) and its OMNI APIs (/omni/1, /omnichat/1): the same addresses, bodies and codes
// over the one core of /v1. It translates and decides nothing itself.
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
	"strings"
	"time"

	"github.com/chasqui/chasqui/internal/face"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/infobip/records"
	"github.com/chasqui/chasqui/internal/infobip/wire"
	"github.com/chasqui/chasqui/internal/service"
)

// Options says what the face works with. Fields are required unless noted.
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
	// MaxBody is in bytes; face.DefaultMaxBody when 0.
	MaxBody int64
	// Observe is called after each request with its route, such as `POST /facebook/1/single`; nil
	// for no call.
	Observe func(route string, status int, took time.Duration)
}

// Server answers the calls of the face. It is made by New and safe for any number of goroutines.
type Server struct {
	o     Options
	shell *face.Face
}

// maxOpenBody is the largest body of a call that needs no credential in its header, in bytes: a
// name and a key.
const maxOpenBody = 4 << 10

// New makes the face.
func New(o Options) *Server {
	s := &Server{o: o}
	var routes []face.Route
	for _, r := range s.routes() {
		method, path, _ := strings.Cut(r.pattern, " ")
		routes = append(routes, face.Route{Method: method, Path: path, Handle: func(q *face.Request) error { return s.handle(q, r) }})
	}
	s.shell = face.New(face.Options{
		Routes: routes, Problem: problem, Challenges: []string{`Basic realm="chasqui"`}, Unknown: s.unknown, Logger: o.Logger, Observe: o.Observe, MaxBody: o.MaxBody, MaxOpenBody: maxOpenBody,
	})
	return s
}

// unknown lets only those know what there is not who may call at all.
func (s *Server) unknown(r *face.Request) (bool, error) {
	return false, (&request{Request: r, s: s}).authorize("")
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.shell.ServeHTTP(w, r) }

// Prefixes are what the addresses of the face begin with. Below /omni/2/ there is nothing: the
// error is of the face's form. The webhooks of applications, which lie below the same address,
// belong to ingest and win.
func Prefixes() []string {
	return []string{"/facebook/1/", "/omni/1/", "/omni/2/", "/omnichat/1/", "/auth/1/"}
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
	*face.Request
	s *Server
}

// handle checks the credential of a call, and lets it be answered.
func (s *Server) handle(r *face.Request, call route) error {
	q := &request{Request: r, s: s}
	if !call.open {
		if err := q.authorize(call.scope); err != nil {
			return err
		}
	}
	if !call.xml && xmlOnly(q.Header.Get("Accept")) {
		return errXML
	}
	return call.handle(q)
}

// xmlOnly reports whether a caller takes XML and no JSON.
func xmlOnly(accept string) bool {
	return strings.Contains(accept, "xml") && !strings.Contains(accept, "json") && !strings.Contains(accept, "*/*")
}

// decode reads the body into a value. Names that are not known are passed over and null is the same
// as nothing, as programs made for the original expect.
func (q *request) decode(into any) error {
	body, err := q.Body()
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

// loneDestination is a member whose value is one destination rather than a list of them. Within a
// text of the body its quotes would have a backslash.
var loneDestination = regexp.MustCompile(`"destinations"\s*:\s*\{`)

// withLists makes a list of one of a destination that stands alone, as some callers have it, in the
// body and in each of its messages. What is no JSON stays as it is.
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

// replyRows answers with reports or rows of the logs, in XML where the caller takes nothing else.
func (q *request) replyRows(rows []wire.Row) error {
	if !xmlOnly(q.Header.Get("Accept")) {
		return q.Reply(http.StatusOK, wire.Results{Results: rows})
	}
	body, err := xml.Marshal(wire.Results{Results: rows})
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	q.W.Header().Set("Content-Type", "application/xml")
	return q.ReplyBody(http.StatusOK, append([]byte(xml.Header), body...))
}
