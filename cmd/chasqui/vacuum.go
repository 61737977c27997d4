package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/chasqui/chasqui/internal/app"
	"github.com/chasqui/chasqui/internal/store"
)

var errNoFile = errors.New("this is for SQLite: PostgreSQL frees the room of removed rows by itself (autovacuum)")

type vacuumCmd struct {
	databaseFlags
}

// Run rewrites the SQLite file, so that what was removed from it cannot be found in its bytes any
// more.
func (cmd vacuumCmd) Run(c console) error {
	if cmd.Store != "" {
		return usageError{errNoFile}
	}
	before, err := os.Stat(cmd.Database())
	if err != nil {
		return fmt.Errorf("there is no database: %w", err)
	}
	s, err := app.OpenStore(c.ctx, store.Options{URL: cmd.Database(), Logger: slog.New(slog.NewTextHandler(c.stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))})
	if err != nil {
		return err
	}
	err = s.Vacuum(c.ctx)
	if closed := s.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	after, err := os.Stat(cmd.Database())
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.stdout, "%s: %d bytes before, %d after\n", cmd.Database(), before.Size(), after.Size())
	return err
}
