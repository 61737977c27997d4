package main

import (
	"bufio"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// The bot runs beside `chasqui dev`, as the page that describes it says: a person writes, and finds
// the answer in the thread.
func TestTheBotAnswers(t *testing.T) {
	t.Parallel()
	bin := t.TempDir()
	for name, pkg := range map[string]string{"chasqui": "github.com/chasqui/chasqui/cmd/chasqui", "bot": "."} {
		if out, err := exec.Command("go", "build", "-o", filepath.Join(bin, name)+exe(), pkg).CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v: %s", pkg, err, out)
		}
	}
	addr := freeAddr(t)
	d := startDev(t, filepath.Join(bin, "chasqui")+exe(), "http://"+addr+"/events")
	bot := exec.Command(filepath.Join(bin, "bot") + exe())
	bot.Env = append(os.Environ(), "GATEWAY="+d.Gateway, "KEY="+d.Key, "SECRET="+d.Secret, "ADDR="+addr)
	start(t, bot)
	awaitListening(t, addr)

	thread := d.Platform + "/_emu/v1/pages/" + d.Page + "/people/" + d.People[0].ID
	res, err := http.Post(thread+"/actions", "application/json", strings.NewReader(`{"text":"Is anybody there?"}`))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	deadline := time.Now().Add(30 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for texts := read(t, thread); !slices.Contains(texts, "page: You wrote: Is anybody there?"); texts = read(t, thread) {
		if time.Now().After(deadline) {
			t.Fatalf("no answer in the thread: %q", texts)
		}
		<-tick.C
	}
}

// dev is what `chasqui dev --json` prints.
type dev struct {
	Gateway, Platform string
	Key               string `json:"api_key"`
	Secret            string `json:"forward_secret"`
	Page              string `json:"page_id"`
	People            []struct{ ID string }
}

func startDev(t *testing.T, program, forwardTo string) dev {
	t.Helper()
	cmd := exec.Command(program, "dev", "--json", "--data", t.TempDir(), "--gateway-addr", "127.0.0.1:0", "--platform-addr", "127.0.0.1:0", "--forward-to", forwardTo)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	start(t, cmd)
	line, err := bufio.NewReader(out).ReadBytes('\n')
	var d dev
	if err != nil || json.Unmarshal(line, &d) != nil {
		t.Fatalf("dev printed %q: %v", line, err)
	}
	return d
}

// start starts a program that is ended with the test.
func start(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	cmd.Stderr = t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func awaitListening(t *testing.T, addr string) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(10 * time.Second); ; <-tick.C {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			c.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// read reads who wrote what in a thread.
func read(t *testing.T, thread string) []string {
	t.Helper()
	res, err := http.Get(thread + "/thread")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var body struct{ Messages []struct{ From, Text string } }
	if err := json.NewDecoder(res.Body).Decode(&body); err != nil {
		t.Fatal(err)
	}
	texts := []string{}
	for _, m := range body.Messages {
		texts = append(texts, m.From+": "+m.Text)
	}
	return texts
}

func exe() string {
	if os.PathSeparator == '\\' {
		return ".exe"
	}
	return ""
}
