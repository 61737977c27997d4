// Command echo-bot answers what people write: it receives forwarded events, checks their signature, and sends through the gateway. docs/getting-started.md
// shows how to start it.
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/chasqui/chasqui/gatewayapi"
)

func main() {
	gateway, err := gatewayapi.New(os.Getenv("GATEWAY"), os.Getenv("KEY"))
	if err != nil {
		log.Fatal("GATEWAY: ", err)
	}
	secret, addr := os.Getenv("SECRET"), os.Getenv("ADDR")
	http.HandleFunc("POST /events", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil || verify(secret, r.Header, body) != nil {
			http.Error(w, "not signed by the gateway", http.StatusUnauthorized)
			return
		}
		var event gatewayapi.Event
		var message struct{ Text string }
		if json.Unmarshal(body, &event) != nil || event.Type != "message.inbound" || json.Unmarshal(event.Data, &message) != nil || message.Text == "" {
			return // 200: nothing to do, and no reason to send it again
		}
		answer := gatewayapi.SendMessageRequest{
			To: gatewayapi.To{FBMessengerID: event.Person.ID}, Application: event.Application, Body: "You wrote: " + message.Text,
		}
		// The event's id as idempotency key: an event that is delivered twice is answered once.
		if _, err := gateway.SendMessage(r.Context(), answer, event.ID); err != nil {
			log.Print(err)
			http.Error(w, "try again", http.StatusServiceUnavailable)
		}
	})
	log.Fatal(http.ListenAndServe(addr, nil))
}

// verify checks a delivery's signature: https://www.standardwebhooks.com
func verify(secret string, header http.Header, body []byte) error {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		return err
	}
	id, timestamp := header.Get("webhook-id"), header.Get("webhook-timestamp")
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || time.Since(time.Unix(seconds, 0)).Abs() > 5*time.Minute {
		return errors.New("the timestamp is not of now")
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.%s", id, timestamp, body)
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	for _, signature := range strings.Fields(header.Get("webhook-signature")) {
		if hmac.Equal([]byte(signature), []byte(want)) {
			return nil
		}
	}
	return errors.New("no signature fits")
}
