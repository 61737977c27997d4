package messenger

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// SendFile sends one message whose attachment is the given content instead of a
// URL: the message's attachment has a type, and no URL, id or template. The
// content is streamed. Tag, persona and notification type go along.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/send-messages/saving-assets
func (c *Client) SendFile(ctx context.Context, req SendRequest, file File) (SendResult, error) {
	path := messagesPath(req.PageID)
	err := c.check(http.MethodPost, path, func(k *checker) {
		req.Recipient.check(k)
		if req.Message.Raw == nil && (req.Message.Attachment == nil || req.Message.Attachment.Type == "") {
			k.require("", "message.attachment.type")
		}
		file.check(k)
	})
	if err != nil {
		return SendResult{}, err
	}
	recipient, err := json.Marshal(req.Recipient)
	if err != nil {
		return SendResult{}, &CallError{http.MethodPost, path, fmt.Errorf("encode message: %w", err), true}
	}
	message, err := json.Marshal(req.Message)
	if err != nil {
		return SendResult{}, &CallError{http.MethodPost, path, fmt.Errorf("encode message: %w", err), true}
	}
	answer, err := c.callForm(ctx, path, file, []formField{
		{"recipient", string(recipient)}, {"messaging_type", string(req.MessagingType)}, {"tag", string(req.Tag)},
		{"notification_type", string(req.NotificationType)}, {"persona_id", req.PersonaID}, {"reply_to", replyTo(req.ReplyTo)}, {"message", string(message)},
	})
	if err != nil {
		return SendResult{}, err
	}
	var result SendResult
	if result.UnmarshalJSON(answer) != nil || result.MessageID == "" {
		return SendResult{}, &CallError{http.MethodPost, path, fmt.Errorf("%w: it has no message_id", ErrUnreadable), false}
	}
	return result, nil
}

func replyTo(mid MessageID) string {
	if mid == "" {
		return ""
	}
	return `{"mid":` + string(appendString(nil, string(mid))) + `}`
}

// UploadRequest is an attachment to keep on the platform: by URL or as content.
type UploadRequest struct {
	PageID   PageID         // set: POST /{page}/message_attachments, else /me/message_attachments
	Type     AttachmentType // image, audio, video, file
	URL      string         // up to 25 MB, images 8 MB; the platform fetches it within 10 s, videos 75 s
	File     *File          // in place of URL
	Reusable bool           // for more than one recipient
	Platform string         // MESSENGER, INSTAGRAM; "" leaves it to the platform
}

func (r UploadRequest) check(k *checker) {
	k.require(string(r.Type), "message.attachment.type")
	if (r.URL == "") == (r.File == nil) {
		k.fail(0, 0, "must have one of url and a file", "message.attachment.payload")
	}
	if r.File != nil {
		r.File.check(k)
	}
}

// UploadAttachment keeps an attachment on the platform and returns its id, which
// goes into [Attachment].AttachmentID or [SavedMessage]. Ids expire after 90
// days. Content is streamed.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/send-messages/saving-assets
func (c *Client) UploadAttachment(ctx context.Context, req UploadRequest) (string, error) {
	path := "me/message_attachments"
	if req.PageID != "" {
		path = nodePath(req.PageID, "message_attachments")
	}
	if err := c.check(http.MethodPost, path, req.check); err != nil {
		return "", err
	}
	message, err := json.Marshal(uploadMessage(req))
	if err != nil {
		return "", &CallError{http.MethodPost, path, fmt.Errorf("encode upload: %w", err), true}
	}
	var saved struct {
		ID PSID `json:"attachment_id"`
	}
	if req.File == nil {
		err = c.Do(ctx, http.MethodPost, path, nil, struct {
			Message  json.RawMessage `json:"message"`
			Platform string          `json:"platform,omitempty"`
		}{message, req.Platform}, &saved)
		return string(saved.ID), err
	}
	answer, err := c.callForm(ctx, path, *req.File, []formField{{"platform", req.Platform}, {"message", string(message)}})
	if err != nil {
		return "", err
	}
	err = c.decode(http.MethodPost, path, answer, &saved)
	return string(saved.ID), err
}

func uploadMessage(req UploadRequest) any {
	type payload struct {
		URL      string `json:"url,omitempty"`
		Reusable bool   `json:"is_reusable"`
	}
	type attachment struct {
		Type    AttachmentType `json:"type"`
		Payload payload        `json:"payload"`
	}
	return struct {
		Attachment attachment `json:"attachment"`
	}{attachment{req.Type, payload{req.URL, req.Reusable}}}
}
