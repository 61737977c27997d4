// Command echo-bot answers what people write: it receives forwarded events, and sends through the
// gateway. docs/getting-started.md shows how to start it.
package main

import (
	"context"
	"log"
	"log/slog"
	"net/http"
	"os"

	"github.com/chasqui/chasqui/gatewayapi"
)

func main() {
	gateway, err := gatewayapi.New(os.Getenv("GATEWAY"), os.Getenv("KEY"))
	if err != nil {
		log.Fatal("GATEWAY: ", err)
	}
	webhook := gatewayapi.Webhook{Secrets: []string{os.Getenv("SECRET")}, Logger: slog.Default()}
	http.Handle("POST /events", webhook.Handler(func(ctx context.Context, event gatewayapi.Event) error {
		message, ok := event.Data.(*gatewayapi.MessageInbound)
		if !ok || message.Text == "" {
			return nil // nothing to answer, and no reason to send it again
		}
		_, err := gateway.SendMessage(ctx, event.Reply("You wrote: "+message.Text))
		return err
	}))
	log.Fatal(http.ListenAndServe(os.Getenv("ADDR"), nil))
}
