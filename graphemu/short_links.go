package graphemu

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/chasqui/chasqui/internal/qr"
)

const (
	maxHops     = 5               // redirects that are followed
	linkTimeout = 5 * time.Second // for all of them together
)

// linkFollower follows the links of actions as a person's browser does.
type linkFollower struct {
	world     *world
	callbacks *callbacks
}

// resolve replaces the link or the code of an action by where it leads, if it is a short link
// of another program on this machine, such as a gateway. Nothing else is fetched.
func (f linkFollower) resolve(ctx context.Context, a Action) (Action, error) {
	link := ""
	switch {
	case a.Link != nil:
		link = a.Link.URL
	case a.Scan != nil && len(a.Scan.Image) > 0:
		text, err := qr.Decode(bytes.NewReader(a.Scan.Image))
		if err != nil {
			return a, fmt.Errorf("%w: %w", ErrAction, err)
		}
		link = text
	case a.Scan != nil:
		// Codes of the emulator are resolved by codeAt. A picture at the address of another
		// program is not a code.
		return a, nil
	default:
		return a, nil
	}
	if f.world.leads(link) || !onThisMachine(link) {
		return a, nil
	}
	target, err := f.followRedirects(ctx, link)
	if err != nil {
		return a, fmt.Errorf("%w: %w: %w", ErrAction, errLink, err)
	}
	a.Link, a.Scan = &LinkAction{URL: target}, nil
	return a, nil
}

// onThisMachine reports whether a link is a web address of this machine.
func onThisMachine(link string) bool {
	u, err := url.Parse(strings.TrimSpace(link))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return false
	}
	return u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback()
}

// followRedirects follows a link as a person's browser does, until it leads to a
// page of the emulator.
func (f linkFollower) followRedirects(ctx context.Context, link string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, linkTimeout)
	defer cancel()
	for range maxHops {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSpace(link), nil)
		if err != nil {
			return "", err
		}
		// Programs that count visits ignore what identifies itself as a robot.
		req.Header.Set("User-Agent", "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36")
		resp, err := f.callbacks.client.Do(req)
		if err != nil {
			return "", fmt.Errorf("%.80s does not answer", link)
		}
		io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) //nolint:errcheck // what it says does not matter
		resp.Body.Close()
		next, err := resp.Location()
		if err != nil {
			return "", fmt.Errorf("%.80s answers with status %d and leads no further", link, resp.StatusCode)
		}
		if link = next.String(); f.world.leads(link) {
			return link, nil
		}
		if !onThisMachine(link) {
			return "", fmt.Errorf("it leads to %.80s, which is not fetched", link)
		}
	}
	return "", errors.New("it leads through too many others")
}
