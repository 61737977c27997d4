package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/chasqui/chasqui/graphemu"
)

type emulateCmd struct {
	Addr     string        `default:"127.0.0.1:8081" placeholder:"HOST:PORT" help:"Address to listen on."`
	JSON     bool          `name:"json" help:"Print one line of JSON once everything answers."`
	Date     string        `placeholder:"DATE" help:"Day or time at which the platform's clock begins, such as 2019-08-01; the rules of that day hold, and its rate limits. Without it the version of the Graph API in a call chooses the rules."`
	State    string        `placeholder:"FILE" help:"File to go on from, and to keep everything in when it ends."`
	Webhooks bool          `default:"true" negatable:"" help:"Send webhooks."`
	Delivery string        `default:"" placeholder:"PROFILE" enum:",2016,2017,2022,graph" help:"How webhooks are delivered: as in 2016, 2017 or 2022, or as the Graph API does it for other objects."`
	Limits   bool          `help:"Enforce the platform's rate limits."`
	Batch    time.Duration `placeholder:"DURATION" help:"Gather events for so long and deliver up to 1,000 at once, such as 20ms."`
	Host     []string      `placeholder:"NAME" help:"A host name under which it may be called beside this machine's own, such as graph.facebook.com where /etc/hosts leads it here. It may be given several times."`
	Proxy    bool          `name:"intercept" help:"Stand in for graph.facebook.com and graph.instagram.com: as the HTTP proxy of a program (HTTPS_PROXY), with certificates of its own. This machine only."`
	TLSAddr  string        `name:"tls-addr" placeholder:"HOST:PORT" help:"With --intercept: serve those names over TLS at this address too, such as 127.0.0.1:443, for programs that use no proxy."`
	CAFile   string        `name:"ca-file" placeholder:"FILE" help:"With --intercept: write the certificate that programs have to trust to this file."`
	Fault    []string      `placeholder:"RULE" sep:"none" help:"A fault rule as JSON, such as '{\"endpoint\":\"messages\",\"code\":613,\"probability\":0.1,\"seed\":1}'. It may be given several times."`
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
	OtherAppSecret  string           `json:"other_app_secret"`
	OtherToken      string           `json:"other_page_access_token"` // of the same page
	AdAccount       string           `json:"ad_account"`
	UserToken       string           `json:"user_access_token"` // of who manages the page, for /me/accounts
	CACertificate   string           `json:"ca_certificate,omitempty"`
	TLS             string           `json:"tls,omitempty"` // address of --tls-addr
	People          []emulatedPerson `json:"people"`
}

type emulatedPerson struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// demoAdAccount is the account that the ads of the demo page would belong to, as clients want it:
// without act_.
const demoAdAccount = "100200300400500"

