package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/service"
)

// demo is what dev.json keeps: the credentials of the demo page and app, its people, and the API
// key.
type demo struct {
	App         graphemu.App      `json:"app"`
	Page        graphemu.Page     `json:"page"`
	People      []graphemu.Person `json:"people"`
	APIKey      string            `json:"api_key"`
	Application string            `json:"-"`
}

func connectInput(d demo) service.ConnectInput {
	return service.ConnectInput{AccessToken: gateway.Secret(d.Page.AccessToken), AppID: d.App.ID, AppSecret: gateway.Secret(d.App.Secret)}
}

// seed puts a page, an app and two people on a platform, or the same as before when d is filled:
// the first person has an open thread with the page, the second has never written.
func seed(server *graphemu.Server, d demo) demo {
	if d.App.ID == "" {
		d.App.Name = "Chasqui Demo App"
		d.Page.Name, d.Page.Username = "Inca Coffee", "inca.coffee"
		d.People = []graphemu.Person{
			{FirstName: "Ana", LastName: "Quispe", Locale: "es_PE", Timezone: -5, Gender: "female", Open: true},
			{FirstName: "Ben", LastName: "Okoye", Locale: "en_GB", Gender: "male"},
		}
	}
	d.App = server.AddApp(d.App)
	d.Page.AppID = d.App.ID
	d.Page = server.AddPage(d.Page)
	for i := range d.People {
		d.People[i] = server.AddPerson(d.Page.ID, d.People[i])
	}
	return d
}

// platformServer is an emulated platform with its listener.
type platformServer struct {
	emulator *graphemu.Server
	http     *http.Server
}

func servePlatform(l net.Listener, emulator *graphemu.Server) *platformServer {
	p := &platformServer{emulator, &http.Server{Handler: emulator, ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)}}
	go p.http.Serve(l)
	return p
}

// stop ends the platform at once: pages that listen for changes would never end by themselves.
func (p *platformServer) stop() {
	p.http.Close()
	p.emulator.Close()
}

const (
	demoFile     = "dev.json"
	platformFile = "platform.json"
)

// startPlatform starts the emulated platform with the demo of an earlier start, or a new one that
// is written down first.
func (s *devSession) startPlatform(l net.Listener) error {
	emulator := &graphemu.Server{Logger: s.log.With("component", "platform"), Epoch: rand.Text()}
	if err := s.readDemo(emulator); err != nil {
		return errors.Join(err, l.Close())
	}
	s.platform = servePlatform(l, emulator)
	ctx, cancel := context.WithCancel(context.Background())
	s.stopSave = cancel
	s.saving.Go(func() { s.saveNowAndThen(ctx) })
	return nil
}

func (s *devSession) readDemo(emulator *graphemu.Server) error {
	b, err := os.ReadFile(s.path(demoFile))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		s.demo = seed(emulator, demo{APIKey: gateway.NewAPIKeySecret().Reveal()})
		b, err := json.MarshalIndent(s.demo, "", "  ")
		if err != nil {
			return err
		}
		return writeFile(s.path(demoFile), append(b, '\n'))
	case err != nil:
		return fmt.Errorf("read %s: %w", s.path(demoFile), err)
	}
	if err := json.Unmarshal(b, &s.demo); err != nil {
		return fmt.Errorf("read %s: %w", s.path(demoFile), err)
	}
	state, err := os.ReadFile(s.path(platformFile))
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return fmt.Errorf("read the platform's state: %w", err)
	default:
		if err := emulator.LoadFrom(bytes.NewReader(state)); err != nil {
			return fmt.Errorf("%s: %w", s.path(platformFile), err)
		}
		return nil
	}
	s.demo = seed(emulator, s.demo)
	return nil
}

// saveNowAndThen keeps the platform's threads on disk, so that little is lost when the process is
// killed.
func (s *devSession) saveNowAndThen(ctx context.Context) {
	if !s.keep {
		return
	}
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.savePlatform()
		case <-ctx.Done():
			return
		}
	}
}

