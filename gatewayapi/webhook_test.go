package gatewayapi

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func secret(b byte) string {
	return "whsec_" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{b}, 32))
}

// delivery is a request as the gateway makes it, signed with each secret.
func delivery(body string, at time.Time, secrets ...string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/events", strings.NewReader(body))
	timestamp := fmt.Sprint(at.Unix())
	r.Header.Set("Webhook-Id", "evt_1")
	r.Header.Set("Webhook-Timestamp", timestamp)
	var signatures []string
	for _, s := range secrets {
		key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(s, "whsec_"))
		mac := hmac.New(sha256.New, key)
		io.WriteString(mac, "evt_1."+timestamp+"."+body)
		signatures = append(signatures, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	if len(signatures) > 0 {
		r.Header.Set("Webhook-Signature", strings.Join(signatures, " "))
	}
	return r
}

const wrote = `{"id":"evt_1","type":"message.inbound","createdAt":"2026-01-31T12:00:00.000Z","application":"A1","person":{"id":"15"},"data":{"text":"Hi","sentAt":"2026-01-31T12:00:00.000Z"},"raw":{}}`

// The example of the scheme's own specification is read as it says.
//
// Docs: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
func TestTheSchemesOwnExample(t *testing.T) {
	t.Parallel()
	header := http.Header{"Webhook-Id": {"msg_p5jXN8AQM9LWM0D4loKWxJek"}, "Webhook-Timestamp": {"1614265330"}, "Webhook-Signature": {"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}}
	w := Webhook{Secrets: []string{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}, Tolerance: time.Since(time.Unix(1614265330, 0)) + time.Hour}
	if err := w.verify(header, []byte(`{"test": 2432232314}`)); err != nil {
		t.Error(err)
	}
}

func TestWebhooks(t *testing.T) {
	t.Parallel()
	now, a, b := time.Now(), secret(1), secret(2)
	tampered := delivery(wrote, now, a)
	tampered.Body = io.NopCloser(strings.NewReader(strings.Replace(wrote, "Hi", "Ho", 1)))
	unversioned := delivery(wrote, now, a)
	unversioned.Header.Set("Webhook-Signature", strings.TrimPrefix(unversioned.Header.Get("Webhook-Signature"), "v1,"))
	for name, c := range map[string]struct {
		webhook Webhook
		request *http.Request
		code    ErrorCode
		status  int
	}{
		"signed":                        {Webhook{Secrets: []string{a}}, delivery(wrote, now, a), "", 0},
		"signed with both secrets":      {Webhook{Secrets: []string{b}}, delivery(wrote, now, a, b), "", 0},
		"signed with the older secret":  {Webhook{Secrets: []string{b, a}}, delivery(wrote, now, a), "", 0},
		"a body of just the size":       {Webhook{Secrets: []string{a}, MaxBody: int64(len(wrote))}, delivery(wrote, now, a), "", 0},
		"signed with another secret":    {Webhook{Secrets: []string{a}}, delivery(wrote, now, b), CodeInvalidSignature, 401},
		"not signed":                    {Webhook{Secrets: []string{a}}, delivery(wrote, now), CodeInvalidSignature, 401},
		"a signature without a version": {Webhook{Secrets: []string{a}}, unversioned, CodeInvalidSignature, 401},
		"another body":                  {Webhook{Secrets: []string{a}}, tampered, CodeInvalidSignature, 401},
		"of six minutes ago":            {Webhook{Secrets: []string{a}}, delivery(wrote, now.Add(-6*time.Minute), a), CodeInvalidSignature, 401},
		"of six minutes ahead":          {Webhook{Secrets: []string{a}}, delivery(wrote, now.Add(6*time.Minute), a), CodeInvalidSignature, 401},
		"of long ago, which is allowed": {Webhook{Secrets: []string{a}, Tolerance: time.Hour}, delivery(wrote, now.Add(-30*time.Minute), a), "", 0},
		"larger than allowed":           {Webhook{Secrets: []string{a}, MaxBody: int64(len(wrote)) - 1}, delivery(wrote, now, a), CodePayloadTooLarge, 413},
		"signed, and no event":          {Webhook{Secrets: []string{a}}, delivery(`[1]`, now, a), CodeUnreadable, 400},
		"no secret":                     {Webhook{}, delivery(wrote, now, a), CodeInvalidSecret, 500},
		"a secret that is none":         {Webhook{Secrets: []string{"whsec_!"}}, delivery(wrote, now, a), CodeInvalidSecret, 500},
		"an empty secret":               {Webhook{Secrets: []string{""}}, delivery(wrote, now, a), CodeInvalidSecret, 500},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			event, err := c.webhook.Parse(c.request)
			var e *Error
			if errors.As(err, &e) != (c.code != "") || e != nil && (e.Code != c.code || e.Status != c.status) {
				t.Fatalf("err = %+v", err)
			}
			if err != nil {
				return
			}
			if m, ok := event.Data.(*MessageInbound); !ok || m.Text != "Hi" || event.ID != "evt_1" || event.Person.ID != "15" || event.Application != "A1" {
				t.Errorf("%+v", event)
			}
		})
	}
}

// What deal returns is what the gateway gets to know, and what is not signed never reaches it.
func TestWebhookHandler(t *testing.T) {
	t.Parallel()
	a := secret(1)
	dealt := 0
	handler := Webhook{Secrets: []string{a}}.Handler(func(_ context.Context, e Event) error {
		dealt++
		if dealt > 1 {
			return errors.New("the disk is full")
		}
		return nil
	})
	for i, c := range []struct {
		request *http.Request
		status  int
	}{{delivery(wrote, time.Now(), a), 204}, {delivery(wrote, time.Now(), a), 503}, {delivery(wrote, time.Now(), secret(2)), 401}} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, c.request)
		if w.Code != c.status || strings.Contains(w.Body.String(), "disk") {
			t.Errorf("delivery %d: %d %s", i, w.Code, w.Body)
		}
	}
	if dealt != 2 {
		t.Errorf("%d deliveries were dealt with", dealt)
	}
}
