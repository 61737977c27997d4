package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/internal/config"
	"github.com/chasqui/chasqui/internal/store"
)

// flood is load on a gateway whose disk fills up: messages are handed over and webhooks delivered
// by hand until both are refused.
type flood struct {
	p        *page
	ana      string
	accepted []string // texts, in order
	stored   []string // mids of webhooks that were acknowledged
	refused  []string // mids of webhooks that were not
}

// filler makes messages large enough to fill a disk with.
var filler = strings.TrimSpace(strings.Repeat("all work and no play ", 60))

// one hands one message and one webhook over, and reports whether each was taken. What is refused
// must be refused with 503.
func (f *flood) one(t *testing.T) (sent, stored bool) {
	t.Helper()
	w := f.p.w
	text := fmt.Sprintf("%d %s", len(f.accepted), filler)
	_, err := w.client.SendMessage(t.Context(), f.p.text(f.ana, text))
	if err == nil {
		f.accepted = append(f.accepted, text)
	} else {
		wantUnavailable(t, err)
	}
	mid := fmt.Sprintf("m_flood%d", len(f.stored)+len(f.refused))
	body := batch(entry{f.p.id, "messaging", []string{strings.Replace(written(f.p.id, "77", mid), "text ", filler, 1)}})
	status := w.post(webhook{door: "/webhooks/" + f.p.key, body: body})
	switch status {
	case http.StatusOK:
		f.stored = append(f.stored, mid)
	case http.StatusServiceUnavailable:
		f.refused = append(f.refused, mid)
	default:
		t.Fatalf("webhook answered %d", status)
	}
	return err == nil, status == http.StatusOK
}

// begin hands some over while there is room, to a platform that is slow, so that most of it is
// still queued and one is in flight when the disk is full.
func (f *flood) begin(t *testing.T) {
	t.Helper()
	f.p.w.platform.SetFaults([]graphemu.Fault{{Endpoint: "messages", DelayMS: 100}})
	for range 15 {
		if sent, stored := f.one(t); !sent || !stored {
			t.Fatal("refused while there is room")
		}
	}
}

// until floods the gateway until it has refused both many times.
func (f *flood) until(t *testing.T) {
	t.Helper()
	sends, hooks := 0, 0
	await(t, "the disk to be full", func() (bool, string) {
		sent, stored := f.one(t)
		if !sent {
			sends++
		}
		if !stored {
			hooks++
		}
		return sends >= 20 && hooks >= 20, fmt.Sprintf("%d sends and %d webhooks were refused", sends, hooks)
	})
	f.p.w.platform.SetFaults(nil)
}

func wantUnavailable(t *testing.T, err error) {
	t.Helper()
	var e *gatewayapi.Error
	if !errors.As(err, &e) || e.Status != http.StatusServiceUnavailable || e.RetryAfter == 0 {
		t.Fatalf("refused with %v, wanted 503 and when to try again", err)
	}
}

// check holds what came of the flood to what was acknowledged, after there is room again.
func (f *flood) check(t *testing.T, r *reader) {
	t.Helper()
	w := f.p.w
	await(t, "messages to be accepted again", func() (bool, string) {
		_, err := w.client.SendMessage(t.Context(), withKey(f.p.text(f.ana, "room again"), "again"))
		return err == nil, fmt.Sprint(err)
	})
	f.accepted = append(f.accepted, "room again")
	if got := f.p.awaitThread(f.ana, len(f.accepted)); !slices.Equal(got, f.accepted) {
		t.Errorf("of %d accepted messages %d arrived, or not in order", len(f.accepted), len(got))
	}
	f.p.says(f.ana, "room again")
	r.awaitCount(len(f.stored) + 1)
	var mids []string
	for _, e := range r.events {
		if mid := dataOf[struct{ PlatformMessageID string }](t, e).PlatformMessageID; strings.HasPrefix(mid, "m_flood") {
			mids = append(mids, mid)
		}
	}
	if !slices.Equal(mids, f.stored) {
		t.Errorf("of %d acknowledged webhooks %d are in the log, or others", len(f.stored), len(mids))
	}
	t.Logf("%d messages and %d webhooks acknowledged, %d webhooks refused", len(f.accepted), len(f.stored), len(f.refused))
}

