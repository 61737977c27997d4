package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/chasqui/chasqui/internal/gateway"
)

const selectKeys = `SELECT id, name, scopes, applications, created_at, revoked_at FROM api_keys`

func scanKey(rows *sql.Rows) (*gateway.APIKey, error) {
	var k gateway.APIKey
	var scopes, applications string
	var created, revoked int64
	if err := rows.Scan(&k.ID, &k.Name, &scopes, &applications, &created, &revoked); err != nil {
		return nil, fmt.Errorf("read API key: %w", err)
	}
	if err := json.Unmarshal([]byte(scopes), &k.Scopes); err != nil {
		return nil, fmt.Errorf("read scopes of API key %s: %w", k.ID, err)
	}
	if err := json.Unmarshal([]byte(applications), &k.Applications); err != nil {
		return nil, fmt.Errorf("read applications of API key %s: %w", k.ID, err)
	}
	k.All = len(k.Applications) == 0
	k.CreatedAt, k.RevokedAt = FromMillis(created), FromMillis(revoked)
	return &k, nil
}

// keptApplications writes the applications of a key beside what the key has made; nothing for a key of all.
func keptApplications(applications []string) string {
	if len(applications) == 0 {
		return ""
	}
	return string(data(applications))
}

func readApplications(kept string) (applications []string, err error) {
	if kept != "" {
		err = json.Unmarshal([]byte(kept), &applications)
	}
	return applications, err
}

// CreateKey stores what is kept of a new API key: its hash, never the key. Its ID and CreatedAt are set.
func (s *Store) CreateKey(ctx context.Context, k *gateway.APIKey, key gateway.Secret) error {
	return s.Write(ctx, func(tx *Tx) error {
		k.ID, k.CreatedAt = tx.NewID("key"), tx.Now()
		hash := gateway.HashAPIKey(key.Reveal())
		_, err := tx.Exec(`INSERT INTO api_keys (id, name, hash, scopes, applications, created_at) VALUES (?, ?, ?, ?, ?, ?)`,
			k.ID, k.Name, hash[:], string(data(k.Scopes)), string(data(k.Applications)), Millis(k.CreatedAt))
		if err != nil {
			return fmt.Errorf("store API key: %w", err)
		}
		return nil
	})
}

// KeyByHash answers the key of a hash, also a revoked one; a not_found error when there is none.
func (s *Store) KeyByHash(ctx context.Context, hash [32]byte) (*gateway.APIKey, error) {
	rows, err := s.Query(ctx, selectKeys+` WHERE hash = ?`, hash[:])
	keys, err := Collect(rows, err, scanKey)
	if err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return nil, gateway.NotFound("API key", "")
	}
	return keys[0], nil
}

// Keys answers every API key, the oldest first, those that are revoked too.
func (s *Store) Keys(ctx context.Context) ([]*gateway.APIKey, error) {
	rows, err := s.Query(ctx, selectKeys+` ORDER BY created_at, id`)
	return Collect(rows, err, scanKey)
}

// RevokeKey revokes an API key for good. Revoking it again changes nothing; the error is not_found when there is none.
func (s *Store) RevokeKey(ctx context.Context, id string) error {
	return s.Write(ctx, func(tx *Tx) error {
		n, err := tx.Exec(`UPDATE api_keys SET revoked_at = CASE WHEN revoked_at = 0 THEN ? ELSE revoked_at END WHERE id = ?`, Millis(tx.Now()), id)
		if err != nil {
			return fmt.Errorf("revoke API key %s: %w", id, err)
		}
		if n == 0 {
			return gateway.NotFound("API key", id)
		}
		return nil
	})
}
