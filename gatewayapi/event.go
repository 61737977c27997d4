package gatewayapi

import "encoding/json"

// Event is a fact, as subscriptions get it. docs/events.md fixes what Data holds for each type.
type Event struct {
	// ID is also the webhook-id of every delivery, on replay too.
	ID          string `json:"id" doc:"Id of the event; also the webhook-id of deliveries."`
	Type        string `json:"type" doc:"Type of the event, such as message.inbound."`
	CreatedAt   Time   `json:"createdAt" doc:"When the gateway received it or it came about."`
	Application string `json:"application" nullable:"true" doc:"Key of the application; null when none owns the event."`
	PageID      string `json:"pageId,omitempty" doc:"Id of the page."`
	Person      *Party `json:"person" doc:"The person it is about; null when it is about nobody."`
	ProfileID   string `json:"profileId,omitempty" doc:"The person's profile."`
	// Data is the event in the gateway's own words.
	Data json.RawMessage `json:"data" doc:"The event in the gateway's own words."`
	// Raw is the platform's own event as received.
	Raw json.RawMessage `json:"raw,omitempty" doc:"The platform's own event as received."`
}

// Party is a person by page-scoped id.
type Party struct {
	ID string `json:"id" doc:"Page-scoped id."`
}

// EventPage is a run of events in order.
type EventPage struct {
	Events []Event `json:"events" doc:"In order."`
	// Cursor stands after the last event: what to acknowledge, and where the next read goes on.
	Cursor string `json:"cursor" doc:"Stands after the last event: what to acknowledge, and where the next read goes on."`
}

// AckRequest is the body of POST /v1/subscriptions/{id}/ack.
type AckRequest struct {
	Cursor string `json:"cursor" doc:"Cursor up to which events are dealt with."`
}

// AckResult tells where a pull subscription stands.
type AckResult struct {
	Cursor string `json:"cursor" doc:"Cursor up to which events are acknowledged."`
}

// SetAsideEvent is an event that a part of the gateway failed on again and again, and went on without. The event itself is in the log and went to subscribers.
type SetAsideEvent struct {
	ID          string `json:"id" doc:"Id of the event."`
	Reader      string `json:"reader" enum:"projector,receipts,entrypoints,reports,bot" doc:"The part of the gateway that went on without it: projector, receipts, entrypoints, reports or bot."`
	Type        string `json:"type" doc:"Type of the event."`
	Application string `json:"application,omitempty" doc:"Key of the application; missing when none owns it."`
	// FBMessengerID is the person's page-scoped id.
	FBMessengerID string `json:"fbMessengerId,omitempty" doc:"The person's page-scoped id."`
	Reason        string `json:"reason" doc:"The last error."`
	Failures      int    `json:"failures" doc:"How often it was tried."`
	At            Time   `json:"at" doc:"When it was set aside."`
}

// SetAsidePage is a page of events that were set aside, newest first.
type SetAsidePage struct {
	Events []SetAsideEvent `json:"events" doc:"Newest first."`
	Cursor string          `json:"cursor,omitempty" doc:"Cursor of the next page; missing on the last."`
}
