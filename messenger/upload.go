package messenger

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/textproto"
)

// File is content that is uploaded with a message, up to 25 MB.
type File struct {
	Name        string // the person sees it; required, the platform refuses content without one
	ContentType string // such as image/png
	Data        []byte
}

// SendFile sends one message whose attachment is the given content instead of a
// URL: the message's attachment has a type and an empty payload.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/send-messages/saving-assets
func (c *Client) SendFile(ctx context.Context, req SendRequest, file File) (SendResult, error) {
	path := messagesPath(req.PageID)
	form, content, err := req.form(file)
	if err != nil {
		return SendResult{}, &CallError{http.MethodPost, path, fmt.Errorf("encode message: %w", err), true}
	}
	answer, err := c.call(ctx, http.MethodPost, path, "", content, form)
	if err != nil {
		return SendResult{}, err
	}
	var result SendResult
	if !json.Valid(answer) || result.UnmarshalJSON(answer) != nil || result.MessageID == "" {
		return SendResult{}, &CallError{http.MethodPost, path, fmt.Errorf("%w: it has no message_id", ErrUnreadable), false}
	}
	return result, nil
}

// form is the request as a multipart form, the file last.
func (r SendRequest) form(file File) (body []byte, contentType string, err error) {
	recipient, err := json.Marshal(r.Recipient)
	if err != nil {
		return nil, "", err
	}
	message, err := json.Marshal(r.Message)
	if err != nil {
		return nil, "", err
	}
	var buf bytes.Buffer
	w := multipart.NewWriter(&buf)
	for _, field := range []struct{ name, value string }{
		{"recipient", string(recipient)}, {"messaging_type", string(r.MessagingType)}, {"tag", string(r.Tag)},
		{"notification_type", string(r.NotificationType)}, {"persona_id", r.PersonaID}, {"message", string(message)},
	} {
		if field.value == "" {
			continue
		}
		if err := w.WriteField(field.name, field.value); err != nil {
			return nil, "", err
		}
	}
	part, err := w.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {multipart.FileContentDisposition("filedata", file.Name)},
		"Content-Type":        {file.ContentType},
	})
	if err != nil {
		return nil, "", err
	}
	if _, err := part.Write(file.Data); err != nil {
		return nil, "", err
	}
	if err := w.Close(); err != nil {
		return nil, "", err
	}
	return buf.Bytes(), w.FormDataContentType(), nil
}
