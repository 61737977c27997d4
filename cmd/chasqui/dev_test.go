package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
)

// patience is how long a test waits for what must happen; it only matters when something is wrong,
// or the machine is busy.
const patience = 40 * time.Second

// dev is a running `chasqui dev`.
type dev struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdout *bufio.Reader
	stderr bytes.Buffer
	devSummary
}

func startDev(t *testing.T, args ...string) *dev {
	t.Helper()
	d := &dev{t: t, cmd: exec.Command("chasqui", append([]string{"dev", "--gateway-addr", "127.0.0.1:0", "--platform-addr", "127.0.0.1:0"}, args...)...)}
	d.cmd.Stderr = &d.stderr
	stdout, err := d.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.cmd.Process.Kill(); d.cmd.Wait() })
	d.stdout = bufio.NewReader(stdout)
	return d
}

// ready reads the line of --json.
func (d *dev) ready() *dev {
	d.t.Helper()
	line, err := d.stdout.ReadBytes('\n')
	if err != nil || json.Unmarshal(line, &d.devSummary) != nil {
		d.cmd.Wait()
		d.t.Fatalf("dev printed %q: %v\n%s", line, err, d.stderr.String())
	}
	return d
}

func (d *dev) client() *gatewayapi.Client {
	c, err := gatewayapi.New(d.Gateway, d.APIKey)
	if err != nil {
		d.t.Fatal(err)
	}
	return c
}

// act does something as the first person, through the emulator's control API.
func (d *dev) act(action string) {
	d.t.Helper()
	resp, err := http.Post(d.Platform+"/_emu/v1/pages/"+d.PageID+"/people/"+d.People[0].ID+"/actions", "application/json", strings.NewReader(action))
	if err != nil {
		d.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		b, _ := io.ReadAll(resp.Body)
		d.t.Fatalf("%s: %d %s", action, resp.StatusCode, b)
	}
}

func (d *dev) thread() []graphemu.ThreadMessage {
	d.t.Helper()
	resp, err := http.Get(d.Platform + "/_emu/v1/pages/" + d.PageID + "/people/" + d.People[0].ID + "/thread")
	if err != nil {
		d.t.Fatal(err)
	}
	defer resp.Body.Close()
	var thread struct{ Messages []graphemu.ThreadMessage }
	if err := json.NewDecoder(resp.Body).Decode(&thread); err != nil {
		d.t.Fatal(err)
	}
	return thread.Messages
}

// until asks again and again until something holds.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("in vain waited for: %s", what)
		}
	}
}

// receiver collects the events that are forwarded to it, and answers 401 to those whose signature
// is not good.
type receiver struct {
	secret chan string
	events chan gatewayapi.Event
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	secret := <-r.secret
	r.secret <- secret
	hook, err := standardwebhooks.NewWebhook(secret)
	var e gatewayapi.Event
	if err != nil || hook.Verify(body, req.Header) != nil || json.Unmarshal(body, &e) != nil {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	r.events <- e
}

func (r *receiver) next(t *testing.T, kind string) gatewayapi.Event {
	t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case e := <-r.events:
			if string(e.Type) == kind {
				return e
			}
		case <-deadline:
			t.Fatalf("no %s was forwarded", kind)
		}
	}
}

