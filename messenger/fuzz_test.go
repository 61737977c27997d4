package messenger_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/chasqui/chasqui/messenger"
)

func FuzzVerify(f *testing.F) {
	body := []byte(genuineBody)
	f.Add("sesame", body, messenger.Sign("sesame", body))
	f.Add("sesame", body, messenger.SignSHA1("sesame", body))
	f.Add("", []byte{}, "sha256=")
	f.Add("s", body, "sha256="+strings.Repeat("0", 64))
	f.Fuzz(func(t *testing.T, secret string, body []byte, header string) {
		for _, sha1 := range []bool{false, true} {
			verify, sign := messenger.Verify, messenger.Sign
			if sha1 {
				verify, sign = messenger.VerifySHA1, messenger.SignSHA1
			}
			right := sign(secret, body)
			err := verify(secret, body, header)
			if (err == nil) != (header == right) {
				t.Fatalf("header %q, error %v", header, err)
			}
			if err != nil && (!errors.Is(err, messenger.ErrSignature) || strings.Contains(err.Error(), right)) {
				t.Fatalf("error %v", err)
			}
			if err := verify(secret, body, right); err != nil {
				t.Fatalf("its own signature: %v", err)
			}
		}
	})
}

func FuzzErrorBody(f *testing.F) {
	f.Add(400, []byte(`{"error":{"message":"(#10) no","type":"OAuthException","code":10,"error_subcode":2018278,"fbtrace_id":"A"}}`))
	f.Add(200, []byte(`{"error":{"code":36000}}`))
	f.Add(200, []byte(`{"error":null,"message_id":"m"}`))
	f.Add(500, []byte(`<html>`))
	f.Add(503, []byte(``))
	f.Add(400, []byte(`{"error":"text"}`))
	f.Add(400, []byte(`{"error":{"code":1e99,"error_subcode":{},"message":["x"]}}`))
	f.Add(400, []byte("{\"error\":{\"message\":\"EAAtesttoken\"}}"))
	status, body := 0, []byte(nil)
	transport := roundTrip(func(r *http.Request) (*http.Response, error) {
		w := httptest.NewRecorder()
		w.WriteHeader(status)
		w.Write(body)
		return w.Result(), nil
	})
	c, err := messenger.New(testToken, messenger.WithHTTPClient(&http.Client{Transport: transport}))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s int, b []byte) {
		if s < 200 || s > 599 {
			return
		}
		status, body = s, b
		_, err := c.Send(t.Context(), hello)
		if err == nil {
			if s > 299 {
				t.Fatalf("status %d is no error", s)
			}
			return
		}
		text := err.Error()
		var refused *messenger.Error
		if errors.As(err, &refused) {
			text += string(refused.Body) + refused.Message
			if refused.Status != s || refused.Verdict().Action == "" || len(refused.Body) > 4<<10 {
				t.Fatalf("refusal %+v", refused)
			}
		}
		if strings.Contains(text, testToken) {
			t.Fatalf("the token stands in %q", text)
		}
		if utf8.Valid(b) && !utf8.ValidString(err.Error()) {
			t.Fatalf("text %q", err.Error())
		}
	})
}
