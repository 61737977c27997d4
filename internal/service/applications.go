package service

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
	"github.com/chasqui/chasqui/messenger"
)

// undoTimeout bounds the calls that put things back after a failure or a caller that is gone.
const undoTimeout = 15 * time.Second

// Applications connects pages, keeps them connected and lets go of them.
type Applications struct {
	Vault     *store.Vault
	Directory *Directory
	Platform  Platform
	PublicURL string // address under which the platform reaches the gateway
	Logger    *slog.Logger
	Now       func() time.Time

	// One change at a time: the doors of an app's pages depend on one another. Between nodes the
	// database's unique index and the platform's own single callback settle a race.
	mu sync.Mutex
}

// List returns the applications that a key may see, the oldest first.
func (s *Applications) List(ctx context.Context, key *gateway.APIKey) ([]*gateway.Application, error) {
	all, err := s.Vault.Applications(ctx)
	if err != nil {
		return nil, err
	}
	seen := all[:0]
	for _, a := range all {
		if key.AllowsApplication(a.Key) {
			seen = append(seen, a)
		}
	}
	return seen, nil
}

// Get returns one application that the key may see; a not_found error otherwise.
func (s *Applications) Get(ctx context.Context, key *gateway.APIKey, application string) (*gateway.Application, error) {
	if !key.AllowsApplication(application) {
		return nil, gateway.NotFound("application", application)
	}
	return s.Vault.Application(ctx, application)
}

// ApplicationChange is what an update replaces; nil leaves as it is.
type ApplicationChange struct {
	AccessToken  *gateway.Secret
	AppSecret    *gateway.Secret
	GraphVersion *string
	Limits       *gateway.Limits
}

// Update replaces an application's token, secret or version once the platform accepts them. A new
// token resumes a paused page; a new secret holds for all pages of the same Facebook app. On a
// failure nothing has changed.
func (s *Applications) Update(ctx context.Context, key *gateway.APIKey, application string, change ApplicationChange) (*gateway.Application, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.Get(ctx, key, application)
	if err != nil {
		return nil, err
	}
	if change.AccessToken != nil {
		a.AccessToken = *change.AccessToken
	}
	if change.AppSecret != nil {
		a.AppSecret = *change.AppSecret
	}
	if change.GraphVersion != nil {
		a.GraphVersion = *change.GraphVersion
	}
	if change.Limits != nil {
		a.Limits = *change.Limits
	}
	if err := validateCredentials(a); err != nil {
		return nil, err
	}
	if change.AccessToken != nil || change.AppSecret != nil {
		page := a.PageID
		client, err := s.identify(ctx, a)
		if err != nil {
			return nil, err
		}
		if a.PageID != page {
			return nil, gateway.Invalid("page.accessToken", "the token is of page %s, while this application is of page %s", a.PageID, page)
		}
		if err := refused(client.SubscribePage(ctx, gateway.SubscribedFields()...), "page.accessToken", "subscribe the page"); err != nil {
			return nil, err
		}
	}
	updated, err := s.Vault.UpdateApplication(ctx, application, func(stored *gateway.Application) error {
		stored.AccessToken, stored.AppSecret = a.AccessToken, a.AppSecret
		stored.GraphVersion, stored.Limits = a.GraphVersion, a.Limits
		stored.PageName, stored.PageImageURL, stored.AppName, stored.AppImageURL = a.PageName, a.PageImageURL, a.AppName, a.AppImageURL
		if change.AccessToken != nil || change.AppSecret != nil {
			resume(stored)
		}
		return nil
	})
	if err == nil && change.AppSecret != nil {
		err = s.shareSecret(ctx, a)
	}
	return updated, errors.Join(err, s.Directory.Refresh(ctx))
}

// resume ends a pause.
func resume(a *gateway.Application) {
	if a.State == gateway.ApplicationPaused {
		a.State = gateway.ApplicationActive
	}
	a.Paused, a.PausedAt = nil, time.Time{}
}

// shareSecret gives the other pages of a Facebook app the secret that was found to be its own: an
// app has one.
func (s *Applications) shareSecret(ctx context.Context, a *gateway.Application) error {
	siblings, err := s.siblings(ctx, a)
	if err != nil {
		return err
	}
	for _, other := range siblings {
		if other.AppSecret == a.AppSecret {
			continue
		}
		_, err := s.Vault.UpdateApplication(ctx, other.Key, func(stored *gateway.Application) error {
			stored.AppSecret = a.AppSecret
			return nil
		})
		if err != nil && gateway.CodeOf(err) != gateway.CodeNotFound {
			return err
		}
	}
	return nil
}

