package graphemu_test

import (
	"context"
	"fmt"
	"net/http/httptest"

	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/messenger"
)

func Example() {
	emu := &graphemu.Server{}
	srv := httptest.NewServer(emu)
	defer srv.Close()
	defer emu.Close()
	page := emu.AddPage(graphemu.Page{Name: "Café"})
	ana := emu.AddPerson(page.ID, graphemu.Person{FirstName: "Ana"})

	ctx := context.Background()
	if _, err := emu.Act(ctx, page.ID, ana.ID, graphemu.Action{Text: "Are you open?"}); err != nil {
		fmt.Println(err)
		return
	}
	client, err := messenger.New(page.AccessToken, messenger.WithBaseURL(srv.URL))
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := client.Send(ctx, messenger.SendRequest{Recipient: messenger.Recipient{ID: messenger.PSID(ana.ID)}, Message: messenger.TextMessage("Until ten.")}); err != nil {
		fmt.Println(err)
		return
	}
	thread, err := emu.Thread(page.ID, ana.ID)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, m := range thread {
		fmt.Printf("%s: %s\n", m.From, m.Text)
	}
	// Output:
	// person: Are you open?
	// page: Until ten.
}
