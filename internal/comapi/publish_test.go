package comapi

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/internal/gateway"
)

func TestPausesOfWebhooks(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	d := &gateway.Delivery{CreatedAt: now}
	var pauses []string
	for {
		d.Attempts = append(d.Attempts, gateway.DeliveryAttempt{At: now})
		next, ok := new(format).NextTry(d, now)
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

// A message over another channel is of its own channel, and filters tell it from Messenger.
func TestInboundOverAnotherChannel(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	e := gateway.ChannelInboundEvent(gateway.ChannelInbound{Account: "chn_1", Channel: gateway.ChannelSMS, Application: "APP", From: "4477", To: "4470", Text: "stop", Ref: "SM1", At: at,
		Raw:   json.RawMessage(`{"Body":"stop"}`),
		Parts: []gateway.PartInput{{Type: "image/png", URL: "https://x.example/a"}, {Type: "application/pdf", URL: "https://x.example/b"}}}, "ann", gateway.KeywordStop)
	e.ReceivedAt = at
	var got struct {
		Name    string
		Payload struct {
			Channel  string
			From, To map[string]string
			Body     string
			Parts    []map[string]string `json:"messageParts"`
		}
	}
	encoded, err := json.Marshal(Publish(e, "ann", "100", nil))
	if err != nil || json.Unmarshal(encoded, &got) != nil {
		t.Fatalf("%s %v", encoded, err)
	}
	if got.Name != "message.inbound" || got.Payload.Channel != "sms" || got.Payload.From["phoneNumber"] != "4477" || got.Payload.From["profileId"] != "ann" ||
		got.Payload.To["phoneNumber"] != "4470" || got.Payload.Body != "stop" || len(got.Payload.Parts) != 2 {
		t.Errorf("%s", encoded)
	}
	for channel, wanted := range map[string]bool{"": true, gateway.ChannelSMS: true, gateway.ChannelMessenger: false} {
		f := format{Topics: []topic{{Type: "message.inbound"}}}
		if channel != "" {
			f.Topics[0].Filters = []filter{{Name: "channel", Value: channel}}
		}
		if f.Wants(e) != wanted {
			t.Errorf("filter %q: %v", channel, !wanted)
		}
	}
}
