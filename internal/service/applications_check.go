package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/messenger"
)

// checkInterval is how often each application is checked without being asked.
const checkInterval = time.Hour

// Check asks the platform how an application fares and stores what it says: whether token,
// permissions, subscriptions and Get Started are as they should be. A token found dead pauses the
// page; one found good resumes it. An error means that the platform could not be asked.
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

// inspection is a check under way.
type inspection struct {
	a      *gateway.Application
	client *messenger.Client
	check  *gateway.ApplicationCheck
}

func (i *inspection) find(code gateway.FindingCode, format string, args ...any) {
	f := gateway.Finding{Code: code, Message: fmt.Sprintf(format, args...)}
	i.check.Findings = append(i.check.Findings, f)
	if !f.Info().Warning {
		i.check.Problems = append(i.check.Problems, f.Message)
	}
}

// inspect gathers what the platform says about an application.
func (s *Applications) inspect(ctx context.Context, a *gateway.Application) (*gateway.ApplicationCheck, error) {
	client, err := s.Platform.Client(a)
	if err != nil {
		return nil, err
	}
	i := &inspection{a: a, client: client, check: &gateway.ApplicationCheck{At: s.Now().UTC()}}
	for _, step := range []func(context.Context, *inspection) error{s.inspectToken, inspectPage, s.inspectCallback} {
		err := step(ctx, i)
		if err != nil && unavailable(err) {
			return nil, refused(err, "", "check the application")
		}
		var e *messenger.Error
		switch {
		case errors.As(err, &e):
			i.find(refusalOf(i.check, e), "%s", e.Message)
		case err != nil:
			return nil, err
		}
	}
	i.check.OK = len(i.check.Problems) == 0
	return i.check, nil
}

// refusalOf is what a refusal of the platform means for a check.
func refusalOf(c *gateway.ApplicationCheck, e *messenger.Error) gateway.FindingCode {
	switch {
	case strings.Contains(strings.ToLower(e.Message), "secret"): // appsecret_proof, or the app's own token
		return gateway.FindingSecretInvalid
	case !c.TokenValid && errors.Is(e, messenger.ErrTokenInvalid):
		return gateway.FindingTokenInvalid
	}
	return gateway.FindingRefusedByPlatform
}

func (s *Applications) inspectToken(ctx context.Context, i *inspection) error {
	if _, err := i.client.Page(ctx, "id"); err != nil {
		return err
	}
	i.check.TokenValid = true
	info, err := appClient(i.client, i.a).DebugToken(ctx, i.a.AccessToken.Reveal())
	if err != nil {
		return err
	}
	i.check.Permissions = info.Scopes
	if info.ExpiresAt > 0 {
		i.check.TokenExpires = time.Unix(info.ExpiresAt, 0).UTC()
		i.find(gateway.FindingTokenExpires, "the token ends at %s", gateway.FormatTime(i.check.TokenExpires))
	}
	i.check.TokenType = info.Type
	if info.DataAccessExpiresAt > 0 {
		i.check.DataAccessExpires = time.Unix(info.DataAccessExpiresAt, 0).UTC()
		if left := i.check.DataAccessExpires.Sub(s.Now()); left < dataAccessNotice {
			i.find(gateway.FindingDataAccessExpires, "the token's access to data ends at %s", gateway.FormatTime(i.check.DataAccessExpires))
		}
	}
	inspectFit(i, info)
	return nil
}

// dataAccessNotice is how long before it ends the token's access to data is spoken of; it lasts 90
// days.
const dataAccessNotice = 14 * 24 * time.Hour

