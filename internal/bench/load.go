package bench

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"sync"
	"time"
)

// newHTTPClient makes a client that keeps a connection for each goroutine of a load.
func newHTTPClient(connections int) *http.Client {
	return &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
		MaxIdleConns: connections + 8, MaxIdleConnsPerHost: connections + 8, DisableCompression: true,
	}}
}

// closedLoop keeps each connection busy for a while: a request, its answer, the next request. next
// makes the n-th request of a connection, and want is the status it must have. It returns how long
// good requests took, how many were not good, and how long it all took.
func closedLoop(ctx context.Context, connections int, duration time.Duration, want int, next func(connection, n int) *http.Request) (latencies, int, time.Duration) {
	client := newHTTPClient(connections)
	defer client.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(ctx, duration)
	defer cancel()
	var mu sync.Mutex
	var all latencies
	errors := 0
	var work sync.WaitGroup
	began := time.Now()
	for c := range connections {
		work.Go(func() {
			took := make(latencies, 0, 8192)
			failed := 0
			for n := 0; ctx.Err() == nil; n++ {
				start := time.Now()
				resp, err := client.Do(next(c, n))
				if err == nil {
					io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
				if err != nil || resp.StatusCode != want {
					failed++
					continue
				}
				took = append(took, time.Since(start))
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, took...)
			errors += failed
		})
	}
	work.Wait()
	return all, errors, time.Since(began)
}

// post makes a POST request without the cost of parsing its URL each time.
func post(template *http.Request, body []byte, header http.Header) *http.Request {
	r := *template
	r.Header = header
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.ContentLength = int64(len(body))
	return &r
}

func template(url string) *http.Request {
	r, err := http.NewRequest(http.MethodPost, url, nil)
	if err != nil {
		panic("bench: " + err.Error()) // the URL is ours
	}
	return r
}
