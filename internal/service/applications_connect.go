package service

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/messenger"
)

// abandonedAfter is when an application that is still connecting belongs to a process that died
// over it.
const abandonedAfter = 2 * time.Minute

// ConnectInput is what connecting a page takes.
type ConnectInput struct {
	AccessToken  gateway.Secret
	AppID        string
	AppSecret    gateway.Secret
	GraphVersion string // empty for the gateway's default
	Limits       gateway.Limits
}

// Connect connects a page: it checks token and secret at the platform, subscribes the page and the
// app, and returns the new application, active. It is everything or nothing: after an error nothing
// is left behind, here or at the platform, and the error names the input at fault.
func (s *Applications) Connect(ctx context.Context, key *gateway.APIKey, in ConnectInput) (*gateway.Application, error) {
	if key.Limited() {
		return nil, gateway.Errorf(gateway.CodeForbidden, "this key is limited to some applications and cannot connect another")
	}
	if s.PublicURL == "" {
		return nil, gateway.Errorf(gateway.CodeConflict, "the setting publicUrl is missing: the platform could not reach this gateway")
	}
	a := &gateway.Application{
		Key: gateway.NewApplicationKey(), State: gateway.ApplicationConnecting, AppID: in.AppID, AppSecret: in.AppSecret, AccessToken: in.AccessToken,
		GraphVersion: in.GraphVersion, Limits: in.Limits, VerifyToken: gateway.NewVerifyToken(),
	}
	if err := validateCredentials(a); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	client, err := s.identify(ctx, a)
	if err != nil {
		return nil, err
	}
	if err := s.clearAbandoned(ctx, a); err != nil {
		return nil, err
	}
	// The platform verifies the callback while it is being set, so that the application must be
	// known to ingest before.
	if err := s.Vault.CreateApplication(ctx, a); err != nil {
		return nil, err
	}
	connected, err := s.subscribe(ctx, a, client)
	if err != nil {
		undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTimeout)
		defer cancel()
		return nil, errors.Join(err, s.Vault.DeleteApplication(undo, a.Key), s.Directory.Refresh(undo))
	}
	s.Logger.Info("page connected", "application", a.Key, "page_id", a.PageID, "app_id", a.AppID)
	return connected, s.Directory.Refresh(ctx)
}

// subscribe makes the platform send the page's events here and the application active. What it did
// at the platform is undone when it fails.
func (s *Applications) subscribe(ctx context.Context, a *gateway.Application, client *messenger.Client) (_ *gateway.Application, err error) {
	if err := s.Directory.Refresh(ctx); err != nil {
		return nil, err
	}
	before, err := client.PageSubscriptions(ctx)
	if err != nil {
		return nil, refused(err, "page.accessToken", "list the page's subscriptions")
	}
	defer func() {
		if err != nil {
			s.restorePage(ctx, a, client, before)
		}
	}()
	if err := refused(client.SubscribePage(ctx, gateway.SubscribedFields()...), "page.accessToken", "subscribe the page"); err != nil {
		return nil, err
	}
	if err := s.ensureDoor(ctx, a, appClient(client, a)); err != nil {
		return nil, err
	}
	if err := s.shareSecret(ctx, a); err != nil {
		return nil, err
	}
	return s.Vault.UpdateApplication(ctx, a.Key, func(stored *gateway.Application) error {
		stored.State = gateway.ApplicationActive
		return nil
	})
}

// ensureDoor keeps the Facebook app's callback where it leads to another of the app's pages here,
// and sets it to this page's address otherwise. It is the last step that can fail for a reason
// outside, because what the callback was before cannot be put back: its verify token is not ours to
// know.
func (s *Applications) ensureDoor(ctx context.Context, a *gateway.Application, app *messenger.Client) error {
	siblings, err := s.siblings(ctx, a)
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(siblings, func(o *gateway.Application) bool { return o.Door }); i >= 0 {
		have, err := app.AppSubscriptions(ctx, a.AppID)
		if err != nil {
			return refused(err, "application.secret", "list the app's subscriptions")
		}
		if page := pageSubscription(have); page != nil && page.Active && page.CallbackURL == s.callback(siblings[i].Key) && len(missingFrom(page)) == 0 {
			return nil
		}
		// The verify token belongs to the door, so the call names the door's own.
		return s.openDoor(ctx, app, siblings[i])
	}
	return s.openDoor(ctx, app, a)
}

func missingFrom(page *messenger.AppSubscription) []string {
	var have []string
	for _, f := range page.Fields {
		have = append(have, f.Name)
	}
	return gateway.MissingFields(have)
}

// restorePage puts the page's subscription back to what it was.
func (s *Applications) restorePage(ctx context.Context, a *gateway.Application, client *messenger.Client, before []messenger.PageSubscription) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTimeout)
	defer cancel()
	var err error
	if i := slices.IndexFunc(before, func(p messenger.PageSubscription) bool { return string(p.ID) == a.AppID }); i >= 0 && len(before[i].SubscribedFields) > 0 {
		err = client.SubscribePage(ctx, before[i].SubscribedFields...)
	} else {
		err = client.UnsubscribePage(ctx)
	}
	if err != nil {
		s.Logger.Warn("page's subscription could not be put back", "page_id", a.PageID, "app_id", a.AppID, "err", err)
	}
}

