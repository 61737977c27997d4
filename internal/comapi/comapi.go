// Package comapi answers in the shapes of Comapi's (later dotdigital's) Enterprise Communications
// API, so that a program written for it goes on with another base address and another credential.
// It is a face: it translates requests into calls of the use cases and their results back, and
// keeps nothing itself.
//
// An api space is an application: its id is the application's key. Below /apispaces/{id} and below
// /cpaas the credential is an API key, as a bearer token or as the password of HTTP Basic with any
// user name.
package comapi

import (
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/chasqui/chasqui/internal/comapi/sessions"
	"github.com/chasqui/chasqui/internal/face"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/service"
)

// Options says what the face works with. Fields are required unless noted.
type Options struct {
	Now           func() time.Time
	Directory     *service.Directory
	Keys          *service.Keys
	Messages      *service.Messages
	Events        *service.Events
	Brought       *service.ChannelEvents
	Profiles      *service.Profiles
	Erasures      *service.Erasures
	Subscriptions *service.Subscriptions
	OptIns        *service.OptIns
	Sessions      *sessions.Sessions
	Logger        *slog.Logger
	// Observe is called after each request with its route, such as `POST /cpaas/messages`; nil for
	// no call.
	Observe func(route string, status int, took time.Duration)
	// MaxBody is in bytes; face.DefaultMaxBody when 0.
	MaxBody int64
}

// Face answers requests. It is made by New and safe for any number of goroutines.
type Face struct {
	o     Options
	shell *face.Face
}

// maxOpenBody is the largest body of a call that needs no credential, in bytes: a token, and words
// about a device.
const maxOpenBody = 16 << 10

// New makes the face.
func New(o Options) *Face {
	f := &Face{o: o}
	f.shell = face.New(face.Options{
		Routes: f.routes(), Problem: problemOf, Challenges: []string{`Bearer realm="chasqui"`, `Basic realm="chasqui"`},
		Logger: o.Logger, Observe: o.Observe, MaxBody: o.MaxBody, MaxOpenBody: maxOpenBody,
	})
	return f
}

// ServeHTTP answers one request.
func (f *Face) ServeHTTP(w http.ResponseWriter, r *http.Request) { f.shell.ServeHTTP(w, r) }

// Prefixes are what the addresses of the face begin with.
func Prefixes() []string { return []string{"/apispaces/", "/cpaas/"} }

// endpoint is one address of the face, below /apispaces/{space} and below /cpaas.
type endpoint struct {
	method string
	path   string
	scope  gateway.Scope // empty for what needs no credential
	handle func(*request) error

	session bool // open to sessions of customers, and to pages of other origins
}

func (f *Face) endpoints() []endpoint {
	return []endpoint{
		{method: http.MethodPost, path: "/messages", scope: gateway.ScopeMessagesWrite, handle: f.send},
		{method: http.MethodPost, path: "/messages/batch", scope: gateway.ScopeMessagesWrite, handle: f.sendBatch},
		{method: http.MethodGet, path: "/messages/{id}", scope: gateway.ScopeMessagesRead, handle: f.message},
		{method: http.MethodPost, path: "/messages/{id}/statuses/{status}", scope: gateway.ScopeMessagesWrite, handle: f.tell},
		{method: http.MethodPost, path: "/messages/inbounds", scope: gateway.ScopeMessagesWrite, handle: f.bring},
		{method: http.MethodPost, path: "/messages/inbounds/{id}/statuses/{status}", scope: gateway.ScopeMessagesWrite, handle: f.tellInbound},
		{method: http.MethodGet, path: "/profiles/{id}/messages", scope: gateway.ScopeMessagesRead, handle: f.history},
		{method: http.MethodGet, path: "/webhooks", scope: gateway.ScopeSubscriptionsRead, handle: f.webhooks},
		{method: http.MethodPost, path: "/webhooks", scope: gateway.ScopeSubscriptionsWrite, handle: f.createWebhook},
		{method: http.MethodGet, path: "/webhooks/availableevents", scope: gateway.ScopeSubscriptionsRead, handle: f.availableEvents},
		{method: http.MethodGet, path: "/webhooks/availabletemplates", scope: gateway.ScopeSubscriptionsRead, handle: f.availableTemplates},
		{method: http.MethodGet, path: "/webhooks/{id}", scope: gateway.ScopeSubscriptionsRead, handle: f.getWebhook},
		{method: http.MethodPut, path: "/webhooks/{id}", scope: gateway.ScopeSubscriptionsWrite, handle: f.putWebhook},
		{method: http.MethodDelete, path: "/webhooks/{id}", scope: gateway.ScopeSubscriptionsWrite, handle: f.deleteWebhook},
		{method: http.MethodGet, path: "/profiles", scope: gateway.ScopeProfilesRead, handle: f.queryProfiles},
		{method: http.MethodPost, path: "/profiles", scope: gateway.ScopeProfilesWrite, handle: f.createProfile},
		{method: http.MethodPatch, path: "/profiles/bulk", scope: gateway.ScopeProfilesWrite, handle: f.patchMany},
		{method: http.MethodDelete, path: "/profiles/bulk", scope: gateway.ScopeProfilesWrite, handle: f.deleteMany},
		{method: http.MethodGet, path: "/profiles/optin", scope: gateway.ScopeProfilesRead, handle: f.defaultOptIns},
		{method: http.MethodPut, path: "/profiles/optin", scope: gateway.ScopeProfilesWrite, handle: f.setDefaultOptIns},
		{method: http.MethodGet, path: "/profiles/{id}", scope: gateway.ScopeProfilesRead, handle: f.profile, session: true},
		{method: http.MethodPut, path: "/profiles/{id}", scope: gateway.ScopeProfilesWrite, handle: f.putProfile, session: true},
		{method: http.MethodPatch, path: "/profiles/{id}", scope: gateway.ScopeProfilesWrite, handle: f.patchProfile, session: true},
		{method: http.MethodDelete, path: "/profiles/{id}", scope: gateway.ScopeProfilesWrite, handle: f.deleteProfile},
		{method: http.MethodPut, path: "/profiles/{id}/optin", scope: gateway.ScopeProfilesWrite, handle: f.optIn},
		{method: http.MethodDelete, path: "/profiles/{id}/optin", scope: gateway.ScopeProfilesWrite, handle: f.optOut},
		{method: http.MethodPost, path: "/channels/facebook/state", scope: gateway.ScopeProfilesWrite, handle: f.state, session: true},
		{method: http.MethodGet, path: "/sessions/start", handle: f.startSession, session: true},
		{method: http.MethodPost, path: "/sessions", handle: f.createSession, session: true},
		{method: http.MethodGet, path: "/sessions/{id}", scope: gateway.ScopeProfilesRead, handle: f.getSession, session: true},
		{method: http.MethodDelete, path: "/sessions/{id}", scope: gateway.ScopeProfilesWrite, handle: f.endSession, session: true},
	}
}

