package gatewayapi_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/chasqui/chasqui/gatewayapi"
)

func ExampleClient_SendMessage() {
	c, err := gatewayapi.New("http://127.0.0.1:8080", "chq_…")
	if err != nil {
		log.Fatal(err)
	}
	sent, err := c.SendMessage(context.Background(), gatewayapi.SendMessageRequest{
		To:   gatewayapi.To{FBMessengerID: "1299980935677387"},
		Body: "Your order is on its way.",
	}, "order-17-shipped")
	var refused *gatewayapi.Error
	if errors.As(err, &refused) && refused.Code == "application_ambiguous" {
		log.Fatal("several pages are connected: name one in Application")
	}
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(sent.Message.ID, sent.Message.Status)
}

// A worker that pulls events, deals with them, and only then acknowledges them.
func ExampleClient_PullEvents() {
	ctx := context.Background()
	c, err := gatewayapi.New("http://127.0.0.1:8080", "chq_…")
	if err != nil {
		log.Fatal(err)
	}
	sub, err := c.CreateSubscription(ctx, gatewayapi.CreateSubscriptionRequest{Kind: "pull", EventTypes: []string{"message.inbound"}})
	if err != nil {
		log.Fatal(err)
	}
	for {
		page, err := c.PullEvents(ctx, sub.ID, gatewayapi.PullRequest{Wait: 30 * time.Second})
		if err != nil {
			log.Fatal(err)
		}
		for _, event := range page.Events {
			fmt.Println(event.Person.ID, string(event.Data))
		}
		if _, err := c.Ack(ctx, sub.ID, page.Cursor); err != nil {
			log.Fatal(err)
		}
	}
}
