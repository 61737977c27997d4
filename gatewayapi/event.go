package gatewayapi

import "encoding/json"

// Event is a fact, as subscriptions get it. docs/events.md fixes what Data holds for each type.
type Event struct {
	// ID is also the webhook-id of every delivery, on replay too.
	ID          string `json:"id" doc:"Id of the event; also the webhook-id of deliveries."`
	Type        string `json:"type" doc:"Type of the event, such as message.inbound."`
	CreatedAt   Time   `json:"createdAt" doc:"When the gateway received it or it came about."`
	Application string `json:"application,omitempty" doc:"Key of the application; missing when none owns it."`
	PageID      string `json:"pageId,omitempty" doc:"Id of the page."`
	Person      *Party `json:"person,omitempty" doc:"The person it is about."`
	ProfileID   string `json:"profileId,omitempty" doc:"The person's profile."`
	// Data is the event in the gateway's own words.
	Data json.RawMessage `json:"data,omitempty" doc:"The event in the gateway's own words."`
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
