package reach

import (
	"net/http"
	"time"
)

// Client says what a client for addresses that users gave is like.
type Client struct {
	Timeout   time.Duration // of a whole request
	Dial      time.Duration // to make a connection, and again for TLS
	PerHost   int           // connections kept for a host
	Idle      time.Duration // for which one is kept
	Redirects bool          // up to ten are followed, each to an address that is checked; otherwise the answer itself is returned
}

// Client makes an HTTP client that connects only where Allowed permits, and uses no proxy. The
// error of a request to another address holds [ErrRefused].
func (a *Allowed) Client(c Client) *http.Client {
	client := &http.Client{Timeout: c.Timeout, Transport: &http.Transport{
		DialContext: a.DialContext(c.Dial), TLSHandshakeTimeout: c.Dial, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: c.PerHost, IdleConnTimeout: c.Idle,
	}}
	if !c.Redirects {
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	return client
}
