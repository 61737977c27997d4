package messenger

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

// maxAnswer is how many bytes of an answer are read.
const maxAnswer = 16 << 20

const (
	contentJSON = "application/json"
	contentForm = "application/x-www-form-urlencoded"
)

var headerJSON = []string{contentJSON} // only read

// CallError is the failure of a call that brought no answer. It names the
// method and the path, never the query.
type CallError struct {
	Method string
	Path   string
	Err    error
	unsent bool
}

// Error says which call failed and why.
func (e *CallError) Error() string { return fmt.Sprintf("%s %s: %v", e.Method, e.Path, e.Err) }

// Unwrap returns the cause.
func (e *CallError) Unwrap() error { return e.Err }

// Unsent reports whether the call certainly never reached the platform: the
// request was not valid, the connection was refused, the name did not resolve,
// the handshake failed, or the context ended before there was a connection. It
// is false when the outcome is unknown.
func Unsent(err error) bool {
	var call *CallError
	return errors.As(err, &call) && call.unsent
}

// OutcomeUnknown reports whether the platform may have done what was asked
// although err was returned: no answer came after the request went out, a
// gateway on the way failed, or the answer cannot be read. Sending again may
// then do it twice.
func OutcomeUnknown(err error) bool {
	var refused *Error
	if errors.As(err, &refused) {
		if refused.Code != 0 {
			return refused.Code == 1 && refused.Subcode == 1357046
		}
		return refused.Status < 300 || refused.Status == http.StatusBadGateway || refused.Status == http.StatusGatewayTimeout
	}
	var call *CallError
	return errors.As(err, &call) && !call.unsent
}

// Do makes any call: path is without the version, such as "me/personas". The
// body may be nil, url.Values (sent as a form), []byte or json.RawMessage (sent
// as they are) or any value that marshals to JSON. The answer is decoded into
// out unless that is nil; a *[]byte or *json.RawMessage receives its bytes.
//
// Docs: https://developers.facebook.com/docs/graph-api/overview
func (c *Client) Do(ctx context.Context, method, path string, query url.Values, body any, out any) error {
	content, payload, err := encodeBody(body)
	if err != nil {
		return &CallError{method, path, fmt.Errorf("encode body: %w", err), true}
	}
	answer, err := c.call(ctx, method, path, query.Encode(), content, payload)
	if err != nil {
		return err
	}
	return c.decode(method, path, answer, out)
}

func encodeBody(body any) (content string, payload []byte, err error) {
	switch b := body.(type) {
	case nil:
		return "", nil, nil
	case url.Values:
		return contentForm, []byte(b.Encode()), nil
	case []byte:
		return contentJSON, b, nil
	case json.RawMessage:
		return contentJSON, b, nil
	}
	payload, err = json.Marshal(body)
	return contentJSON, payload, err
}

func (c *Client) decode(method, path string, answer []byte, out any) error {
	var err error
	switch o := out.(type) {
	case nil:
	case *[]byte:
		*o = answer
	case *json.RawMessage:
		*o = answer
	default:
		err = json.Unmarshal(answer, out)
	}
	if err != nil {
		return &CallError{method, path, fmt.Errorf("%w: %w", ErrUnreadable, err), false}
	}
	return nil
}

// call makes one HTTP request and returns the body of a good answer.
func (c *Client) call(ctx context.Context, method, path, query, content string, payload []byte) ([]byte, error) {
	return c.exchange(ctx, method, path, query, content, payload, nil)
}

// exchange makes one HTTP request, with a payload or a form, and returns the
// body of a good answer.
func (c *Client) exchange(ctx context.Context, method, path, query, content string, payload []byte, f *form) ([]byte, error) {
	if _, has := ctx.Deadline(); !has && c.timeout > 0 {
		limit := c.timeout
		if f != nil {
			limit *= uploadTimeouts
		}
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, limit, errTimeout)
		defer cancel()
	}
	if c.onRequest != nil {
		c.onRequest(ctx, RequestInfo{method, path, query, content, payload})
	}
	if c.logger == nil {
		answer, _, err := c.roundTrip(ctx, method, path, query, content, payload, f)
		return answer, err
	}
	began := time.Now()
	answer, status, err := c.roundTrip(ctx, method, path, query, content, payload, f)
	c.log(ctx, method, path, status, time.Since(began), err)
	return answer, err
}

