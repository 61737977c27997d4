package store_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/chasqui/chasqui/internal/store"
	"github.com/chasqui/chasqui/internal/store/storetest"
)

// A token opens as it was made, for what it was made for, on every node; one that was changed, cut
// or made for something else does not.
func TestTokens(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, storetest.SQLite(t))
	vault, err := store.OpenVault(t.Context(), s, filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	tokens, elsewhere := store.NewTokens(vault), store.NewTokens(vault)
	rapid.Check(t, func(r *rapid.T) {
		value := rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(r, "value")
		token, err := tokens.Seal(t.Context(), "a", value)
		if err != nil {
			r.Fatal(err)
		}
		if got, err := elsewhere.Open(t.Context(), "a", token); err != nil || string(got) != string(value) {
			r.Fatalf("%x %v", got, err)
		}
		if _, err := tokens.Open(t.Context(), "b", token); !errors.Is(err, store.ErrToken) {
			r.Fatalf("for another purpose: %v", err)
		}
		at := rapid.IntRange(0, len(token)-1).Draw(r, "at")
		with := string(rapid.SampledFrom([]rune("abcXYZ019-_=+/ é")).Draw(r, "with"))
		if changed := token[:at] + with + token[at+1:]; changed != token {
			if _, err := tokens.Open(t.Context(), "a", changed); !errors.Is(err, store.ErrToken) {
				r.Fatalf("changed at %d to %q: %v", at, with, err)
			}
		}
		if _, err := tokens.Open(t.Context(), "a", token[:at]); !errors.Is(err, store.ErrToken) {
			r.Fatalf("cut at %d: %v", at, err)
		}
		signature, err := tokens.Sign(t.Context(), "text")
		if err != nil || !elsewhere.Signed(t.Context(), "text", signature) || tokens.Signed(t.Context(), "other", signature) || tokens.Signed(t.Context(), "text", strings.ToUpper(signature)) && strings.ToUpper(signature) != signature {
			r.Fatalf("signature %s: %v", signature, err)
		}
	})
}
