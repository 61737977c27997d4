// Package seal encrypts the secrets that are kept in the database (page tokens, app secrets,
// signing secrets) with a key that lives in a file beside it. It knows nothing of SQL: whoever
// stores a value says at which place it lies, and a value opens only at its own place.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// KeySize is the length of a key in bytes: AES-256.
const KeySize = 32

// format stands in front of every sealed value, so that another scheme can follow without guessing.
const format = "v1:"

// ErrOpen is returned by Open when a value was sealed with another key, for another place, or has
// been changed since.
var ErrOpen = errors.New("sealed value does not open: wrong key file, moved or damaged")

// Sealer seals and opens values with one key. It is safe for any number of goroutines.
type Sealer struct {
	aead        cipher.AEAD
	fingerprint string
}

// New makes a Sealer of a key of KeySize bytes.
func New(key []byte) (*Sealer, error) {
	if len(key) != KeySize {
		return nil, fmt.Errorf("key has %d bytes instead of %d", len(key), KeySize)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("make cipher: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("make cipher mode: %w", err)
	}
	sum := sha256.Sum256(append([]byte("chasqui key fingerprint\x00"), key...))
	return &Sealer{aead: aead, fingerprint: hex.EncodeToString(sum[:16])}, nil
}

// Fingerprint identifies the key without giving anything of it away: 32 lower-case hexadecimal
// digits.
func (s *Sealer) Fingerprint() string { return s.fingerprint }

// Place is where a sealed value lies: table, column and the row's key.
type Place struct{ Table, Column, Row string }

func (p Place) bytes() []byte { return []byte(p.Table + "\x00" + p.Column + "\x00" + p.Row) }

// Seal encrypts a value for its place. The same value seals to other text each time. An empty value
// stays empty.
func (s *Sealer) Seal(at Place, value string) string {
	if value == "" {
		return ""
	}
	return format + base64.RawStdEncoding.EncodeToString(s.aead.Seal(nil, nil, []byte(value), at.bytes()))
}

// Open is the inverse of Seal. Its error is ErrOpen, wrapped with the place.
func (s *Sealer) Open(at Place, sealed string) (string, error) {
	if sealed == "" {
		return "", nil
	}
	encoded, ok := strings.CutPrefix(sealed, format)
	if !ok {
		return "", fmt.Errorf("open %s.%s: %w", at.Table, at.Column, ErrOpen)
	}
	box, err := base64.RawStdEncoding.DecodeString(encoded)
	if err != nil {
		return "", fmt.Errorf("open %s.%s: %w", at.Table, at.Column, ErrOpen)
	}
	value, err := s.aead.Open(nil, nil, box, at.bytes())
	if err != nil {
		return "", fmt.Errorf("open %s.%s: %w", at.Table, at.Column, ErrOpen)
	}
	return string(value), nil
}

// SealBytes encrypts a value; context must be the same when it is opened.
func (s *Sealer) SealBytes(context, value []byte) []byte {
	return s.aead.Seal(nil, nil, value, context)
}

// OpenBytes is the inverse of SealBytes. Its error is ErrOpen.
func (s *Sealer) OpenBytes(context, box []byte) ([]byte, error) {
	value, err := s.aead.Open(nil, nil, box, context)
	if err != nil {
		return nil, ErrOpen
	}
	return value, nil
}

// NewKey makes a random key.
func NewKey() []byte {
	key := make([]byte, KeySize)
	rand.Read(key) // never fails: crypto/rand ends the process instead
	return key
}
