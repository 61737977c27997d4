package vonage

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/hex"
	"hash"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
)

const methodMD5Hash = "md5hash"

// methods are the ways to sign, as the provider names them.
func methods() []string { return []string{methodMD5Hash, "md5", "sha1", "sha256", "sha512"} }

// signature signs parameters: `&name=value` for each but sig, in the order of the names, with an
// underscore for each & and = in a name or value. md5hash is the MD5 of that with the secret behind
// it; the other methods are HMACs with the secret as their key.
//
// Docs: https://developer.vonage.com/en/getting-started/concepts/signing-messages
func signature(method string, secret gateway.Secret, params map[string]string) string {
	escape := strings.NewReplacer("&", "_", "=", "_")
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(params)) {
		if name != "sig" {
			text.WriteString("&" + escape.Replace(name) + "=" + escape.Replace(params[name]))
		}
	}
	var sum hash.Hash
	switch method {
	case "md5":
		sum = hmac.New(md5.New, []byte(secret.Reveal()))
	case "sha1":
		sum = hmac.New(sha1.New, []byte(secret.Reveal()))
	case "sha256":
		sum = hmac.New(sha256.New, []byte(secret.Reveal()))
	case "sha512":
		sum = hmac.New(sha512.New, []byte(secret.Reveal()))
	default:
		sum = md5.New()
		text.WriteString(secret.Reveal())
	}
	io.WriteString(sum, text.String()) // a hash takes everything
	return hex.EncodeToString(sum.Sum(nil))
}

// How far the timestamp of a callback may be from now. One that was not answered with success is
// brought again for a day, and says when it was brought first. Receipts and messages that come
// twice count once.
const (
	mostAhead = 5 * time.Minute
	mostAge   = 25 * time.Hour
)

// genuine reports whether the parameters of a callback are signed with the account's secret, at a
// time that may be.
func genuine(method string, secret gateway.Secret, params map[string]string, now time.Time) bool {
	if secret == "" || params["sig"] == "" {
		return false
	}
	want := signature(method, secret, params)
	if subtle.ConstantTimeCompare([]byte(want), []byte(strings.ToLower(params["sig"]))) != 1 {
		return false
	}
	seconds, err := strconv.ParseInt(params["timestamp"], 10, 64)
	if err != nil {
		return false
	}
	at := time.Unix(seconds, 0)
	return at.Before(now.Add(mostAhead)) && at.After(now.Add(-mostAge))
}
