// Package face is the HTTP shell of every API that the gateway speaks: routes, request ids, the
// limits of bodies, 404 and 405, figures and log. An API brings its routes, how it knows who calls,
// and what its errors look like.
package face

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/guard"
)

// DefaultMaxBody is the largest body of a request that is taken, in bytes.
const DefaultMaxBody = 10 << 20

// Route is one call of an API.
type Route struct {
	Method, Path string // as http.ServeMux has them
	Handle       func(*Request) error
}

// Problem is what an API answers for an error.
type Problem struct {
	Status int
	Body   []byte // JSON
}

// Options says what a face is made of. Fields are required unless noted.
type Options struct {
	Routes []Route
	// Problem puts an error into the API's words. What it gets is a *gateway.Error, or an error of
	// the API's own.
	Problem func(r *Request, err error) Problem
	// Challenges are the values of WWW-Authenticate with which 401 is answered.
	Challenges []string
	// Unknown may answer a request that no route takes, or refuse it; it returns false to leave
	// that to the shell. Nil for no call.
	Unknown func(*Request) (answered bool, err error)
	Logger  *slog.Logger
	// Observe is called after each request with its route, such as `POST /v1/messages`; nil for no
	// call.
	Observe func(route string, status int, took time.Duration)
	// MaxBody is how large a body may be, in bytes; DefaultMaxBody when 0.
	MaxBody int64
	// MaxOpenBody is how large that of a caller may be who has not shown a key; MaxBody when 0.
	MaxOpenBody int64
}

// Face answers the calls of one API. It is made by New and safe for any number of goroutines.
type Face struct {
	o   Options
	mux *http.ServeMux
}

// New makes a face.
func New(o Options) *Face {
	if o.MaxBody == 0 {
		o.MaxBody = DefaultMaxBody
	}
	if o.MaxOpenBody == 0 || o.MaxOpenBody > o.MaxBody {
		o.MaxOpenBody = o.MaxBody
	}
	f := &Face{o: o, mux: http.NewServeMux()}
	for _, route := range o.Routes {
		f.mux.Handle(route.Method+" "+route.Path, f.serve(route.Handle))
	}
	f.mux.Handle("/", f.serve(f.unknown))
	return f
}

// Request is one request on its way through a handler.
type Request struct {
	*http.Request
	W  *Writer
	ID string // the caller's own where it has a harmless form
	// Key is who calls: nil before Allow, and in calls that need no key.
	Key *gateway.APIKey

	face *Face
}

// ServeHTTP answers one request.
func (f *Face) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	seen := &Writer{ResponseWriter: w, id: requestID(r)}
	w.Header().Set("X-Request-Id", seen.id)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	f.mux.ServeHTTP(seen, r)
	took := time.Since(start)
	if f.o.Observe != nil {
		f.o.Observe(r.Pattern, seen.status, took)
	}
	if f.o.Logger.Enabled(r.Context(), slog.LevelDebug) {
		f.o.Logger.Debug("request", "method", r.Method, "path", r.URL.Path, "status", seen.status, "took", took, "request_id", seen.id)
	}
}

// serve makes the handler of a route, and turns its errors into answers.
func (f *Face) serve(handle func(*Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen := w.(*Writer) // a handler of the mux is reached through ServeHTTP only
		q := &Request{Request: r, W: seen, ID: seen.id, face: f}
		err := gateway.CheckURL(r.URL)
		if err == nil {
			err = handle(q)
		}
		if err != nil {
			q.fail(err)
		}
	})
}

// unknown returns what no route takes: with 405 when another method would do, 404 otherwise.
func (f *Face) unknown(q *Request) error {
	if f.o.Unknown != nil {
		if answered, err := f.o.Unknown(q); answered || err != nil {
			return err
		}
	}
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		probe := q.Clone(q.Context())
		probe.Method = method
		if _, pattern := f.mux.Handler(probe); pattern != "/" {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		return gateway.Errorf(gateway.CodeNotFound, "there is nothing at %s %s", q.Method, q.URL.Path)
	}
	for _, method := range allowed {
		q.W.Header().Add("Allow", method)
	}
	return gateway.Errorf(gateway.CodeMethodNotAllowed, "%s is not for %s", q.URL.Path, q.Method)
}

