package graphemu

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/chasqui/chasqui/messenger"
)

// broadcastsAPI answers the calls of the Broadcast API, and sponsored messages.
type broadcastsAPI struct{ *world }

// ended refuses calls of the Broadcast API after its end.
func (a broadcastsAPI) ended(c *call) *messenger.Error {
	if a.calendar.takes(messenger.FeatureBroadcast, a.calendar.era(c.ver)) {
		return nil
	}
	return refuse(100, 0, "(#100) The Broadcast API is no longer available since March 4, 2020")
}

// createCreative is POST /{page}/message_creatives.
func (a broadcastsAPI) createCreative(c *call) (any, *messenger.Error) {
	if e := a.ended(c); e != nil {
		return nil, e
	}
	var messages []json.RawMessage
	if json.Unmarshal(c.params["messages"], &messages) != nil || len(messages) == 0 {
		return nil, refuse(100, 0, "(#100) The parameter messages is required.")
	}
	if e := checkCount("messages", len(messages), 1, 10); e != nil {
		return nil, e
	}
	for i, m := range messages {
		messages[i] = spokenText(m)
		msg, e := a.calendar.readMessage(messages[i], nil, a.calendar.era(c.ver))
		if e == nil {
			e = a.broadcastable(c.page, msg)
		}
		if e != nil {
			return nil, e
		}
	}
	id, e := a.addCreative(c.page, messages)
	return map[string]string{"message_creative_id": id}, e
}

// spokenText replaces the dynamic text of a creative by a plain text, whose variables are
// filled in for each person.
func spokenText(raw json.RawMessage) json.RawMessage {
	var m map[string]json.RawMessage
	var dynamic struct {
		Text     string `json:"text"`
		Fallback string `json:"fallback_text"`
	}
	if json.Unmarshal(raw, &m) != nil || json.Unmarshal(m["dynamic_text"], &dynamic) != nil || dynamic.Text == "" {
		return raw
	}
	delete(m, "dynamic_text")
	m["text"] = mustJSON(dynamic.Text)
	return mustJSON(m)
}

// create is POST /{page}/broadcast_messages.
func (a broadcastsAPI) create(c *call) (any, *messenger.Error) {
	if e := a.ended(c); e != nil {
		return nil, e
	}
	b := broadcast{Creative: c.params.text("message_creative_id"), App: c.app}
	if !a.hasCreative(c.page, b.Creative) {
		return nil, refuse(100, 0, "(#100) Param message_creative_id must be a valid message creative ID")
	}
	page, _ := a.page(c.page)
	if e := a.calendar.checkClass(c.class(), page.News, a.calendar.era(c.ver)); e != nil {
		return nil, e
	}
	if text := c.params.text("schedule_time"); text != "" {
		at, err := parseMoment(text)
		if err != nil || !at.After(a.clock.now()) {
			return nil, refuse(100, 0, "(#100) Param schedule_time must be a time in the future")
		}
		b.At, b.Scheduled = at, true
	}
	switch {
	case c.params.has("custom_label_id"):
		b.Targeting = mustJSON(c.params.text("custom_label_id"))
	case c.params.has("targeting"):
		b.Targeting = c.params.object("targeting")["labels"]
	}
	id, e := a.addBroadcast(c.page, b)
	return map[string]string{"broadcast_id": id}, e
}

// get is GET /{broadcast}.
func (a broadcastsAPI) get(c *call) (any, *messenger.Error) {
	b, ok := a.broadcast(c.page, c.node)
	if !ok {
		return nil, errNoObject
	}
	all := map[string]any{"id": b.ID, "status": b.Status, "scheduled_time": nil}
	if b.Scheduled {
		all["scheduled_time"] = b.At.Format(graphTime)
	}
	return selectFields(c, "PageBroadcast", all, "id", "scheduled_time", "status")
}

// cancel is POST /{broadcast}.
func (a broadcastsAPI) cancel(c *call) (any, *messenger.Error) {
	if op := c.params.text("operation"); op != "cancel" && op != "CANCEL" {
		return nil, refuse(100, 0, "(#100) Param operation must be one of {CANCEL}")
	}
	return success(), a.cancelBroadcast(c.page, c.node)
}

// sent is GET or POST /{broadcast}/insights/messages_sent.
func (a broadcastsAPI) sent(c *call) (any, *messenger.Error) {
	b, ok := a.broadcast(c.page, c.node)
	if !ok {
		return nil, errNoObject
	}
	return map[string]any{"data": []any{map[string]any{
		"name": "messages_sent", "period": "lifetime", "values": []any{map[string]any{"value": b.Sent, "end_time": "1970-01-02T00:00:00+0000"}},
		"title": "Lifetime number of messages sent from the page broadcast", "description": "Lifetime: The total number of messages sent from a Page to people.",
		"id": b.ID + "/insights/messages_sent",
	}}}, nil
}

// estimateReach is POST /{page}/broadcast_reach_estimations.
func (a broadcastsAPI) estimateReach(c *call) (any, *messenger.Error) {
	if e := a.ended(c); e != nil {
		return nil, e
	}
	target := c.params.object("targeting")["labels"]
	if c.params.has("custom_label_id") {
		target = mustJSON(c.params.text("custom_label_id"))
	}
	id, e := a.addEstimate(c.page, target)
	return map[string]string{"reach_estimation_id": id}, e
}

// getEstimate is GET /{reach estimation}.
func (a broadcastsAPI) getEstimate(c *call) (any, *messenger.Error) {
	e, ok := a.estimate(c.page, c.node)
	if !ok {
		return nil, errNoObject
	}
	return selectFields(c, "PageBroadcastReachEstimation", map[string]any{"id": e.ID, "reach_estimation": e.Reach}, "reach_estimation", "id")
}

// sponsor is POST /act_{ad account}/sponsored_message_ads.
func (a broadcastsAPI) sponsor(c *call) (any, *messenger.Error) {
	if !a.calendar.takes(messenger.FeatureSponsored, a.calendar.era(c.ver)) {
		return nil, refuse(100, 0, "(#100) sponsored_message_ads is no longer available since March 4, 2020: use the Marketing API")
	}
	page, ok := a.page(c.page)
	if !ok || strings.TrimPrefix(c.node, "act_") != page.AdAccount {
		return nil, errNoObject
	}
	b := broadcast{Creative: c.params.text("message_creative_id"), App: c.app}
	if !a.hasCreative(c.page, b.Creative) {
		return nil, refuse(100, 0, "(#100) Param message_creative_id must be a valid message creative ID")
	}
	for _, name := range []string{"daily_budget", "bid_amount"} {
		if n, err := strconv.ParseFloat(c.params.text(name), 64); err != nil || n <= 0 {
			return nil, refuse(100, 0, "(#100) Param "+name+" must be an integer greater than 0")
		}
	}
	if _, ok := c.params["targeting"]; !ok {
		return nil, refuse(100, 0, "(#100) The parameter targeting is required.")
	}
	id, e := a.addBroadcast(c.page, b)
	if e != nil {
		return nil, e
	}
	return map[string]any{"ad_group_id": a.ids.fresh("ad group", 14), "broadcast_id": id, "success": true}, nil
}
