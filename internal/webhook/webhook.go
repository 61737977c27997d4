// Package webhook signs deliveries after the Standard Webhooks scheme.
//
// Docs: https://www.standardwebhooks.com
package webhook

import (
	"errors"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/chasqui/chasqui/internal/gateway"
)

// Sign makes the body of a delivery with the headers of the Standard Webhooks scheme: a signature
// with each secret that is valid now.
func Sign(s *gateway.Subscription, id string, at time.Time, content []byte) (gateway.Body, error) {
	var signatures []string
	for _, secret := range s.ValidSecrets(at) {
		hook, err := standardwebhooks.NewWebhook(secret.Reveal())
		if err != nil {
			return gateway.Body{}, errors.New("a signing secret cannot be used")
		}
		signature, err := hook.Sign(id, at, content)
		if err != nil {
			return gateway.Body{}, errors.New("a signing secret cannot be used")
		}
		signatures = append(signatures, signature)
	}
	return gateway.Body{Content: content, Header: map[string]string{
		"Content-Type": "application/json", "webhook-id": id, "webhook-timestamp": strconv.FormatInt(at.Unix(), 10), "webhook-signature": strings.Join(signatures, " "),
	}}, nil
}
