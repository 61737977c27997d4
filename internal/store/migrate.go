package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// ErrNewerSchema is returned by Open when the database was written by a newer version.
var ErrNewerSchema = errors.New("the database has a newer schema than this version knows: use the version that wrote it, or a newer one")

// ownMigrations reads the embedded files, one version each.
func ownMigrations() ([]Migration, error) {
	names, err := fs.Glob(migrationFiles, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	var out []Migration
	for _, name := range names {
		text, err := migrationFiles.ReadFile(name)
		if err != nil {
			return nil, err
		}
		version, err := strconv.ParseInt(strings.TrimPrefix(name, "migrations/")[:4], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("migration %s: %w", name, err)
		}
		out = append(out, Migration{Version: version, SQL: string(text)})
	}
	return out, nil
}

// migrations are all migrations as the dialect runs them.
func migrations(d *dialect, list []Migration) []*goose.Migration {
	out := make([]*goose.Migration, len(list))
	for i, m := range list {
		statements := strings.ReplaceAll(m.SQL, "@serial", d.serial)
		out[i] = goose.NewGoMigration(m.Version, &goose.GoFunc{RunTx: func(ctx context.Context, tx *sql.Tx) error {
			if statements != "" {
				if _, err := tx.ExecContext(ctx, statements); err != nil {
					return err
				}
			}
			if m.Run == nil {
				return nil
			}
			return m.Run(ctx, &MigrationTx{tx, d})
		}}, nil)
	}
	return out
}

// migrate brings the schema up to date, or with check only reports whether it is.
func (s *Store) migrate(ctx context.Context, extensions []Extension, check bool) error {
	all, err := allMigrations(extensions)
	if err != nil {
		return err
	}
	list := migrations(s.dialect, all)
	kind, db := database.DialectSQLite3, s.wdb
	if s.dialect.dollars {
		kind, db = database.DialectPostgres, s.mdb
		defer db.SetMaxIdleConns(0)
	}
	provider, err := goose.NewProvider(kind, db, nil, goose.WithGoMigrations(list...), goose.WithDisableGlobalRegistry(true), goose.WithAllowOutofOrder(true), goose.WithSlog(s.log))
	if err != nil {
		return fmt.Errorf("prepare migrations: %w", err)
	}
	have, err := provider.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("read the schema's version: %w", err)
	}
	want := list[len(list)-1].Version
	if have > want {
		return fmt.Errorf("%w (schema %d, known %d)", ErrNewerSchema, have, want)
	}
	// What an extension brings may be older than what is there.
	pending, err := provider.HasPending(ctx)
	if err != nil {
		return fmt.Errorf("read which migrations were run: %w", err)
	}
	switch {
	case !pending:
		return nil
	case check:
		return fmt.Errorf("the database has schema %d and this version needs %d: run chasqui migrate", have, want)
	}
	if s.dialect.dollars {
		// Nodes that start together must not migrate at once.
		conn, err := db.Conn(ctx)
		if err != nil {
			return fmt.Errorf("migrate: %w", err)
		}
		defer conn.Close()
		if _, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock(724511)`); err != nil {
			return fmt.Errorf("migrate: %w", err)
		}
		defer conn.ExecContext(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock(724511)`)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}
