package store

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
)

func TestARestoredMessageIsHeldAndIDsGoOn(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	ctx := t.Context()
	accept := func(s *Store, id string) *gateway.Message {
		t.Helper()
		m := &gateway.Message{ID: id, Application: "A", Person: "1", Partition: gateway.Partition("A", "1"), Status: gateway.StatusQueued,
			Request: []byte(`{}`), Parts: 1, AcceptedAt: s.Now(), ExpiresAt: s.Now().Add(time.Hour)}
		if _, err := s.Accept(ctx, []*gateway.Message{m}, nil); err != nil {
			t.Fatal(err)
		}
		return m
	}
	accept(s, "msg_waiting")
	accept(s, "msg_canceled")
	if _, err := s.CancelMessage(ctx, "msg_canceled"); err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	saved := filepath.Join(folder, "saved.db")
	if err := s.BackupTo(ctx, saved); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(saved); err != nil || info.Mode().Perm()&0o077 != 0 && os.PathSeparator == '/' {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	after := accept(s, "msg_after_the_backup")

	work := filepath.Join(folder, "work")
	if err := os.Mkdir(work, 0o700); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(work, "chasqui.db")
	if err := CopyFile(saved, file); err != nil {
		t.Fatal(err)
	}
	open := func(path string) *Store {
		t.Helper()
		s, err := Open(ctx, Options{URL: path, Logger: slog.New(slog.NewTextHandler(t.Output(), nil))})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	copied := open(file)
	held, err := copied.AfterRestore(ctx)
	if err != nil || held != 1 {
		t.Errorf("held %d, %v", held, err)
	}
	if err := copied.Close(); err != nil {
		t.Fatal(err)
	}
	if err := PutInPlace(file, s.Path()); !errors.Is(err, ErrLocked) {
		t.Errorf("placed into the folder of a running gateway: %v", err)
	}
	target := filepath.Join(folder, "chasqui.db")
	if err := PutInPlace(file, target); err != nil {
		t.Fatal(err)
	}
	if err := PutInPlace(saved, target); err == nil {
		t.Error("a database was put over another")
	}
	restored := open(target)
	defer restored.Close()
	for id, want := range map[string]gateway.Status{"msg_waiting": gateway.StatusHeld, "msg_canceled": gateway.StatusCanceled} {
		if m, err := restored.Message(ctx, id); err != nil || m.Status != want {
			t.Errorf("%s: %+v, %v", id, m, err)
		}
	}
	if open, err := restored.OpenApplications(ctx); err != nil || len(open) != 0 {
		t.Errorf("something would be sent: %v, %v", open, err)
	}
	if next := accept(restored, "msg_next"); next.Seq <= after.Seq {
		t.Errorf("position %d was given out before", next.Seq)
	}
	if m, err := restored.CancelMessage(ctx, "msg_waiting"); err != nil || m.Status != gateway.StatusCanceled {
		t.Errorf("a held message cannot be canceled: %v", err)
	}
}
