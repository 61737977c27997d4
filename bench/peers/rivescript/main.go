// Command rivescript measures package rivescript beside npm's engine of the same name: the same
// scripts and inputs, on one core each, one after the other.
//
//	go run ./bench/peers/rivescript
//
// It installs the npm package into a temporary folder, which takes a network. Both engines must
// give the same answers to the first inputs.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/chasqui/chasqui/internal/scriptgen"
	"github.com/chasqui/chasqui/rivescript"
)

func main() {
	seconds := flag.Float64("seconds", 2, "how long each engine answers at each size")
	flag.Parse()
	if err := run(*seconds); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// result is what an engine did at one size.
type result struct {
	Load    float64  `json:"load"`
	Replies int      `json:"replies"`
	Seconds float64  `json:"seconds"`
	First   []string `json:"first"`
}

func (r result) rate() float64 { return float64(r.Replies) / r.Seconds }

func run(seconds float64) error {
	runtime.GOMAXPROCS(1)
	dir, err := os.MkdirTemp("", "rivescript-peer")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := install(dir); err != nil {
		return err
	}
	fmt.Printf("%-10s %14s %14s %9s %12s %12s\n", "triggers", "here, 1/s", "npm, 1/s", "ratio", "load here s", "load npm s")
	for _, n := range []int{10, 1000, 20_000} {
		source, inputs := scriptgen.Script(n), scriptgen.Inputs(n, 1000)
		peer, err := npm(dir, source, inputs, seconds)
		if err != nil {
			return err
		}
		own, err := here(source, inputs, seconds)
		if err != nil {
			return err
		}
		if !slices.Equal(own.First, peer.First) {
			return fmt.Errorf("at %d triggers the answers differ:\n%q\n%q", n, own.First, peer.First)
		}
		fmt.Printf("%-10d %14.0f %14.1f %9.0f %12.3f %12.3f\n", n, own.rate(), peer.rate(), own.rate()/peer.rate(), own.Load, peer.Load)
	}
	return nil
}

func install(dir string) error {
	for _, name := range []string{"package.json", "peer.js"} {
		b, err := os.ReadFile(filepath.Join("bench", "peers", "rivescript", name))
		if err != nil {
			return fmt.Errorf("%w (run this from the top of the checkout)", err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			return err
		}
	}
	cmd := exec.Command("npm", "install", "--no-audit", "--no-fund", "--silent")
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	return cmd.Run()
}

func npm(dir, source string, inputs []string, seconds float64) (result, error) {
	var r result
	list, err := json.Marshal(inputs)
	if err != nil {
		return r, err
	}
	for name, text := range map[string][]byte{"script.rive": []byte(source), "inputs.json": list} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return r, err
		}
	}
	cmd := exec.Command("node", "peer.js", "script.rive", "inputs.json", fmt.Sprint(seconds))
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal(out, &r)
}

func here(source string, inputs []string, seconds float64) (result, error) {
	var r result
	begun := time.Now()
	b, err := rivescript.NewBuilder(rivescript.Options{})
	if err != nil {
		return r, err
	}
	if err := b.Add("script", source); err != nil {
		return r, err
	}
	e, err := b.Build()
	if err != nil {
		return r, err
	}
	r.Load = time.Since(begun).Seconds()
	ctx := context.Background()
	warm, u := &rivescript.User{}, &rivescript.User{}
	for _, in := range inputs[:20] {
		r.First = append(r.First, e.Reply(ctx, warm, in).Text)
	}
	start := time.Now()
	for r.Seconds < seconds {
		for range 256 {
			e.Reply(ctx, u, inputs[r.Replies%len(inputs)])
			r.Replies++
		}
		r.Seconds = time.Since(start).Seconds()
	}
	return r, nil
}
