package messenger

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// CreateMessageCreative keeps messages for a broadcast or a sponsored message and returns the
// creative's id. A creative may hold every message but the airline, receipt and open graph
// templates.
//
// Deprecated: broadcasts ended on March 4, 2020. Use [Client.Send] with an opt-in
// or a utility message.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/send-messages/broadcast-messages
func (c *Client) CreateMessageCreative(ctx context.Context, messages ...Message) (string, error) {
	const path = "me/message_creatives"
	body := struct {
		Messages []Message `json:"messages"`
	}{messages}
	if err := c.check(http.MethodPost, path, func(k *checker) { checkCreative(k, messages) }); err != nil {
		return "", err
	}
	answer, err := post[struct {
		ID PSID `json:"message_creative_id"`
	}](ctx, c, path, body)
	return string(answer.ID), err
}

func checkCreative(k *checker, messages []Message) {
	for i, m := range messages {
		m.check(k, fmt.Sprintf("messages[%d]", i))
		if m.Attachment == nil || m.Attachment.Template == nil {
			continue
		}
		switch kind := m.Attachment.Template.Type(); kind {
		case "airline_boardingpass", "airline_checkin", "airline_itinerary", "airline_update", "receipt", "open_graph":
			k.fail(0, 0, "cannot be the template "+kind+" in a creative", "messages[%d].attachment.payload.template_type", i)
		}
	}
}

// ScheduleTime is when a broadcast is sent, in the form that the platform accepts: an ISO 8601 time
// or seconds since 1970.
type ScheduleTime string

// ScheduleAt is a moment as an ISO 8601 time.
func ScheduleAt(t time.Time) ScheduleTime {
	return ScheduleTime(t.Format("2006-01-02T15:04:05-07:00"))
}

// ScheduleUnix is a moment as seconds since 1970.
func ScheduleUnix(t time.Time) ScheduleTime { return ScheduleTime(strconv.FormatInt(t.Unix(), 10)) }

// Targeting chooses who gets a broadcast.
type Targeting struct {
	Labels Predicate `json:"labels"`
}

// Predicate is a condition on a person's labels. Make one with [HasLabel],
// [And], [Or] and [Not].
type Predicate struct {
	Label    string      // the id of a label; or else
	Operator string      // AND, OR, NOT
	Values   []Predicate // what the operator works on
}

// HasLabel matches people with a label.
func HasLabel(labelID string) Predicate { return Predicate{Label: labelID} }

// And matches when all of the conditions match.
func And(values ...Predicate) Predicate { return Predicate{Operator: "AND", Values: values} }

// Or matches when one of the conditions matches.
func Or(values ...Predicate) Predicate { return Predicate{Operator: "OR", Values: values} }

// Not matches when none of the conditions matches.
func Not(values ...Predicate) Predicate { return Predicate{Operator: "NOT", Values: values} }

// MarshalJSON is the condition as it goes on the wire.
func (p Predicate) MarshalJSON() ([]byte, error) {
	if p.Operator == "" {
		return json.Marshal(p.Label)
	}
	return json.Marshal(struct {
		Operator string      `json:"operator"`
		Values   []Predicate `json:"values"`
	}{p.Operator, p.Values})
}

// BroadcastRequest is a message to everybody who may get it.
type BroadcastRequest struct {
	CreativeID       string           `json:"message_creative_id"`
	CustomLabelID    string           `json:"custom_label_id,omitempty"` // only people with this label
	Targeting        *Targeting       `json:"targeting,omitempty"`
	ScheduleTime     ScheduleTime     `json:"schedule_time,omitempty"` // now when it is empty
	MessagingType    MessagingType    `json:"messaging_type,omitempty"`
	Tag              Tag              `json:"tag,omitempty"`
	NotificationType NotificationType `json:"notification_type,omitempty"`
	PersonaID        string           `json:"persona_id,omitempty"`
}

// SendBroadcast sends a creative to everybody who may get it, or sets the time
// for that, and returns the broadcast's id.
//
// Deprecated: broadcasts ended on March 4, 2020. Use [Client.Send] with an opt-in
// or a utility message.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/send-messages/broadcast-messages
func (c *Client) SendBroadcast(ctx context.Context, req BroadcastRequest) (string, error) {
	answer, err := post[struct {
		ID PSID `json:"broadcast_id"`
	}](ctx, c, "me/broadcast_messages", req)
	return string(answer.ID), err
}

