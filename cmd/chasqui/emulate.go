package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/chasqui/chasqui/graphemu"
)

type emulateCmd struct {
	Addr string `default:"127.0.0.1:8081" placeholder:"HOST:PORT" help:"Address to listen on."`
	JSON bool   `name:"json" help:"Print one line of JSON once everything answers."`
}

// emulated is what --json prints of the emulated platform.
type emulated struct {
	Platform        string           `json:"platform"`
	Chat            string           `json:"chat"`
	PageID          string           `json:"page_id"`
	PageAccessToken string           `json:"page_access_token"`
	AppID           string           `json:"app_id"`
	AppSecret       string           `json:"app_secret"`
	OtherAppID      string           `json:"other_app_id"`
	AdAccount       string           `json:"ad_account"`
	People          []emulatedPerson `json:"people"`
}

type emulatedPerson struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// demoAdAccount is the account that the ads of the demo page would belong to, as clients want it: without act_.
const demoAdAccount = "100200300400500"

// Run runs the emulated platform alone until it is told to stop.
func (cmd emulateCmd) Run(c console) error {
	ctx, stop := signal.NotifyContext(c.ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	listener, err := net.Listen("tcp", cmd.Addr)
	if err != nil {
		return fmt.Errorf("listen on %s, which --addr changes: %w", cmd.Addr, err)
	}
	platform := &graphemu.Server{Epoch: fmt.Sprintf("%x", time.Now().UnixMilli())}
	if host, _, err := net.SplitHostPort(cmd.Addr); err == nil && host != "" {
		platform.AllowedHosts = []string{host}
	}
	defer platform.Close()
	shown := seedPlatform(platform, "http://"+listener.Addr().String())
	server := &http.Server{Handler: platform, ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	if err := cmd.announce(c, shown); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	}
	ending, cancel := context.WithTimeout(c.ctx, time.Second)
	defer cancel()
	if err := server.Shutdown(ending); errors.Is(err, context.DeadlineExceeded) {
		return server.Close() // a chat page that is still open
	}
	return nil
}

// seedPlatform gives the platform a page with its app, another app, and two people: the first has an open thread with the page, the second has never written.
func seedPlatform(platform *graphemu.Server, address string) emulated {
	app := platform.AddApp(graphemu.App{Name: "Demo App"})
	other := platform.AddApp(graphemu.App{Name: "Second App"})
	page := platform.AddPage(graphemu.Page{Name: "Demo Page", AppID: app.ID, AdAccount: demoAdAccount})
	shown := emulated{
		Platform: address, Chat: address + "/chat", PageID: page.ID, PageAccessToken: page.AccessToken, AppID: app.ID, AppSecret: app.Secret,
		OtherAppID: other.ID, AdAccount: demoAdAccount,
	}
	for _, person := range []graphemu.Person{
		{FirstName: "Ana", LastName: "Quispe", Open: true, Phone: "+1(212)555-2368"}, {FirstName: "Ben", LastName: "Mamani", Phone: "+1 (555) 857-6309"},
	} {
		made := platform.AddPerson(page.ID, person)
		shown.People = append(shown.People, emulatedPerson{ID: made.ID, Name: made.Name()})
	}
	return shown
}

func (cmd emulateCmd) announce(c console, shown emulated) error {
	if cmd.JSON {
		return printJSON(c.stdout, shown)
	}
	_, err := fmt.Fprintf(c.stdout, `Emulated platform  %s
Chat page          %s
Page               %s, token %s
App                %s, secret %s

Point a gateway at it: chasqui serve --graph-url %s
`, shown.Platform, shown.Chat, shown.PageID, shown.PageAccessToken, shown.AppID, shown.AppSecret, shown.Platform)
	return err
}
