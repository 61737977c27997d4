package gatewayapi

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The gateway itself is what the client is tested against in internal/apisrv; here are the answers
// that a gateway never gives, and what goes on the wire.

func answering(t *testing.T, status int, body string, header ...string) (*Client, *http.Request) {
	t.Helper()
	seen := new(http.Request)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		*seen = *r.Clone(context.Background())
		seen.Body = io.NopCloser(strings.NewReader(string(text)))
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	c, err := New(server.URL+"/base/", "chq_key", WithRetries(0))
	if err != nil {
		t.Fatal(err)
	}
	return c, seen
}

func TestErrorsOfEveryOrigin(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		body   string
		want   Error
	}{
		"the gateway's": {400, `{"error":{"code":"invalid_request","message":"must be a string","field":"to","requestId":"req_1"}}`,
			Error{Code: "invalid_request", Message: "must be a string", Field: "to", RequestID: "req_1", Status: 400, RetryAfter: 7 * time.Second}},
		"a proxy's page":    {502, `<html>Bad Gateway</html>`, Error{Code: "unknown", Message: "status 502 without the gateway's error body", RequestID: "req_h", Status: 502, RetryAfter: 7 * time.Second}},
		"nothing":           {503, ``, Error{Code: "unknown", Message: "status 503 without the gateway's error body", RequestID: "req_h", Status: 503, RetryAfter: 7 * time.Second}},
		"JSON of elsewhere": {404, `{"message":"no Route matched"}`, Error{Code: "unknown", Message: "status 404 without the gateway's error body", RequestID: "req_h", Status: 404, RetryAfter: 7 * time.Second}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, _ := answering(t, c.status, c.body, "Retry-After", "7", "X-Request-Id", "req_h")
			_, err := client.GetMessage(t.Context(), "msg_1")
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("err = %v", err)
			}
			if diff := cmp.Diff(c.want, *e, cmp.AllowUnexported(Error{})); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if !errors.Is(err, &Error{Code: c.want.Code}) || !errors.Is(err, c.want.Code) || errors.Is(err, ErrorCode("other")) || CodeOf(err) != c.want.Code {
				t.Error("errors.Is does not match by code")
			}
		})
	}
}

func TestRequestsOnTheWire(t *testing.T) {
	t.Parallel()
	client, seen := answering(t, 202, `{"id":"msg_1","status":"queued"}`, "Idempotent-Replayed", "true")
	result, err := client.SendMessage(t.Context(), SendMessageRequest{To: To{FBMessengerID: "5"}, Body: "hi", IdempotencyKey: "once"})
	if err != nil || !result.Replayed || result.Message.ID != "msg_1" {
		t.Errorf("%+v, %v", result, err)
	}
	body, _ := io.ReadAll(seen.Body)
	got := []string{seen.Method, seen.URL.String(), seen.Header.Get("Authorization"), seen.Header.Get("Idempotency-Key"), seen.Header.Get("Content-Type"), string(body)}
	want := []string{"POST", "/base/v1/messages", "Bearer chq_key", "once", "application/json", `{"to":{"fbMessengerId":"5"},"body":"hi"}`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}

	client, seen = answering(t, 200, `{"id":"a/b c"}`, "ETag", `"3"`)
	patched, err := client.PatchProfile(t.Context(), PatchProfileRequest{ID: "a/b c", Patch: json.RawMessage(`{}`), ETag: `"2"`})
	if err != nil || patched.ETag != `"3"` || seen.URL.EscapedPath() != "/base/v1/profiles/a%2Fb%20c" || seen.Header.Get("If-Match") != `"2"` {
		t.Errorf("%s %s %v, %v", patched.ETag, seen.URL.EscapedPath(), seen.Header, err)
	}

	client, seen = answering(t, 200, `{"events":[],"cursor":"x"}`)
	if _, err := client.PullEvents(t.Context(), PullRequest{Subscription: "sub_1", After: "a", Limit: 3, Wait: 1500 * time.Millisecond}); err != nil || seen.URL.RawQuery != "after=a&limit=3&wait=2" {
		t.Errorf("query %s, %v", seen.URL.RawQuery, err)
	}
}

func TestTheKeyIsInNoError(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "gateway:8080", "ftp://x", "http://user:hunter2@host", "http://host?q=1"} {
		if _, err := New(address, "chq_key"); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("New(%q): %v", address, err)
		}
	}
	closed := httptest.NewServer(nil)
	closed.Close()
	client, err := New(closed.URL, "chq_secretkey", WithRetries(0))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.ListApplications(t.Context()); !errors.Is(err, CodeNoAnswer) || strings.Contains(err.Error(), "chq_secretkey") {
		t.Errorf("err = %v", err)
	}
	if _, err := New(closed.URL, "k", WithRetries(-1)); err == nil {
		t.Error("a negative number of retries is taken")
	}
	if _, err := New(closed.URL, "k", WithHTTPClient(nil)); err == nil {
		t.Error("a nil HTTP client is taken")
	}
}

func TestTime(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 31, 12, 0, 0, 123_900_000, time.FixedZone("PET", -5*3600))
	encoded, err := json.Marshal(struct {
		A Time  `json:"a"`
		B Time  `json:"b,omitzero"`
		C Time  `json:"c"`
		D *Time `json:"d,omitempty"`
	}{A: At(at)})
	if err != nil || string(encoded) != `{"a":"2026-01-31T17:00:00.123Z","c":null}` {
		t.Errorf("%s, %v", encoded, err)
	}
	for text, want := range map[string]time.Time{
		`"2026-01-31T17:00:00.123Z"`: at.Truncate(time.Millisecond), `"2026-01-31T12:00:00-05:00"`: at.Truncate(time.Second), `null`: {},
	} {
		var got Time
		if err := json.Unmarshal([]byte(text), &got); err != nil || !got.Equal(want) {
			t.Errorf("%s = %v, %v", text, got, err)
		}
	}
	for _, bad := range []string{`"tomorrow"`, `5`, `"2026-01-31"`} {
		if err := json.Unmarshal([]byte(bad), new(Time)); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
}

// An event about nobody, which no application owns, is read whether that stands there as null or
// not at all.
func TestEventsAboutNobody(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`{"id":"evt_1","type":"profile.created","createdAt":"2026-01-31T12:00:00.000Z","application":null,"person":null,"data":{}}`,
		`{"id":"evt_1","type":"profile.created","createdAt":"2026-01-31T12:00:00.000Z","data":{}}`,
	} {
		var e Event
		if err := json.Unmarshal([]byte(text), &e); err != nil || e.Application != "" || e.Person != nil || e.ID != "evt_1" {
			t.Errorf("%s: %+v %v", text, e, err)
		}
	}
}
