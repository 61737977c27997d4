package graphemu

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/chasqui/chasqui/messenger"
)

// conversationsAPI answers the calls about threads and their messages.
type conversationsAPI struct{ *world }

// list is GET /{page}/conversations, the newest first.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/conversations
func (a conversationsAPI) list(c *call) (any, *messenger.Error) {
	if platform := strings.ToUpper(c.params.text("platform")); platform != "" && platform != "MESSENGER" {
		return nil, refuse(100, 0, "(#100) Param platform must be one of {MESSENGER}")
	}
	items := []item{}
	for _, v := range a.conversations(c.page, c.params.text("user_id"), a.calendar.era(c.ver)) {
		items = append(items, item{conversationID(v.person.ID), v.fields()})
	}
	return list(c, "UnifiedThread", items, "id", "link", "updated_time")
}

// get is GET /{conversation}.
func (a conversationsAPI) get(c *call) (any, *messenger.Error) {
	v, ok := a.conversationByID(c.page, c.node, a.calendar.era(c.ver))
	if !ok {
		return nil, errNoObject
	}
	c.psid = v.person.ID
	return selectFields(c, "UnifiedThread", v.fields(), "id", "link", "updated_time")
}

// messages is GET /{conversation}/messages, the newest first.
func (a conversationsAPI) messages(c *call) (any, *messenger.Error) {
	v, ok := a.conversationByID(c.page, c.node, a.calendar.era(c.ver))
	if !ok {
		return nil, errNoObject
	}
	c.psid = v.person.ID
	return list(c, "Message", v.items(), "id", "created_time")
}

// getMessage is GET /{message}.
func (a conversationsAPI) getMessage(c *call) (any, *messenger.Error) {
	v, m, ok := a.messageByID(c.page, c.node)
	if !ok {
		return nil, errNoObject
	}
	c.psid = v.person.ID
	return selectFields(c, "Message", v.message(m), "id", "created_time")
}

// items returns the messages, the newest first.
func (v conversation) items() []item {
	items := []item{}
	for _, m := range slices.Backward(v.talk) {
		items = append(items, item{m.MID, v.message(m)})
	}
	return items
}

// participants returns the person and the page.
func (v conversation) participants() (person, page map[string]any) {
	who := func(id, name string) map[string]any {
		return map[string]any{"name": name, "email": id + "@facebook.com", "id": id}
	}
	return who(v.person.ID, v.person.Name()), who(v.page.ID, v.page.Name)
}

// fields returns the fields of the thread, with the first page of its messages.
func (v conversation) fields() map[string]any {
	person, own := v.participants()
	unread, snippet, updated := 0, "", any(nil)
	for _, m := range v.talk {
		if m.From == "person" && m.ReadAt.IsZero() {
			unread++
		}
		snippet, updated = m.Text, m.SentAt.Format(graphTime)
	}
	messages := []any{}
	for i, it := range v.items() {
		if i == pageSize {
			break
		}
		messages = append(messages, it.fields)
	}
	id := conversationID(v.person.ID)
	return map[string]any{
		"id": id, "link": "/" + v.page.ID + "/inbox/" + v.person.ID + "/?section=messages", "updated_time": updated,
		"participants": map[string]any{"data": []any{person, own}}, "senders": map[string]any{"data": []any{person, own}},
		"snippet": snippet, "message_count": len(v.talk), "unread_count": unread, "can_reply": v.canReply, "is_subscribed": true,
		"messages": map[string]any{"data": messages}, "folder": "inbox", "name": nil,
		"former_participants": map[string]any{"data": []any{}}, "is_owner": true, "linked_group": nil, "scoped_thread_key": id, "wallpaper": nil,
	}
}

// message returns the fields of a message.
func (v conversation) message(m ThreadMessage) map[string]any {
	person, own := v.participants()
	from, to, tags := person, own, []any{map[string]string{"name": "inbox"}, map[string]string{"name": "messenger"}}
	if m.From == "page" {
		from, to, tags = own, person, append(tags, map[string]string{"name": "sent"})
	}
	all := map[string]any{
		"id": m.MID, "created_time": m.SentAt.Format(graphTime), "from": from, "to": map[string]any{"data": []any{to}},
		"message": m.Text, "tags": map[string]any{"data": tags}, "attachments": nil, "sticker": nil, "shares": nil, "reactions": nil, "reply_to": nil,
	}
	if m.ReplyTo != "" {
		all["reply_to"] = map[string]any{"mid": m.ReplyTo}
	}
	if list := mediaOf(m); len(list) > 0 {
		all["attachments"] = map[string]any{"data": list}
	}
	return all
}

// mediaOf returns the files of a message as the Conversations API shows them.
func mediaOf(m ThreadMessage) []any {
	type attachment struct {
		Type    string `json:"type"`
		Payload struct {
			URL string `json:"url"`
		} `json:"payload"`
	}
	var message struct {
		One  *attachment  `json:"attachment"`
		List []attachment `json:"attachments"`
	}
	if json.Unmarshal(m.Message, &message) != nil {
		return nil
	}
	if message.One != nil {
		message.List = append(message.List, *message.One)
	}
	out := []any{}
	for _, a := range message.List {
		file := map[string]any{"id": cursor(m.MID), "name": a.Type, "size": 0}
		switch a.Type {
		case "image":
			file["mime_type"] = "image/jpeg"
			file["image_data"] = map[string]any{"url": a.Payload.URL, "preview_url": a.Payload.URL, "width": 100, "height": 100}
		case "video":
			file["mime_type"] = "video/mp4"
			file["video_data"] = map[string]any{"url": a.Payload.URL, "preview_url": a.Payload.URL, "width": 100, "height": 100}
		case "audio", "file":
			file["mime_type"] = "application/octet-stream"
			file["file_url"] = a.Payload.URL
		default:
			continue
		}
		out = append(out, file)
	}
	return out
}
