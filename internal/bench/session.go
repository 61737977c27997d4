package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"time"

	"github.com/chasqui/chasqui/gatewayapi"
)

// session is a gateway beside an instant platform, with pages connected.
type session struct {
	o        Options
	platform *process
	gateway  *process
	key      string
	api      *gatewayapi.Client
	pages    []pageInfo
	remove   func()
}

// pageInfo is a page of the platform, as its process tells, and its application at the gateway.
type pageInfo struct {
	PageID      string `json:"page_id"`
	AccessToken string `json:"access_token"`
	AppID       string `json:"app_id"`
	AppSecret   string `json:"app_secret"`

	application string
	callback    string
}

// open starts platform and gateway and connects so many pages.
func open(ctx context.Context, o Options, pages int, flags ...string) (_ *session, err error) {
	s := &session{o: o}
	folder, remove, err := scratch()
	if err != nil {
		return nil, err
	}
	s.remove = remove
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if s.platform, err = start(ctx, o.Program, "bench", "platform", "--pages", fmt.Sprint(pages)); err != nil {
		return nil, err
	}
	args := []string{"key", "create", "--data", folder, "--name", "bench"}
	if o.Store != "" {
		args = append(args, "--store", o.Store)
	}
	key, err := exec.CommandContext(ctx, o.Program, args...).Output()
	if err != nil {
		return nil, fmt.Errorf("make an API key: %w", err)
	}
	s.key = strings.TrimSpace(string(key))
	if s.gateway, err = startGateway(ctx, o, folder, s.platform.url, flags...); err != nil {
		return nil, err
	}
	if s.api, err = gatewayapi.New(s.gateway.url, s.key, gatewayapi.WithRetries(0), gatewayapi.WithHTTPClient(&http.Client{Timeout: 60 * time.Second})); err != nil {
		return nil, err
	}
	if err := s.get(ctx, s.platform.url+"/_bench/pages", &s.pages); err != nil {
		return nil, err
	}
	for i := range s.pages {
		p := &s.pages[i]
		a, err := s.api.ConnectApplication(ctx, gatewayapi.ConnectApplicationRequest{
			Page: gatewayapi.PageCredentials{AccessToken: p.AccessToken}, Application: gatewayapi.AppCredentials{ID: p.AppID, Secret: p.AppSecret},
		})
		if err != nil {
			return nil, fmt.Errorf("connect page %d: %w", i, err)
		}
		p.application, p.callback = a.Key, s.gateway.url+"/webhooks/"+a.Key
	}
	return s, nil
}

func (s *session) close() {
	if s.gateway != nil {
		s.gateway.stop()
	}
	if s.platform != nil {
		s.platform.stop()
	}
	s.remove()
}

// get reads JSON from the platform's own pages.
func (s *session) get(ctx context.Context, url string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return json.NewDecoder(resp.Body).Decode(into)
}

// set tells the platform how to behave.
func (s *session) set(ctx context.Context, behaviour PlatformBehaviour) error {
	b, err := json.Marshal(behaviour)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, s.platform.url+"/_bench/behaviour", bytes.NewReader(b))
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// PlatformBehaviour says how the platform of a benchmark answers messages.
type PlatformBehaviour struct {
	DelayMS int  `json:"delay_ms"` // before each answer
	Forget  bool `json:"forget"`   // begin with an empty ledger
}

// PlatformReport is what the platform of a benchmark has seen.
type PlatformReport struct {
	Counts
	LastMS  int64 `json:"last_ms"`  // when the newest message came, milliseconds since 1970
	FirstMS int64 `json:"first_ms"` // when the first came
}
