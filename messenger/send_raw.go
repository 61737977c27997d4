package messenger

import (
	"context"
	"encoding/json"
	"net/http"
)

// SendRaw posts a body of the Send API as it is, for what has no type here: a
// json.RawMessage or any value that marshals to an object. Nothing is checked. The
// result of a sender action has no MessageID.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/reference/send-api
func (c *Client) SendRaw(ctx context.Context, body any) (SendResult, error) {
	payload, err := json.Marshal(body)
	if err != nil {
		return SendResult{}, &CallError{http.MethodPost, "me/messages", err, true}
	}
	return c.postMessage(ctx, "me/messages", payload)
}