// The database may not grow: every page it would need is refused as by a full disk.
func TestDatabaseThatCannotGrow(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	if !w.app.Store.Exclusive() {
		t.Skip("the disk of a PostgreSQL server is not the gateway's")
	}
	p := w.connect(graphemu.Page{})
	f := &flood{p: p, ana: p.person("Ana")}
	r := w.pull("message.inbound")
	limit := func(pages int) {
		t.Helper()
		// A commit that it shares with what the full disk refuses is refused as a whole.
		await(t, "the limit to be set", func() (bool, string) {
			err := w.app.Store.Write(t.Context(), func(tx *store.Tx) error {
				_, err := tx.Exec(fmt.Sprintf("PRAGMA max_page_count = %d", pages))
				return err
			})
			return err == nil, fmt.Sprint(err)
		})
	}
	f.begin(t)
	limit(1) // as many as there are
	f.until(t)
	limit(1 << 30)
	f.check(t, r)
}

// A disk of its own is filled under a running gateway, and emptied again.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("needs a small file system of its own, which only Linux lets a process mount")
	}
	if out, err := exec.Command("unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", t.TempDir()).CombinedOutput(); err != nil {
		t.Skipf("this machine lets no process mount a file system of its own: %v %s", err, out)
	}
	p := startPlatform(t)
	w := newWorld(t, p, func(c *config.Config) { c.Store, c.Addr = "", freeAddr(t) })
	w.url = "http://" + w.config.Addr
	program, err := build()
	if err != nil {
		t.Fatal(err)
	}
	keyFile := filepath.Join(t.TempDir(), "key")
	script := `mount -t tmpfs -o size=12m tmpfs "$1" && "$2" key create --data "$1" > "$3" && shift 3 && exec "$@"`
	args := append([]string{"-rm", "sh", "-c", script, "sh", w.config.Data, program, keyFile, program}, w.serveArgs()...)
	g := w.spawn(command(context.Background(), "unshare", args...))
	key, err := os.ReadFile(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	w.use(strings.TrimSpace(string(key)))
	pg := w.connect(graphemu.Page{})
	f := &flood{p: pg, ana: pg.person("Ana")}
	r := w.pull("message.inbound")
	ballast := fmt.Sprintf("/proc/%d/root%s/ballast", g.cmd.Process.Pid, w.config.Data)
	f.begin(t)
	fill(t, ballast)
	f.until(t)
	if status := probe(w.url + "/healthz"); status != http.StatusOK {
		t.Errorf("healthz answers %d on a full disk", status)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	f.check(t, r)
}

// fill writes a file until the disk is full.
func fill(t *testing.T, path string) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := io.CopyN(file, zeros{}, 64<<20); err == nil {
		t.Fatal("the disk takes 64 MiB: it is not the small one")
	}
}

// zeros is an endless file of nothing.
type zeros struct{}

// Read fills b with zeros.
func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// Before the disk is full nothing new is taken, and what there is can still be read.
func TestLowDisk(t *testing.T) {
	t.Parallel()
	w := startWorld(t, func(c *config.Config) { c.LowDisk = 1 << 60 })
	if !w.app.Store.Exclusive() {
		t.Skip("the disk of a PostgreSQL server is not the gateway's")
	}
	p := w.connect(graphemu.Page{})
	await(t, "messages to be refused", func() (bool, string) {
		_, err := w.client.SendMessage(t.Context(), p.text("77", "hello"))
		var e *gatewayapi.Error
		return errors.As(err, &e) && e.Status == http.StatusServiceUnavailable && e.Code == "disk_low", fmt.Sprint(err)
	})
	hook := webhook{door: "/webhooks/" + p.key, body: batch(entry{p.id, "messaging", []string{written(p.id, "77", "m_low")}})}
	if status := w.post(hook); status != http.StatusServiceUnavailable {
		t.Errorf("a webhook is answered %d", status)
	}
	if _, err := w.client.ListMessages(t.Context(), gatewayapi.ListMessagesRequest{}); err != nil {
		t.Errorf("reading: %v", err)
	}
}
