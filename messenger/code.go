package messenger

import (
	"context"
	"net/http"
)

// CodeRequest asks for a picture that people scan with Messenger.
type CodeRequest struct {
	ImageSize int    // width and height in pixels, 100 to 2,000; 1,000 when it is 0
	Ref       string // up to 250 of a-z A-Z 0-9 + / = - . : _; empty for a code without one
}

// MessengerCode makes a Messenger code and returns the temporary address of its
// picture.
//
// Deprecated: the platform removed the codes on October 29, 2019; cameras stopped
// reading them on August 15, 2019. Use a QR code of an m.me link with a ref.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/discovery/messenger-codes
func (c *Client) MessengerCode(ctx context.Context, req CodeRequest) (string, error) {
	type ref struct {
		Ref string `json:"ref"`
	}
	body := struct {
		Type      string `json:"type"`
		ImageSize int    `json:"image_size,omitempty"`
		Data      *ref   `json:"data,omitempty"`
	}{Type: "standard", ImageSize: req.ImageSize}
	if req.Ref != "" {
		body.Data = &ref{req.Ref}
	}
	if err := c.check(http.MethodPost, "me/messenger_codes", req.check); err != nil {
		return "", err
	}
	answer, err := post[struct {
		URI string `json:"uri"`
	}](ctx, c, "me/messenger_codes", body)
	return answer.URI, err
}