// Allow says who calls, and checks that the key has a scope; an empty one asks for none.
func (r *Request) Allow(key *gateway.APIKey, scope gateway.Scope) error {
	if scope != "" && !key.Allows(scope) {
		return gateway.Errorf(gateway.CodeForbidden, "this key lacks the scope %s", scope)
	}
	r.Key = key
	guard.Trust(r.Request)
	return nil
}

// Body reads the request's body: at most as much as is allowed, which is little for a caller who
// has not shown a key.
func (r *Request) Body() ([]byte, error) {
	limit := r.face.o.MaxBody
	if r.Key == nil {
		limit = r.face.o.MaxOpenBody
	}
	body, err := guard.ReadBody(r.W, r.Request, limit)
	if err != nil {
		return nil, err
	}
	return body, gateway.CheckJSON(body)
}

// Reply answers with a value as JSON.
func (r *Request) Reply(status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	return r.ReplyBody(status, body)
}

// ReplyBody answers with a body, which is JSON unless another Content-Type is set.
func (r *Request) ReplyBody(status int, body []byte) error {
	h := r.W.Header()
	if h.Get("Content-Type") == "" {
		h.Set("Content-Type", "application/json")
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	r.W.WriteHeader(status)
	r.W.Write(body) // when this fails the caller is gone
	return nil
}

// Done answers 204.
func (r *Request) Done() error {
	r.W.WriteHeader(http.StatusNoContent)
	return nil
}

// fail answers with an error, and logs what the caller must not see.
func (r *Request) fail(err error) {
	var e *gateway.Error
	known := errors.As(err, &e)
	if !known && r.Context().Err() != nil {
		e, known = gateway.Errorf(gateway.CodeShuttingDown, "the request ended before its answer").WithCause(err), true
		err = e
	}
	problem := r.face.o.Problem(r, err)
	switch {
	case problem.Status == http.StatusInternalServerError:
		r.face.o.Logger.Error("request failed", "method", r.Method, "route", r.Pattern, "request_id", r.ID, "err", err, "cause", cause(e))
	case problem.Status > http.StatusInternalServerError && !errors.Is(err, context.Canceled):
		r.face.o.Logger.Warn("request refused", "method", r.Method, "route", r.Pattern, "status", problem.Status, "request_id", r.ID, "err", err, "cause", cause(e))
	}
	h := r.W.Header()
	switch {
	case known && e.RetryAfter > 0:
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(e.RetryAfter.Seconds()))))
	case problem.Status == http.StatusServiceUnavailable || problem.Status == http.StatusTooManyRequests:
		h.Set("Retry-After", "1")
	case problem.Status == http.StatusUnauthorized:
		for _, c := range r.face.o.Challenges {
			h.Add("WWW-Authenticate", c)
		}
	}
	h.Set("Content-Type", "application/json")
	r.ReplyBody(problem.Status, problem.Body)
}

func cause(e *gateway.Error) error {
	if e == nil {
		return nil
	}
	return e.Unwrap()
}

// Internal returns the error of the domain in a chain, or one that says nothing but where to look.
func Internal(err error) *gateway.Error {
	var e *gateway.Error
	if errors.As(err, &e) {
		return e
	}
	return gateway.Errorf(gateway.CodeInternal, "internal error; the log has more under the request id").WithCause(err)
}

var callersID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// requestID is the caller's own id for the request where it has a harmless form, and one of ours
// otherwise.
func requestID(r *http.Request) string {
	if given := r.Header.Get("X-Request-Id"); given != "" && callersID.MatchString(given) {
		return given
	}
	return "req_" + strconv.FormatUint(rand.Uint64(), 36)
}

// Writer remembers the status of an answer.
type Writer struct {
	http.ResponseWriter
	id     string
	status int
}

// Status returns the status of the answer; 0 before it has begun.
func (w *Writer) Status() int { return w.status }

// WriteHeader remembers the status.
func (w *Writer) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write writes, with status 200 unless another was set.
func (w *Writer) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap gives http.ResponseController the writer beneath.
func (w *Writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }
