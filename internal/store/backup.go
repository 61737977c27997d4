package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// BackupTo writes the database as it is now to a new file, readable by its owner only, while others
// go on working on it. The file is on disk when BackupTo returns. The key file is not in it.
func (s *Store) BackupTo(ctx context.Context, path string) error {
	// SQLite takes an empty file for one that is not there; made here it has our mode.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("make the backup file: %w", err)
	}
	defer f.Close()
	if err := errors.Join(s.vacuumInto(ctx, path), f.Sync()); err != nil {
		os.Remove(path)
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// vacuumInto copies the database over a connection of its own: the writer keeps the writing one,
// and the others may not write.
func (s *Store) vacuumInto(ctx context.Context, path string) error {
	if s.path == "" {
		return errors.New("this is for SQLite: back PostgreSQL up with pg_dump or by its own archiving")
	}
	db, err := sql.Open("sqlite", "file:"+s.path+"?_pragma=busy_timeout(10000)")
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, `VACUUM INTO ?`, path); err != nil {
		return fmt.Errorf("copy the database: %w", err)
	}
	return nil
}

// PutInPlace moves a finished database file into a data folder, to the name given, unless a gateway
// is running there or the name is taken.
func PutInPlace(file, target string) error {
	folder := filepath.Dir(target)
	lock := flock.New(filepath.Join(folder, "gateway.lock"))
	locked, err := lock.TryLock()
	if err != nil {
		return fmt.Errorf("lock data folder %s: %w", folder, err)
	}
	if !locked {
		return fmt.Errorf("%w: %s", ErrLocked, folder)
	}
	defer lock.Unlock()
	for _, name := range []string{target, target + "-wal", target + "-shm"} {
		if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s is there already: move it away first", name)
		}
	}
	if _, err := os.Lstat(file + "-wal"); err == nil {
		return fmt.Errorf("%s is still in use", file)
	}
	if err := os.Rename(file, target); err != nil {
		return fmt.Errorf("move the database into place: %w", err)
	}
	return syncFolder(folder)
}

// CopyFile copies a file to a new one, readable by its owner only, and on disk when CopyFile
// returns.
func CopyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("open backup: %w", err)
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("make database file: %w", err)
	}
	_, err = io.Copy(out, in)
	if err := errors.Join(err, out.Sync(), out.Close()); err != nil {
		return fmt.Errorf("copy backup: %w", err)
	}
	return nil
}

// syncFolder makes a new name in a folder durable, on the systems that let a folder be synced.
func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open folder: %w", err)
	}
	d.Sync() // refused by some systems, where the name is as durable as they make it
	return d.Close()
}
