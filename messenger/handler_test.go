package messenger_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chasqui/chasqui/messenger"
)

func TestHandler(t *testing.T) {
	t.Parallel()
	const body, secret, old, verify = genuineBody, "newsecret", "oldsecret", "verify me"
	broken := errors.New("disk full")
	sha256, sha1 := messenger.SignatureHeader, messenger.SignatureHeaderSHA1
	tests := []struct {
		name, method, target string
		header               map[string]string
		body                 string
		fail                 error
		sha1, noSecret       bool

		status  int
		answer  string
		events  int
		problem error
	}{
		{name: "verification", method: "GET", target: "/?hub.mode=subscribe&hub.verify_token=verify+me&hub.challenge=1158201444", status: 200, answer: "1158201444"},
		{name: "verification, other token", method: "GET", target: "/?hub.mode=subscribe&hub.verify_token=other&hub.challenge=1", status: 403, problem: messenger.ErrChallenge},
		{name: "delivery", method: "POST", header: map[string]string{sha256: messenger.Sign(secret, []byte(body))}, body: body, status: 200, answer: "OK", events: 1},
		{name: "the old secret", method: "POST", header: map[string]string{sha256: messenger.Sign(old, []byte(body))}, body: body, status: 200, answer: "OK", events: 1},
		{name: "another secret", method: "POST", header: map[string]string{sha256: messenger.Sign("guess", []byte(body))}, body: body, status: 403, answer: "Forbidden", problem: messenger.ErrSignatureMismatch},
		{name: "no signature", method: "POST", body: body, status: 403, answer: "Forbidden", problem: messenger.ErrSignatureMissing},
		{name: "no secret is known", method: "POST", header: map[string]string{sha256: messenger.Sign("", []byte(body))}, body: body, noSecret: true, status: 403, answer: "Forbidden", problem: messenger.ErrSignatureMissing},
		{name: "the older header", method: "POST", header: map[string]string{sha1: messenger.SignSHA1(secret, []byte(body))}, body: body, sha1: true, status: 200, answer: "OK", events: 1},
		{name: "the older header, not wanted", method: "POST", header: map[string]string{sha1: messenger.SignSHA1(secret, []byte(body))}, body: body, status: 403, answer: "Forbidden", problem: messenger.ErrSignatureMissing},
		{name: "the older header beside a wrong newer one", method: "POST", header: map[string]string{sha1: messenger.SignSHA1(secret, []byte(body)), sha256: messenger.Sign("guess", []byte(body))}, body: body, sha1: true, status: 403, answer: "Forbidden", problem: messenger.ErrSignatureMismatch},
		{name: "not JSON", method: "POST", header: map[string]string{sha256: messenger.Sign(secret, []byte("{"))}, body: "{", status: 400, answer: "Bad Request", problem: messenger.ErrNotJSON},
		{name: "too large", method: "POST", body: strings.Repeat(" ", 2000), status: 413, answer: "Request Entity Too Large", problem: new(http.MaxBytesError)},
		{name: "not stored", method: "POST", header: map[string]string{sha256: messenger.Sign(secret, []byte(body))}, body: body, fail: broken, status: 500, answer: "Internal Server Error", events: 1, problem: broken},
		{name: "another method", method: "DELETE", status: 405},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var problem error
			events := 0
			h := &messenger.Handler{
				VerifyToken: verify, AppSecrets: []string{secret, old}, AcceptSHA1: tt.sha1, MaxBody: 1000,
				Receive: func(_ context.Context, w messenger.Webhook) error { events += len(w.Events); return tt.fail },
				Problem: func(_ *http.Request, err error) { problem = err },
			}
			if tt.noSecret {
				h.AppSecrets = []string{""}
			}
			target := tt.target
			if target == "" {
				target = "/"
			}
			r := httptest.NewRequest(tt.method, target, strings.NewReader(tt.body))
			for name, value := range tt.header {
				r.Header.Set(name, value)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			answer, _ := io.ReadAll(w.Body)
			if w.Code != tt.status || string(answer) != tt.answer || events != tt.events {
				t.Errorf("status %d, answer %q, %d events", w.Code, answer, events)
			}
			var large *http.MaxBytesError
			if !errors.Is(problem, tt.problem) && !(tt.status == 413 && errors.As(problem, &large)) {
				t.Errorf("problem %v, want %v", problem, tt.problem)
			}
			if tt.method == "GET" && tt.status == 200 && !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") {
				t.Errorf("the challenge is answered as %s", w.Header().Get("Content-Type"))
			}
		})
	}
}
