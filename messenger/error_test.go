package messenger_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/messenger"
)

func TestVerdict(t *testing.T) {
	t.Parallel()
	type want struct {
		action messenger.Action
		is     error
	}
	var (
		retry       = want{messenger.Retry, messenger.ErrTemporary}
		wait        = want{messenger.WaitUntil, messenger.ErrRateLimited}
		token       = want{messenger.PageBroken, messenger.ErrTokenInvalid}
		permission  = want{messenger.PageBroken, messenger.ErrPermission}
		policy      = want{messenger.PageBroken, messenger.ErrPolicy}
		window      = want{messenger.OutsideWindow, messenger.ErrOutsideWindow}
		unreachable = want{messenger.PersonUnreachable, messenger.ErrUnreachable}
		invalid     = want{messenger.Never, messenger.ErrInvalid}
		recipient   = want{messenger.Never, messenger.ErrPermission}
		handover    = want{messenger.Never, messenger.ErrThreadControl}
		notNow      = want{messenger.Never, messenger.ErrRateLimited}
	)
	tests := []struct {
		code, subcode int
		want          want
	}{
		{1, 0, retry}, {1, 99, retry}, {1, 1357046, want{messenger.Never, messenger.ErrUnreadable}},
		{2, 0, retry}, {2, 2018344, permission}, {3, 0, permission},
		{4, 0, wait}, {4, 2018022, wait}, {4, 2018354, notNow}, {9, 2018352, notNow},
		{10, 0, permission}, {10, 2018065, window}, {10, 2018278, window}, {10, 2534022, window},
		{10, 2018108, unreachable}, {10, 2018300, handover}, {10, 2018028, recipient}, {10, 1893063, policy},
		{17, 0, wait}, {32, 0, wait},
		{100, 0, invalid}, {100, 33, unreachable}, {100, 2018001, unreachable}, {100, 2018032, invalid},
		{100, 2018034, invalid}, {100, 2018109, invalid}, {100, 2018047, invalid}, {100, 2018294, invalid},
		{100, 2018008, want{messenger.Retry, messenger.ErrInvalid}}, {100, 2018074, invalid},
		{100, 2534015, invalid}, {100, 2534037, invalid}, {100, 1893061, invalid}, {100, 424242, invalid},
		{105, 0, invalid}, {194, 0, invalid},
		{190, 0, token}, {190, 458, token}, {190, 459, token}, {190, 460, token}, {190, 463, token},
		{190, 464, token}, {190, 467, token}, {190, 492, token}, {102, 0, token}, {102, 463, token},
		{200, 0, permission}, {200, 1545041, unreachable}, {551, 1545041, unreachable}, {551, 0, unreachable},
		{200, 2018027, recipient}, {200, 2018021, recipient}, {200, 2018028, recipient}, {230, 0, recipient},
		{368, 0, policy}, {341, 0, wait}, {506, 0, invalid}, {1609005, 0, invalid}, {546, 0, invalid},
		{613, 0, wait}, {613, 2018022, wait}, {803, 0, invalid}, {1200, 0, retry},
		{1545010, 0, retry}, {1545012, 0, retry}, {10303, 0, invalid}, {36000, 0, invalid},
		{2018218, 0, recipient}, {2018247, 0, recipient}, {2018300, 0, handover}, {2018321, 0, handover},
		{9000001, 0, invalid}, {2300000, 0, invalid}, {2300052, 0, invalid}, {80006, 0, wait}, {80004, 0, wait},
		{987654, 0, invalid},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%d_%d", tt.code, tt.subcode), func(t *testing.T) {
			t.Parallel()
			e := &messenger.Error{Code: tt.code, Subcode: tt.subcode, Status: 400}
			if got := e.Verdict().Action; got != tt.want.action {
				t.Errorf("action %s, want %s", got, tt.want.action)
			}
			if err := fmt.Errorf("wrapped: %w", e); !errors.Is(err, tt.want.is) {
				t.Errorf("%v is not %v", err, tt.want.is)
			}
		})
	}
}

