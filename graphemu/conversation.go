package graphemu

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/chasqui/chasqui/messenger"
)

// conversationID is the id of a thread in the Conversations API.
func conversationID(psid string) string { return "t_" + psid }

// threadNode finds what a conversation's or a message's id means. The lock is
// held.
func (s *Server) threadNode(c *call) (kind string, p *personState, m *ThreadMessage) {
	page := s.pages[c.page]
	if page == nil {
		return "", nil, nil
	}
	if psid, ok := strings.CutPrefix(c.node, "t_"); ok && page.people[psid] != nil {
		return "conversation", page.people[psid], nil
	}
	if strings.HasPrefix(c.node, "m_") || strings.HasPrefix(c.node, "mid.") || len(c.node) == 86 {
		for _, p := range page.people {
			if m := p.message(c.node); m != nil {
				return "message", p, m
			}
		}
	}
	return "", nil, nil
}

// listConversations is GET /{page}/conversations, the newest first.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/conversations
func (s *Server) listConversations(c *call, page *pageState) (any, *messenger.Error) {
	if platform := strings.ToUpper(c.params.text("platform")); platform != "" && platform != "MESSENGER" {
		return nil, refuse(100, 0, "(#100) Param platform must be one of {MESSENGER}")
	}
	people := []*personState{}
	for _, id := range page.Order {
		p := page.people[id]
		if wanted := c.params.text("user_id"); len(p.talk()) > 0 && (wanted == "" || wanted == id) {
			people = append(people, p)
		}
	}
	slices.SortStableFunc(people, func(a, b *personState) int { return int(b.LastTime - a.LastTime) })
	items := []item{}
	for _, p := range people {
		items = append(items, item{conversationID(p.ID), s.conversationFields(c, page, p)})
	}
	return list(c, "UnifiedThread", items, "id", "link", "updated_time")
}

// getConversation is GET /{conversation}.
func (s *Server) getConversation(c *call) (any, *messenger.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kind, p, _ := s.threadNode(c)
	if kind != "conversation" {
		return nil, unsupported(c)
	}
	c.psid = p.ID
	return selectFields(c, "UnifiedThread", s.conversationFields(c, s.pages[c.page], p), "id", "link", "updated_time")
}

// listMessages is GET /{conversation}/messages, the newest first.
func (s *Server) listMessages(c *call) (any, *messenger.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kind, p, _ := s.threadNode(c)
	if kind != "conversation" {
		return nil, unsupported(c)
	}
	c.psid = p.ID
	return list(c, "Message", s.messageItems(s.pages[c.page], p), "id", "created_time")
}

// getMessage is GET /{message}.
func (s *Server) getMessage(c *call) (any, *messenger.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kind, p, m := s.threadNode(c)
	if kind != "message" {
		return nil, unsupported(c)
	}
	c.psid = p.ID
	return selectFields(c, "Message", s.messageFields(s.pages[c.page], p, m), "id", "created_time")
}

// talk are the messages of a thread without the lines of the system.
func (p *personState) talk() []*ThreadMessage {
	out := make([]*ThreadMessage, 0, len(p.Messages))
	for _, m := range p.Messages {
		if m.Note == "" {
			out = append(out, m)
		}
	}
	return out
}

func (s *Server) messageItems(page *pageState, p *personState) []item {
	items := []item{}
	for _, m := range slices.Backward(p.talk()) {
		items = append(items, item{m.MID, s.messageFields(page, p, m)})
	}
	return items
}

func (s *Server) conversationFields(c *call, page *pageState, p *personState) map[string]any {
	person := map[string]any{"name": p.Name(), "email": p.ID + "@facebook.com", "id": p.ID}
	own := map[string]any{"name": page.Name, "email": page.ID + "@facebook.com", "id": page.ID}
	unread, snippet := 0, ""
	talk := p.talk()
	for _, m := range talk {
		if m.From == "person" && m.ReadAt.IsZero() {
			unread++
		}
		snippet = m.Text
	}
	can := s.checkWindow(&call{params: params{}, ver: c.ver}, &personState{Person: p.Person, LastActive: p.LastActive, personData: personData{Extra: 1 << 62}}) == nil
	messages := []any{}
	for i, it := range s.messageItems(page, p) {
		if i == pageSize {
			break
		}
		messages = append(messages, it.fields)
	}
	updated := any(nil)
	if n := len(talk); n > 0 {
		updated = talk[n-1].SentAt.Format(graphTime)
	}
	return map[string]any{
		"id": conversationID(p.ID), "link": "/" + page.ID + "/inbox/" + p.ID + "/?section=messages", "updated_time": updated,
		"participants": map[string]any{"data": []any{person, own}}, "senders": map[string]any{"data": []any{person, own}},
		"snippet": snippet, "message_count": len(talk), "unread_count": unread, "can_reply": can && !p.Blocks, "is_subscribed": true,
		"messages": map[string]any{"data": messages}, "folder": "inbox", "name": nil,
		"former_participants": map[string]any{"data": []any{}}, "is_owner": true, "linked_group": nil, "scoped_thread_key": "t_" + p.ID, "wallpaper": nil,
	}
}

func (s *Server) messageFields(page *pageState, p *personState, m *ThreadMessage) map[string]any {
	person := map[string]any{"name": p.Name(), "email": p.ID + "@facebook.com", "id": p.ID}
	own := map[string]any{"name": page.Name, "email": page.ID + "@facebook.com", "id": page.ID}
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

// mediaOf are the files of a message as the Conversations API shows them.
func mediaOf(m *ThreadMessage) []any {
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

// privateReply is POST /{comment}/private_replies, plain text only; it ended with
// version 5.0.
func (s *Server) privateReply(c *call, page *pageState) (any, *messenger.Error) {
	if !s.calendar.takes(messenger.FeaturePlainPrivateReplies, s.calendar.era(c.ver)) {
		return nil, refuse(100, 0, "(#100) private_replies is no longer available: send to recipient.comment_id")
	}
	text := c.params.text("message")
	if text == "" {
		return nil, refuse(100, 0, "(#100) The parameter message is required.")
	}
	msg, e := s.readMessage(mustJSON(map[string]string{"text": text}), nil, s.calendar.era(c.ver))
	if e != nil {
		return nil, e
	}
	to, e := s.byComment(c, page, params{"comment_id": mustJSON(c.node)})
	if e == nil {
		e = s.mayWrite(c, page, to)
	}
	if e != nil {
		return nil, e
	}
	to.use()
	answer, e := s.accept(c, page, to.person, msg)
	return map[string]string{"id": answer.MessageID, "user_id": answer.RecipientID}, e
}
