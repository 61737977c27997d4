package messenger

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"net/url"
)

// ConversationID is the platform's id of a thread, such as t_100012345.
type ConversationID string

// Conversation is the thread of a person with a page. Fields that were not asked
// for are empty.
type Conversation struct {
	ID           ConversationID    `json:"id"`
	Link         string            `json:"link,omitempty"`
	Snippet      string            `json:"snippet,omitempty"`
	UpdatedTime  string            `json:"updated_time,omitempty"` // such as 2016-01-02T23:40:56+0000
	MessageCount int               `json:"message_count,omitempty"`
	UnreadCount  int               `json:"unread_count,omitempty"`
	CanReply     bool              `json:"can_reply,omitempty"`
	IsSubscribed bool              `json:"is_subscribed,omitempty"`
	Participants List[Participant] `json:"participants,omitzero"`
	Senders      List[Participant] `json:"senders,omitzero"`
	Messages     List[ChatMessage] `json:"messages,omitzero"`
}

// Participant is one side of a conversation.
type Participant struct {
	ID    PSID   `json:"id"`
	Name  string `json:"name,omitempty"`
	Email string `json:"email,omitempty"` // the id with @facebook.com behind it
}

// ChatMessage is a message as a conversation keeps it.
type ChatMessage struct {
	ID          MessageID            `json:"id"`
	CreatedTime string               `json:"created_time,omitempty"` // such as 2016-01-02T23:40:56+0000
	From        Participant          `json:"from,omitzero"`
	To          List[Participant]    `json:"to,omitzero"`
	Text        string               `json:"message,omitempty"`
	Sticker     string               `json:"sticker,omitempty"` // the address of its picture
	Attachments List[ChatAttachment] `json:"attachments,omitzero"`
	Tags        json.RawMessage      `json:"tags,omitempty"`
	Shares      json.RawMessage      `json:"shares,omitempty"`
}

// ChatAttachment is an attachment as a conversation keeps it.
type ChatAttachment struct {
	ID        string     `json:"id,omitempty"`
	MIMEType  string     `json:"mime_type,omitempty"`
	Name      string     `json:"name,omitempty"`
	Size      int64      `json:"size,omitempty"` // bytes
	ImageData *ChatMedia `json:"image_data,omitempty"`
	VideoData *ChatMedia `json:"video_data,omitempty"`
	FileURL   string     `json:"file_url,omitempty"`
}

// ChatMedia is where the picture or video of an attachment is, in pixels.
type ChatMedia struct {
	URL        string `json:"url,omitempty"`
	PreviewURL string `json:"preview_url,omitempty"`
	Width      int    `json:"width,omitempty"`
	Height     int    `json:"height,omitempty"`
}

// ConversationsRequest asks for conversations of the token's page.
type ConversationsRequest struct {
	Platform string // messenger, instagram; both when it is empty
	PSID     PSID   // only the one with this person
	Folder   string // such as inbox, spam
	Tags     string
	ListOptions
}

func (r ConversationsRequest) query() url.Values {
	query := r.ListOptions.query()
	setNonEmpty(query, "platform", r.Platform)
	setNonEmpty(query, "user_id", string(r.PSID))
	setNonEmpty(query, "folder", r.Folder)
	setNonEmpty(query, "tags", r.Tags)
	return query
}

// ListConversations returns one page of the conversations of the token's page, the latest first, at
// most 2 calls a second for a page. Without fields the platform gives ids and times.
//
// Docs: https://developers.facebook.com/docs/graph-api/reference/page/conversations
func (c *Client) ListConversations(ctx context.Context, req ConversationsRequest) (List[Conversation], error) {
	return get[List[Conversation]](ctx, c, "me/conversations", req.query())
}

// AllConversations walks the conversations of the token's page. It stops at the
// first error.
//
// Docs: https://developers.facebook.com/docs/graph-api/reference/page/conversations
func (c *Client) AllConversations(ctx context.Context, req ConversationsRequest) iter.Seq2[Conversation, error] {
	return all[Conversation](ctx, c, "me/conversations", req.query())
}

// Conversation reads one conversation with the given fields.
//
// Docs: https://developers.facebook.com/docs/graph-api/reference/conversation
func (c *Client) Conversation(ctx context.Context, id ConversationID, fields ...string) (Conversation, error) {
	return get[Conversation](ctx, c, nodePath(id, ""), ListOptions{Fields: fields}.query())
}

// chatFields are what messages are asked for without fields.
const chatFields = "id,created_time,from,to,message"

// ListMessages returns one page of the messages of a conversation, the latest first. The platform
// keeps the details of the last 20 only.
//
// Docs: https://developers.facebook.com/docs/graph-api/reference/conversation
func (c *Client) ListMessages(ctx context.Context, id ConversationID, opts ListOptions) (List[ChatMessage], error) {
	return get[List[ChatMessage]](ctx, c, nodePath(id, "messages"), opts.query(chatFields))
}

// AllMessages walks the messages of a conversation. It stops at the first error.
//
// Docs: https://developers.facebook.com/docs/graph-api/reference/conversation
func (c *Client) AllMessages(ctx context.Context, id ConversationID, opts ListOptions) iter.Seq2[ChatMessage, error] {
	return all[ChatMessage](ctx, c, nodePath(id, "messages"), opts.query(chatFields))
}

// Message reads one message. Without fields it asks for sender, recipient, time
// and text.
//
// Docs: https://developers.facebook.com/docs/graph-api/reference/message
func (c *Client) Message(ctx context.Context, id MessageID, fields ...string) (ChatMessage, error) {
	return get[ChatMessage](ctx, c, nodePath(id, ""), ListOptions{Fields: fields}.query(chatFields))
}

// ReplyPrivately answers a comment or a post with a text in Messenger.
//
// Deprecated: withdrawn on October 29, 2019 (v5.0). Use [Client.Send] with
// [Recipient].CommentID or PostID: one message within 7 days, at most 750 an
// hour for a page.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/discovery/private-replies
func (c *Client) ReplyPrivately(ctx context.Context, objectID, text string) error {
	body := map[string]string{"message": text}
	return c.Do(ctx, http.MethodPost, nodePath(objectID, "private_replies"), nil, body, nil)
}