func (c *Client) roundTrip(ctx context.Context, method, path, query, content string, payload []byte, f *form) ([]byte, int, error) {
	var trace connTrace
	req, err := c.request(trace.with(ctx), method, path, query, content, payload)
	if err != nil {
		return nil, 0, &CallError{method, path, err, true}
	}
	if f != nil {
		f.attach(req)
	}
	if err := ctx.Err(); err != nil {
		return nil, 0, &CallError{method, path, err, true}
	}
	resp, err := c.send(req)
	if err != nil {
		cause := withoutURL(err)
		return nil, 0, &CallError{method, path, cause, trace.unsent() || neverConnected(cause)}
	}
	defer resp.Body.Close()
	if c.onUsage != nil && hasUsage(resp.Header) {
		c.onUsage(parseUsage(resp.Header))
	}
	answer, err := readAnswer(resp)
	if err != nil {
		return nil, resp.StatusCode, &CallError{method, path, fmt.Errorf("read answer: %w", err), false}
	}
	if refused := errorFrom(resp.StatusCode, resp.Header, answer, c.redact); refused != nil {
		return nil, resp.StatusCode, fmt.Errorf("%s %s: %w", method, path, refused)
	}
	return answer, resp.StatusCode, nil
}

// send goes straight to the transport where the client has nothing to add:
// redirects are not followed, and the context has the deadline.
func (c *Client) send(req *http.Request) (*http.Response, error) {
	if c.httpClient.Timeout == 0 && c.httpClient.Jar == nil && c.httpClient.Transport != nil {
		resp, err := c.httpClient.Transport.RoundTrip(req)
		if resp == nil && err == nil {
			err = errors.New("the transport gave neither an answer nor an error")
		}
		return resp, err
	}
	return c.httpClient.Do(req)
}

func (c *Client) request(ctx context.Context, method, path, query, content string, payload []byte) (*http.Request, error) {
	u := *c.base
	path = strings.TrimPrefix(path, "/")
	if strings.ContainsAny(path, "?#%") || path == ".." || strings.HasPrefix(path, "../") || strings.Contains(path, "/../") || strings.HasSuffix(path, "/..") {
		return nil, fmt.Errorf("path %.60q holds characters that a path of the API never has", path)
	}
	u.Path = c.base.Path + "/" + path
	switch {
	case c.proof != "" && query != "":
		u.RawQuery = query + "&" + c.proof
	case c.proof != "":
		u.RawQuery = c.proof
	default:
		u.RawQuery = query
	}
	req := (&http.Request{
		Method: method, URL: &u, Host: u.Host,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Authorization": c.authorization},
	}).WithContext(ctx)
	if payload != nil {
		if req.Header["Content-Type"] = headerJSON; content != contentJSON {
			req.Header["Content-Type"] = []string{content}
		}
		req.ContentLength = int64(len(payload))
		// net/http knows this reader, and sends headers and body in one write.
		req.Body = io.NopCloser(bytes.NewReader(payload))
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(payload)), nil }
	}
	return req, nil
}

func readAnswer(resp *http.Response) ([]byte, error) {
	if n := resp.ContentLength; n > 0 && n <= maxAnswer {
		body := make([]byte, n)
		_, err := io.ReadFull(resp.Body, body)
		return body, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err == nil && len(body) > maxAnswer {
		return nil, fmt.Errorf("answer is larger than %d bytes", maxAnswer)
	}
	return body, err
}

// redact removes token, secret and proof from what the platform sent, since it quotes a malformed
// token in its words. What is shorter than 8 bytes is no secret of the platform and may well be a
// part of a word.
func (c *Client) redact(b []byte) []byte {
	for _, secret := range []string{c.token, c.secret, strings.TrimPrefix(c.proof, "appsecret_proof=")} {
		if len(secret) >= 8 && bytes.Contains(b, []byte(secret)) {
			b = bytes.ReplaceAll(b, []byte(secret), []byte("[redacted]"))
		}
	}
	return b
}

// withoutURL strips what net/http says about the URL, whose query holds the
// proof of the app secret.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// connTrace watches whether a call ever had a connection to write to.
type connTrace struct {
	asked, got atomic.Bool
	hooks      httptrace.ClientTrace
}

func (t *connTrace) with(ctx context.Context) context.Context {
	t.hooks.GetConn = func(string) { t.asked.Store(true) }
	t.hooks.GotConn = func(httptrace.GotConnInfo) { t.got.Store(true) }
	return httptrace.WithClientTrace(ctx, &t.hooks)
}

func (t *connTrace) unsent() bool { return t.asked.Load() && !t.got.Load() }

// neverConnected knows the failures that come before a connection is usable.
func neverConnected(err error) bool {
	var (
		op   *net.OpError
		dns  *net.DNSError
		cert *tls.CertificateVerificationError
	)
	return (errors.As(err, &op) && op.Op == "dial") || errors.As(err, &dns) || errors.As(err, &cert)
}
