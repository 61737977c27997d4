package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/seal"
)

// Vault gives access to the records that hold secrets: applications, subscriptions and channel
// accounts. Their secrets are sealed with the key file on the way in and opened on the way out. It
// is safe for any number of goroutines.
type Vault struct {
	// Formats are what subscriptions are bound to when they are read. It is set before the first
	// is.
	Formats gateway.Formats

	s      *Store
	sealer *seal.Sealer
}

const fingerprintSetting = "keyFingerprint"

// OpenVault opens the key file, or makes it while the database holds no secret. A key file that is
// missing or is another one than the database was sealed with is an error (seal.ErrKeyMissing,
// seal.ErrKeyMismatch), and so is one that others may read (seal.ErrKeyExposed) unless the store
// was opened for such.
func OpenVault(ctx context.Context, s *Store, keyFile string) (*Vault, error) {
	if !s.keyFileShared {
		if err := seal.Private(keyFile); err != nil {
			return nil, err
		}
	}
	var stored string
	err := s.QueryRow(ctx, `SELECT value FROM settings WHERE name = ? AND (`+holdsSecrets+`)`, fingerprintSetting).Scan(&stored)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("read the key's fingerprint: %w", err)
	}
	sealer, err := seal.Ensure(keyFile, stored)
	if err != nil {
		return nil, err
	}
	return &Vault{s: s, sealer: sealer}, nil
}

const holdsSecrets = `EXISTS (SELECT 1 FROM applications) OR EXISTS (SELECT 1 FROM subscriptions WHERE secrets <> '') OR EXISTS (SELECT 1 FROM token_keys)
OR EXISTS (SELECT 1 FROM channels WHERE secrets <> '')`

// claim makes sure, in the transaction that stores a secret, that the database is sealed with this
// key and no other.
func (v *Vault) claim(tx *Tx) error {
	mine := v.sealer.Fingerprint()
	n, err := tx.Exec(`INSERT INTO settings (name, value) VALUES (?, ?)
ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE settings.value = excluded.value OR NOT (`+holdsSecrets+`)`, fingerprintSetting, mine)
	if err != nil {
		return fmt.Errorf("store the key's fingerprint: %w", err)
	}
	if n == 0 {
		return fmt.Errorf("%w: another key sealed it while this gateway ran", seal.ErrKeyMismatch)
	}
	return nil
}

// SomeOptedOut reports whether anybody has opted out of a channel.
func (v *Vault) SomeOptedOut(ctx context.Context, channel string) (bool, error) {
	var n int
	err := v.s.QueryRow(ctx, `SELECT COUNT(*) FROM (SELECT 1 FROM opt_outs WHERE channel = ? LIMIT 1) AS one`, channel).Scan(&n)
	return n > 0, err
}

// Versions reads how far kinds of changes have come.
func (v *Vault) Versions(ctx context.Context, kinds ...Change) (Versions, error) {
	return v.s.Versions(ctx, kinds...)
}

// ChannelsVersion returns a number that grows whenever a channel account changes, on whichever
// node.
func (v *Vault) ChannelsVersion(ctx context.Context) (int64, error) {
	versions, err := v.s.Versions(ctx, ChangeChannels)
	return versions[ChangeChannels], err
}

// sealed seals a secret for a column of a row.
func (v *Vault) sealed(table, column, row string, value gateway.Secret) string {
	return v.sealer.Seal(seal.Place{Table: table, Column: column, Row: row}, value.Reveal())
}

// opened opens a secret of a column of a row.
func (v *Vault) opened(table, column, row, text string) (gateway.Secret, error) {
	value, err := v.sealer.Open(seal.Place{Table: table, Column: column, Row: row}, text)
	return gateway.Secret(value), err
}
