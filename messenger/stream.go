package messenger

import (
	"context"
	"fmt"
	"io"
	"net/http"
)

// callStream posts a form and returns the body of a good answer.
func (c *Client) callStream(ctx context.Context, path string, f *form) ([]byte, error) {
	var trace connTrace
	req, err := c.request(trace.with(ctx), http.MethodPost, path, "", f.contentType, nil)
	if err != nil {
		return nil, &CallError{http.MethodPost, path, err, true}
	}
	req.Header["Content-Type"] = []string{f.contentType}
	req.Body = f.body()
	req.ContentLength = f.size
	if f.again != nil {
		req.GetBody = func() (io.ReadCloser, error) { return f.body(), nil }
	}
	if err := ctx.Err(); err != nil {
		return nil, &CallError{http.MethodPost, path, err, true}
	}
	resp, err := c.httpClient.Do(req)
	if err != nil {
		cause := withoutURL(err)
		return nil, &CallError{http.MethodPost, path, cause, trace.unsent() || neverConnected(cause)}
	}
	defer resp.Body.Close()
	if c.onUsage != nil && hasUsage(resp.Header) {
		c.onUsage(parseUsage(resp.Header))
	}
	answer, err := readAnswer(resp)
	if err != nil {
		return nil, &CallError{http.MethodPost, path, fmt.Errorf("read answer: %w", err), false}
	}
	if refused := errorFrom(resp.StatusCode, resp.Header, answer, c.redact); refused != nil {
		return nil, fmt.Errorf("POST %s: %w", path, refused)
	}
	return answer, nil
}
