package sessions

import (
	"context"
	"database/sql"
	_ "embed"
	"fmt"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
)

//go:embed 0008_sessions.sql
var tables string

// Extension is what this package keeps in the database.
func Extension() store.Extension {
	return store.Extension{
		Name:       Dialect,
		Migrations: []store.Migration{{Version: 8, SQL: tables}, {Version: 17, Run: carryOver}},
		Tables:     []store.Table{{Name: "sessions", Profile: "profile", Age: &store.Age{Key: "id", Since: "expires_at", Life: store.Week}}},
	}
}

// addSession stores a session.
func addSession(tx *store.Tx, s *Session) error {
	_, err := tx.Exec(`INSERT INTO sessions (id, app, profile, device, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)`,
		s.ID, s.Application, s.ProfileID, string(s.Device), store.Millis(s.CreatedAt), store.Millis(s.ExpiresAt))
	if err != nil {
		return fmt.Errorf("store session: %w", err)
	}
	return nil
}

// session returns one session; a not_found error when there is none.
func (s *Sessions) session(ctx context.Context, id string) (*Session, error) {
	rows, err := s.Store.Query(ctx, `SELECT id, app, profile, device, created_at, expires_at, ended_at FROM sessions WHERE id = ?`, id)
	return store.One("session", id, rows, err, func(r *sql.Rows) (*Session, error) {
		var x Session
		var device string
		var created, expires, ended int64
		if err := r.Scan(&x.ID, &x.Application, &x.ProfileID, &device, &created, &expires, &ended); err != nil {
			return nil, fmt.Errorf("read session: %w", err)
		}
		x.Device, x.CreatedAt, x.ExpiresAt, x.EndedAt = []byte(device), store.FromMillis(created), store.FromMillis(expires), store.FromMillis(ended)
		return &x, nil
	})
}

// End ends a session that lasts; a not_found error when there is none.
func (s *Sessions) End(ctx context.Context, id string) error {
	return s.Store.Write(ctx, func(tx *store.Tx) error {
		n, err := tx.Exec(`UPDATE sessions SET ended_at = ? WHERE id = ? AND ended_at = 0`, tx.Now().UnixMilli(), id)
		if err == nil && n == 0 {
			return gateway.NotFound("session", id)
		}
		return err
	})
}
