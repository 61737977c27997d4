package messenger_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/messenger"
)

// bot is a whole bot: it answers every text. In production baseURL is "" and the
// option is left out.
func bot(pageToken, appSecret, verifyToken, baseURL string) (http.Handler, error) {
	client, err := messenger.New(pageToken, messenger.WithAppSecret(appSecret), messenger.WithBaseURL(baseURL))
	if err != nil {
		return nil, err
	}
	answer := func(ctx context.Context, w messenger.Webhook) error {
		for _, ev := range w.Events {
			if ev.Kind != messenger.KindMessage || ev.Message.Text == "" {
				continue
			}
			text := "You said: " + ev.Message.Text
			if strings.EqualFold(ev.Message.Text, "hours") {
				text = "We are open from 8 to 20."
			}
			if _, err := client.Send(ctx, messenger.SendRequest{
				Recipient:     messenger.Recipient{ID: ev.Sender.ID},
				MessagingType: messenger.TypeResponse,
				Message:       messenger.TextMessage(text),
			}); err != nil {
				return err // the platform sends the event again
			}
		}
		return nil
	}
	return &messenger.Handler{VerifyToken: verifyToken, AppSecrets: []string{appSecret}, Receive: answer}, nil
}

// A bot that answers, in 30 lines, on the emulated platform.
func ExampleHandler() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	emu := &graphemu.Server{}
	platform := httptest.NewServer(emu)
	defer func() { emu.Close(); platform.Close() }()
	app := emu.AddApp(graphemu.App{Name: "Café bot"})
	page := emu.AddPage(graphemu.Page{Name: "Café", AppID: app.ID})
	ana := emu.AddPerson(page.ID, graphemu.Person{FirstName: "Ana"})

	handler, err := bot(page.AccessToken, app.Secret, "verify me", platform.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	program := httptest.NewServer(handler)
	defer program.Close()

	// Tell the platform where the bot is: once for the app, once for each page.
	client, err := messenger.New(page.AccessToken, messenger.WithAppSecret(app.Secret), messenger.WithBaseURL(platform.URL))
	if err != nil {
		fmt.Println(err)
		return
	}
	appClient := client.As(messenger.AppToken(app.ID, app.Secret))
	if err := appClient.SubscribeApp(ctx, messenger.AppSubscriptionRequest{AppID: app.ID, CallbackURL: program.URL, VerifyToken: "verify me"}); err != nil {
		fmt.Println(err)
		return
	}
	if err := client.SubscribePage(ctx, "messages"); err != nil {
		fmt.Println(err)
		return
	}

	if _, err := emu.Act(ctx, page.ID, ana.ID, graphemu.Action{Text: "hours"}); err != nil {
		fmt.Println(err)
		return
	}
	thread, err := emu.WaitThread(ctx, page.ID, ana.ID, func(thread []graphemu.ThreadMessage) bool { return len(thread) == 2 })
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, m := range thread {
		fmt.Printf("%s: %s\n", m.From, m.Text)
	}
	// Output:
	// person: hours
	// page: We are open from 8 to 20.
}

func ExampleClient_UploadAttachment() {
	base, page, ana, stop := emulated()
	defer stop()
	ctx := context.Background()
	client, err := messenger.New(page.AccessToken, messenger.WithBaseURL(base))
	if err != nil {
		fmt.Println(err)
		return
	}
	// Any reader will do; an *os.File needs no name.
	menu := strings.NewReader("%PDF-1.4 today's menu")
	id, err := client.UploadAttachment(ctx, messenger.UploadRequest{
		Type: messenger.TypeFile, Reusable: true, File: &messenger.File{Name: "menu.pdf", Reader: menu},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	sent, err := client.Send(ctx, messenger.SendRequest{
		Recipient:     messenger.Recipient{ID: messenger.PSID(ana.ID)},
		MessagingType: messenger.TypeResponse,
		Message:       messenger.SavedMessage(messenger.TypeFile, id),
	})
	fmt.Println(id != "", sent.MessageID != "", err)
	// Output: true true <nil>
}

func ExampleBatch() {
	base, page, ana, stop := emulated()
	defer stop()
	client, err := messenger.New(page.AccessToken, messenger.WithBaseURL(base))
	if err != nil {
		fmt.Println(err)
		return
	}
	// 120 messages go out in three requests. One of them is for nobody.
	batch := client.NewBatch()
	var items []*messenger.BatchItem[messenger.SendResult]
	for i := range 120 {
		to := messenger.PSID(ana.ID)
		if i == 60 {
			to = "4711"
		}
		items = append(items, batch.Send(messenger.SendRequest{
			Recipient:     messenger.Recipient{ID: to},
			MessagingType: messenger.TypeResponse,
			Message:       messenger.TextMessage(fmt.Sprintf("Number %d", i)),
		}))
	}
	if err := batch.Do(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	sent := 0
	for i, item := range items {
		if _, err := item.Result(); err != nil {
			fmt.Println(i, errors.Is(err, messenger.ErrUnreachable))
			continue
		}
		sent++
	}
	fmt.Println(sent, "sent")
	// Output:
	// 60 true
	// 119 sent
}

func ExampleClient_AllLabels() {
	base, page, ana, stop := emulated()
	defer stop()
	ctx := context.Background()
	client, err := messenger.New(page.AccessToken, messenger.WithBaseURL(base))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, name := range []string{"regulars", "tea", "vegan"} {
		id, err := client.CreateLabel(ctx, name)
		if err == nil && name != "vegan" {
			err = client.AssociateLabel(ctx, id, messenger.PSID(ana.ID))
		}
		if err != nil {
			fmt.Println(err)
			return
		}
	}
	for label, err := range client.AllPersonLabels(ctx, messenger.PSID(ana.ID), messenger.ListOptions{Limit: 1}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(label.Name)
	}
	// Unordered output:
	// regulars
	// tea
}

func ExampleClient_SetPersistentMenu() {
	base, page, _, stop := emulated()
	defer stop()
	ctx := context.Background()
	client, err := messenger.New(page.AccessToken, messenger.WithBaseURL(base))
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := client.SetGetStarted(ctx, "START"); err != nil {
		fmt.Println(err)
		return
	}
	err = client.SetPersistentMenu(ctx,
		messenger.PersistentMenu{Locale: "default", CallToActions: []messenger.Button{
			messenger.PostbackButton("My orders", "ORDERS"),
			messenger.URLButton("Shop", "https://example.com/"),
		}},
		messenger.PersistentMenu{Locale: "es_LA", CallToActions: []messenger.Button{
			messenger.PostbackButton("Mis pedidos", "ORDERS"),
			messenger.URLButton("Tienda", "https://example.com/es"),
		}},
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	menus, err := client.PersistentMenu(ctx)
	fmt.Println(len(menus), menus[1].CallToActions[0].Title, err)

	// A mistake is found before it is sent.
	err = client.SetPersistentMenu(ctx, messenger.PersistentMenu{Locale: "es_LA"})
	fmt.Println(err)
	// Output:
	// 2 Mis pedidos <nil>
	// POST me/messenger_profile: persistent_menu must have one with locale "default"
}
