package store

import (
	"fmt"
	"path/filepath"

	"github.com/gofrs/flock"
)

// GatewayRuns reports whether a gateway works on the SQLite folder of a store that was opened
// beside it. With PostgreSQL, whose writers do not wait for one another, it is always false.
func (s *Store) GatewayRuns() (bool, error) {
	if s.path == "" || s.lock != nil {
		return false, nil
	}
	lock := flock.New(filepath.Join(filepath.Dir(s.path), "gateway.lock"))
	free, err := lock.TryLock()
	if err != nil {
		return false, fmt.Errorf("look for a gateway: %w", err)
	}
	if !free {
		return true, nil
	}
	return false, lock.Unlock()
}
