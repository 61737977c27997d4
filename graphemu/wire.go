package graphemu

import (
	"encoding/json"
	"fmt"
	"strconv"
)

type party struct {
	ID      string `json:"id,omitempty"`
	UserRef string `json:"user_ref,omitempty"`
}

// wireEvent is one event as it stands in a delivery.
type wireEvent struct {
	Sender    *party              `json:"sender,omitempty"`
	Recipient party               `json:"recipient"`
	Timestamp int64               `json:"timestamp"`
	Prior     *priorMessage       `json:"prior_message,omitempty"`
	Message   *wireMessage        `json:"message,omitempty"`
	Postback  *wirePostback       `json:"postback,omitempty"`
	Referral  *Referral           `json:"referral,omitempty"`
	Delivery  *wireDelivery       `json:"delivery,omitempty"`
	Read      *wireRead           `json:"read,omitempty"`
	Reaction  *wireReaction       `json:"reaction,omitempty"`
	Edit      *wireEdit           `json:"message_edit,omitempty"`
	Optin     *wireOptin          `json:"optin,omitempty"`
	Linking   *wireLinking        `json:"account_linking,omitempty"`
	Pass      *wireHandover       `json:"pass_thread_control,omitempty"`
	Take      *wireHandover       `json:"take_thread_control,omitempty"`
	Request   *wireRequest        `json:"request_thread_control,omitempty"`
	Roles     map[string][]string `json:"app_roles,omitempty"`
	Policy    *PolicyAction       `json:"policy_enforcement,omitempty"`
	OldPolicy *PolicyAction       `json:"policy-enforcement,omitempty"`
	Game      json.RawMessage     `json:"game_play,omitempty"`
	Payment   json.RawMessage     `json:"payment,omitempty"`
	Checkout  json.RawMessage     `json:"checkout_update,omitempty"`
	Before    json.RawMessage     `json:"pre_checkout,omitempty"`
	Response  *wireResponse       `json:"response_feedback,omitempty"`
	Feedback  json.RawMessage     `json:"messaging_feedback,omitempty"`
}

// priorMessage ties a person to a reference under which the page wrote first.
type priorMessage struct {
	Source     string `json:"source"`
	Identifier string `json:"identifier"`
}

type wireMessage struct {
	IsEcho      bool            `json:"is_echo,omitempty"`
	AppID       json.Number     `json:"app_id,omitempty"`
	Metadata    string          `json:"metadata,omitempty"`
	MID         string          `json:"mid"`
	Seq         int             `json:"seq,omitempty"`
	StickerID   int64           `json:"sticker_id,omitempty"`
	Text        string          `json:"text,omitempty"`
	QuickReply  *quickReplyTap  `json:"quick_reply,omitempty"`
	ReplyTo     *replyTo        `json:"reply_to,omitempty"`
	Referral    *Referral       `json:"referral,omitempty"`
	Tags        json.RawMessage `json:"tags,omitempty"`
	NLP         json.RawMessage `json:"nlp,omitempty"`
	Attachments json.RawMessage `json:"attachments,omitempty"`
}

type quickReplyTap struct {
	Payload string `json:"payload"`
}

type replyTo struct {
	MID  string `json:"mid"`
	Self *bool  `json:"is_self_reply,omitempty"`
}

type wirePostback struct {
	MID      string    `json:"mid,omitempty"`
	Title    string    `json:"title,omitempty"`
	Payload  string    `json:"payload,omitempty"`
	Referral *Referral `json:"referral,omitempty"`
}

type wireDelivery struct {
	MIDs      []string `json:"mids"`
	Watermark int64    `json:"watermark"`
	Seq       int      `json:"seq,omitempty"`
}

type wireRead struct {
	Watermark int64 `json:"watermark"`
	Seq       int   `json:"seq,omitempty"`
}

type wireReaction struct {
	MID      string `json:"mid"`
	Action   string `json:"action"`
	Emoji    string `json:"emoji,omitempty"`
	Reaction string `json:"reaction,omitempty"`
}

type wireEdit struct {
	MID     string `json:"mid"`
	Text    string `json:"text"`
	NumEdit int    `json:"num_edit"`
}

type wireOptin struct {
	Type           string `json:"type,omitempty"`
	Ref            string `json:"ref,omitempty"`
	UserRef        string `json:"user_ref,omitempty"`
	MessageRequest string `json:"message_request,omitempty"`
	Payload        string `json:"payload,omitempty"`
	OneTimeToken   string `json:"one_time_notif_token,omitempty"`
	Token          string `json:"notification_messages_token,omitempty"`
	Frequency      string `json:"notification_messages_frequency,omitempty"`
	Timezone       string `json:"notification_messages_timezone,omitempty"`
	Status         string `json:"notification_messages_status,omitempty"`
	Expiry         int64  `json:"token_expiry_timestamp,omitempty"`
	TokenStatus    string `json:"user_token_status,omitempty"`
	Title          string `json:"title,omitempty"`
}

