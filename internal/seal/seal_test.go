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
	"sync"
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

// Whoever finds the file finds it whole, however many begin at once.
func TestManyMakeTheKeyFileAtOnce(t *testing.T) {
	t.Parallel()
	for range 20 {
		path := filepath.Join(t.TempDir(), "folder", "key")
		const nodes = 8
		prints, errs := make([]string, nodes), make([]error, nodes)
		var all sync.WaitGroup
		for i := range nodes {
			all.Go(func() {
				s, err := Ensure(path, "")
				if errs[i] = err; err == nil {
					prints[i] = s.Fingerprint()
				}
			})
		}
		all.Wait()
		for i := range nodes {
			if errs[i] != nil || prints[i] != prints[0] {
				t.Fatalf("node %d: %q, %v; the first has %q", i, prints[i], errs[i], prints[0])
			}
		}
		left, err := os.ReadDir(filepath.Dir(path))
		if err != nil || len(left) != 1 {
			t.Fatalf("%d files are there: %v", len(left), err)
		}
	}
}

func TestAKeyFileThatOthersMayRead(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows keeps this elsewhere")
	}
	path := filepath.Join(t.TempDir(), "key")
	if err := Private(path); err != nil {
		t.Errorf("a file that is not there: %v", err)
	}
	if _, err := Create(path); err != nil {
		t.Fatal(err)
	}
	for mode, want := range map[os.FileMode]bool{0o600: true, 0o400: true, 0o644: false, 0o640: false, 0o660: false, 0o602: false, 0o604: false} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		err := Private(path)
		if (err == nil) != want || err != nil && (!errors.Is(err, ErrKeyExposed) || !strings.Contains(err.Error(), "chmod 600")) {
			t.Errorf("%o: %v", mode, err)
		}
	}
}
