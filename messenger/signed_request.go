package messenger

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// ErrSignedRequest is returned by ParseSignedRequest for a text that is not a signed request, or
// that was signed with another secret.
var ErrSignedRequest = errors.New("messenger: not a request signed with this app's secret")

// SignedRequest is what the platform posts, signed with the app's secret, to an app's data-deletion
// and deauthorize callbacks.
type SignedRequest struct {
	// Algorithm is HMAC-SHA256.
	Algorithm string `json:"algorithm"`
	// UserID is the person's app-scoped id, which differs from the PSID by which a page knows the
	// person.
	UserID string `json:"user_id"`
	// IssuedAt and Expires are seconds since 1970; zero when absent.
	IssuedAt int64 `json:"issued_at"`
	Expires  int64 `json:"expires,omitempty"`
}

const signedAlgorithm = "HMAC-SHA256"

// ParseSignedRequest reads the form field signed_request and checks its signature in constant time.
// The error is ErrSignedRequest, and does not say what was wrong.
//
// Docs: https://developers.facebook.com/docs/development/create-an-app/app-dashboard/data-deletion-callback
func ParseSignedRequest(appSecret, text string) (SignedRequest, error) {
	var r SignedRequest
	signature, payload, ok := strings.Cut(text, ".")
	if !ok || appSecret == "" {
		return r, ErrSignedRequest
	}
	given, err := decodeURL(signature)
	if err != nil || !hmac.Equal(given, signatureOf(appSecret, payload)) {
		return r, ErrSignedRequest
	}
	content, err := decodeURL(payload)
	if err != nil {
		return r, ErrSignedRequest
	}
	var wire struct {
		SignedRequest
		UserID json.RawMessage `json:"user_id"` // old ones are numbers
	}
	if json.Unmarshal(content, &wire) != nil || !strings.EqualFold(wire.Algorithm, signedAlgorithm) {
		return r, ErrSignedRequest
	}
	r = wire.SignedRequest
	r.UserID = strings.Trim(string(wire.UserID), `"`)
	if r.UserID == "" || strings.ContainsFunc(r.UserID, func(c rune) bool { return c < '0' || c > '9' }) {
		return r, ErrSignedRequest
	}
	return r, nil
}

// Sign makes the form field signed_request of a request, as the platform does.
func (r SignedRequest) Sign(appSecret string) (string, error) {
	r.Algorithm = signedAlgorithm
	content, err := json.Marshal(r)
	if err != nil {
		return "", fmt.Errorf("messenger: encode signed request: %w", err)
	}
	payload := base64.RawURLEncoding.EncodeToString(content)
	return base64.RawURLEncoding.EncodeToString(signatureOf(appSecret, payload)) + "." + payload, nil
}

func signatureOf(secret, payload string) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(payload))
	return mac.Sum(nil)
}

// decodeURL reads base64 in the alphabet of URLs, with or without padding.
func decodeURL(text string) ([]byte, error) {
	return base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
}
