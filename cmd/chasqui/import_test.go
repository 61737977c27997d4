package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/chasqui/chasqui/internal/app"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
)

// page puts an application into the database of a data folder.
func page(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: page DATA KEY")
	}
	ts.Check(addPage(context.Background(), ts.MkAbs(args[0]), args[1]))
}

func addPage(ctx context.Context, folder, key string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	s, err := app.OpenStore(ctx, store.Options{URL: filepath.Join(folder, "chasqui.db"), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer s.Close()
	v, err := store.OpenVault(ctx, s, filepath.Join(folder, "chasqui.key"))
	if err != nil {
		return err
	}
	return v.CreateApplication(ctx, &gateway.Application{
		Key: key, PageID: "1", AppID: "2", State: gateway.ApplicationActive, AccessToken: "token", AppSecret: "secret", VerifyToken: "verify",
	})
}

// testPeople writes a file of profiles of which every tenth is refused.
func testPeople(t *testing.T, n int) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "people.csv")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fmt.Fprintln(f, "id,fbMessengerId,firstName,note")
	for i := range n {
		id := fmt.Sprintf("c-%06d", i)
		if i%10 == 9 {
			id = "bad/" + id
		}
		fmt.Fprintf(f, "%s,%d,Name %d,\"two\nlines\"\n", id, 1_000_000+i, i)
	}
	return file
}
