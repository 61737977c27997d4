package messenger

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"net/url"
	"strings"
)

// The names of the headers that carry a delivery's signatures.
const (
	SignatureHeader     = "X-Hub-Signature-256"
	SignatureHeaderSHA1 = "X-Hub-Signature"
)

// Errors of [Verify] and [VerifySHA1]. All of them match [ErrSignature].
var (
	ErrSignature          = errors.New("webhook signature")
	ErrSignatureMissing   = fmt.Errorf("%w is missing", ErrSignature)
	ErrSignatureMalformed = fmt.Errorf("%w is malformed", ErrSignature)
	ErrSignatureMismatch  = fmt.Errorf("%w does not match", ErrSignature)
)

// ErrChallenge is returned by [Challenge] for a request that is not a valid
// verification request or carries another verify token.
var ErrChallenge = errors.New("webhook verification request does not match")

// Sign returns the value of the X-Hub-Signature-256 header for a body as it
// goes over the wire: "sha256=" and 64 lower-case hex digits.
//
// Docs: https://developers.facebook.com/docs/graph-api/webhooks/getting-started
func Sign(secret string, body []byte) string {
	return "sha256=" + mac(sha256.New, secret, body)
}

// SignSHA1 returns the value of the older X-Hub-Signature header: "sha1=" and
// 40 lower-case hex digits. The platform still sends it beside the newer one.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/webhooks
func SignSHA1(secret string, body []byte) string {
	return "sha1=" + mac(sha1.New, secret, body)
}

// Verify checks the value of the X-Hub-Signature-256 header against the raw body in constant time.
// The error matches [ErrSignature] and reveals neither the expected nor the received value.
//
// Docs: https://developers.facebook.com/docs/graph-api/webhooks/getting-started
func Verify(secret string, body []byte, header string) error {
	return verify(header, "sha256=", 64, Sign(secret, body))
}

// VerifySHA1 checks the value of the older X-Hub-Signature header. Use it only
// for senders that do not send the newer header.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/webhooks
func VerifySHA1(secret string, body []byte, header string) error {
	return verify(header, "sha1=", 40, SignSHA1(secret, body))
}

// Challenge answers a verification request: given the query of the GET and the
// verify token that was agreed on, it returns the text to answer with status
// 200. Otherwise the error is [ErrChallenge]. The comparison takes constant
// time.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/webhooks
func Challenge(query url.Values, verifyToken string) (string, error) {
	got := query.Get("hub.verify_token")
	same := subtle.ConstantTimeCompare([]byte(got), []byte(verifyToken)) == 1
	if query.Get("hub.mode") != "subscribe" || verifyToken == "" || !same {
		return "", ErrChallenge
	}
	return query.Get("hub.challenge"), nil
}

func mac(h func() hash.Hash, secret string, body []byte) string {
	m := hmac.New(h, []byte(secret))
	m.Write(body)
	return hex.EncodeToString(m.Sum(nil))
}

func verify(header, prefix string, digits int, want string) error {
	if header == "" {
		return ErrSignatureMissing
	}
	if !strings.HasPrefix(header, prefix) || len(header) != len(prefix)+digits {
		return ErrSignatureMalformed
	}
	if subtle.ConstantTimeCompare([]byte(header), []byte(want)) != 1 {
		return ErrSignatureMismatch
	}
	return nil
}