// inspectFit looks whether the token is the page's, and may do what is needed.
func inspectFit(i *inspection, info messenger.TokenInfo) {
	switch {
	case !info.IsValid:
		i.check.TokenValid = false
		words := "the platform says that the token is not valid"
		if info.Error != nil {
			words += ": " + info.Error.Message
		}
		i.find(gateway.FindingTokenInvalid, "%s", words)
		return
	case info.AppID != "" && string(info.AppID) != i.a.AppID:
		i.find(gateway.FindingTokenOfOtherApp, "the token was made for app %s, not for app %s", info.AppID, i.a.AppID)
	case info.Type != "" && info.Type != "PAGE":
		i.find(gateway.FindingTokenNotOfPage, "this is a %s token; a page token is needed", info.Type)
	case info.ProfileID != "" && string(info.ProfileID) != i.a.PageID:
		i.find(gateway.FindingTokenOfOtherPage, "the token is of page %s, not of page %s", info.ProfileID, i.a.PageID)
	}
	if len(info.Scopes) == 0 {
		return // the platform does not say
	}
	for _, p := range gateway.Permissions() {
		switch {
		case slices.Contains(info.Scopes, p.Name):
		case p.Required:
			i.find(gateway.FindingPermissionMissing, "the token lacks the permission %s: %s", p.Name, p.For)
		default:
			i.find(gateway.FindingPermissionWanted, "the token lacks the permission %s: %s", p.Name, p.For)
		}
	}
}

func inspectPage(ctx context.Context, i *inspection) error {
	if !i.check.TokenValid {
		return nil // it would only say the same again
	}
	subscriptions, err := i.client.PageSubscriptions(ctx)
	if err != nil {
		return err
	}
	for _, p := range subscriptions {
		if string(p.ID) == i.a.AppID {
			i.check.PageFields = p.SubscribedFields
		}
	}
	if i.check.MissingFields = gateway.MissingFields(i.check.PageFields); len(i.check.MissingFields) > 0 {
		i.find(gateway.FindingPageFieldsMissing, "the page does not send this app: %s", strings.Join(i.check.MissingFields, ", "))
	}
	profile, err := i.client.MessengerProfile(ctx, "get_started")
	if err != nil {
		return err
	}
	if profile.GetStarted != nil {
		i.check.GetStarted = profile.GetStarted.Payload
	}
	if i.check.GetStarted == "" {
		i.find(gateway.FindingGetStartedMissing, "the page has no Get Started button")
	}
	if i.a.LastEventAt.IsZero() {
		i.find(gateway.FindingNothingHeard, "nothing has been heard of this page yet")
	}
	return inspectPublished(ctx, i)
}

// inspectPublished looks whether the page is published. A token that may not ask leaves it open.
func inspectPublished(ctx context.Context, i *inspection) error {
	page, err := i.client.Page(ctx, "id", "is_published")
	if err != nil {
		if unavailable(err) {
			return err
		}
		return nil
	}
	var is struct {
		Published *bool `json:"is_published"`
	}
	if json.Unmarshal(page.Raw, &is) == nil && is.Published != nil && !*is.Published {
		i.find(gateway.FindingPageUnpublished, "the page is not published")
	}
	return nil
}

func (s *Applications) inspectCallback(ctx context.Context, i *inspection) error {
	have, err := appClient(i.client, i.a).AppSubscriptions(ctx, i.a.AppID)
	if err != nil {
		return err
	}
	if own := s.callback(i.a.Key); !strings.HasPrefix(own, "https://") {
		i.find(gateway.FindingCallbackNotHTTPS, "this gateway's address for the platform is %s, which is not https", own)
	}
	page := pageSubscription(have)
	if page == nil {
		i.find(gateway.FindingCallbackMissing, "the app has no callback for pages")
		return nil
	}
	i.check.CallbackURL = page.CallbackURL
	doors, err := s.siblings(ctx, i.a)
	if err != nil {
		return err
	}
	ours := false
	for _, door := range append(doors, i.a) {
		ours = ours || page.CallbackURL == s.callback(door.Key)
	}
	i.check.CallbackOK = ours && page.Active
	switch {
	case !ours:
		i.find(gateway.FindingCallbackElsewhere, "the app's callback for pages is %s, which is not this gateway's", page.CallbackURL)
	case !page.Active:
		i.find(gateway.FindingCallbackInactive, "the app's callback for pages is not active")
	}
	if missing := missingFrom(page); len(missing) > 0 {
		i.find(gateway.FindingAppFieldsMissing, "the app is not subscribed to: %s", strings.Join(missing, ", "))
	}
	return nil
}

// RunChecks checks every application hourly until ctx ends. Nodes share the work: each checks what
// nobody has checked for an hour.
func (s *Applications) RunChecks(ctx context.Context) {
	all := gateway.Everything()
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

// SetMessengerProfile passes a page's Get Started payload, greeting, menu and ice breakers on to
// the platform as they are.
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
