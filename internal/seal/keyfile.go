package seal

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Load reads the key file: one line, the standard base64 of KeySize bytes. The error is fs.ErrNotExist, wrapped, when there is none.
func Load(path string) (*Sealer, error) {
	line, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read key file: %w", err)
	}
	key, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(line)))
	if err != nil || len(key) != KeySize {
		// The decoder's own error would quote a byte of the key.
		return nil, fmt.Errorf("key file %s is not one line with the base64 of %d bytes", path, KeySize)
	}
	return New(key)
}

// Create makes a key file with a new random key, readable by its owner only, on disk before it returns. It never overwrites:
// the error is fs.ErrExist, wrapped, when the file is there already.
func Create(path string) (*Sealer, error) {
	key := NewKey()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make folder of key file: %w", err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("make key file: %w", err)
	}
	_, err = f.WriteString(base64.StdEncoding.EncodeToString(key) + "\n")
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		os.Remove(path)
		return nil, fmt.Errorf("write key file: %w", err)
	}
	if err := syncFolder(filepath.Dir(path)); err != nil {
		return nil, err
	}
	return New(key)
}

// syncFolder makes a new file's name durable. Not every system lets a folder be synced; where it does not, the name is as durable
// as that system makes it.
func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open folder of key file: %w", err)
	}
	d.Sync()
	return d.Close()
}

// ErrKeyMissing is returned by Ensure when the database holds a fingerprint and the key file is gone.
var ErrKeyMissing = errors.New("the database holds secrets sealed with a key whose file is missing")

// ErrKeyMismatch is returned by Ensure when the key file is not the one the database was sealed with.
var ErrKeyMismatch = errors.New("the key file is not the one this database was sealed with")

// Ensure answers the Sealer for a database. stored is the fingerprint that the database holds, empty when it holds no secret: only then is a
// missing key file made, for otherwise a lost file would silently be replaced by one that opens nothing. The caller stores the
// Fingerprint of the Sealer when stored was empty.
func Ensure(path, stored string) (*Sealer, error) {
	s, err := Load(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && stored == "":
		s, err = Create(path)
		if errors.Is(err, fs.ErrExist) {
			return Load(path) // another process was first
		}
		return s, err
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w: put back %s, or restore it from the backup", ErrKeyMissing, path)
	case err != nil:
		return nil, err
	case stored != "" && stored != s.fingerprint:
		return nil, fmt.Errorf("%w: %s has fingerprint %s, the database %s", ErrKeyMismatch, path, s.fingerprint, stored)
	}
	return s, nil
}
