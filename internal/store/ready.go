package store

import (
	"context"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
)

const (
	freshCommit   = 3 * time.Second  // for how long a commit shows that the database takes more
	readyPatience = 2 * time.Second  // for which a commit of its own may take to show it
	standstill    = 30 * time.Second // of a reader, after which a node is not ready
)

// Ready returns why this node should get no requests: nothing could be committed in the last
// seconds, or a reader of the log does not get on. It is nil when it should.
func (s *Store) Ready(ctx context.Context) error {
	if at := s.committedAt.Load(); time.Since(time.Unix(0, at)) > freshCommit {
		ctx, cancel := context.WithTimeout(ctx, readyPatience)
		defer cancel()
		// An idle node shows it by a commit that changes nothing.
		err := s.Write(ctx, func(tx *Tx) error {
			_, err := tx.Exec(`UPDATE log_head SET one = one WHERE one = 0`)
			return err
		})
		if err != nil {
			return gateway.Errorf(gateway.CodeStoreUnavailable, "the database takes no commit").WithCause(err)
		}
	}
	for _, r := range s.Readers() {
		if r.Failing() > standstill {
			return gateway.Errorf(gateway.CodeStoreUnavailable, "the reader %s does not get on", r.Name)
		}
	}
	return nil
}
