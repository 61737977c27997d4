package sessions

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
)

// FuzzTokens reads a business's token and a session's of any text. One that is accepted carries a
// signature by the secret, computed here by hand.
func FuzzTokens(f *testing.F) {
	const secret = "a secret of 32 bytes, as it must be"
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s, err := store.Open(f.Context(), store.Options{URL: filepath.Join(f.TempDir(), "chasqui.db"), Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return now }})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { s.Close() })
	vault, err := store.OpenVault(f.Context(), s, filepath.Join(f.TempDir(), "key"))
	if err != nil {
		f.Fatal(err)
	}
	sessions := &Sessions{Store: s, Tokens: store.NewTokens(vault), Secret: secret, IDClaim: "sub"}
	signed := func(method jwt.SigningMethod, key any, claims jwt.MapClaims) string {
		text, err := jwt.NewWithClaims(method, claims).SignedString(key)
		if err != nil {
			f.Fatal(err)
		}
		return text
	}
	good := jwt.MapClaims{"sub": "ana", "nonce": "n", "exp": now.Add(time.Hour).Unix()}
	if who, err := sessions.whom(signed(jwt.SigningMethodHS256, []byte(secret), good), "n"); who != "ana" || err != nil {
		f.Fatalf("a good token names %q: %v", who, err)
	}
	for _, token := range []string{
		signed(jwt.SigningMethodHS256, []byte(secret), good),
		signed(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, good),
		signed(jwt.SigningMethodHS512, []byte(secret), good),
		signed(jwt.SigningMethodHS256, []byte{}, good),
		signed(jwt.SigningMethodHS256, []byte(secret), jwt.MapClaims{"sub": "a\x00b", "nonce": "n", "exp": now.Add(time.Hour).Unix()}),
		signed(jwt.SigningMethodHS256, []byte(secret), jwt.MapClaims{"sub": []string{"ana"}, "nonce": 1, "exp": "soon", "aud": map[string]any{}}),
		signed(jwt.SigningMethodHS256, []byte(secret), jwt.MapClaims{"sub": "ana", "nonce": "n", "exp": 1e300}),
		"", "..", "a.b.c", strings.Repeat(".", 100), "\x00.\xff.\x00",
	} {
		f.Add(token)
	}
	f.Fuzz(func(t *testing.T, token string) {
		if len(token) > 16<<10 {
			return
		}
		if _, err := sessions.Authenticate(t.Context(), token); gateway.CodeOf(err) != gateway.CodeUnauthorized {
			t.Fatalf("a session of %q: %v", token, err)
		}
		who, err := sessions.whom(token, "n")
		if err != nil {
			if gateway.CodeOf(err) != gateway.CodeUnauthorized {
				t.Fatalf("%q: %v", token, err)
			}
			return
		}
		cut := strings.LastIndexByte(token, '.')
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(token[:cut]))
		signature, err := base64.RawURLEncoding.DecodeString(token[cut+1:])
		if err != nil || !hmac.Equal(signature, mac.Sum(nil)) {
			t.Fatalf("%q is accepted as %q without a signature by the secret", token, who)
		}
		if err := gateway.ValidateProfileID(who); err != nil {
			t.Fatalf("%q names %q: %v", token, who, err)
		}
	})
}

// A session ends once, and goes with its age.
func TestSessionsEnd(t *testing.T) {
	t.Parallel()
	now := time.Now().UTC().Truncate(time.Millisecond)
	s, err := store.Open(t.Context(), store.Options{URL: filepath.Join(t.TempDir(), "chasqui.db"), Extensions: []store.Extension{Extension()}, Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	sessions := &Sessions{Store: s}
	made := &Session{ID: "ses_1", Application: "APP", ProfileID: "dave", Device: json.RawMessage(`{}`), CreatedAt: now, ExpiresAt: now.Add(time.Hour)}
	if err := s.Write(t.Context(), func(tx *store.Tx) error { return addSession(tx, made) }); err != nil {
		t.Fatal(err)
	}
	got, err := sessions.session(t.Context(), "ses_1")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(made, got); diff != "" || !got.Active(now) || got.Active(now.Add(time.Hour)) {
		t.Error(diff)
	}
	if err := sessions.End(t.Context(), "ses_1"); err != nil {
		t.Fatal(err)
	}
	if err := sessions.End(t.Context(), "ses_1"); gateway.CodeOf(err) != gateway.CodeNotFound {
		t.Errorf("ended twice: %v", err)
	}
	now = now.Add(8*24*time.Hour + time.Hour)
	if n, err := s.Retire(t.Context(), Extension().Tables[0], store.Retention{}, 10); err != nil || n != 1 {
		t.Errorf("retired %d: %v", n, err)
	}
	if _, err := sessions.session(t.Context(), "ses_1"); gateway.CodeOf(err) != gateway.CodeNotFound {
		t.Errorf("retired: %v", err)
	}
}