// clearAbandoned removes what a process left that died while it connected the same page.
func (s *Applications) clearAbandoned(ctx context.Context, a *gateway.Application) error {
	all, err := s.Vault.Applications(ctx)
	if err != nil {
		return err
	}
	for _, other := range all {
		if other.AppID == a.AppID && other.PageID == a.PageID && other.State == gateway.ApplicationConnecting && s.Now().Sub(other.CreatedAt) > abandonedAfter {
			return s.Vault.DeleteApplication(ctx, other.Key)
		}
	}
	return nil
}

// identify asks the platform whose token and secret these are, and fills in what it says. It
// returns a client that speaks with the page's token.
func (s *Applications) identify(ctx context.Context, a *gateway.Application) (*messenger.Client, error) {
	client, err := s.Platform.Client(a)
	if err != nil {
		return nil, err
	}
	// The app is asked first: it alone can say whether a secret is wrong or a token is another
	// app's.
	app := appClient(client, a)
	info, err := app.DebugToken(ctx, a.AccessToken.Reveal())
	if err != nil {
		if errors.Is(err, messenger.ErrTokenInvalid) {
			words := err.Error()
			if e := (*messenger.Error)(nil); errors.As(err, &e) {
				words = e.Message
			}
			return nil, gateway.Invalid("application.secret", "the platform does not take this secret for the app %s: %s Copy the app's id and its secret together, from the basic settings of the app that made the page token.", a.AppID, words)
		}
		return nil, refused(err, "page.accessToken", "inspect the token as app "+a.AppID)
	}
	page, err := client.Page(ctx, "id", "name", "picture")
	if err != nil && !unavailable(err) {
		a.PageID = string(info.ProfileID)
		if wrong := fits(info, a); wrong != nil {
			return nil, wrong // says more than the refusal
		}
	}
	if err != nil {
		return nil, refused(err, "page.accessToken", "read the page")
	}
	a.PageID, a.PageName, a.PageImageURL = string(page.ID), page.Name, page.PictureURL
	if err := fits(info, a); err != nil {
		return nil, err
	}
	// Name and logo are for people to look at: an app that may not read them connects all the same.
	if described, err := app.App(ctx, a.AppID, "name", "logo_url"); err == nil {
		a.AppName, a.AppImageURL = described.Name, described.LogoURL
	} else {
		s.Logger.Info("name and logo of the app cannot be read", "app_id", a.AppID, "err", err)
	}
	return client, nil
}

// fits reports whether a token is a page token of the app given.
func fits(info messenger.TokenInfo, a *gateway.Application) error {
	const field = "page.accessToken"
	switch {
	case !info.IsValid && info.Error != nil:
		return gateway.Invalid(field, "the platform says that the token is not valid: %s", info.Error.Message)
	case !info.IsValid:
		return gateway.Invalid(field, "the platform says that the token is not valid")
	case info.AppID != "" && string(info.AppID) != a.AppID:
		return gateway.Invalid(field, "the token was made for app %s, not for app %s", info.AppID, a.AppID)
	case info.Type != "" && info.Type != "PAGE":
		return gateway.Invalid(field, "this is a %s token; a page token is needed", info.Type)
	case info.ProfileID != "" && string(info.ProfileID) != a.PageID:
		return gateway.Invalid(field, "the token is of page %s, while it reads page %s", info.ProfileID, a.PageID)
	case len(info.Scopes) > 0 && !slices.Contains(info.Scopes, "pages_messaging"):
		return gateway.Invalid(field, "the token lacks the permission pages_messaging")
	}
	return nil
}

var (
	digits       = regexp.MustCompile(`^\d{1,30}$`)
	graphVersion = regexp.MustCompile(`^v\d+\.\d+$`)
)

func validateCredentials(a *gateway.Application) error {
	switch {
	case a.AccessToken == "" || len(a.AccessToken) > 1000:
		return gateway.Invalid("page.accessToken", "must be a page token of 1 to 1000 bytes")
	case !printable(a.AccessToken.Reveal()):
		return gateway.Invalid("page.accessToken", "must not hold spaces or control characters")
	case !digits.MatchString(a.AppID):
		return gateway.Invalid("application.id", "must be the number of a Facebook app")
	case a.AppSecret == "" || len(a.AppSecret) > 200 || !printable(a.AppSecret.Reveal()):
		return gateway.Invalid("application.secret", "must be the app's secret")
	case a.GraphVersion != "" && !graphVersion.MatchString(a.GraphVersion):
		return gateway.Invalid("graphVersion", "must be like v26.0")
	case a.Limits.TextPerSecond < 0 || a.Limits.MediaPerSecond < 0:
		return gateway.Invalid("limits", "must not be negative")
	}
	return nil
}

// printable reports whether a text can stand in a header.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}
