package seal

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// Load reads the key file: one line, the standard base64 of KeySize bytes. The error is
// fs.ErrNotExist, wrapped, when there is none.
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

// Create makes a key file with a new random key, readable by its owner only, on disk before it
// returns. It never overwrites: the error is fs.ErrExist, wrapped, when the file is there already.
// The file has its name only once it is whole, so that nobody reads half of it.
func Create(path string) (*Sealer, error) {
	key := NewKey()
	folder := filepath.Dir(path)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("make folder of key file: %w", err)
	}
	f, err := os.CreateTemp(folder, ".chasqui-key-*") // for its owner only
	if err != nil {
		return nil, fmt.Errorf("make key file: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(base64.StdEncoding.EncodeToString(key) + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return nil, fmt.Errorf("write key file: %w", err)
	}
	if err := os.Link(f.Name(), path); errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("make key file: %w", err)
	} else if err != nil { // not every file system has links
		if err := put(path, key); err != nil {
			return nil, err
		}
	}
	if err := syncFolder(folder); err != nil {
		return nil, err
	}
	return New(key)
}

// put writes a key file in place.
func put(path string, key []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("make key file: %w", err)
	}
	_, err = f.WriteString(base64.StdEncoding.EncodeToString(key) + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		os.Remove(path)
		return fmt.Errorf("write key file: %w", err)
	}
	return nil
}

// ErrKeyExposed is returned by Private when others than the owner may read or change a key file.
var ErrKeyExposed = errors.New("others than its owner may read or change the key file")

// Private reports whether a key file is its owner's alone, where the system knows of such a thing;
// nil also when there is none yet.
func Private(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || runtime.GOOS == "windows" {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look at key file: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("%w: %s has mode %04o; run chmod 600 on it, or, where others must not be kept out, as with what an orchestrator mounts, set keyFileShared", ErrKeyExposed, path, mode)
	}
	return nil
}

// syncFolder makes a new file's name durable. Not every system lets a folder be synced; where it
// does not, the name is as durable as that system makes it.
func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open folder of key file: %w", err)
	}
	d.Sync()
	return d.Close()
}

// ErrKeyMissing is returned by Ensure when the database holds a fingerprint and the key file is
// gone.
var ErrKeyMissing = errors.New("the database holds secrets sealed with a key whose file is missing")

// ErrKeyMismatch is returned by Ensure when the key file is not the one the database was sealed
// with.
var ErrKeyMismatch = errors.New("the key file is not the one this database was sealed with")

// Ensure returns the Sealer for a database. stored is the fingerprint that the database holds,
// empty when it holds no secret: only then is a missing key file made, for otherwise a lost file
// would silently be replaced by one that opens nothing. The caller stores the Fingerprint of the
// Sealer when stored was empty.
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
