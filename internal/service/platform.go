package service

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/messenger"
)

// Platform makes clients of the Graph API.
type Platform struct {
	BaseURL    string       // address of the Graph API; empty for the real one
	Version    string       // for applications that do not name their own; empty for the newest known
	HTTPClient *http.Client // nil for one with defaults
}

// Client makes a client that speaks with an application's token and proves its secret.
func (p Platform) Client(a *gateway.Application, more ...messenger.Option) (*messenger.Client, error) {
	options := []messenger.Option{messenger.WithAppSecret(a.AppSecret.Reveal())}
	if p.BaseURL != "" {
		options = append(options, messenger.WithBaseURL(p.BaseURL))
	}
	if version := a.GraphVersion; version != "" {
		options = append(options, messenger.WithVersion(version))
	} else if p.Version != "" {
		options = append(options, messenger.WithVersion(p.Version))
	}
	if p.HTTPClient != nil {
		options = append(options, messenger.WithHTTPClient(p.HTTPClient))
	}
	return messenger.New(a.AccessToken.Reveal(), append(options, more...)...)
}

// appClient is the client of an application that speaks with the Facebook app's own token.
func appClient(c *messenger.Client, a *gateway.Application) *messenger.Client {
	return c.As(messenger.AppToken(a.AppID, a.AppSecret.Reveal()))
}

// refused turns the error of a call to the platform into one for the caller of the API. field is
// the input that a refusal is laid to; what is the call in words. A platform that does not answer,
// or is in trouble itself, gives platform_unavailable.
func refused(err error, field, what string) error {
	var e *messenger.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled):
		return err
	case !errors.As(err, &e) || errors.Is(e, messenger.ErrTemporary) || errors.Is(e, messenger.ErrUnreadable):
		return gateway.Errorf(gateway.CodePlatformUnavailable, "the platform could not be asked to %s; try again", what).WithCause(err)
	case errors.Is(e, messenger.ErrRateLimited):
		limited := gateway.Errorf(gateway.CodeRateLimited, "the platform limits calls to %s: %s", what, e.Message).WithCause(err)
		limited.RetryAfter = e.Verdict().After
		return limited
	}
	// A proof that does not fit means that the secret is not the app's, whatever field the call was
	// about.
	if strings.Contains(e.Message, "appsecret_proof") && field != "" {
		field = "application.secret"
	}
	return gateway.Invalid(field, "the platform refuses to %s: %s", what, e.Message).WithCause(err)
}

// unavailable reports whether a call failed for a reason that passes by itself.
func unavailable(err error) bool {
	code := gateway.CodeOf(refused(err, "", ""))
	return code == gateway.CodePlatformUnavailable || code == gateway.CodeRateLimited
}
