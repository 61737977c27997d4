package gatewayapi

// CreateSubscriptionRequest is the body of POST /v1/subscriptions.
type CreateSubscriptionRequest struct {
	// Kind is forward or pull.
	Kind SubscriptionKind `json:"kind" enum:"forward,pull" doc:"forward or pull."`
	Name string           `json:"name,omitempty" doc:"For people."`
	// URL is where a forward subscription posts.
	URL string `json:"url,omitempty" doc:"Where a forward subscription posts."`
	// EventTypes selects events; empty means every type.
	EventTypes []EventType `json:"eventTypes,omitempty" doc:"Types of events; every type when left out."`
	// Applications selects by application key; empty means all.
	Applications []string `json:"applications,omitempty" doc:"Keys of applications; all when left out."`
	// Order is conversation (the default) or none.
	Order DeliveryOrder `json:"order,omitempty" enum:"conversation,none" doc:"conversation (the default) keeps each conversation in order; none delivers each event by itself."`
	// Secrets sign deliveries, all of them at once; a forward subscription without any gets one.
	Secrets []string `json:"secrets,omitempty" doc:"Signing secrets, whsec_ and the base64 of 32 bytes; one is made when left out."`
	// From is now (the default), earliest, or a time in RFC 3339.
	From string `json:"from,omitempty" doc:"now (the default), earliest, or a time."`
}

// UpdateSubscriptionRequest is the body of PATCH /v1/subscriptions/{id}; what is left out stays.
type UpdateSubscriptionRequest struct {
	Name         *string        `json:"name,omitempty" doc:"For people."`
	URL          *string        `json:"url,omitempty" doc:"Where a forward subscription posts."`
	EventTypes   *[]EventType   `json:"eventTypes,omitempty" doc:"Types of events; every type when empty."`
	Applications *[]string      `json:"applications,omitempty" doc:"Keys of applications; all when empty."`
	Order        *DeliveryOrder `json:"order,omitempty" enum:"conversation,none" doc:"conversation or none."`
	// State is active or disabled.
	State *SubscriptionState `json:"state,omitempty" enum:"active,disabled" doc:"active or disabled; one that was disabled goes on where it stopped."`
	// Secrets replaces all signing secrets.
	Secrets *[]string `json:"secrets,omitempty" doc:"Replaces all signing secrets; with several, deliveries carry a signature of each."`
}

// Subscription says who gets which events.
type Subscription struct {
	ID           string            `json:"id" doc:"Id of the subscription."`
	Kind         SubscriptionKind  `json:"kind" enum:"forward,pull" doc:"forward or pull."`
	Name         string            `json:"name,omitempty" doc:"For people."`
	URL          string            `json:"url,omitempty" doc:"Where a forward subscription posts."`
	EventTypes   []EventType       `json:"eventTypes" doc:"Types of events; every type when empty."`
	Applications []string          `json:"applications" doc:"Keys of applications; all when empty."`
	Order        DeliveryOrder     `json:"order" enum:"conversation,none" doc:"conversation or none."`
	State        SubscriptionState `json:"state" enum:"active,disabled" doc:"active or disabled."`
	// Disabled says why the gateway disabled it.
	Disabled   *Failure `json:"disabled,omitempty" doc:"Why the gateway disabled it."`
	DisabledAt Time     `json:"disabledAt,omitzero" doc:"Since when it is disabled."`
	// FailingSince is when deliveries began to do nothing but fail.
	FailingSince Time            `json:"failingSince,omitzero" doc:"Since when deliveries do nothing but fail."`
	Secrets      []SigningSecret `json:"secrets" doc:"Signing secrets that are kept."`
	// Cursor is what a pull subscription has acknowledged.
	Cursor    string `json:"cursor,omitempty" doc:"What a pull subscription has acknowledged."`
	CreatedAt Time   `json:"createdAt" doc:"When it was made."`
	UpdatedAt Time   `json:"updatedAt" doc:"When it last changed."`
}

// SigningSecret is a secret that signs deliveries. Its value is only in the answer to the request that brought or made it.
type SigningSecret struct {
	ID        string `json:"id" doc:"Id of the secret."`
	Secret    string `json:"secret,omitempty" doc:"The secret; only in the answer to the request that brought or made it."`
	CreatedAt Time   `json:"createdAt" doc:"When it was made."`
	ExpiresAt Time   `json:"expiresAt,omitzero" doc:"When it stops signing; missing when it does not."`
}

// AddSecretRequest is the body of POST /v1/subscriptions/{id}/secrets.
type AddSecretRequest struct {
	// Secret is made when empty.
	Secret string `json:"secret,omitempty" doc:"whsec_ and the base64 of 32 bytes; made when left out."`
	// OverlapSeconds is for how long the other secrets go on signing beside it; a day when nil.
	OverlapSeconds *int `json:"overlapSeconds,omitempty" doc:"For how long the other secrets go on signing beside it; a day when left out."`
}

// SubscriptionList is the answer of GET /v1/subscriptions.
type SubscriptionList struct {
	Subscriptions []Subscription `json:"subscriptions" doc:"The oldest first."`
}

// Delivery is what became of one event at one forward subscription.
type Delivery struct {
	Event        string            `json:"event" doc:"Id of the event."`
	Subscription string            `json:"subscription" doc:"Id of the subscription."`
	Application  string            `json:"application,omitempty" doc:"Key of the application."`
	Status       DeliveryStatus    `json:"status" enum:"pending,waiting,delivered,dead" doc:"pending, waiting, delivered or dead."`
	Tries        int               `json:"tries" doc:"Attempts so far."`
	NextAt       Time              `json:"nextAt,omitzero" doc:"When it is tried next."`
	Attempts     []DeliveryAttempt `json:"attempts" doc:"The latest attempts, in order."`
	CreatedAt    Time              `json:"createdAt" doc:"When it was first tried."`
	UpdatedAt    Time              `json:"updatedAt" doc:"When it last changed."`
}

// DeliveryAttempt is one POST to a subscription's URL.
type DeliveryAttempt struct {
	StartedAt  Time   `json:"startedAt" doc:"Start of the request."`
	DurationMs int64  `json:"durationMs" doc:"Milliseconds until the answer."`
	Status     int    `json:"status,omitempty" doc:"HTTP status of the answer; missing when there was none."`
	Error      string `json:"error,omitempty" doc:"What went wrong."`
}

// DeliveryPage is one page of deliveries.
type DeliveryPage struct {
	Deliveries []Delivery `json:"deliveries" doc:"Newest event first."`
	Cursor     string     `json:"cursor,omitempty" doc:"Gets the next page; missing on the last."`
}

// ReplayRequest is the body of POST /v1/subscriptions/{id}/replay: one of the two.
type ReplayRequest struct {
	// From is earliest or a time: the subscription goes back there.
	From string `json:"from,omitempty" doc:"earliest or a time: the subscription gets everything since then again."`
	// Event is one event to deliver again.
	Event string `json:"event,omitempty" doc:"Id of one event to deliver again."`
	// Parked has the deliveries that wait for their next try tried now.
	Parked bool `json:"parked,omitempty" doc:"Try what waits for its next try now."`
}
