package gatewayapi_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/messenger"
)

// gateway stands for one at http://127.0.0.1:8080 in the examples: it has an answer for each call.
func gateway(answers map[string]string) (url string, stop func()) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, ok := answers[r.Method+" "+r.URL.RequestURI()]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			answer = `{"error":{"code":"not_found","message":"there is no message \"msg_9\""}}`
		}
		io.WriteString(w, answer)
	}))
	return server.URL, server.Close
}

func ExampleClient_SendMessage() {
	url, stop := gateway(map[string]string{"POST /v1/messages": `{"id":"msg_1","status":"queued"}`})
	defer stop()

	c, err := gatewayapi.New(url, "chq_…")
	if err != nil {
		log.Fatal(err)
	}
	sent, err := c.SendMessage(context.Background(), gatewayapi.SendMessageRequest{
		To:             gatewayapi.To{FBMessengerID: "1299980935677387"},
		Body:           "Your order is on its way.",
		IdempotencyKey: "order-17-shipped",
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(sent.Message.ID, sent.Message.Status)
	// Output: msg_1 queued
}

// A message that goes on by SMS when Messenger has not delivered it within ten minutes. A person
// writes it, which the tag is for.
func ExampleClient_SendMessage_rules() {
	url, stop := gateway(map[string]string{"POST /v1/messages": `{"id":"msg_1","status":"queued"}`})
	defer stop()

	c, err := gatewayapi.New(url, "chq_…")
	if err != nil {
		log.Fatal(err)
	}
	sent, err := c.SendMessage(context.Background(), gatewayapi.SendMessageRequest{
		To:    gatewayapi.To{ProfileID: "ana"},
		Body:  "Your table is ready.",
		Human: true,
		ChannelOptions: gatewayapi.ChannelOptions{
			FBMessenger: gatewayapi.MessengerOptions{MessageTag: messenger.TagHumanAgent},
		},
		Rules: []gatewayapi.Rule{
			{Channel: gatewayapi.ChannelMessenger, Until: gatewayapi.UntilDelivered, Within: gatewayapi.Duration(10 * time.Minute)},
			{Channel: gatewayapi.ChannelSMS},
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(sent.Message.Status.Open())
	// Output: true
}

// Lists are walked with range; the pages are read as they are needed.
func ExampleClient_AllMessages() {
	url, stop := gateway(map[string]string{
		"GET /v1/messages?status=failed":          `{"messages":[{"id":"msg_3","status":"failed","error":{"code":"outside_window","message":"too late"}}],"cursor":"c"}`,
		"GET /v1/messages?cursor=c&status=failed": `{"messages":[{"id":"msg_1","status":"failed","error":{"code":"token_invalid","message":"expired"}}]}`,
	})
	defer stop()

	c, err := gatewayapi.New(url, "chq_…")
	if err != nil {
		log.Fatal(err)
	}
	for m, err := range c.AllMessages(context.Background(), gatewayapi.ListMessagesRequest{Status: gatewayapi.StatusFailed}) {
		if err != nil {
			log.Fatal(err)
		}
		if m.Failure.Code == gatewayapi.FailureOutsideWindow {
			fmt.Println(m.ID, "came too late")
		}
	}
	// Output: msg_3 came too late
}

// Every error has a code; those of the gateway name the field at fault, too.
func ExampleError() {
	url, stop := gateway(nil)
	defer stop()

	c, err := gatewayapi.New(url, "chq_…")
	if err != nil {
		log.Fatal(err)
	}
	_, err = c.GetMessage(context.Background(), "msg_9")
	var e *gatewayapi.Error
	switch {
	case errors.Is(err, gatewayapi.CodeNotFound):
		fmt.Println("gone:", err)
	case errors.As(err, &e):
		fmt.Println(e.Code, e.Field, e.RequestID)
	}
	// Output: gone: gateway: not_found: there is no message "msg_9"
}

// A receiver of forwarded events in one handler.
func ExampleWebhook_Handler() {
	c, err := gatewayapi.New("http://127.0.0.1:8080", "chq_…")
	if err != nil {
		log.Fatal(err)
	}
	webhook := gatewayapi.Webhook{Secrets: []string{"whsec_…"}}
	http.Handle("POST /events", webhook.Handler(func(ctx context.Context, event gatewayapi.Event) error {
		switch data := event.Data.(type) {
		case *gatewayapi.MessageInbound:
			_, err := c.SendMessage(ctx, event.Reply("You wrote: "+data.Text))
			return err // the gateway sends the event again
		case *gatewayapi.MessageUpdate:
			if data.Status == gatewayapi.StatusFailed {
				log.Print(data.MessageID, ": ", data.Failure.Message)
			}
		}
		return nil
	}))
}

// A receiver with a server of its own.
func ExampleWebhook_Parse() {
	const secret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	webhook := gatewayapi.Webhook{Secrets: []string{secret}}
	handle := func(w http.ResponseWriter, r *http.Request) {
		event, err := webhook.Parse(r)
		var e *gatewayapi.Error
		if errors.As(err, &e) {
			http.Error(w, e.Message, e.Status)
			return
		}
		if p, ok := event.Data.(*gatewayapi.Postback); ok {
			fmt.Println(event.Type, p.Payload, event.Person.ID)
		}
	}

	// What the gateway does, here in the test of a receiver:
	delivery, err := webhook.NewRequest(context.Background(), "/events", gatewayapi.Event{
		ID: "evt_1", Type: gatewayapi.EventPostback, Person: &gatewayapi.Party{ID: "15"}, Data: &gatewayapi.Postback{Title: "Menu", Payload: "MENU"},
	})
	if err != nil {
		log.Fatal(err)
	}
	handle(httptest.NewRecorder(), delivery)
	// Output: postback MENU 15
}

// A worker that pulls events, deals with them, and only then acknowledges them.
func ExampleClient_Consume() {
	url, stop := gateway(map[string]string{
		"POST /v1/subscriptions":                             `{"id":"sub_1","kind":"pull"}`,
		"GET /v1/subscriptions/sub_1/events?wait=30":         `{"events":[{"id":"evt_1","type":"message.inbound","createdAt":"2026-01-31T12:00:00.000Z","application":"A1","person":{"id":"15"},"data":{"text":"Hi"}}],"cursor":"c"}`,
		"POST /v1/subscriptions/sub_1/ack":                   `{"cursor":"c"}`,
		"GET /v1/subscriptions/sub_1/events?after=c&wait=30": `{"events":[{"id":"evt_2","type":"reaction","createdAt":"2026-01-31T12:00:01.000Z","application":"A1","person":{"id":"15"},"data":{"platformMessageId":"m","action":"react","emoji":"👍"}}],"cursor":"d"}`,
	})
	defer stop()

	c, err := gatewayapi.New(url, "chq_…")
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	sub, err := c.CreateSubscription(ctx, gatewayapi.CreateSubscriptionRequest{Kind: gatewayapi.KindPull, From: gatewayapi.FromEarliest})
	if err != nil {
		log.Fatal(err)
	}
	err = c.Consume(ctx, gatewayapi.PullRequest{Subscription: sub.ID}, func(_ context.Context, event gatewayapi.Event) error {
		switch data := event.Data.(type) {
		case *gatewayapi.MessageInbound:
			fmt.Println(event.Person.ID, "wrote", data.Text)
		case *gatewayapi.Reaction:
			fmt.Println(event.Person.ID, "reacted with", data.Emoji)
			cancel()
		}
		return nil
	})
	fmt.Println(errors.Is(err, context.Canceled))
	// Output:
	// 15 wrote Hi
	// 15 reacted with 👍
	// true
}
