package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/chasqui/chasqui/gatewayapi"
)

// carrier is a business's own way to its customers, behind the channel webhook.
type carrier struct {
	w       *world
	server  *httptest.Server
	account gatewayapi.ChannelAccount
	secret  string

	mu     sync.Mutex
	got    []handed
	answer func(handed) (status int, body string)
}

// handed is a message that the gateway has handed over.
type handed struct {
	ID        string `json:"messageId"`
	Step      int    `json:"step"`
	Body      string `json:"body"`
	StatusURL string `json:"statusUrl"`
}

// carrier opens a carrier and its account. answer may be nil: everything is accepted.
func (w *world) carrier(answer func(handed) (int, string)) *carrier {
	w.t.Helper()
	c := &carrier{w: w, answer: answer}
	c.server = httptest.NewServer(http.HandlerFunc(c.take))
	w.t.Cleanup(c.server.Close)
	var err error
	c.account, err = w.client.CreateChannel(w.t.Context(), gatewayapi.CreateChannelRequest{Provider: "webhook", Webhook: &gatewayapi.WebhookSettings{URL: c.server.URL}})
	if err != nil {
		w.t.Fatal(err)
	}
	c.secret = c.account.Secrets["signing"].Value
	return c
}

func (c *carrier) take(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var h handed
	if err != nil || json.Unmarshal(body, &h) != nil {
		return
	}
	status, answer := http.StatusOK, `{"ref":"`+h.ID+`"}`
	if c.answer != nil {
		status, answer = c.answer(h)
	}
	c.mu.Lock()
	c.got = append(c.got, h)
	c.mu.Unlock()
	rw.WriteHeader(status)
	io.WriteString(rw, answer)
}

// taken returns what has been handed over of a message.
func (c *carrier) taken(id string) []handed {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []handed
	for _, h := range c.got {
		if h.ID == id {
			all = append(all, h)
		}
	}
	return all
}

// says reports a status of a message back, and returns the HTTP status of the answer.
func (c *carrier) says(h handed, report string) int {
	c.w.t.Helper()
	hook, err := standardwebhooks.NewWebhook(c.secret)
	if err != nil {
		c.w.t.Fatal(err)
	}
	now := time.Now()
	signature, err := hook.Sign("r1", now, []byte(report))
	if err != nil {
		c.w.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(c.w.t.Context(), http.MethodPost, h.StatusURL, bytes.NewReader([]byte(report)))
	if err != nil {
		c.w.t.Fatal(err)
	}
	req.Header.Set("webhook-id", "r1")
	req.Header.Set("webhook-timestamp", strconv.FormatInt(now.Unix(), 10))
	req.Header.Set("webhook-signature", signature)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		c.w.t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}