func TestDevGoesOnAfterAKill(t *testing.T) {
	t.Parallel()
	r := &receiver{make(chan string, 1), make(chan gatewayapi.Event, 100)}
	hook := httptest.NewServer(r)
	t.Cleanup(hook.Close)
	folder := filepath.Join(t.TempDir(), "data")
	d := startDev(t, "--json", "--data", folder, "--forward-to", hook.URL).ready()
	r.secret <- d.ForwardSecret

	// The demo's bot gives way to the program that the events go to.
	if versions, err := d.client().ListScripts(t.Context(), gatewayapi.ListScriptsRequest{Application: d.Application}); err != nil || slices.ContainsFunc(versions, func(s gatewayapi.Script) bool { return s.Active }) {
		t.Errorf("a bot answers as well: %+v %v", versions, err)
	}
	d.act(`{"text":"is the shop open?"}`)
	if e := r.next(t, "message.inbound"); !bytes.Contains(dataText(t, e), []byte("is the shop open?")) {
		t.Fatalf("forwarded %s", e.Data)
	}
	sent, err := d.client().SendMessage(t.Context(), gatewayapi.SendMessageRequest{To: gatewayapi.To{FBMessengerID: d.People[0].ID}, Body: "yes, until six"})
	if err != nil {
		t.Fatal(err)
	}
	r.next(t, "message.delivered")
	d.act(`{"read":true}`)
	r.next(t, "message.read")
	before := d.thread()
	if info, err := os.Stat(filepath.Join(folder, "dev.json")); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("dev.json: %v %v", info, err)
	}
	// The platform keeps its threads twice a second.
	until(t, "the thread is on disk", func() bool {
		b, err := os.ReadFile(filepath.Join(folder, "platform.json"))
		return err == nil && bytes.Contains(b, []byte("yes, until six"))
	})
	if err := d.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	d.cmd.Wait()

	again := startDev(t, "--json", "--data", folder, "--forward-to", hook.URL).ready()
	for name, same := range map[string]bool{
		"api_key": again.APIKey == d.APIKey, "forward_secret": again.ForwardSecret == d.ForwardSecret, "application": again.Application == d.Application,
		"page_id": again.PageID == d.PageID, "page_access_token": again.PageAccessToken == d.PageAccessToken, "app_id": again.AppID == d.AppID,
		"app_secret": again.AppSecret == d.AppSecret, "people": again.People[0] == d.People[0] && again.People[1] == d.People[1],
	} {
		if !same {
			t.Errorf("%s is another after the restart", name)
		}
	}
	if m, err := again.client().GetMessage(t.Context(), sent.Message.ID); err != nil || m.Status != gatewayapi.StatusRead {
		t.Errorf("the message of before: %+v, %v", m, err)
	}
	again.act(`{"text":"thanks"}`)
	if e := r.next(t, "message.inbound"); !bytes.Contains(dataText(t, e), []byte("thanks")) {
		t.Errorf("forwarded after the restart: %s", e.Data)
	}
	after := again.thread()
	if len(after) != len(before)+1 || after[0].MID != before[0].MID {
		t.Errorf("the thread had %d messages and has %d", len(before), len(after))
	}
	for _, m := range before {
		if m.MID == after[len(after)-1].MID {
			t.Errorf("mid %s was made twice", m.MID)
		}
	}
	subscriptions, err := again.client().ListSubscriptions(t.Context())
	if err != nil || len(subscriptions) != 2 {
		t.Errorf("subscriptions: %d, %v", len(subscriptions), err)
	}
}

func TestDevEndsOnInterrupt(t *testing.T) {
	t.Parallel()
	d := startDev(t, "--json").ready()
	if err := d.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Wait(); err != nil {
		t.Errorf("exit: %v\n%s", err, d.stderr.String())
	}
	if _, err := http.Get(d.Gateway + "/healthz"); err == nil {
		t.Error("the gateway still answers")
	}
}

func TestDevNamesTheTakenPort(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	for _, flag := range []string{"--gateway-addr", "--platform-addr"} {
		out, err := exec.Command("chasqui", "dev", "--gateway-addr", "127.0.0.1:0", "--platform-addr", "127.0.0.1:0", flag, l.Addr().String()).CombinedOutput()
		if err == nil || !strings.Contains(string(out), port) || !strings.Contains(string(out), flag) {
			t.Errorf("%s on a taken port: %v: %s", flag, err, out)
		}
	}
}

