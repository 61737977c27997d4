package records

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/infobip/wire"
	"github.com/chasqui/chasqui/internal/store"
)

// db is the database with the tables of this package.
type db struct{ *store.Store }

const selectConfigurations = `SELECT key, app, name, created_at FROM infobip_configurations`

func scanConfiguration(rows *sql.Rows) (*wire.Configuration, error) {
	var c wire.Configuration
	var created int64
	if err := rows.Scan(&c.Key, &c.Application, &c.Name, &created); err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	c.CreatedAt = store.FromMillis(created)
	return &c, nil
}

// AddConfiguration stores a container of actions; its CreatedAt is set.
func (d db) addConfiguration(ctx context.Context, c *wire.Configuration) error {
	return d.Write(ctx, func(tx *store.Tx) error {
		c.CreatedAt = tx.Now()
		_, err := tx.Exec(`INSERT INTO infobip_configurations (key, app, name, created_at) VALUES (?, ?, ?, ?)`, c.Key, c.Application, c.Name, store.Millis(c.CreatedAt))
		if err != nil {
			return fmt.Errorf("store configuration: %w", err)
		}
		return nil
	})
}

// Configuration returns one container of actions; a not_found error when there is none.
func (d db) configuration(ctx context.Context, key string) (*wire.Configuration, error) {
	rows, err := d.Query(ctx, selectConfigurations+` WHERE key = ?`, key)
	return store.One("configuration", key, rows, err, scanConfiguration)
}

// Configurations returns the containers of actions of an application that have no name, the oldest
// first.
func (d db) configurations(ctx context.Context, app string) ([]*wire.Configuration, error) {
	rows, err := d.Query(ctx, selectConfigurations+` WHERE app = ? AND name = '' ORDER BY created_at, key`, app)
	return store.Collect(rows, err, scanConfiguration)
}

// DeleteConfiguration removes a container of actions; a not_found error when there is none.
func (d db) deleteConfiguration(ctx context.Context, key string) error {
	return d.Write(ctx, func(tx *store.Tx) error {
		n, err := tx.Exec(`DELETE FROM infobip_configurations WHERE key = ?`, key)
		if err == nil && n == 0 {
			return gateway.NotFound("configuration", key)
		}
		return err
	})
}

// AddKeySession stores a session by the hashes of its token and of the API key that it stands for.
func (d db) addKeySession(ctx context.Context, token, key [32]byte, expires time.Time) error {
	return d.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(`INSERT INTO infobip_sessions (hash, api_key, expires_at) VALUES (?, ?, ?)`, token[:], key[:], store.Millis(expires))
		if err != nil {
			return fmt.Errorf("store session: %w", err)
		}
		return nil
	})
}

// KeySession returns the hash of the API key that a session stands for; a not_found error when
// there is none that lasts.
func (d db) keySession(ctx context.Context, token [32]byte, now time.Time) (key [32]byte, err error) {
	var hash []byte
	err = d.QueryRow(ctx, `SELECT api_key FROM infobip_sessions WHERE hash = ? AND expires_at > ?`, token[:], store.Millis(now)).Scan(&hash)
	if err == sql.ErrNoRows {
		return key, gateway.NotFound("session", "")
	}
	copy(key[:], hash)
	return key, err
}

// EndKeySession ends a session; a not_found error when there is none.
func (d db) endKeySession(ctx context.Context, token [32]byte) error {
	return d.Write(ctx, func(tx *store.Tx) error {
		n, err := tx.Exec(`DELETE FROM infobip_sessions WHERE hash = ?`, token[:])
		if err == nil && n == 0 {
			return gateway.NotFound("session", "")
		}
		return err
	})
}
