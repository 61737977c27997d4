// Command messenger measures what one send costs with package messenger, with
// the npm package messaging-api-messenger and with a bare net/http POST of the
// same bytes, side by side: against one server, in one run, in turns.
//
//	go run ./bench/peers/messenger
//
// It needs Node and npm, which fetch the package into a temporary folder. Server
// and clients are processes of their own; what counts is the processor time of
// the client's process.
package main

import (
	"bufio"
	"context"
	"embed"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

//go:embed peer.js package.json
var node embed.FS

// options are what all clients of a run share.
type options struct {
	duration    time.Duration
	connections int
	rounds      int
}

// result is what one client measured of itself.
type result struct {
	Sends      int     `json:"sends"`
	Seconds    float64 `json:"seconds"`
	CPUSeconds float64 `json:"cpu_seconds"`
}

func (r result) add(o result) result {
	return result{r.Sends + o.Sends, r.Seconds + o.Seconds, r.CPUSeconds + o.CPUSeconds}
}

func (r result) perCPUSecond() float64 { return float64(r.Sends) / r.CPUSeconds }

func main() {
	var o options
	flag.DurationVar(&o.duration, "duration", 4*time.Second, "how long each client sends in each round")
	flag.IntVar(&o.connections, "connections", 16, "how many sends are under way at once")
	flag.IntVar(&o.rounds, "rounds", 3, "how many rounds of all clients")
	role := flag.String("role", "", "internal: what this process is")
	base := flag.String("base", "", "internal: the server's address")
	flag.Parse()
	err := error(nil)
	switch *role {
	case "":
		err = compare(o)
	case "server":
		err = serve()
	default:
		err = measure(*role, *base, o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serve answers every POST as the platform does, until its input ends.
func serve() error {
	const answer = `{"recipient_id":"5275811702471834","message_id":"m_qr6GPBlzTU4jqP0PBqaIoIAcfn2p3T7uiO5jm0L_PMTKMJhEIUGFkEKQBhGkpCnPXVZNsYdkN7A2Sel0dOz_Iw"}`
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return
		}
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, answer) //nolint:errcheck // the client counts what it gets
	}))
	defer srv.Close()
	fmt.Println(srv.URL)
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// compare runs the clients in turns and prints what each sends in a second of
// processor time.
func compare(o options) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "peers")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	if err := install(folder); err != nil {
		return err
	}
	server := exec.Command(self, "-role", "server")
	server.Stderr = os.Stderr
	stop, err := server.StdinPipe()
	if err != nil {
		return err
	}
	out, err := server.StdoutPipe()
	if err != nil {
		return err
	}
	if err := server.Start(); err != nil {
		return err
	}
	defer func() { stop.Close(); server.Wait() }() //nolint:errcheck // the run is over
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		return fmt.Errorf("the server did not start: %w", lines.Err())
	}
	return rounds(o, self, folder, lines.Text())
}

// install fetches the npm package.
func install(folder string) error {
	for _, name := range []string{"peer.js", "package.json"} {
		content, err := fs.ReadFile(node, name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	npm := exec.CommandContext(ctx, "npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--silent")
	npm.Dir, npm.Stderr = folder, os.Stderr
	if err := npm.Run(); err != nil {
		return fmt.Errorf("npm install: %w", err)
	}
	return nil
}

func rounds(o options, self, folder, base string) error {
	clients := []struct {
		name, title string
		command     func() *exec.Cmd
	}{
		{"ours", "package messenger", nil},
		{"bare", "bare net/http POST", nil},
		{"npm", "messaging-api-messenger 0.8.5", nil},
	}
	for i := range clients {
		role := clients[i].name
		clients[i].command = func() *exec.Cmd {
			args := []string{"-role", role, "-base", base, "-duration", o.duration.String(), "-connections", strconv.Itoa(o.connections)}
			if role != "npm" {
				return exec.Command(self, args...)
			}
			c := exec.Command("node", "peer.js", base, strconv.FormatInt(o.duration.Milliseconds(), 10), strconv.Itoa(o.connections))
			c.Dir = folder
			return c
		}
	}
	totals := map[string]result{}
	for range o.rounds {
		for _, client := range clients {
			command := client.command()
			command.Stderr = os.Stderr
			out, err := command.Output()
			if err != nil {
				return fmt.Errorf("%s: %w", client.name, err)
			}
			var r result
			if err := json.Unmarshal(out, &r); err != nil {
				return fmt.Errorf("%s: %w", client.name, err)
			}
			totals[client.name] = totals[client.name].add(r)
		}
	}
	fmt.Printf("%-32s %12s %14s %16s\n", "client", "sends/s", "CPU µs/send", "sends/CPU second")
	for _, client := range clients {
		r := totals[client.name]
		fmt.Printf("%-32s %12.0f %14.1f %16.0f\n", client.title, float64(r.Sends)/r.Seconds, 1e6/r.perCPUSecond(), r.perCPUSecond())
	}
	ours := totals["ours"].perCPUSecond()
	fmt.Printf("\nper CPU second: %.2f times the npm package, %.2f times the bare POST\n", ours/totals["npm"].perCPUSecond(), ours/totals["bare"].perCPUSecond())
	return nil
}
