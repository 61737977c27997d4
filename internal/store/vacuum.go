package store

import (
	"context"
	"fmt"
)

// Vacuum rewrites SQLite's file without the space of rows that are gone, and empties its
// write-ahead log: what had been removed cannot be found in the files any more. It takes as long as
// copying the file, as much room again, and nothing can be written meanwhile. PostgreSQL looks
// after its files by itself, and Vacuum does nothing.
func (s *Store) Vacuum(ctx context.Context) error {
	if s.path == "" {
		return nil
	}
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("vacuum: %w", err)
	}
	defer conn.Close()
	defer conn.ExecContext(context.WithoutCancel(ctx), `PRAGMA query_only = ON`)
	for _, statement := range []string{`PRAGMA query_only = OFF`, `VACUUM`, `PRAGMA wal_checkpoint(TRUNCATE)`} {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("vacuum: %w", err)
		}
	}
	return nil
}
