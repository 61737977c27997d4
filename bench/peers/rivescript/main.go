// Command rivescript measures package rivescript beside npm's engine of the same name: the same scripts and inputs, on one core each, one after the other.
//
//	go run ./bench/peers/rivescript
//
// It installs the npm package into a temporary folder, which takes a network. Both engines must give the same answers to the first inputs.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

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
		source, inputs := script(n), mixed(n, 1000)
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

// word is a made-up word that no other number has.
func word(n int) string {
	const consonants, vowels = "bcdfghjklmnpqrstvwxz", "aeiou"
	var b strings.Builder
	for range 4 {
		b.WriteByte(consonants[n%20])
		n /= 20
		b.WriteByte(vowels[n%5])
		n /= 5
	}
	return b.String()
}

// script has of each 20 triggers 12 plain ones, 3 with a star, 2 with options on both sides, 2 with alternatives and an array, 1 with a number; and a catch-all.
func script(n int) string {
	var b strings.Builder
	b.WriteString("! version = 2.0\n! array shops = shop market store\n")
	for i := range n {
		w := word(i)
		switch k := i % 20; {
		case k < 12:
			fmt.Fprintf(&b, "+ what is %s today\n", w)
		case k < 15:
			fmt.Fprintf(&b, "+ tell me about %s *\n", w)
		case k < 17:
			fmt.Fprintf(&b, "+ [*] %s [*]\n", w)
		case k < 19:
			fmt.Fprintf(&b, "+ (a|b|@shops) for %s [now|today]\n", w)
		default:
			fmt.Fprintf(&b, "+ buy # %s\n", w)
		}
		fmt.Fprintf(&b, "- reply %d\n", i)
	}
	b.WriteString("+ *\n- What do you mean?\n")
	return b.String()
}

// mixed are inputs of which 40 % are for plain triggers, 40 % for those with options, and 20 % for the catch-all alone.
func mixed(n, count int) []string {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	inputs := make([]string, count)
	for i := range inputs {
		base := r.IntN(max(1, n/20)) * 20
		switch k := r.IntN(10); {
		case k < 4:
			inputs[i] = fmt.Sprintf("What is %s today?", word(base+r.IntN(min(12, n))))
		case k < 8:
			inputs[i] = fmt.Sprintf("I really want %s, please", word(base+min(15+r.IntN(2), n-1)))
		default:
			inputs[i] = "nobody ever said anything like this before"
		}
	}
	return inputs
}
