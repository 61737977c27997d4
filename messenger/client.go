package messenger

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// DefaultVersion is the version of the Graph API that a client speaks unless
// told otherwise.
const DefaultVersion = "v26.0"

// DefaultBaseURL is where the Graph API lives.
const DefaultBaseURL = "https://graph.facebook.com"

// Client calls the Graph API with one access token. It is safe for concurrent
// use. It does not retry: [Error.Verdict], [Unsent] and [OutcomeUnknown] tell
// its caller what makes sense.
type Client struct {
	base       *url.URL // scheme, host and path with the version, no slash at the end
	version    string
	httpClient *http.Client
	secret     string
	useProof   bool
	onUsage    func(Usage)
	onRequest  func(context.Context, RequestInfo)
	logger     *slog.Logger
	timeout    time.Duration
	unchecked  bool

	token         string
	authorization []string // the header's value, shared by all requests
	proof         string   // "appsecret_proof=<hex>" or ""
}

// Option configures a client.
type Option func(*Client) error

// New returns a client that calls with the given page, app or user token. Without
// [WithHTTPClient] it uses the connections of http.DefaultTransport, which keeps
// two idle ones for a host that does not speak HTTP/2.
func New(token string, opts ...Option) (*Client, error) {
	if token == "" || strings.ContainsAny(token, "\r\n\x00") {
		return nil, errors.New("new client: access token is empty or holds control characters")
	}
	c := &Client{version: DefaultVersion, useProof: true, timeout: DefaultTimeout}
	if err := WithBaseURL(DefaultBaseURL)(c); err != nil {
		return nil, fmt.Errorf("new client: %w", err)
	}
	for _, opt := range opts {
		if err := opt(c); err != nil {
			return nil, fmt.Errorf("new client: %w", err)
		}
	}
	if c.httpClient == nil {
		if err := WithHTTPClient(http.DefaultClient)(c); err != nil {
			return nil, fmt.Errorf("new client: %w", err)
		}
	}
	c.base.Path += "/" + c.version
	c.setToken(token)
	return c, nil
}

// WithBaseURL sets where the Graph API lives: http or https, perhaps with a
// path, without query.
func WithBaseURL(base string) Option {
	return func(c *Client) error {
		u, err := url.Parse(base)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.RawQuery != "" || u.User != nil {
			return errors.New("base URL must be http or https with a host, without user and query")
		}
		u.Path = strings.TrimRight(u.Path, "/")
		c.base = u
		return nil
	}
}

// WithVersion sets the version of the API, such as "v26.0".
func WithVersion(version string) Option {
	return func(c *Client) error {
		if !regexp.MustCompile(`^v\d{1,3}\.\d{1,2}$`).MatchString(version) {
			return fmt.Errorf("version %.20q must look like v26.0", version)
		}
		c.version = version
		return nil
	}
}

// WithHTTPClient sets the HTTP client, which brings connections and timeouts.
// A copy of it is used that follows no redirects, since a redirect would carry
// the token elsewhere.
func WithHTTPClient(h *http.Client) Option {
	return func(c *Client) error {
		if h == nil {
			return errors.New("HTTP client is nil")
		}
		own := *h
		if own.Transport == nil {
			own.Transport = http.DefaultTransport
		}
		own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		c.httpClient = &own
		return nil
	}
}

// WithAppSecret adds the proof of the app secret to every call.
//
// Docs: https://developers.facebook.com/docs/graph-api/guides/secure-requests
func WithAppSecret(secret string) Option {
	return func(c *Client) error { c.secret = secret; return nil }
}

// WithoutAppSecretProof leaves out the proof although a secret is set.
func WithoutAppSecretProof() Option {
	return func(c *Client) error { c.useProof = false; return nil }
}

// WithUsageHook has f called with the usage that an answer reports, in the goroutine of the call,
// for answers that carry any.
func WithUsageHook(f func(Usage)) Option {
	return func(c *Client) error { c.onUsage = f; return nil }
}

// As returns a client with another token over the same connections and
// options.
func (c *Client) As(token string) *Client {
	other := *c
	other.setToken(token)
	return &other
}

// over returns a copy of c that uses transport; batches use it to capture calls.
func (c *Client) over(transport http.RoundTripper) *Client {
	other := *c
	h := *c.httpClient
	h.Transport = transport
	other.httpClient = &h
	other.onRequest, other.logger = nil, nil
	return &other
}

// Version is the version of the API that the client speaks.
func (c *Client) Version() string { return c.version }

// since reports whether the client speaks the given version or a later one.
func (c *Client) since(version string) bool { return CompareVersions(c.version, version) >= 0 }

// AppToken is the access token of an app itself, as needed for the calls on
// apps: keep it as secret as the app secret that is part of it.
func AppToken(appID, secret string) string { return appID + "|" + secret }

// Proof is the appsecret_proof of a token: 64 lower-case hex digits.
//
// Docs: https://developers.facebook.com/docs/graph-api/guides/secure-requests
func Proof(secret, token string) string {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(token))
	return hex.EncodeToString(m.Sum(nil))
}

func (c *Client) setToken(token string) {
	c.token = token
	c.authorization = []string{"Bearer " + token}
	c.proof = ""
	if c.secret != "" && c.useProof {
		c.proof = "appsecret_proof=" + Proof(c.secret, token)
	}
}
