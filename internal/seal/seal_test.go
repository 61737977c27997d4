package seal

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

var place = Place{"applications", "access_token", "0123456789ABCDEF0123456789ABCDEF"}

func newSealer(t *testing.T) *Sealer {
	t.Helper()
	s, err := New(NewKey())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestASealedValueOpensAtItsPlaceOnly(t *testing.T) {
	t.Parallel()
	s := newSealer(t)
	const value = "EAAB-token ✓"
	sealed := s.Seal(place, value)
	if strings.Contains(sealed, value) {
		t.Fatal("the value is readable")
	}
	if again := s.Seal(place, value); again == sealed {
		t.Error("the same value seals to the same text")
	}
	if got, err := s.Open(place, sealed); err != nil || got != value {
		t.Fatalf("Open = %q, %v", got, err)
	}
	for name, at := range map[string]Place{
		"another table":     {"subscriptions", place.Column, place.Row},
		"another column":    {place.Table, "app_secret", place.Row},
		"another row":       {place.Table, place.Column, "FFFF"},
		"shifted separator": {place.Table + "\x00" + place.Column, "", place.Row},
	} {
		if _, err := s.Open(at, sealed); !errors.Is(err, ErrOpen) {
			t.Errorf("%s: err = %v", name, err)
		}
	}
	if _, err := newSealer(t).Open(place, sealed); !errors.Is(err, ErrOpen) {
		t.Errorf("another key: err = %v", err)
	}
}

func TestADamagedValueDoesNotOpen(t *testing.T) {
	t.Parallel()
	s := newSealer(t)
	sealed := s.Seal(place, "value")
	for i := range sealed {
		damaged := []byte(sealed)
		damaged[i] ^= 1
		if got, err := s.Open(place, string(damaged)); err == nil && got != "value" {
			t.Errorf("byte %d changed: opened as %q", i, got)
		} else if err != nil && !errors.Is(err, ErrOpen) {
			t.Errorf("byte %d changed: err = %v", i, err)
		}
	}
	for _, bad := range []string{"value", "v1:", "v1:AAAA", "v2:" + sealed[3:], sealed[:len(sealed)-4]} {
		if _, err := s.Open(place, bad); !errors.Is(err, ErrOpen) {
			t.Errorf("Open(%q): err = %v", bad, err)
		}
	}
	if got, err := s.Open(place, s.Seal(place, "")); got != "" || err != nil {
		t.Errorf("empty value: %q, %v", got, err)
	}
}

func TestTheKeyFileIsMadeOnceAndPrivate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "folder", "chasqui.key")
	first, err := Ensure(path, "")
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode = %v", info.Mode())
	}
	content, _ := os.ReadFile(path)
	key, err := base64.StdEncoding.DecodeString(string(bytes.TrimSuffix(content, []byte("\n"))))
	if err != nil || len(key) != KeySize {
		t.Errorf("content is not a base64 line of a key: %v", err)
	}
	for _, stored := range []string{"", first.Fingerprint()} {
		again, err := Ensure(path, stored)
		if err != nil || again.Fingerprint() != first.Fingerprint() {
			t.Errorf("second start with %q: %v", stored, err)
		}
	}
	if _, err := Create(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Create over a file: err = %v", err)
	}
}

func TestAForeignOrLostKeyFileRefuses(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "chasqui.key")
	stored := newSealer(t).Fingerprint()
	if _, err := Ensure(path, stored); !errors.Is(err, ErrKeyMissing) {
		t.Errorf("lost file: err = %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a file was made although the database holds secrets")
	}
	if _, err := Create(path); err != nil {
		t.Fatal(err)
	}
	if _, err := Ensure(path, stored); !errors.Is(err, ErrKeyMismatch) || !strings.Contains(err.Error(), stored) {
		t.Errorf("foreign file: err = %v", err)
	}
	if err := os.WriteFile(path, []byte("c2hvcnQ=\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Ensure(path, ""); err == nil || strings.Contains(err.Error(), "c2hvcnQ") {
		t.Errorf("malformed file: err = %v", err)
	}
}
