package gatewayapi

import "encoding/json"

// Event is a fact, as subscriptions get it: pushed to a URL, pulled or listed. Switch over the type
// of Data to deal with it.
type Event struct {
	// Id of the event; also the webhook-id of deliveries.
	ID string `json:"id"`
	// Type of the event, such as message.inbound.
	Type EventType `json:"type"`
	// When the gateway received it or it came about.
	CreatedAt Time `json:"createdAt"`
	// Key of the application; null when none owns the event.
	Application string `json:"application" nullable:"true"`
	// What the event is about when that is no page, such as instagram: PageID is the id of that
	// then.
	Object string `json:"object,omitempty"`
	// Id of the page.
	PageID string `json:"pageId,omitempty"`
	// The person it is about; null when it is about nobody.
	Person *Party `json:"person"`
	// The person's profile.
	ProfileID string `json:"profileId,omitempty"`
	// The event in the gateway's own words.
	Data EventData `json:"data"`
	// DataJSON is Data as it was read, with what this version of the package does not know. It is
	// not written: Data is.
	DataJSON json.RawMessage `json:"-"`
	// The platform's own event as received; missing for one of the gateway's own that no other
	// caused.
	Raw json.RawMessage `json:"raw,omitempty"`
}

// wireEvent is an event with its data as it comes.
type wireEvent struct {
	ID          string          `json:"id"`
	Type        EventType       `json:"type"`
	CreatedAt   Time            `json:"createdAt"`
	Application *string         `json:"application"`
	Object      string          `json:"object,omitempty"`
	PageID      string          `json:"pageId,omitempty"`
	Person      *Party          `json:"person"`
	ProfileID   string          `json:"profileId,omitempty"`
	Data        json.RawMessage `json:"data"`
	Raw         json.RawMessage `json:"raw,omitempty"`
}

// UnmarshalJSON reads an event, and its data by the type.
func (e *Event) UnmarshalJSON(b []byte) error {
	var w wireEvent
	if err := json.Unmarshal(b, &w); err != nil {
		return err
	}
	*e = Event{ID: w.ID, Type: w.Type, CreatedAt: w.CreatedAt, Object: w.Object, PageID: w.PageID, Person: w.Person, ProfileID: w.ProfileID, Raw: w.Raw, Data: dataOf(w.Type, w.Data), DataJSON: w.Data}
	if w.Application != nil {
		e.Application = *w.Application
	}
	return nil
}

// MarshalJSON writes an event as the gateway does.
func (e Event) MarshalJSON() ([]byte, error) {
	data, err := json.Marshal(e.Data)
	if err != nil {
		return nil, err
	}
	w := wireEvent{ID: e.ID, Type: e.Type, CreatedAt: e.CreatedAt, Object: e.Object, PageID: e.PageID, Person: e.Person, ProfileID: e.ProfileID, Data: data, Raw: e.Raw}
	if e.Application != "" {
		w.Application = &e.Application
	}
	return json.Marshal(w)
}

// Reply makes a message to the person of the event, on the channel on which they wrote. Its
// idempotency key is the event's id, so that an event that comes twice is answered once.
func (e Event) Reply(body string) SendMessageRequest {
	req := SendMessageRequest{Application: e.Application, Body: body, IdempotencyKey: e.ID}
	m, ok := e.Data.(*MessageInbound)
	switch {
	case ok && m.Channel == ChannelSMS:
		req.To, req.Rules = To{PhoneNumber: m.From}, Rules(ChannelSMS)
	case ok && m.Channel == ChannelEmail:
		req.To, req.Rules = To{Email: m.From}, Rules(ChannelEmail)
	case ok && m.Channel != "":
		req.To, req.Rules = To{ProfileID: e.ProfileID}, Rules(m.Channel)
	case e.Person != nil:
		req.To = To{FBMessengerID: e.Person.ID}
	}
	return req
}

// Party is a person by page-scoped id, or by channel and address, such as sms:447700900001.
type Party struct {
	// Page-scoped id.
	ID string `json:"id"`
}

// EventPage is a run of events in order.
type EventPage struct {
	// In order.
	Events []Event `json:"events"`
	// Stands after the last event: what to acknowledge, and where the next read goes on.
	Cursor string `json:"cursor"`
}

// AckRequest is the body of POST /v1/subscriptions/{id}/ack.
type AckRequest struct {
	// Cursor up to which events are dealt with.
	Cursor string `json:"cursor"`
}

// AckResult tells where a pull subscription stands.
type AckResult struct {
	// Cursor up to which events are acknowledged.
	Cursor string `json:"cursor"`
}

// SetAsideEvent is an event that a part of the gateway failed on again and again, and went on
// without. The event itself is in the log and went to subscribers.
type SetAsideEvent struct {
	// Id of the event.
	ID string `json:"id"`
	// The part of the gateway that went on without it: projector, receipts, entrypoints, reports or
	// bot.
	Reader string `json:"reader" enum:"projector,receipts,entrypoints,reports,bot"`
	// Type of the event.
	Type EventType `json:"type"`
	// Key of the application; missing when none owns it.
	Application string `json:"application,omitempty"`
	// The person's page-scoped id.
	FBMessengerID string `json:"fbMessengerId,omitempty"`
	// The last error.
	Reason string `json:"reason"`
	// How often it was tried.
	Failures int `json:"failures"`
	// When it was set aside.
	At Time `json:"at"`
}

// SetAsidePage is a page of events that were set aside, newest first.
type SetAsidePage struct {
	// Newest first.
	Events []SetAsideEvent `json:"events"`
	// Cursor of the next page; missing on the last.
	Cursor string `json:"cursor,omitempty"`
}
