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

// migrations reads the embedded files, one version each, as migrations of the dialect.
func migrations(d *dialect) ([]*goose.Migration, error) {
	names, err := fs.Glob(migrationFiles, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	var out []*goose.Migration
	for _, name := range names {
		text, err := migrationFiles.ReadFile(name)
		if err != nil {
			return nil, err
		}
		version, err := strconv.ParseInt(strings.TrimPrefix(name, "migrations/")[:4], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("migration %s: %w", name, err)
		}
		statements := strings.ReplaceAll(string(text), "@serial", d.serial)
		out = append(out, goose.NewGoMigration(version, &goose.GoFunc{RunTx: func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, statements)
			return err
		}}, nil))
	}
	return out, nil
}

// migrate brings the schema up to date, or with check only says whether it is.
func (s *Store) migrate(ctx context.Context, check bool) error {
	list, err := migrations(s.dialect)
	if err != nil {
		return err
	}
	kind, db := database.DialectSQLite3, s.wdb
	if s.dialect.dollars {
		kind, db = database.DialectPostgres, s.mdb
		defer db.SetMaxIdleConns(0)
	}
	provider, err := goose.NewProvider(kind, db, nil, goose.WithGoMigrations(list...), goose.WithDisableGlobalRegistry(true), goose.WithSlog(s.log))
	if err != nil {
		return fmt.Errorf("prepare migrations: %w", err)
	}
	have, err := provider.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("read the schema's version: %w", err)
	}
	want := list[len(list)-1].Version
	switch {
	case have > want:
		return fmt.Errorf("%w (schema %d, known %d)", ErrNewerSchema, have, want)
	case have == want:
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
