package face_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chasqui/chasqui/internal/face"
	"github.com/chasqui/chasqui/internal/gateway"
)

// errOwn is an error that only the API of the test knows.
var errOwn = errors.New("teapot")

type seen struct {
	route  string
	status int
}

func serve(t *testing.T) (call func(method, path, body string, headers ...string) *httptest.ResponseRecorder, log *strings.Builder, observed *[]seen) {
	t.Helper()
	log, observed = new(strings.Builder), new([]seen)
	fails := map[string]error{
		"own": errOwn, "internal": errors.New("the secret is 42"), "busy": gateway.Errorf(gateway.CodeStoreUnavailable, "later"),
		"limited": &gateway.Error{Code: gateway.CodeRateLimited, Message: "slowly", RetryAfter: 2500 * time.Millisecond}, "unauthorized": gateway.Errorf(gateway.CodeUnauthorized, "who?"),
	}
	f := face.New(face.Options{
		Routes: []face.Route{
			{Method: "GET", Path: "/things/{id}", Handle: func(r *face.Request) error {
				return r.Reply(200, map[string]string{"id": r.PathValue("id"), "request": r.ID})
			}},
			{Method: "DELETE", Path: "/things/{id}", Handle: func(r *face.Request) error { return r.Done() }},
			{Method: "POST", Path: "/things", Handle: func(r *face.Request) error {
				if r.Header.Get("Authorization") != "" {
					if err := r.Allow(&gateway.APIKey{Scopes: []gateway.Scope{gateway.ScopeMessagesRead}}, gateway.Scope(r.Header.Get("X-Scope"))); err != nil {
						return err
					}
				}
				body, err := r.Body()
				if err != nil {
					return err
				}
				return r.ReplyBody(201, body)
			}},
			{Method: "GET", Path: "/fail/{how}", Handle: func(r *face.Request) error { return fmt.Errorf("call: %w", fails[r.PathValue("how")]) }},
		},
		Problem: func(r *face.Request, err error) face.Problem {
			if errors.Is(err, errOwn) {
				return face.Problem{Status: 418, Body: []byte(`{"own":true}`)}
			}
			e := face.Internal(err)
			body, _ := json.Marshal(map[string]string{"code": string(e.Code), "message": e.Message, "id": r.ID})
			return face.Problem{Status: e.Code.Status(), Body: body}
		},
		Challenges: []string{"Bearer", "Basic"},
		Unknown: func(r *face.Request) (bool, error) {
			switch r.URL.Path {
			case "/hello":
				r.W.Write([]byte("hello"))
				return true, nil
			case "/closed":
				return false, gateway.Errorf(gateway.CodeForbidden, "not for you")
			}
			return false, nil
		},
		Logger: slog.New(slog.NewTextHandler(log, nil)), Observe: func(route string, status int, _ time.Duration) { *observed = append(*observed, seen{route, status}) },
		MaxBody: 100, MaxOpenBody: 10,
	})
	return func(method, path, body string, headers ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		w := httptest.NewRecorder()
		f.ServeHTTP(w, r)
		return w
	}, log, observed
}

