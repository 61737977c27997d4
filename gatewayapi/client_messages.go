package gatewayapi

import (
	"context"
	"iter"
	"net/http"
	"net/url"
)

func messagePath(id string) string { return "/v1/messages/" + url.PathEscape(id) }

// SendResult is the answer to SendMessage.
type SendResult struct {
	Message Message
	// Replayed tells that the same request had been made before under the same idempotency key.
	Replayed bool
}

// SendMessage hands a message over for sending; it is stored durably when SendMessage returns.
func (c *Client) SendMessage(ctx context.Context, req SendMessageRequest) (SendResult, error) {
	var result SendResult
	header, err := c.do(ctx, call{method: http.MethodPost, path: "/v1/messages", header: idempotency(req.IdempotencyKey), safe: req.IdempotencyKey != "", body: req, into: &result.Message})
	result.Replayed = header.Get("Idempotent-Replayed") == "true"
	return result, err
}

// SendBatch hands over up to 1,000 messages in one commit, with a verdict for each. The error is
// nil also when some or all were refused.
func (c *Client) SendBatch(ctx context.Context, req SendBatchRequest) (SendBatchResult, error) {
	var result SendBatchResult
	_, err := c.do(ctx, call{method: http.MethodPost, path: "/v1/messages/batch", header: idempotency(req.IdempotencyKey), safe: req.IdempotencyKey != "", body: req, into: &result})
	return result, err
}

func idempotency(key string) http.Header {
	if key == "" {
		return nil
	}
	return http.Header{"Idempotency-Key": {key}}
}

// CheckMessage asks whether a message may be sent; nothing is stored or sent.
func (c *Client) CheckMessage(ctx context.Context, req SendMessageRequest) (PolicyAnswer, error) {
	var result PolicyAnswer
	_, err := c.do(ctx, call{method: http.MethodPost, path: "/v1/messages/check", body: req, into: &result, safe: true})
	return result, err
}

// GetMessage reads a message with its attempts and its timeline.
func (c *Client) GetMessage(ctx context.Context, id string) (Message, error) {
	return get[Message](ctx, c, messagePath(id), nil)
}

// ListMessagesRequest selects messages. Empty fields select all.
type ListMessagesRequest struct {
	Application   string
	FBMessengerID string
	ProfileID     string
	Status        MessageStatus
	Cursor        string // of the page before
	Limit         int    // 1 to 200; 0 for 50
}

// ListMessages reads one page of messages, newest first.
func (c *Client) ListMessages(ctx context.Context, req ListMessagesRequest) (MessagePage, error) {
	return get[MessagePage](ctx, c, "/v1/messages", query("application", req.Application, "fbMessengerId", req.FBMessengerID, "profileId", req.ProfileID,
		"status", string(req.Status), "cursor", req.Cursor, "limit", number(req.Limit)))
}

// AllMessages walks all messages from a page on, newest first. An error ends the walk.
func (c *Client) AllMessages(ctx context.Context, req ListMessagesRequest) iter.Seq2[Message, error] {
	return walk(req.Cursor, func(cursor string) ([]Message, string, error) {
		req.Cursor = cursor
		page, err := c.ListMessages(ctx, req)
		return page.Messages, page.Cursor, err
	})
}

// CancelMessage ends a message that is still queued; the error's code is CodeNotCancelable when it
// no longer is.
func (c *Client) CancelMessage(ctx context.Context, id string) (Message, error) {
	return send[Message](ctx, c, http.MethodPost, messagePath(id)+"/cancel", nil)
}

// ReleaseMessage sends a message that a restore has held, as the newest of its conversation; the
// error's code is CodeNotHeld when it is not held.
func (c *Client) ReleaseMessage(ctx context.Context, id string) (Message, error) {
	return send[Message](ctx, c, http.MethodPost, messagePath(id)+"/release", nil)
}