// siblings returns the other applications of the same Facebook app, the oldest first.
func (s *Applications) siblings(ctx context.Context, a *gateway.Application) ([]*gateway.Application, error) {
	all, err := s.Vault.Applications(ctx)
	if err != nil {
		return nil, err
	}
	var siblings []*gateway.Application
	for _, other := range all {
		if other.AppID == a.AppID && other.Key != a.Key && other.State != gateway.ApplicationConnecting {
			siblings = append(siblings, other)
		}
	}
	return siblings, nil
}

// Pause stops sending through an application whose token the platform refuses, unless that token
// has been replaced meanwhile. Its queue stays.
func (s *Applications) Pause(ctx context.Context, application string, used gateway.Secret, why gateway.Failure) error {
	current := errors.New("the token was replaced")
	a, err := s.Vault.UpdateApplication(ctx, application, func(a *gateway.Application) error {
		if a.AccessToken != used || a.State != gateway.ApplicationActive {
			return current
		}
		a.State, a.Paused, a.PausedAt = gateway.ApplicationPaused, &why, s.Now().UTC()
		return nil
	})
	if errors.Is(err, current) || gateway.CodeOf(err) == gateway.CodeNotFound {
		return s.Directory.Refresh(ctx)
	}
	if err != nil {
		return err
	}
	s.Logger.Warn("page paused", "application", a.Key, "page_id", a.PageID, "code", why.Code, "reason", why.Message)
	return s.Directory.Refresh(ctx)
}

// Delete disconnects a page: the platform sends its events no more, and where the Facebook app's
// callback led here, it is moved to another of the app's pages, or taken away with the last. A
// platform that refuses because the token is dead does not stop it; one that does not answer does.
func (s *Applications) Delete(ctx context.Context, key *gateway.APIKey, application string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.Get(ctx, key, application)
	if err != nil {
		return err
	}
	client, err := s.Platform.Client(a)
	if err != nil {
		return err
	}
	if a.Door {
		if err := s.leaveDoor(ctx, a, client); err != nil {
			return err
		}
	}
	if err := client.UnsubscribePage(ctx); err != nil {
		if unavailable(err) {
			return refused(err, "", "unsubscribe the page")
		}
		s.Logger.Warn("page could not be unsubscribed", "application", a.Key, "page_id", a.PageID, "err", err)
	}
	if err := s.Vault.DeleteApplication(ctx, application); err != nil {
		return err
	}
	return s.Directory.Refresh(ctx)
}

// leaveDoor moves the Facebook app's callback away from an application that is to be deleted.
func (s *Applications) leaveDoor(ctx context.Context, a *gateway.Application, client *messenger.Client) error {
	siblings, err := s.siblings(ctx, a)
	if err != nil {
		return err
	}
	app := appClient(client, a)
	if len(siblings) > 0 {
		err := s.openDoor(ctx, app, siblings[0])
		if gateway.CodeOf(err) != gateway.CodeInvalidRequest {
			return err
		}
		s.Logger.Warn("app's callback could not be moved", "application", a.Key, "to", siblings[0].Key, "app_id", a.AppID, "err", err)
		return nil
	}
	subscriptions, err := app.AppSubscriptions(ctx, a.AppID)
	if err == nil {
		if page := pageSubscription(subscriptions); page == nil || page.CallbackURL != s.callback(a.Key) {
			return nil // it leads elsewhere by now
		}
		err = app.UnsubscribeApp(ctx, a.AppID, "page")
	}
	if err != nil && unavailable(err) {
		return refused(err, "", "take away the app's callback")
	}
	if err != nil {
		s.Logger.Warn("app could not be unsubscribed", "application", a.Key, "app_id", a.AppID, "err", err)
	}
	return nil
}

// openDoor makes the Facebook app's callback lead to an application's address. The platform
// verifies the address during the call.
func (s *Applications) openDoor(ctx context.Context, app *messenger.Client, a *gateway.Application) error {
	err := app.SubscribeApp(ctx, messenger.AppSubscriptionRequest{
		AppID: a.AppID, Object: "page", CallbackURL: s.callback(a.Key), VerifyToken: a.VerifyToken.Reveal(), Fields: gateway.SubscribedFields(),
	})
	if err != nil {
		return refused(err, "application", "set the app's callback to "+s.callback(a.Key)+" (can it be reached from outside?)")
	}
	return s.Vault.SetDoor(ctx, a.AppID, a.Key)
}

func (s *Applications) callback(key string) string {
	return strings.TrimSuffix(s.PublicURL, "/") + gateway.CallbackPath(key)
}

// pageSubscription returns an app's subscription to pages, nil when it has none.
func pageSubscription(all []messenger.AppSubscription) *messenger.AppSubscription {
	for i := range all {
		if all[i].Object == "page" {
			return &all[i]
		}
	}
	return nil
}