func TestFace(t *testing.T) {
	t.Parallel()
	call, log, observed := serve(t)
	wide := `"` + strings.Repeat("x", 40) + `"`
	for _, c := range []struct {
		name, method, path, body string
		headers                  []string
		status                   int
		want                     string // in the answer
		header, value            string // of the answer
		route                    string // as it is counted
	}{
		{"a call", "GET", "/things/7", "", nil, 200, `"id":"7"`, "Content-Type", "application/json", "GET /things/{id}"},
		{"the caller's request id", "GET", "/things/7", "", []string{"X-Request-Id", "mine-1"}, 200, `"request":"mine-1"`, "X-Request-Id", "mine-1", "GET /things/{id}"},
		{"nothing to say", "DELETE", "/things/7", "", nil, 204, "", "X-Content-Type-Options", "nosniff", "DELETE /things/{id}"},
		{"another method", "PUT", "/things/7", "", nil, 405, `"code":"method_not_allowed"`, "Allow", "GET", "/"},
		{"nothing there", "GET", "/nothing", "", nil, 404, `"code":"not_found"`, "X-Content-Type-Options", "nosniff", "/"},
		{"answered by the API", "GET", "/hello", "", nil, 200, "hello", "X-Content-Type-Options", "nosniff", "/"},
		{"refused by the API", "GET", "/closed", "", nil, 403, "not for you", "", "", "/"},
		{"an address that is none", "GET", "/things/%00", "", nil, 400, `"code":"invalid_request"`, "Content-Type", "application/json", "GET /things/{id}"},
		{"a small body of a stranger", "POST", "/things", `"x"`, nil, 201, `"x"`, "Content-Length", "3", "POST /things"},
		{"a large body of a stranger", "POST", "/things", wide, nil, 413, `"code":"payload_too_large"`, "Content-Type", "application/json", "POST /things"},
		{"a large body of a caller with a key", "POST", "/things", wide, []string{"Authorization", "x", "X-Scope", "messages:read"}, 201, wide, "Content-Length", "42", "POST /things"},
		{"a scope that the key lacks", "POST", "/things", `1`, []string{"Authorization", "x", "X-Scope", "messages:write"}, 403, "lacks the scope messages:write", "", "", "POST /things"},
		{"JSON that no database holds", "POST", "/things", "\"\xff\"", nil, 400, `"code":"invalid_request"`, "", "", "POST /things"},
		{"an error of the API's own", "GET", "/fail/own", "", nil, 418, `{"own":true}`, "", "", "GET /fail/{how}"},
		{"busy", "GET", "/fail/busy", "", nil, 503, "later", "Retry-After", "1", "GET /fail/{how}"},
		{"slowly", "GET", "/fail/limited", "", nil, 429, "slowly", "Retry-After", "3", "GET /fail/{how}"},
		{"who", "GET", "/fail/unauthorized", "", nil, 401, "who?", "Www-Authenticate", "Bearer", "GET /fail/{how}"},
		{"a fault", "GET", "/fail/internal", "", []string{"X-Request-Id", "look-here"}, 500, `"id":"look-here"`, "", "", "GET /fail/{how}"},
	} {
		*observed = nil
		w := call(c.method, c.path, c.body, c.headers...)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.want) || c.header != "" && w.Header().Get(c.header) != c.value {
			t.Errorf("%s: %d %s %v", c.name, w.Code, w.Body, w.Header())
		}
		if strings.Contains(w.Body.String(), "42") && c.status == 500 {
			t.Errorf("%s tells the caller what went wrong: %s", c.name, w.Body)
		}
		if w.Header().Get("X-Request-Id") == "" || len(*observed) != 1 || (*observed)[0] != (seen{c.route, c.status}) {
			t.Errorf("%s: id %q, counted %v", c.name, w.Header().Get("X-Request-Id"), *observed)
		}
	}
	if !strings.Contains(log.String(), "the secret is 42") || !strings.Contains(log.String(), "look-here") {
		t.Errorf("the log does not say what went wrong: %s", log)
	}
	if got := call("GET", "/things/7", "", "X-Request-Id", "<script>").Header().Get("X-Request-Id"); !strings.HasPrefix(got, "req_") {
		t.Errorf("a request id of the form %q is taken", got)
	}
}

// A caller who has gone is no fault of ours.
func TestCallerWhoHasGone(t *testing.T) {
	t.Parallel()
	log := new(strings.Builder)
	f := face.New(face.Options{
		Routes: []face.Route{{Method: "GET", Path: "/", Handle: func(r *face.Request) error { return r.Context().Err() }}},
		Problem: func(_ *face.Request, err error) face.Problem {
			return face.Problem{Status: face.Internal(err).Code.Status()}
		},
		Logger: slog.New(slog.NewTextHandler(log, nil)),
	})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := httptest.NewRecorder()
	f.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil))
	if w.Code != http.StatusServiceUnavailable || log.String() != "" {
		t.Errorf("%d, and the log says %s", w.Code, log)
	}
}
