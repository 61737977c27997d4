package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

const token = "EAAXggzrE7uYBAM38UXko5vWxi98mZCgH2klIHSwd"

// warmUp is how long a client sends before its measuring begins.
const warmUp = 500 * time.Millisecond

// measure runs one of the clients written in Go and prints what it took.
func measure(role, base string, o options) error {
	send, err := sender(role, base, o.connections)
	if err != nil {
		return err
	}
	if _, err := load(send, warmUp, o.connections); err != nil {
		return err
	}
	r, err := load(send, o.duration, o.connections)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(r)
}

func sender(role, base string, connections int) (func(context.Context) error, error) {
	transport := &http.Transport{MaxIdleConns: connections, MaxIdleConnsPerHost: connections}
	req := messenger.SendRequest{
		Recipient: messenger.Recipient{ID: "5275811702471834"}, MessagingType: messenger.TypeUpdate,
		Message: messenger.TextMessage("hello there, this is a message of an ordinary length"),
	}
	switch role {
	case "ours":
		c, err := messenger.New(token, messenger.WithBaseURL(base), messenger.WithHTTPClient(&http.Client{Transport: transport}))
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context) error { _, err := c.Send(ctx, req); return err }, nil
	case "bare":
		body, err := req.MarshalJSON()
		if err != nil {
			return nil, err
		}
		return bare(&http.Client{Transport: transport}, base+"/"+messenger.DefaultVersion+"/me/messages", body), nil
	}
	return nil, fmt.Errorf("unknown client %q", role)
}

// bare posts the same bytes with nothing but net/http and throws the answer away.
func bare(client *http.Client, url string, body []byte) func(context.Context) error {
	return func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set("Content-Type", "application/json")
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if _, err := io.ReadAll(resp.Body); err != nil {
			return err
		}
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("status %d", resp.StatusCode)
		}
		return nil
	}
}

// load sends on all connections for some time and measures this process.
func load(send func(context.Context) error, duration time.Duration, connections int) (result, error) {
	var (
		wg    sync.WaitGroup
		sends atomic.Int64
		first atomic.Pointer[error]
	)
	ctx := context.Background()
	began, cpu := time.Now(), processorTime()
	for range connections {
		wg.Go(func() {
			for time.Since(began) < duration && first.Load() == nil {
				if err := send(ctx); err != nil {
					first.CompareAndSwap(nil, &err)
					return
				}
				sends.Add(1)
			}
		})
	}
	wg.Wait()
	r := result{Sends: int(sends.Load()), Seconds: time.Since(began).Seconds(), CPUSeconds: (processorTime() - cpu).Seconds()}
	if err := first.Load(); err != nil {
		return r, *err
	}
	return r, nil
}

// processorTime is what this process has used so far, its own and the kernel's.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
