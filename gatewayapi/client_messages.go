package gatewayapi

import (
	"context"
	"net/http"
	"net/url"
)

// SendResult is the answer to SendMessage.
type SendResult struct {
	Message Message
	// Replayed tells that the same request had been made before under the same idempotency key.
	Replayed bool
}

// SendMessage hands a message over for sending; it is stored durably when SendMessage returns. With an idempotency key, which may be empty, a repeat of the same request
// within seven days is not sent twice.
func (c *Client) SendMessage(ctx context.Context, req SendMessageRequest, idempotencyKey string) (SendResult, error) {
	var result SendResult
	header, err := c.do(ctx, call{method: http.MethodPost, path: "/v1/messages", header: idempotency(idempotencyKey), body: req, into: &result.Message})
	result.Replayed = header.Get("Idempotent-Replayed") == "true"
	return result, err
}

// SendBatch hands over up to 1,000 messages in one commit, with a verdict for each. The error is nil also when some or all were refused.
func (c *Client) SendBatch(ctx context.Context, req SendBatchRequest, idempotencyKey string) (SendBatchResult, error) {
	var result SendBatchResult
	_, err := c.do(ctx, call{method: http.MethodPost, path: "/v1/messages/batch", header: idempotency(idempotencyKey), body: req, into: &result})
	return result, err
}

func idempotency(key string) http.Header {
	if key == "" {
		return nil
	}
	return http.Header{"Idempotency-Key": {key}}
}

// GetMessage reads a message with its attempts and its timeline.
func (c *Client) GetMessage(ctx context.Context, id string) (Message, error) {
	return get[Message](ctx, c, "/v1/messages/"+url.PathEscape(id), nil)
}

// MessageFilter selects messages. Empty fields select all.
type MessageFilter struct {
	Application   string
	FBMessengerID string
	ProfileID     string
	Status        string
	Cursor        string // of the page before
	Limit         int    // 1 to 200; 0 for 50
}

// ListMessages reads one page of messages, newest first.
func (c *Client) ListMessages(ctx context.Context, f MessageFilter) (MessagePage, error) {
	query := page(nil, f.Cursor, f.Limit)
	setUnlessEmpty(query, "application", f.Application)
	setUnlessEmpty(query, "fbMessengerId", f.FBMessengerID)
	setUnlessEmpty(query, "profileId", f.ProfileID)
	setUnlessEmpty(query, "status", f.Status)
	return get[MessagePage](ctx, c, "/v1/messages", query)
}

// CancelMessage ends a message that is still queued; the error's code is not_cancelable when it no longer is.
func (c *Client) CancelMessage(ctx context.Context, id string) (Message, error) {
	return send[Message](ctx, c, http.MethodPost, "/v1/messages/"+url.PathEscape(id)+"/cancel", nil)
}

// ReleaseMessage sends a message that a restore has held, as the newest of its conversation; the error's code is not_held when it is not held.
func (c *Client) ReleaseMessage(ctx context.Context, id string) (Message, error) {
	return send[Message](ctx, c, http.MethodPost, "/v1/messages/"+url.PathEscape(id)+"/release", nil)
}

// CheckMessage asks whether a message may be sent; nothing is stored or sent.
func (c *Client) CheckMessage(ctx context.Context, req SendMessageRequest) (PolicyAnswer, error) {
	return send[PolicyAnswer](ctx, c, http.MethodPost, "/v1/messages/check", req)
}