func (s *devSession) savePlatform() {
	if !s.keep {
		return
	}
	var state bytes.Buffer
	if err := s.platform.emulator.SaveTo(&state); err == nil {
		err = writeFile(s.path(platformFile), state.Bytes())
		if err != nil {
			s.log.Warn("keep the platform's state", "err", err)
		}
	}
}

// writeFile replaces a file at once or not at all, and keeps it from others on the machine.
func writeFile(path string, content []byte) error {
	temporary := path + ".new"
	if err := os.WriteFile(temporary, content, 0o600); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Rename(temporary, path); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// devSummary is what --json prints.
type devSummary struct {
	Gateway         string       `json:"gateway"`
	Platform        string       `json:"platform"`
	Chat            string       `json:"chat"`
	Folder          string       `json:"folder"`
	APIKey          string       `json:"api_key"`
	ForwardSecret   string       `json:"forward_secret"`
	Application     string       `json:"application"`
	PageID          string       `json:"page_id"`
	PageAccessToken string       `json:"page_access_token"`
	AppID           string       `json:"app_id"`
	AppSecret       string       `json:"app_secret"`
	People          []demoPerson `json:"people"`
}

type demoPerson struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

func people(all []graphemu.Person) []demoPerson {
	out := make([]demoPerson, len(all))
	for i, p := range all {
		out[i] = demoPerson{p.ID, p.Name()}
	}
	return out
}

func (s *devSession) summary() devSummary {
	d := s.demo
	summary := devSummary{
		Gateway: s.gatewayURL, Platform: s.platformURL, Chat: s.platformURL + "/chat", Folder: s.folder, APIKey: d.APIKey, Application: d.Application,
		PageID: d.Page.ID, PageAccessToken: d.Page.AccessToken, AppID: d.App.ID, AppSecret: d.App.Secret, People: people(d.People),
	}
	if s.forward != nil {
		summary.ForwardSecret = s.forward.ValidSecrets(time.Now())[0].Reveal()
	}
	return summary
}

// explain prints for a person what is there and two commands to try.
func (s *devSession) explain(w io.Writer) error {
	v := s.summary()
	text := fmt.Sprintf(`
  Chat page     %s
  Gateway       %s   (API described at %s/docs)
  Console       %s/console   (sign in with the API key)
  Metrics       http://%s/metrics
  API key       %s
  Application   %s   (the key of the page's application)
  Folder        %s   (%s; chasqui key create --data … works beside)
`, v.Chat, v.Gateway, v.Gateway, v.Gateway, s.gateway.MetricsAddr(), v.APIKey, v.Application, v.Folder, map[bool]string{true: "kept", false: "removed at the end"}[s.keep])
	if s.forward != nil {
		text += fmt.Sprintf("  Forwarding    every event to %s\n                signed with %s\n", s.forward.URL, v.ForwardSecret)
	}
	if s.silent {
		text += "  Bot           the demo's gives way to your program (--script runs one beside it)\n"
	}
	text += fmt.Sprintf(`
Send a message to %s, and see it in the chat page:

  curl -s %s/v1/messages \
    -H 'Authorization: Bearer %s' -H 'Content-Type: application/json' \
    -d '{"to":{"fbMessengerId":"%s"},"body":"Hello from Chasqui"}'

Write something in the chat page, and pull it:

  curl -s -H 'Authorization: Bearer %s' \
    '%s/v1/subscriptions/%s/events?limit=10&wait=5'

Make the code of table 7, and scan its picture in the chat page:

  curl -s '%s/v2.6/me/messenger_codes?access_token=%s' \
    -H 'Content-Type: application/json' -d '{"type":"standard","data":{"ref":"table-7"},"image_size":1000}'

Stop with Ctrl-C.
`, v.People[0].Name, v.Gateway, v.APIKey, v.People[0].ID, v.APIKey, v.Gateway, s.inbox.ID, v.Gateway, v.PageAccessToken)
	_, err := io.WriteString(w, text)
	return err
}
