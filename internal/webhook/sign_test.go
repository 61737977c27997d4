package webhook_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/webhook"
)

// A delivery carries a signature of each secret that is valid, and none of one that has run out:
// the scheme's own library accepts the former.
func TestSignaturesOfValidSecrets(t *testing.T) {
	t.Parallel()
	now := time.Now()
	older, newer, over := gateway.NewSigningSecret(), gateway.NewSigningSecret(), gateway.NewSigningSecret()
	s := &gateway.Subscription{Secrets: []gateway.SigningSecret{{Value: over, ExpiresAt: now.Add(-time.Second)}, {Value: older, ExpiresAt: now.Add(time.Hour)}, {Value: newer}}}
	body, err := webhook.Sign(s, "evt_1", now, []byte(`{"a":1}`))
	if err != nil {
		t.Fatal(err)
	}
	header := http.Header{}
	for name, value := range body.Header {
		header.Set(name, value)
	}
	for name, c := range map[string]struct {
		secret gateway.Secret
		want   bool
	}{"the newer": {newer, true}, "the older": {older, true}, "the one that is over": {over, false}} {
		hook, err := standardwebhooks.NewWebhook(c.secret.Reveal())
		if err != nil {
			t.Fatal(err)
		}
		if err := hook.Verify(body.Content, header); (err == nil) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := len(strings.Fields(header.Get("webhook-signature"))); n != 2 {
		t.Errorf("%d signatures", n)
	}
	s.Secrets = []gateway.SigningSecret{{Value: "whsec_!"}}
	if _, err := webhook.Sign(s, "evt_1", now, nil); err == nil || strings.Contains(err.Error(), "whsec") {
		t.Errorf("a secret that cannot be used: %v", err)
	}
}
