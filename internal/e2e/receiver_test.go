package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/chasqui/chasqui/gatewayapi"
)

// receiver is a customer's own system: it takes forwarded events and answers as it is told.
type receiver struct {
	t      testing.TB
	server *httptest.Server
	// location is where it sends callers that it redirects.
	location string

	mu     sync.Mutex
	got    []delivered // every POST, in the order of its end
	answer func(*http.Request) int
}

// delivered is one POST of the gateway, and what was answered.
type delivered struct {
	at     time.Time
	status int
	header http.Header
	body   []byte
	event  gatewayapi.Event
}

// startReceiver starts a receiver; answer says what to answer, nil for 204 always. It may take its
// time, until the request's context ends.
func startReceiver(t testing.TB, answer func(*http.Request) int) *receiver {
	t.Helper()
	r := &receiver{t: t, answer: answer}
	r.server = httptest.NewServer(r)
	t.Cleanup(func() {
		r.server.CloseClientConnections() // those who wait for an answer that does not come
		r.server.Close()
	})
	return r
}

// ServeHTTP takes one event.
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.Header.Get("webhook-id") == "" {
		http.NotFound(w, req) // meant for whoever had the port before, such as the probe of another test
		return
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	d := delivered{status: http.StatusNoContent, header: req.Header.Clone(), body: body}
	if err := json.Unmarshal(body, &d.event); err != nil {
		r.t.Errorf("a delivery is not JSON: %v", err)
	}
	r.mu.Lock()
	answer := r.answer
	r.mu.Unlock()
	if answer != nil {
		d.status = answer(req)
	}
	d.at = time.Now()
	r.mu.Lock()
	r.got = append(r.got, d)
	r.mu.Unlock()
	if r.location != "" {
		w.Header().Set("Location", r.location)
	}
	w.WriteHeader(d.status)
}

// returns changes what is answered from now on.
func (r *receiver) answers(f func(*http.Request) int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = f
}

// deliveries returns every POST so far.
func (r *receiver) deliveries() []delivered {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]delivered(nil), r.got...)
}

// verify fails the test unless the delivery is signed with the secret, as the Standard Webhooks
// library sees it.
func (d delivered) verify(t testing.TB, secret string) {
	t.Helper()
	if err := d.check(secret); err != nil {
		t.Errorf("delivery of %s: %v", d.event.ID, err)
	}
}

func (d delivered) check(secret string) error {
	hook, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		return err
	}
	err = hook.Verify(d.body, d.header)
	_, own := gatewayapi.Webhook{Secrets: []string{secret}, Tolerance: time.Hour}.ParseBody(d.header, d.body)
	if (err == nil) == errors.Is(own, gatewayapi.CodeInvalidSignature) {
		return fmt.Errorf("the library says %v, the client says %v", err, own)
	}
	return err
}

// forward makes a forward subscription to the receiver and answers it with its secret.
func (w *world) forward(r *receiver, change ...func(*gatewayapi.CreateSubscriptionRequest)) gatewayapi.Subscription {
	w.t.Helper()
	req := gatewayapi.CreateSubscriptionRequest{Kind: "forward", URL: r.server.URL, From: "earliest"}
	for _, f := range change {
		f(&req)
	}
	sub, err := w.client.CreateSubscription(w.t.Context(), req)
	if err != nil {
		w.t.Fatal(err)
	}
	return sub
}
