package messenger

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
)

// signedBy makes a field of a payload that need not be one of ours.
func signedBy(secret, content string) string {
	payload := base64.RawURLEncoding.EncodeToString([]byte(content))
	return base64.URLEncoding.EncodeToString(signatureOf(secret, payload)) + "." + payload
}

func TestParseSignedRequest(t *testing.T) {
	t.Parallel()
	good, err := SignedRequest{UserID: "218471", IssuedAt: 1291836800, Expires: 1291840400}.Sign("s3cret")
	if err != nil {
		t.Fatal(err)
	}
	// The HMAC of this payload under the key "secret" was made with openssl.
	const made = "AYF_W5Z_N9FZJqouxOxK9iOv86xVnz2RKHvhnFSA76Q.eyJhbGdvcml0aG0iOiJITUFDLVNIQTI1NiIsInVzZXJfaWQiOiI0MiIsImlzc3VlZF9hdCI6MX0"
	for name, test := range map[string]struct{ secret, text, user string }{
		"ours":                {"s3cret", good, "218471"},
		"made elsewhere":      {"secret", made, "42"},
		"a number":            {"k", signedBy("k", `{"algorithm":"HMAC-SHA256","user_id":77,"issued_at":1}`), "77"},
		"another secret":      {"other", good, ""},
		"no secret":           {"", signedBy("", `{"algorithm":"HMAC-SHA256","user_id":"1"}`), ""},
		"another algorithm":   {"k", signedBy("k", `{"algorithm":"none","user_id":"1"}`), ""},
		"no user":             {"k", signedBy("k", `{"algorithm":"HMAC-SHA256"}`), ""},
		"a path for a user":   {"k", signedBy("k", `{"algorithm":"HMAC-SHA256","user_id":"1/x"}`), ""},
		"no JSON":             {"k", signedBy("k", `{`), ""},
		"no dot":              {"k", "abc", ""},
		"nothing":             {"k", "", ""},
		"a changed payload":   {"s3cret", good + "A", ""},
		"a signature cut":     {"s3cret", good[4:], ""},
		"no signature":        {"s3cret", good[strings.IndexByte(good, '.'):], ""},
		"signature no base64": {"s3cret", "!!!." + good[strings.IndexByte(good, '.')+1:], ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := ParseSignedRequest(test.secret, test.text)
			if test.user == "" {
				if !errors.Is(err, ErrSignedRequest) {
					t.Fatalf("got %+v, %v", r, err)
				}
				return
			}
			if err != nil || r.UserID != test.user || r.IssuedAt == 0 {
				t.Errorf("got %+v, %v", r, err)
			}
		})
	}
}

func FuzzParseSignedRequest(f *testing.F) {
	f.Add("k", "a.b")
	f.Fuzz(func(t *testing.T, secret, text string) {
		if r, err := ParseSignedRequest(secret, text); err == nil {
			if _, err := r.Sign(secret); err != nil {
				t.Error(err)
			}
		}
	})
}
