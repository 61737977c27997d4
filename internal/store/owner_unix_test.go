//go:build unix

package store_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chasqui/chasqui/internal/store"
)

// Root makes no files where another user has to open them, unless it is the gateway itself that
// runs as root.
func TestRootInAnothersFolder(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can give a folder to another user")
	}
	folder := t.TempDir()
	if err := os.Chown(folder, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "chasqui.db")
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	for _, shared := range []bool{true, false} {
		_, err := store.Open(t.Context(), store.Options{URL: path, Shared: shared, Logger: log})
		if err == nil || !strings.Contains(err.Error(), "belongs to user") || !strings.Contains(err.Error(), "sudo -u") {
			t.Errorf("shared %v: %v", shared, err)
		}
		if files, err := os.ReadDir(folder); err != nil || len(files) > 0 {
			t.Errorf("%d files were made: %v", len(files), err)
		}
	}
	s, err := store.Open(t.Context(), store.Options{URL: path, AnyOwner: true, Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
