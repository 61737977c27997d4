package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
)

// apiKey is what is kept of an API key: its hash, never the key.
type apiKey struct {
	gateway.APIKey
	hash [32]byte
}

var apiKeys = newTable("api_keys",
	plain("id", func(k *apiKey) *string { return &k.ID }),
	plain("name", func(k *apiKey) *string { return &k.Name }),
	written("hash", func(k *apiKey) any { return k.hash[:] }),
	document("scopes", func(k *apiKey) string { return jsonOf(k.Scopes, true) }, func(k *apiKey) *[]gateway.Scope { return &k.Scopes }),
	document("applications", func(k *apiKey) string { return jsonOf(k.Applications, true) }, func(k *apiKey) *[]string { return &k.Applications }),
	moment("created_at", func(k *apiKey) *time.Time { return &k.CreatedAt }),
	moment("revoked_at", func(k *apiKey) *time.Time { return &k.RevokedAt }).later(),
)

func scanKey(rows *sql.Rows) (*gateway.APIKey, error) {
	k, err := apiKeys.reads("API key")(rows)
	if err != nil {
		return nil, err
	}
	k.All = len(k.Applications) == 0
	return &k.APIKey, nil
}

// keptApplications writes the applications of a key beside what the key has made; nothing for a key
// of all.
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

// CreateKey stores what is kept of a new API key: its hash, never the key. Its ID and CreatedAt are
// set.
func (s *Store) CreateKey(ctx context.Context, k *gateway.APIKey, key gateway.Secret) error {
	return s.Write(ctx, func(tx *Tx) error {
		k.ID, k.CreatedAt = tx.NewID("key"), tx.Now()
		_, err := tx.Exec(apiKeys.insert, apiKeys.args(&apiKey{*k, gateway.HashAPIKey(key.Reveal())})...)
		if err != nil {
			return fmt.Errorf("store API key: %w", err)
		}
		return nil
	})
}

// KeyByHash returns the key of a hash, also a revoked one; a not_found error when there is none.
func (s *Store) KeyByHash(ctx context.Context, hash [32]byte) (*gateway.APIKey, error) {
	rows, err := s.Query(ctx, apiKeys.selected+` WHERE hash = ?`, hash[:])
	keys, err := Collect(rows, err, scanKey)
	if err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return nil, gateway.NotFound("API key", "")
	}
	return keys[0], nil
}

// Keys returns every API key, the oldest first, those that are revoked too.
func (s *Store) Keys(ctx context.Context) ([]*gateway.APIKey, error) {
	rows, err := s.Query(ctx, apiKeys.selected+` ORDER BY created_at, id`)
	return Collect(rows, err, scanKey)
}

// RevokeKey revokes an API key for good. Revoking it again changes nothing; the error is not_found
// when there is none.
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