// routes are the endpoints, each below /apispaces/{space} and below /cpaas.
func (f *Face) routes() []face.Route {
	var all []face.Route
	open := map[string]bool{}
	for _, e := range f.endpoints() {
		for _, base := range []string{"/apispaces/{space}", "/cpaas"} {
			all = append(all, face.Route{Method: e.method, Path: base + e.path, Handle: func(r *face.Request) error { return f.handle(r, e) }})
			if e.session && !open[base+e.path] {
				open[base+e.path] = true
				all = append(all, face.Route{Method: http.MethodOptions, Path: base + e.path, Handle: f.allow})
			}
		}
	}
	return all
}

// request is one request on its way through a handler.
type request struct {
	*face.Request
	f       *Face
	space   *gateway.Application
	session *sessions.Session // nil for a caller with an API key
	open    bool              // the call needs no credential
}

func (f *Face) handle(r *face.Request, e endpoint) error {
	q := &request{Request: r, f: f}
	if e.session {
		crossOrigin(q.W)
	}
	if err := q.authorize(e); err != nil {
		return err
	}
	if err := q.enter(); err != nil {
		return err
	}
	return e.handle(q)
}

func (q *request) authorize(e endpoint) error {
	if e.scope == "" {
		q.open = true
		return nil
	}
	if token, ok := q.bearer(); ok {
		return q.authorizeSession(token, e)
	}
	authorization := q.Header.Get("Authorization")
	if _, password, ok := q.BasicAuth(); ok {
		authorization = "Bearer " + password
	}
	key, err := q.f.o.Keys.Authenticate(q.Context(), authorization)
	if err != nil {
		return err
	}
	return q.Allow(key, e.scope)
}

// reaches reports whether an api space may be entered: one that the key may touch, or any by a call
// that needs no key.
func (q *request) reaches(a *gateway.Application) bool {
	return q.open || q.Key.AllowsApplication(a.Key)
}

// enter finds the api space of the request. Below /cpaas, where the address names none, it is the
// one of the query or else the only one the key may use.
func (q *request) enter() error {
	id := q.PathValue("space")
	if id == "" {
		id = q.URL.Query().Get("apiSpaceId")
	}
	if q.session != nil && id == "" {
		id = q.session.Application
	}
	if id != "" {
		q.space = q.f.o.Directory.Application(strings.ToUpper(strings.ReplaceAll(id, "-", "")))
		if q.space == nil || !q.reaches(q.space) || q.session != nil && q.session.Application != q.space.Key {
			return gateway.NotFound("api space", id).WithField("apiSpaceId")
		}
		return nil
	}
	for _, a := range q.f.o.Directory.Applications() {
		switch {
		case !q.reaches(a) || a.State == gateway.ApplicationConnecting:
		case q.space != nil:
			return gateway.Errorf(gateway.CodeApplicationAmbiguous, "the key is for several api spaces: add ?apiSpaceId= or use a key of one").WithField("apiSpaceId")
		default:
			q.space = a
		}
	}
	if q.space == nil {
		return gateway.NotFound("api space", "").WithField("apiSpaceId")
	}
	return nil
}

// problem is one entry of the list that every error is answered with.
type problem struct {
	Property    string `json:"property"`
	FailureCode string `json:"failureCode"`
	Details     string `json:"details"`
}

// problemOf puts an error into the list that the API answers.
func problemOf(_ *face.Request, err error) face.Problem {
	e := face.Internal(err)
	return face.Problem{Status: e.Code.Status(), Body: encode([]problem{{e.Field, failureCode(e), e.Message}})}
}

// failureCode names an error after the property at fault, such as ToInvalid, and else after its
// code, such as NotFound.
func failureCode(e *gateway.Error) string {
	if e.Code != gateway.CodeInvalidRequest {
		return pascal(string(e.Code))
	}
	property := e.Field
	if i := strings.IndexByte(property, ']'); strings.HasPrefix(property, "[") && i > 0 {
		property = strings.TrimPrefix(property[i+1:], ".")
	}
	if i := strings.IndexAny(property, ".["); i >= 0 {
		property = property[:i]
	}
	if property == "" {
		return "BodyInvalid"
	}
	return strings.ToUpper(property[:1]) + property[1:] + "Invalid"
}

// pascal turns not_found into NotFound.
func pascal(code string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(code, "_") {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}

// Routes lists the calls of the face as `POST /messages`, without what precedes the path:
// /apispaces/{space} or /cpaas.
func Routes() []string {
	var all []string
	for _, e := range new(Face).endpoints() {
		all = append(all, e.method+" "+e.path)
	}
	return all
}