// Run runs the emulated platform alone until it is told to stop.
func (cmd emulateCmd) Run(c console) error {
	ctx, stop := signal.NotifyContext(c.ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	listener, err := net.Listen("tcp", cmd.Addr)
	if err != nil {
		return fmt.Errorf("listen on %s, which --addr changes: %w", cmd.Addr, err)
	}
	platform := &graphemu.Server{Epoch: fmt.Sprintf("%x", time.Now().UnixMilli()), Quiet: !cmd.Webhooks, Batching: graphemu.Batching{Linger: cmd.Batch}}
	if host, _, err := net.SplitHostPort(cmd.Addr); err == nil && host != "" {
		platform.AllowedHosts = []string{host}
	}
	platform.AllowedHosts = append(platform.AllowedHosts, cmd.Host...)
	defer platform.Close()
	if err := cmd.setDate(platform); err != nil {
		return errors.Join(err, listener.Close())
	}
	shown := seedPlatform(platform, "http://"+listener.Addr().String())
	if err := cmd.prepare(platform, &shown); err != nil {
		return errors.Join(err, listener.Close())
	}
	defer cmd.keep(c, platform)
	failed := make(chan error, 2)
	handler, end, err := cmd.intercept(platform, &shown, failed)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer end()
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
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

// setDate sets the platform's clock.
func (cmd emulateCmd) setDate(platform *graphemu.Server) error {
	if cmd.Date == "" {
		return nil
	}
	at, err := time.Parse(time.DateOnly, cmd.Date)
	if err != nil {
		at, err = time.Parse(time.RFC3339, cmd.Date)
	}
	if err != nil {
		return usageError{fmt.Errorf("--date: %q is neither a day such as 2019-08-01 nor a time such as 2019-08-01T12:00:00Z", cmd.Date)}
	}
	platform.SetTime(at)
	return nil
}

// prepare makes the platform as the flags want it.
func (cmd emulateCmd) prepare(platform *graphemu.Server, shown *emulated) error {
	if cmd.State != "" {
		if err := cmd.resume(platform, shown); err != nil {
			return err
		}
	}
	if cmd.Delivery != "" {
		profile, err := graphemu.DeliveryProfile(cmd.Delivery)
		if err != nil {
			return usageError{fmt.Errorf("--delivery: %w", err)}
		}
		platform.SetRetry(profile)
	}
	if cmd.Limits {
		platform.SetLimits(graphemu.Limits{On: true})
	}
	var rules []graphemu.Fault
	for _, text := range cmd.Fault {
		var rule graphemu.Fault
		if err := json.Unmarshal([]byte(text), &rule); err != nil {
			return usageError{fmt.Errorf("--fault: %w", err)}
		}
		rules = append(rules, rule)
	}
	platform.SetFaults(rules)
	return nil
}

// resume goes on from the file of an earlier run, if there is one: with its app, page and people.
func (cmd emulateCmd) resume(platform *graphemu.Server, shown *emulated) error {
	file, err := os.Open(cmd.State)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the state of an earlier run: %w", err)
	}
	defer file.Close()
	if err := platform.LoadFrom(file); err != nil {
		return fmt.Errorf("%s: %w", cmd.State, err)
	}
	if err := cmd.setDate(platform); err != nil {
		return err
	}
	page, app, people, ok := platform.First()
	if !ok {
		return fmt.Errorf("%s holds no page", cmd.State)
	}
	shown.PageID, shown.PageAccessToken, shown.AppID, shown.AppSecret, shown.AdAccount = page.ID, page.AccessToken, app.ID, app.Secret, page.AdAccount
	shown.UserToken = platform.UserToken(app.ID)
	shown.People = nil
	for _, p := range people {
		shown.People = append(shown.People, emulatedPerson{ID: p.ID, Name: p.Name()})
	}
	return nil
}

// keep writes the state down for the next run.
func (cmd emulateCmd) keep(c console, platform *graphemu.Server) {
	if cmd.State == "" {
		return
	}
	var state bytes.Buffer
	err := platform.SaveTo(&state)
	if err == nil {
		err = writeFile(cmd.State, state.Bytes())
	}
	if err != nil {
		fmt.Fprintln(c.stderr, "chasqui:", err)
	}
}

// anaPhone is a number of the platform's documentation.
const anaPhone = "+1(212)555-2368"

// seedPlatform gives the platform a page with its app, another app, and two people: the first has
// an open thread with the page, the second has never written.
func seedPlatform(platform *graphemu.Server, address string) emulated {
	app := platform.AddApp(graphemu.App{Name: "Demo App"})
	other := platform.AddApp(graphemu.App{Name: "Second App"})
	page := platform.AddPage(graphemu.Page{Name: "Demo Page", Username: "demo.page", AppID: app.ID, AdAccount: demoAdAccount})
	shown := emulated{
		Platform: address, Chat: address + "/chat", PageID: page.ID, PageAccessToken: page.AccessToken, AppID: app.ID, AppSecret: app.Secret,
		OtherAppID: other.ID, OtherAppSecret: other.Secret, OtherToken: platform.AddToken(page.ID, other.ID, ""), AdAccount: demoAdAccount,
		UserToken: platform.UserToken(app.ID),
	}
	for _, person := range []graphemu.Person{
		{FirstName: "Ana", LastName: "Quispe", Gender: "female", Open: true, Phone: anaPhone}, {FirstName: "Ben", LastName: "Mamani", Gender: "male", Phone: "+1 (555) 857-6309"},
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
	if _, err := fmt.Fprintf(c.stdout, `Emulated platform  %s
Chat page          %s
Page               %s, token %s
App                %s, secret %s

Point a gateway at it: chasqui serve --graph-url %s
`, shown.Platform, shown.Chat, shown.PageID, shown.PageAccessToken, shown.AppID, shown.AppSecret, shown.Platform); err != nil {
		return err
	}
	return cmd.announceIntercept(c, shown)
}
