package graphemu

import (
	"encoding/json"

	"github.com/chasqui/chasqui/messenger"
)

// sendAPI answers the calls of the Send API: messages, sender actions, attachments
// that are saved to be sent, and private replies.
type sendAPI struct {
	*world
	callbacks *callbacks
}

// send is POST /{page}/messages.
func (a sendAPI) send(c *call) (any, *messenger.Error) {
	if c.page == "" || c.node != c.page {
		return nil, errNoObject
	}
	o := a.outgoing(c)
	var e *messenger.Error
	if o.to, e = readRecipient(c.recipient()); e != nil {
		return nil, e
	}
	switch hasMessage := c.params.has("message"); {
	case hasMessage && o.action != "":
		return nil, refuse(100, 0, "(#100) Cannot send both message and state")
	case hasMessage:
		msg, e := a.calendar.readMessage(c.params["message"], c.file, o.era)
		if e == nil {
			e = a.callbacks.fetchAttachment(c.r.Context(), msg)
		}
		if e != nil {
			return nil, e
		}
		o.message = &msg
	case o.action == "":
		return nil, refuse(100, 2018034, "(#100) Message cannot be empty, must provide valid attachment or text")
	}
	answer, e := a.sendMessage(&o)
	if o.psid != "" {
		c.psid = o.psid
	}
	return answer, e
}

// outgoing reads everything but the message and the recipient.
func (a sendAPI) outgoing(c *call) outgoing {
	payload := c.params.object("payload")
	return outgoing{
		page: c.page, app: c.app, era: a.calendar.era(c.ver), class: c.class(), file: c.file, host: c.host,
		persona: c.params.text("persona_id"), replyTo: c.params.object("reply_to").text("mid"),
		action: c.params.text("sender_action"), reactTo: payload.text("message_id"), reaction: payload.text("reaction"),
	}
}

// readRecipient reads the recipient of a message.
func readRecipient(given params) (recipient, *messenger.Error) {
	if given == nil {
		return recipient{}, refuse(100, 0, "(#100) The parameter recipient is required")
	}
	if len(given) == 0 {
		return recipient{}, refuse(100, 0, "(#100) param recipient must be non-empty.")
	}
	var found []recipient
	for _, kind := range recipientKinds() {
		if given.has(kind) {
			found = append(found, recipient{kind, given.text(kind)})
		}
	}
	if len(found) != 1 {
		return recipient{}, refuse(100, 0, "(#100) Param recipient must have exactly one of id, user_ref, phone_number, post_id, comment_id")
	}
	return found[0], nil
}

// upload is POST /{page}/message_attachments.
func (a sendAPI) upload(c *call) (any, *messenger.Error) {
	if !c.params.has("message") {
		return nil, refuse(100, 0, "(#100) The parameter message is required.")
	}
	msg, e := a.calendar.readMessage(c.params["message"], c.file, a.calendar.era(c.ver))
	if e != nil {
		return nil, e
	}
	if msg.Attachment == nil || msg.Attachment.Type == "template" {
		return nil, refuse(100, 0, "(#100) Param message[attachment][type] must be one of {AUDIO, FILE, IMAGE, VIDEO}")
	}
	if e := a.callbacks.fetchAttachment(c.r.Context(), msg); e != nil {
		return nil, e
	}
	if c.page != c.node || !a.hasPage(c.node) {
		return nil, errNoObject
	}
	if c.file != nil {
		msg = msg.withURL(fileURL(c.host, a.files.add(*c.file)))
	}
	var media struct {
		URL      string `json:"url"`
		Reusable bool   `json:"is_reusable"`
	}
	if json.Unmarshal(msg.Attachment.Payload, &media) != nil || media.URL == "" {
		return nil, refuse(100, 2018032, "(#100) Invalid data")
	}
	id, e := a.saveAttachment(c.page, msg.Attachment.Type, media.URL, !media.Reusable)
	return sendAnswer{AttachmentID: id}, e
}

// replyPrivately is POST /{comment}/private_replies, plain text only; it ended with
// version 5.0.
func (a sendAPI) replyPrivately(c *call) (any, *messenger.Error) {
	o := outgoing{page: c.page, app: c.app, era: a.calendar.era(c.ver), class: c.class(), to: recipient{"comment_id", c.node}}
	if !a.calendar.takes(messenger.FeaturePlainPrivateReplies, o.era) {
		return nil, refuse(100, 0, "(#100) private_replies is no longer available: send to recipient.comment_id")
	}
	text := c.params.text("message")
	if text == "" {
		return nil, refuse(100, 0, "(#100) The parameter message is required.")
	}
	msg, e := a.calendar.readMessage(mustJSON(map[string]string{"text": text}), nil, o.era)
	if e != nil {
		return nil, e
	}
	o.message = &msg
	answer, e := a.replyToComment(&o)
	if o.psid != "" {
		c.psid = o.psid
	}
	return map[string]string{"id": answer.MessageID, "user_id": answer.RecipientID}, e
}