func TestVerdictWithoutCode(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		err  messenger.Error
		want messenger.Verdict
	}{
		{"proof", messenger.Error{Code: 100, Type: "GraphMethodException", Message: "Invalid appsecret_proof provided in the API argument", Status: 400}, messenger.Verdict{Action: messenger.PageBroken}},
		{"unknown code, transient", messenger.Error{Code: 77777, Transient: true, Status: 400}, messenger.Verdict{Action: messenger.Retry}},
		{"unknown code, server error", messenger.Error{Code: 77777, Status: 500}, messenger.Verdict{Action: messenger.Retry}},
		{"bad gateway", messenger.Error{Status: 502}, messenger.Verdict{Action: messenger.Retry}},
		{"429", messenger.Error{Status: 429, Header: http.Header{"Retry-After": {"30"}}}, messenger.Verdict{Action: messenger.WaitUntil, After: 30 * time.Second}},
		{"401", messenger.Error{Status: 401}, messenger.Verdict{Action: messenger.PageBroken}},
		{"404", messenger.Error{Status: 404}, messenger.Verdict{Action: messenger.Never}},
		{"unreadable", messenger.Error{Status: 200}, messenger.Verdict{Action: messenger.Never}},
		{"once", messenger.Error{Code: 1, Status: 500}, messenger.Verdict{Action: messenger.Retry, Limit: 1}},
		{"regain", messenger.Error{Code: 613, Status: 400, Header: http.Header{"X-Business-Use-Case-Usage": {`{"7":[{"type":"messenger","call_count":101,"estimated_time_to_regain_access":3}]}`}}}, messenger.Verdict{Action: messenger.WaitUntil, After: 3 * time.Minute}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, tt.err.Verdict()); diff != "" {
				t.Errorf("verdict (-want +got):\n%s", diff)
			}
		})
	}
}

// TestErrorBothWays reads with the client what WriteError wrote.
func TestErrorBothWays(t *testing.T) {
	t.Parallel()
	want := &messenger.Error{
		Code: 10, Subcode: 2018278, Type: "OAuthException", Message: `(#10) outside of allowed window, see "policy"`,
		UserTitle: "Not sent", UserMessage: "Write first", TraceID: "A7YysJRhDLLwyNk-RXuVBTM", Transient: true, Status: 403,
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { messenger.WriteError(w, want) }))
	defer srv.Close()
	c, err := messenger.New("token", messenger.WithBaseURL(srv.URL))
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Page(t.Context())
	var got *messenger.Error
	if !errors.As(err, &got) {
		t.Fatalf("error %v", err)
	}
	got.Header, got.Body = nil, nil
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("error (-written +read):\n%s", diff)
	}
}

func TestErrorOfOddAnswers(t *testing.T) {
	t.Parallel()
	sample := func(name string) string {
		b, err := os.ReadFile("testdata/payloads/" + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	tests := []struct {
		name, contentType, body string
		status, code            int
		text                    string
	}{
		{"html", "text/html", "<html>\n<b>Sorry, something went wrong.</b></html>", 500, 0, "not JSON (text/html): <html> <b>Sorry"},
		{"empty", "", "", 503, 0, "status 503: the answer has no body"},
		{"200 with an error", "application/json", `{"error":{"message":"The image size is too large.","code":36000}}`, 200, 36000, "platform error 36000: The image size"},
		{"error is a text", "application/json", `{"error":"nope"}`, 400, 0, "nope"},
		{"code is a string", "application/json", `{"error":{"code":"190","message":["x"]}}`, 400, 190, "platform error 190"},
		{"redirect", "text/html", "", 302, 0, "status 302"},
		{"190", "application/json", sample("api__error_190"), 400, 190, "platform error 190/1234567: Invalid OAuth access token. (trace BLBz/WZt8dN)"},
		{"proof", "application/json", sample("api__error_appsecret_proof_invalid"), 400, 100, "Invalid appsecret_proof"},
		{"2016", "application/json", sample("api__error_no_matching_user_2016"), 400, 100, "No matching user found"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", tt.contentType)
				w.WriteHeader(tt.status)
				w.Write([]byte(tt.body))
			}))
			defer srv.Close()
			c, err := messenger.New("token", messenger.WithBaseURL(srv.URL))
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.Send(t.Context(), hello)
			var refused *messenger.Error
			if !errors.As(err, &refused) {
				t.Fatalf("error %v", err)
			}
			if refused.Status != tt.status || refused.Code != tt.code || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("status %d, code %d, text %q", refused.Status, refused.Code, err)
			}
		})
	}
}
