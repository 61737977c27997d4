package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/chasqui/chasqui/internal/app"
	"github.com/chasqui/chasqui/internal/store"
)

var errNotSQLite = errors.New("this is for SQLite: back PostgreSQL up with pg_dump or by its own archiving")

type backupCmd struct {
	databaseFlags
	File string `arg:"" help:"File to make; it must not be there yet."`
}

// Run writes a backup, also while a gateway runs.
func (cmd backupCmd) Run(c console) error {
	if cmd.Store != "" {
		return usageError{errNotSQLite}
	}
	if _, err := os.Stat(cmd.Database()); err != nil {
		return fmt.Errorf("there is no database to back up: %w", err)
	}
	s, err := cmd.open(c)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.BackupTo(c.ctx, cmd.File); err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.stdout, "wrote %s\nThe key file %s is not in it; keep a copy elsewhere: without it the secrets in the backup cannot be read.\n", cmd.File, cmd.KeyPath())
	return err
}

type restoreCmd struct {
	databaseFlags
	File string `arg:"" help:"Backup to restore."`
}

// Run restores a backup into a data folder that has no database. Unfinished messages come back
// held, so that nothing is sent twice.
func (cmd restoreCmd) Run(c console) error {
	if cmd.Store != "" {
		return usageError{errNotSQLite}
	}
	if err := os.MkdirAll(cmd.Data, 0o700); err != nil {
		return fmt.Errorf("make data folder: %w", err)
	}
	if _, err := os.Lstat(cmd.Database()); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is there already: move it away first", cmd.Database())
	}
	// Everything is done beside and then moved into place, so that a restore that is cut short
	// leaves no half-restored database.
	folder, err := os.MkdirTemp(cmd.Data, "restore-")
	if err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	defer os.RemoveAll(folder)
	file := filepath.Join(folder, "chasqui.db")
	if err := store.CopyFile(cmd.File, file); err != nil {
		return err
	}
	held, err := cmd.hold(c, file)
	if err != nil {
		return err
	}
	if err := store.PutInPlace(file, cmd.Database()); err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.stdout, "restored %s\n%d unfinished messages are held: nothing sends them again by itself (GET /v1/messages?status=held).\n", cmd.Database(), held)
	return err
}

// hold opens the copied database, makes sure of its key, and holds what was unfinished.
func (cmd restoreCmd) hold(c console, file string) (held int64, err error) {
	s, err := app.OpenStore(c.ctx, store.Options{URL: file, KeyFileShared: cmd.KeyFileShared, Logger: slog.New(slog.NewTextHandler(c.stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))})
	if err != nil {
		return held, fmt.Errorf("open the backup: %w", err)
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if _, err := store.OpenVault(c.ctx, s, cmd.KeyPath()); err != nil {
		return held, err
	}
	return s.AfterRestore(context.WithoutCancel(c.ctx))
}
