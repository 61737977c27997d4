package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/messenger"
)

// checkInterval is how often each application is checked without being asked.
const checkInterval = time.Hour

// Check asks the platform how an application fares and stores what it says: whether token, permissions, subscriptions and Get Started are as they should be. A token found
// dead pauses the page; one found good resumes it. An error means that the platform could not be asked.
func (s *Applications) Check(ctx context.Context, key *gateway.APIKey, application string) (*gateway.Application, error) {
	a, err := s.Get(ctx, key, application)
	if err != nil {
		return nil, err
	}
	check, err := s.inspect(ctx, a)
	if err != nil {
		return nil, err
	}
	used := a.AccessToken
	updated, err := s.Vault.UpdateApplication(ctx, application, func(stored *gateway.Application) error {
		stored.LastCheck = check
		switch {
		case stored.AccessToken != used:
			// The token was replaced while the old one was looked at.
		case check.TokenValid:
			resume(stored)
		case stored.State == gateway.ApplicationActive:
			stored.State, stored.PausedAt = gateway.ApplicationPaused, check.At
			stored.Paused = &gateway.Failure{Code: gateway.FailureTokenInvalid, Message: strings.Join(check.Problems, "; ")}
		}
		return nil
	})
	return updated, errors.Join(err, s.Directory.Refresh(ctx))
}

// inspect gathers what the platform says about an application.
func (s *Applications) inspect(ctx context.Context, a *gateway.Application) (*gateway.ApplicationCheck, error) {
	client, err := s.Platform.Client(a)
	if err != nil {
		return nil, err
	}
	c := &gateway.ApplicationCheck{At: s.Now().UTC()}
	problem := func(format string, args ...any) { c.Problems = append(c.Problems, fmt.Sprintf(format, args...)) }
	steps := []func() error{
		func() error { return inspectToken(ctx, a, client, c, problem) },
		func() error { return inspectPage(ctx, a, client, c, problem) },
		func() error { return s.inspectCallback(ctx, a, client, c, problem) },
	}
	for _, step := range steps {
		err := step()
		if err != nil && unavailable(err) {
			return nil, refused(err, "", "check the application")
		}
		var e *messenger.Error
		switch {
		case errors.As(err, &e):
			problem("%s", e.Message)
		case err != nil:
			return nil, err
		}
	}
	c.OK = len(c.Problems) == 0
	return c, nil
}

func inspectToken(ctx context.Context, a *gateway.Application, client *messenger.Client, c *gateway.ApplicationCheck, problem func(string, ...any)) error {
	if _, err := client.Page(ctx, "id"); err != nil {
		return err
	}
	c.TokenValid = true
	info, err := appClient(client, a).DebugToken(ctx, a.AccessToken.Reveal())
	if err != nil {
		return err
	}
	c.Permissions = info.Scopes
	if info.ExpiresAt > 0 {
		c.TokenExpires = time.Unix(info.ExpiresAt, 0).UTC()
	}
	if err := fits(info, a); err != nil {
		var e *gateway.Error
		errors.As(err, &e)
		problem("%s", e.Message)
		c.TokenValid = info.IsValid
	}
	return nil
}

func inspectPage(ctx context.Context, a *gateway.Application, client *messenger.Client, c *gateway.ApplicationCheck, problem func(string, ...any)) error {
	if !c.TokenValid {
		return nil // it would only say the same again
	}
	subscriptions, err := client.PageSubscriptions(ctx)
	if err != nil {
		return err
	}
	for _, p := range subscriptions {
		if string(p.ID) == a.AppID {
			c.PageFields = p.SubscribedFields
		}
	}
	if c.MissingFields = gateway.MissingFields(c.PageFields); len(c.MissingFields) > 0 {
		problem("the page does not send this app: %s", strings.Join(c.MissingFields, ", "))
	}
	profile, err := client.MessengerProfile(ctx, "get_started")
	if err != nil {
		return err
	}
	if profile.GetStarted != nil {
		c.GetStarted = profile.GetStarted.Payload
	}
	return nil
}

func (s *Applications) inspectCallback(ctx context.Context, a *gateway.Application, client *messenger.Client, c *gateway.ApplicationCheck, problem func(string, ...any)) error {
	have, err := appClient(client, a).AppSubscriptions(ctx, a.AppID)
	if err != nil {
		return err
	}
	page := pageSubscription(have)
	if page == nil {
		problem("the app has no callback for pages")
		return nil
	}
	c.CallbackURL = page.CallbackURL
	doors, err := s.siblings(ctx, a)
	if err != nil {
		return err
	}
	for _, door := range append(doors, a) {
		if page.CallbackURL == s.callback(door.Key) {
			c.CallbackOK = page.Active
		}
	}
	if !c.CallbackOK {
		problem("the app's callback for pages is %s, which is not this gateway's or not active", page.CallbackURL)
	}
	if missing := missingFrom(page); len(missing) > 0 {
		problem("the app is not subscribed to: %s", strings.Join(missing, ", "))
	}
	return nil
}

// RunChecks checks every application hourly until ctx ends. Nodes share the work: each checks what nobody has checked for an hour.
func (s *Applications) RunChecks(ctx context.Context) {
	all := &gateway.APIKey{Scopes: []gateway.Scope{gateway.ScopeAll}}
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		for _, a := range s.Directory.Applications() {
			last := a.CreatedAt
			if a.LastCheck != nil {
				last = a.LastCheck.At
			}
			if a.State == gateway.ApplicationConnecting || s.Now().Sub(last) < checkInterval {
				continue
			}
			checked, err := s.Check(ctx, all, a.Key)
			switch {
			case ctx.Err() != nil:
				return
			case err != nil:
				s.Logger.Warn("application could not be checked", "application", a.Key, "page_id", a.PageID, "err", err)
			case !checked.LastCheck.OK:
				s.Logger.Warn("application has problems", "application", a.Key, "page_id", a.PageID, "problems", checked.LastCheck.Problems)
			}
		}
	}
}

// SetMessengerProfile passes a page's Get Started payload, greeting, menu and ice breakers on to the platform as they are.
func (s *Applications) SetMessengerProfile(ctx context.Context, key *gateway.APIKey, application string, profile json.RawMessage) error {
	a, err := s.Get(ctx, key, application)
	if err != nil {
		return err
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(profile, &object); err != nil || len(object) == 0 {
		return gateway.Invalid("", "the body must be the platform's messenger_profile object")
	}
	client, err := s.Platform.Client(a)
	if err != nil {
		return err
	}
	return refusedProfile(client.SetMessengerProfile(ctx, messenger.MessengerProfile{Raw: profile}))
}

// refusedProfile lays a refusal to the body as a whole: the platform's words name the member.
func refusedProfile(err error) error { return refused(err, "", "set the messenger profile") }
