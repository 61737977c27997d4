package gateway_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/internal/gateway"
)

func TestPausesOfComapisWebhooks(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	d := &gateway.Delivery{CreatedAt: now}
	var pauses []string
	for {
		d.Attempts = append(d.Attempts, gateway.DeliveryAttempt{At: now})
		next, ok := d.NextTryComapi(now)
		if !ok {
			break
		}
		pauses = append(pauses, next.Sub(now).String())
		now = next
	}
	want := []string{"5s", "5s", "30s", "30s", "1m0s", "2m0s", "5m0s", "10m0s", "15m0s", "30m0s", "1h0m0s", "2h0m0s", "4h0m0s", "4h0m0s", "4h0m0s", "4h0m0s", "4h0m0s"}
	if diff := cmp.Diff(want, pauses); diff != "" {
		t.Errorf("pauses (-want +got):\n%s", diff)
	}
}
