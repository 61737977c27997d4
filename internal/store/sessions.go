package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
)

// AddSession stores a session.
func (tx *Tx) AddSession(s *gateway.Session) error {
	_, err := tx.Exec(`INSERT INTO sessions (id, app, profile, device, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)`,
		s.ID, s.Application, s.ProfileID, string(s.Device), millis(s.CreatedAt), millis(s.ExpiresAt))
	if err != nil {
		return fmt.Errorf("store session: %w", err)
	}
	return nil
}

// Session answers one session; a not_found error when there is none.
func (s *Store) Session(ctx context.Context, id string) (*gateway.Session, error) {
	rows, err := s.query(ctx, `SELECT id, app, profile, device, created_at, expires_at, ended_at FROM sessions WHERE id = ?`, id)
	return only("session", id, rows, err, func(r *sql.Rows) (*gateway.Session, error) {
		var x gateway.Session
		var device string
		var created, expires, ended int64
		if err := r.Scan(&x.ID, &x.Application, &x.ProfileID, &device, &created, &expires, &ended); err != nil {
			return nil, fmt.Errorf("read session: %w", err)
		}
		x.Device, x.CreatedAt, x.ExpiresAt, x.EndedAt = []byte(device), fromMillis(created), fromMillis(expires), fromMillis(ended)
		return &x, nil
	})
}

// EndSession ends a session that lasts; a not_found error when there is none.
func (s *Store) EndSession(ctx context.Context, id string) error {
	return s.Write(ctx, func(tx *Tx) error {
		n, err := tx.Exec(`UPDATE sessions SET ended_at = ? WHERE id = ? AND ended_at = 0`, tx.now.UnixMilli(), id)
		if err == nil && n == 0 {
			return gateway.NotFound("session", id)
		}
		return err
	})
}

// RetireSessions removes up to limit sessions that ended before a moment.
func (s *Store) RetireSessions(ctx context.Context, before time.Time, limit int) (int64, error) {
	return s.retire(ctx, `DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at < ? LIMIT ?)`, millis(before), limit)
}