type wireLinking struct {
	Status string `json:"status"`
	Code   string `json:"authorization_code,omitempty"`
}

type wireHandover struct {
	PreviousOwner string `json:"previous_owner_app_id,omitempty"`
	NewOwner      string `json:"new_owner_app_id,omitempty"`
	Metadata      string `json:"metadata"`
}

type wireRequest struct {
	RequestedOwner string `json:"requested_owner_app_id"`
	Metadata       string `json:"metadata"`
}

type wireResponse struct {
	Feedback string `json:"feedback"`
	MID      string `json:"mid"`
}

// entry is the event as one entry of a delivery, shaped as the version has it.
func (e event) entry(pageID string, now int64, v graphVersion, standby bool) ([]byte, error) {
	type entry struct {
		ID        string            `json:"id"`
		Time      int64             `json:"time"`
		Messaging []wireEvent       `json:"messaging,omitempty"`
		Standby   []wireEvent       `json:"standby,omitempty"`
		Changes   []json.RawMessage `json:"changes,omitempty"`
	}
	out := entry{ID: pageID, Time: now}
	switch {
	case e.change != nil:
		out.Time, out.Changes = now/1000, []json.RawMessage{e.change}
	case e.raw != nil:
		return e.rawEntry(pageID, now, standby)
	case standby:
		out.Standby = []wireEvent{e.shaped(v, true)}
	default:
		out.Messaging = []wireEvent{e.shaped(v, false)}
	}
	return marshalASCII(out)
}

// rawEntry is an entry with an event that was given as it is.
func (e event) rawEntry(pageID string, now int64, standby bool) ([]byte, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(e.raw, &members); err != nil {
		return nil, fmt.Errorf("read the event: %w", err)
	}
	given := map[string]any{}
	if e.wire.Sender != nil {
		given["sender"] = e.wire.Sender
	}
	given["recipient"], given["timestamp"] = e.wire.Recipient, e.wire.Timestamp
	for name, value := range members {
		given[name] = value
	}
	kind := "messaging"
	if standby {
		kind = "standby"
	}
	return marshalASCII(map[string]any{"id": pageID, "time": now, kind: []any{given}})
}

// shaped is the event as a version of the Graph API has it.
func (e event) shaped(v graphVersion, standby bool) wireEvent {
	w := e.wire
	if w.Postback != nil {
		copied := *w.Postback
		if v < 1100 {
			copied.MID = ""
		}
		if standby {
			copied.Payload = ""
		}
		w.Postback = &copied
	}
	if w.Message != nil {
		copied := *w.Message
		copied.shape(v)
		w.Message = &copied
	}
	if v < 302 { // numbers of events ended in 2018
		w.number(e.seq)
	}
	if w.Policy != nil && v < 1200 {
		w.OldPolicy, w.Policy = w.Policy, nil
	}
	if v < 700 && w.Sender != nil && w.Sender.UserRef != "" && w.Sender.ID != "" {
		w.Sender = &party{ID: w.Sender.ID}
	} else if w.Sender != nil && w.Sender.UserRef != "" {
		w.Sender = &party{UserRef: w.Sender.UserRef}
	}
	return w
}

func (w *wireEvent) number(seq int) {
	switch {
	case w.Message != nil:
		w.Message.Seq = seq
	case w.Delivery != nil:
		copied := *w.Delivery
		copied.Seq = seq
		w.Delivery = &copied
	case w.Read != nil:
		w.Read = &wireRead{w.Read.Watermark, seq}
	}
}

// wireAttachment is an attachment in the shape of the newest version.
type wireAttachment struct {
	Title   *string                    `json:"title,omitempty"`
	URL     *json.RawMessage           `json:"url,omitempty"`
	Type    string                     `json:"type"`
	Payload map[string]json.RawMessage `json:"payload"`
}

// shape gives attachments the form that a version has: until 6.0 links had
// title and url beside the type, and stickers an id beside the text; products
// came with 8.0, stickers of their own type with 26.0.
func (m *wireMessage) shape(v graphVersion) {
	var list []wireAttachment
	if m.Attachments == nil || v >= 2600 || json.Unmarshal(m.Attachments, &list) != nil {
		return
	}
	changed := false
	kept := list[:0]
	for _, a := range list {
		switch {
		case a.Type == "sticker":
			changed = true
			continue
		case a.Type == "fallback" && v < 600:
			title := params(a.Payload).text("title")
			link := a.Payload["url"]
			a.Title, a.URL, a.Payload, changed = &title, &link, nil, true
		case a.Type == "image" && a.Payload["sticker_id"] != nil && v < 600:
			if n, err := strconv.ParseInt(params(a.Payload).text("sticker_id"), 10, 64); err == nil {
				m.StickerID, changed = n, true
			}
		case a.Type == "template" && a.Payload["product"] != nil && v < 800:
			a.Type, a.Payload, changed = "fallback", nil, true
		}
		kept = append(kept, a)
	}
	if changed {
		m.Attachments = mustJSON(kept)
	}
}
