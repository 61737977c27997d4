package service

import (
	"context"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/qr"
	"github.com/chasqui/chasqui/internal/reach"
)

const maxLogo = qr.MaxLogoBytes

// Pictures fetches what stands in the middle of codes. It connects only to addresses it has
// checked, redirects included.
type Pictures struct {
	// Easel is where codes are drawn.
	Easel *Easel
	http  *http.Client
}

// NewPictures makes a fetcher. allowed is what it reaches beside public addresses.
func NewPictures(allowed *reach.Allowed) *Pictures {
	return &Pictures{Easel: newEasel(), http: allowed.Client(reach.Client{Timeout: 10 * time.Second, Dial: 5 * time.Second, PerHost: 2, Idle: 90 * time.Second, Redirects: true})}
}

// Logo fetches the picture of an application's page, when it is called page, or that of an address.
func (p *Pictures) Logo(ctx context.Context, a *gateway.Application, logo string) ([]byte, error) {
	if logo == "page" {
		if a == nil || a.PageImageURL == "" {
			return nil, gateway.Invalid("logo", "the page has no picture")
		}
		logo = a.PageImageURL
	}
	u, err := url.Parse(logo)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, gateway.Invalid("logo", "give page, or an http or https address")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, gateway.Invalid("logo", "give page, or an http or https address")
	}
	req.Header.Set("Accept", "image/png, image/jpeg, image/gif")
	resp, err := p.http.Do(req)
	if err != nil {
		return nil, gateway.Invalid("logo", "the picture could not be fetched").WithCause(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxLogo+1))
	switch {
	case err != nil || resp.StatusCode != http.StatusOK:
		return nil, gateway.Invalid("logo", "the picture could not be fetched: status %d", resp.StatusCode)
	case len(b) > maxLogo:
		return nil, gateway.Invalid("logo", "the picture has more than %d MB", maxLogo>>20)
	}
	return b, nil
}

// OptInSnippet is HTML for a page that lets a visitor come with a token: the Send to Messenger
// button, and a plain link for everybody else.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/discovery/send-to-messenger-plugin
func OptInSnippet(a *gateway.Application, token, link string) string {
	return fmt.Sprintf(`<script>
  window.fbAsyncInit = function () { FB.init({appId: "%s", xfbml: true, version: "v26.0"}); };
</script>
<script async defer src="https://connect.facebook.net/en_US/sdk.js"></script>
<div class="fb-send-to-messenger" messenger_app_id="%s" page_id="%s" data-ref="%s" color="blue" size="large"></div>
<a href="%s">Open in Messenger</a>
`, a.AppID, a.AppID, a.PageID, html.EscapeString(token), html.EscapeString(link))
}
