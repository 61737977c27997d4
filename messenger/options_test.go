package messenger_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/messenger"
)

func TestRequestHook(t *testing.T) {
	t.Parallel()
	base, calls := recorder(t, sendAnswer)
	var got []messenger.RequestInfo
	c := newClient(t, base, messenger.WithAppSecret(testSecret), messenger.WithRequestHook(func(_ context.Context, r messenger.RequestInfo) { got = append(got, r) }))
	if _, err := c.Send(t.Context(), hello); err != nil {
		t.Fatal(err)
	}
	if err := c.Do(t.Context(), http.MethodGet, "me", url.Values{"fields": {"id"}}, nil, nil); err != nil {
		t.Fatal(err)
	}
	batch := c.NewBatch()
	batch.Send(hello)
	_ = batch.Do(t.Context()) // the recorder's answer is none to a batch
	want := []messenger.RequestInfo{
		{Method: "POST", Path: "me/messages", ContentType: "application/json", Body: []byte((<-calls).Body)},
		{Method: "GET", Path: "me", Query: "fields=id"},
	}
	<-calls
	want = append(want, messenger.RequestInfo{Method: "POST", ContentType: "application/json", Body: []byte((<-calls).Body)})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

// TestLogKeepsSecrets makes good and failing calls and looks for the token, the
// secret and the proof in the log.
func TestLogKeepsSecrets(t *testing.T) {
	t.Parallel()
	proof := messenger.Proof(testSecret, testToken)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusBadRequest)
			io.WriteString(w, `{"error":{"code":190,"error_subcode":463,"fbtrace_id":"AbC","message":"Malformed access token `+testToken+` `+proof+`"}}`)
			return
		}
		io.WriteString(w, `{}`)
	}))
	defer srv.Close()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	var out bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	for _, base := range []string{srv.URL, gone.URL} {
		c := newClient(t, base, messenger.WithAppSecret(testSecret), messenger.WithLogger(logger))
		_, sent := c.Send(t.Context(), hello)
		_, read := c.Persona(t.Context(), "55")
		if sent == nil || (read == nil) != (base == srv.URL) {
			t.Errorf("errors %v, %v", sent, read)
		}
	}
	text := out.String()
	for _, want := range []string{"method=POST path=me/messages status=400", "code=190 subcode=463 trace=AbC", "method=GET path=55 status=200", "status=0", "took="} {
		if !strings.Contains(text, want) {
			t.Errorf("%q does not stand in the log:\n%s", want, text)
		}
	}
	for _, secret := range []string{testToken, testSecret, proof, "hello"} {
		if strings.Contains(text, secret) {
			t.Errorf("%q stands in the log:\n%s", secret, text)
		}
	}
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
	defer srv.Close()
	_, err := newClient(t, srv.URL, messenger.WithTimeout(20*time.Millisecond)).Send(t.Context(), hello)
	if !errors.Is(err, context.DeadlineExceeded) || !messenger.OutcomeUnknown(err) {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := newClient(t, srv.URL, messenger.WithTimeout(0)).Send(ctx, hello); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	if _, err := messenger.New(testToken, messenger.WithTimeout(-1)); err == nil {
		t.Error("a negative timeout was accepted")
	}
}

// TestAsSharesConnections sends for twenty pages over one connection, each with
// its own token and proof.
func TestAsSharesConnections(t *testing.T) {
	t.Parallel()
	var connections atomic.Int32
	tokens := make(chan [2]string, 20)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tokens <- [2]string{strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), r.URL.Query().Get("appsecret_proof")}
		io.WriteString(w, sendAnswer)
	}))
	srv.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	srv.Start()
	defer srv.Close()
	c := newClient(t, srv.URL, messenger.WithAppSecret(testSecret), messenger.WithHTTPClient(&http.Client{Transport: &http.Transport{}}))
	for i := range 20 {
		token := fmt.Sprintf("EAApage%02dtoken", i)
		if _, err := c.As(token).Send(t.Context(), hello); err != nil {
			t.Fatal(err)
		}
		if got := <-tokens; got != [2]string{token, messenger.Proof(testSecret, token)} {
			t.Errorf("token and proof %q", got)
		}
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}