func TestDevPrintsCommandsThatWork(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl, which the printed commands use, is not installed")
	}
	d := startDev(t)
	var commands []string
	var current strings.Builder
	for {
		line, err := d.stdout.ReadString('\n')
		if err != nil {
			t.Fatalf("read what dev prints: %v\n%s", err, d.stderr.String())
		}
		text := strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(text, "Stop with"):
		case strings.HasPrefix(text, "curl "), current.Len() > 0 && text != "":
			current.WriteString(line)
			continue
		}
		if current.Len() > 0 {
			commands = append(commands, current.String())
			current.Reset()
		}
		if strings.HasPrefix(text, "Stop with") {
			break
		}
	}
	if len(commands) != 3 {
		t.Fatalf("dev printed %d commands", len(commands))
	}
	for i, want := range []string{`"status":"queued"`, `"type":"message.`, `{"uri":"http`} {
		out, err := exec.Command("sh", "-c", commands[i]).CombinedOutput()
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%s\nanswered %s: %v", commands[i], out, err)
		}
	}
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Wait(); err != nil {
		t.Errorf("exit: %v", err)
	}
}

// Scripts of a folder answer on the demo page, and are read again when they are saved; what does
// not load leaves those before in place.
func TestDevReadsScriptsAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	save := func(text string) {
		if err := os.WriteFile(filepath.Join(dir, "default.topic"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	save("+ hello\n- one <set seen=yes>\n")
	d := startDev(t, "--json", "--script", dir).ready()
	says := func(want string) {
		t.Helper()
		until(t, "the bot to say "+want, func() bool {
			d.act(`{"text":"hello"}`)
			thread := d.thread()
			last := thread[len(thread)-1]
			return last.From == "page" && last.Text == want
		})
	}
	says("one")
	save("+ hello\n- two <get seen>\n")
	says("two yes")
	save("+ hello(\n- three\n+ *\n- <set")
	save("> topic\n+ hello\n- four\n")
	says("two yes")
}

// Without a folder the demo's own bot answers: somebody new who scans the code of table 7 is asked
// what to bring there.
func TestDevDemoBot(t *testing.T) {
	t.Parallel()
	d := startDev(t, "--json").ready()
	d.act(`{"referral":{"source":"MESSENGER_CODE","ref":"table-7"}}`)
	until(t, "the table", func() bool {
		thread := d.thread()
		return len(thread) > 0 && strings.HasPrefix(thread[len(thread)-1].Text, "You are at table 7 of Inca Coffee.")
	})
}

// The whole way of a code: made over the API, scanned from its picture by somebody new and by
// somebody known, answered by the script, and seen in the report.
func TestDevFromCodeToReport(t *testing.T) {
	t.Parallel()
	d := startDev(t, "--json").ready()
	code, err := d.client().CreateEntryPoint(t.Context(), gatewayapi.EntryPoint{Application: d.Application, Kind: "code", Ref: "table-7", Name: "Table 7"})
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodGet, d.Gateway+code.Image+".png?size=400&style=rounded&ring=true", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+d.APIKey)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	picture, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("the picture: %d %v %.200s", resp.StatusCode, err, picture)
	}
	scan, err := json.Marshal(map[string]any{"scan": map[string]any{"image": picture}})
	if err != nil {
		t.Fatal(err)
	}
	for i, then := range [][]string{{string(scan)}, {string(scan), `{"get_started":true}`}} { // Ana is known, Ben is new
		d.People[0], d.People[i] = d.People[i], d.People[0]
		for _, action := range then {
			d.act(action)
		}
		until(t, "the table", func() bool {
			thread := d.thread()
			return len(thread) > 0 && strings.HasPrefix(thread[len(thread)-1].Text, "You are at table 7 of Inca Coffee.")
		})
		d.People[0], d.People[i] = d.People[i], d.People[0]
	}
	until(t, "the report", func() bool {
		r, err := d.client().ReportEntryPoints(t.Context(), gatewayapi.EntryPointReportRequest{Group: gatewayapi.GroupRef})
		return err == nil && len(r.Rows) == 1 && r.Rows[0].Scans == 2 && r.Rows[0].FirstContacts == 1 && r.Rows[0].Returning == 1 && r.Rows[0].Answered == 2
	})
}

// dataText is the data of an event as JSON.
func dataText(t *testing.T, e gatewayapi.Event) []byte {
	t.Helper()
	b, err := json.Marshal(e.Data)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