// Broadcast is the state of a broadcast.
type Broadcast struct {
	ID            string
	ScheduledTime string
	Status        string // SCHEDULED, IN_PROGRESS, FINISHED, CANCELED
}

// UnmarshalJSON accepts the id and the time as strings and as numbers.
func (b *Broadcast) UnmarshalJSON(in []byte) error {
	var wire struct {
		ID            PSID   `json:"id"`
		ScheduledTime PSID   `json:"scheduled_time"`
		Status        string `json:"status"`
	}
	err := json.Unmarshal(in, &wire)
	*b = Broadcast{string(wire.ID), string(wire.ScheduledTime), wire.Status}
	return err
}

// Broadcast reads the state of a broadcast.
//
// Deprecated: broadcasts ended on March 4, 2020. Use [Client.Send].
//
// Docs: https://developers.facebook.com/docs/messenger-platform/send-messages/broadcast-messages
func (c *Client) Broadcast(ctx context.Context, id string) (Broadcast, error) {
	return get[Broadcast](ctx, c, nodePath(id, ""), url.Values{"fields": {"scheduled_time,status"}})
}

// CancelBroadcast cancels a broadcast whose time has not come yet.
//
// Deprecated: broadcasts ended on March 4, 2020. Use [Client.Send].
//
// Docs: https://developers.facebook.com/docs/messenger-platform/send-messages/broadcast-messages
func (c *Client) CancelBroadcast(ctx context.Context, id string) error {
	body := map[string]string{"operation": "cancel"}
	return c.Do(ctx, http.MethodPost, nodePath(id, ""), nil, body, nil)
}

// BroadcastMetrics returns how many people a broadcast was sent to.
//
// Deprecated: broadcasts ended on March 4, 2020. Use [Client.Send].
//
// Docs: https://developers.facebook.com/docs/messenger-platform/send-messages/broadcast-messages
func (c *Client) BroadcastMetrics(ctx context.Context, id string) ([]Insight, error) {
	answer, err := get[data[[]Insight]](ctx, c, nodePath(id, "insights/messages_sent"), nil)
	return answer.Data, err
}

// StartReachEstimate begins to count the people whom a broadcast to a label
// would reach, and returns the estimate's id.
//
// Deprecated: broadcasts ended on March 4, 2020. There is no successor.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/send-messages/broadcast-messages/estimate-reach
func (c *Client) StartReachEstimate(ctx context.Context, labelID string) (string, error) {
	answer, err := post[struct {
		ID PSID `json:"reach_estimation_id"`
	}](ctx, c, "me/broadcast_reach_estimations", map[string]string{"custom_label_id": labelID})
	return string(answer.ID), err
}

// ReachEstimate is how many people a broadcast would reach.
type ReachEstimate struct {
	ID    PSID  `json:"id"`
	Reach Count `json:"reach_estimation"`
}

// ReachEstimate reads an estimate that was started before.
//
// Deprecated: broadcasts ended on March 4, 2020. There is no successor.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/send-messages/broadcast-messages/estimate-reach
func (c *Client) ReachEstimate(ctx context.Context, id string) (ReachEstimate, error) {
	return get[ReachEstimate](ctx, c, nodePath(id, ""), nil)
}

// SponsoredMessage is an advertisement in the threads that a page has.
type SponsoredMessage struct {
	AdAccountID string `json:"-"` // with or without act_ before it
	CreativeID  string `json:"message_creative_id"`
	DailyBudget int    `json:"daily_budget"` // in the smallest unit of the account's currency
	BidAmount   int    `json:"bid_amount"`   // for 1,000 messages, in the same unit
	Targeting   string `json:"targeting,omitempty"`
}

// SponsoredResult names what a sponsored message made.
type SponsoredResult struct {
	AdGroupID   PSID `json:"ad_group_id"`
	BroadcastID PSID `json:"broadcast_id"`
	Success     bool `json:"success"`
}

// SendSponsored sends a creative as an advertisement to people who have a thread
// with the page.
//
// Deprecated: sponsored messages of this kind ended on March 4, 2020. Use the
// Marketing API.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/reference/sponsored-messages
func (c *Client) SendSponsored(ctx context.Context, m SponsoredMessage) (SponsoredResult, error) {
	account := m.AdAccountID
	if len(account) < 4 || account[:4] != "act_" {
		account = "act_" + account
	}
	return post[SponsoredResult](ctx, c, nodePath(account, "sponsored_message_ads"), m)
}
