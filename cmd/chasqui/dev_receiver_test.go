package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// await reads what dev prints for a person until a line holds a text.
func (d *dev) await(text string) string {
	d.t.Helper()
	for {
		line, err := d.stdout.ReadString('\n')
		if err != nil {
			d.t.Fatalf("dev ended before it said %q: %v", text, err)
		}
		if strings.Contains(line, text) {
			return line
		}
	}
}

// Whoever writes a receiver sees in the terminal that it refuses what it gets, and that it is back;
// and where the folder is, and the application's key.
func TestDevTellsOfTheReceiver(t *testing.T) {
	t.Parallel()
	var answer atomic.Int32
	answer.Store(http.StatusUnauthorized)
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(int(answer.Load())) }))
	t.Cleanup(hook.Close)
	folder := filepath.Join(t.TempDir(), "data")
	d := startDev(t, "--data", folder, "--forward-to", hook.URL)
	chat := strings.Fields(d.await("Chat page"))
	d.Platform = strings.TrimSuffix(chat[len(chat)-1], "/chat")
	if line := strings.Fields(d.await("Application")); len(line[1]) != 32 {
		t.Errorf("the application's key: %q", line)
	}
	if line := d.await("Folder"); !strings.Contains(line, folder) {
		t.Errorf("the folder: %q", line)
	}
	d.await("Stop with")
	saved, err := os.ReadFile(filepath.Join(folder, "dev.json"))
	var known demo
	if err != nil || json.Unmarshal(saved, &known) != nil {
		t.Fatal(err)
	}
	d.PageID, d.People = known.Page.ID, people(known.People)
	d.act(`{"text":"is the shop open?"}`)
	if line := d.await(hook.URL); !strings.Contains(line, "answers 401") {
		t.Errorf("dev said %q", line)
	}
	answer.Store(http.StatusNoContent)
	d.People[0] = d.People[1] // whose conversation waits for nothing
	d.act(`{"get_started":true}`)
	if line := d.await(hook.URL); !strings.Contains(line, "is back") {
		t.Errorf("dev said %q", line)
	}
	hook.Close()
	d.act(`{"text":"and now?"}`)
	if line := d.await(hook.URL); !strings.Contains(line, "cannot be reached") {
		t.Errorf("dev said %q", line)
	}
}
