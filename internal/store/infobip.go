package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
)

const selectConfigurations = `SELECT key, app, name, created_at FROM infobip_configurations`

func scanConfiguration(rows *sql.Rows) (*gateway.InfobipConfiguration, error) {
	var c gateway.InfobipConfiguration
	var created int64
	if err := rows.Scan(&c.Key, &c.Application, &c.Name, &created); err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	c.CreatedAt = fromMillis(created)
	return &c, nil
}

// AddConfiguration stores a container of actions; its CreatedAt is set.
func (s *Store) AddConfiguration(ctx context.Context, c *gateway.InfobipConfiguration) error {
	return s.Write(ctx, func(tx *Tx) error {
		c.CreatedAt = tx.now
		_, err := tx.Exec(`INSERT INTO infobip_configurations (key, app, name, created_at) VALUES (?, ?, ?, ?)`, c.Key, c.Application, c.Name, millis(c.CreatedAt))
		if err != nil {
			return fmt.Errorf("store configuration: %w", err)
		}
		return nil
	})
}

// Configuration answers one container of actions; a not_found error when there is none.
func (s *Store) Configuration(ctx context.Context, key string) (*gateway.InfobipConfiguration, error) {
	rows, err := s.query(ctx, selectConfigurations+` WHERE key = ?`, key)
	return only("configuration", key, rows, err, scanConfiguration)
}

// Configurations answers the containers of actions of an application that have no name, the oldest first.
func (s *Store) Configurations(ctx context.Context, app string) ([]*gateway.InfobipConfiguration, error) {
	rows, err := s.query(ctx, selectConfigurations+` WHERE app = ? AND name = '' ORDER BY created_at, key`, app)
	return collect(rows, err, scanConfiguration)
}

// DeleteConfiguration removes a container of actions; a not_found error when there is none.
func (s *Store) DeleteConfiguration(ctx context.Context, key string) error {
	return s.Write(ctx, func(tx *Tx) error {
		n, err := tx.Exec(`DELETE FROM infobip_configurations WHERE key = ?`, key)
		if err == nil && n == 0 {
			return gateway.NotFound("configuration", key)
		}
		return err
	})
}

// AddKeySession stores a session by the hashes of its token and of the API key that it stands for.
func (s *Store) AddKeySession(ctx context.Context, token, key [32]byte, expires time.Time) error {
	return s.Write(ctx, func(tx *Tx) error {
		_, err := tx.Exec(`INSERT INTO infobip_sessions (hash, api_key, expires_at) VALUES (?, ?, ?)`, token[:], key[:], millis(expires))
		if err != nil {
			return fmt.Errorf("store session: %w", err)
		}
		return nil
	})
}

// KeySession answers the hash of the API key that a session stands for; a not_found error when there is none that lasts.
func (s *Store) KeySession(ctx context.Context, token [32]byte, now time.Time) (key [32]byte, err error) {
	var hash []byte
	err = s.queryRow(ctx, `SELECT api_key FROM infobip_sessions WHERE hash = ? AND expires_at > ?`, token[:], millis(now)).Scan(&hash)
	if err == sql.ErrNoRows {
		return key, gateway.NotFound("session", "")
	}
	copy(key[:], hash)
	return key, err
}

// EndKeySession ends a session; a not_found error when there is none.
func (s *Store) EndKeySession(ctx context.Context, token [32]byte) error {
	return s.Write(ctx, func(tx *Tx) error {
		n, err := tx.Exec(`DELETE FROM infobip_sessions WHERE hash = ?`, token[:])
		if err == nil && n == 0 {
			return gateway.NotFound("session", "")
		}
		return err
	})
}

// RetireKeySessions removes up to limit sessions that ended before a moment.
func (s *Store) RetireKeySessions(ctx context.Context, before time.Time, limit int) (int64, error) {
	return s.retire(ctx, `DELETE FROM infobip_sessions WHERE hash IN (SELECT hash FROM infobip_sessions WHERE expires_at < ? LIMIT ?)`, millis(before), limit)
}

// Advance moves the acknowledged position of a pull subscription from one position to a later one. It answers false, and changes nothing, when it stands elsewhere: then
// another has been handed what lies between.
func (v *Vault) Advance(ctx context.Context, id string, from, to int64) (bool, error) {
	var n int64
	err := v.s.Write(ctx, func(tx *Tx) (err error) {
		n, err = tx.Exec(`UPDATE subscriptions SET acked_pos = ? WHERE id = ? AND kind = 'pull' AND acked_pos = ?`, to, id, from)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("advance subscription %s: %w", id, err)
	}
	return n > 0, nil
}
