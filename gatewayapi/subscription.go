package gatewayapi

// CreateSubscriptionRequest is the body of POST /v1/subscriptions.
type CreateSubscriptionRequest struct {
	// forward or pull.
	Kind SubscriptionKind `json:"kind" enum:"forward,pull"`
	// For people.
	Name string `json:"name,omitempty"`
	// Where a forward subscription posts.
	URL string `json:"url,omitempty"`
	// Types of events; every type when left out.
	EventTypes []EventType `json:"eventTypes,omitempty"`
	// Keys of applications; all when left out.
	Applications []string `json:"applications,omitempty"`
	// conversation (the default) keeps each conversation in order; none delivers each event by
	// itself.
	Order DeliveryOrder `json:"order,omitempty" enum:"conversation,none"`
	// Signing secrets, whsec_ and the base64 of 32 bytes; one is made when left out.
	Secrets []string `json:"secrets,omitempty"`
	// now (the default), earliest, or a time.
	From string `json:"from,omitempty"`
}

// UpdateSubscriptionRequest is the body of PATCH /v1/subscriptions/{id}; what is left out stays.
type UpdateSubscriptionRequest struct {
	// For people.
	Name *string `json:"name,omitempty"`
	// Where a forward subscription posts.
	URL *string `json:"url,omitempty"`
	// Types of events; every type when empty.
	EventTypes *[]EventType `json:"eventTypes,omitempty"`
	// Keys of applications; all when empty.
	Applications *[]string `json:"applications,omitempty"`
	// conversation or none.
	Order *DeliveryOrder `json:"order,omitempty" enum:"conversation,none"`
	// active or disabled; one that was disabled goes on where it stopped.
	State *SubscriptionState `json:"state,omitempty" enum:"active,disabled"`
	// Replaces all signing secrets; with several, deliveries carry a signature of each.
	Secrets *[]string `json:"secrets,omitempty"`
}

// Subscription says who gets which events.
type Subscription struct {
	// Id of the subscription.
	ID string `json:"id"`
	// forward or pull.
	Kind SubscriptionKind `json:"kind" enum:"forward,pull"`
	// For people.
	Name string `json:"name,omitempty"`
	// Where a forward subscription posts.
	URL string `json:"url,omitempty"`
	// Types of events; every type when empty.
	EventTypes []EventType `json:"eventTypes"`
	// Keys of applications; all when empty.
	Applications []string `json:"applications"`
	// conversation or none.
	Order DeliveryOrder `json:"order" enum:"conversation,none"`
	// active or disabled.
	State SubscriptionState `json:"state" enum:"active,disabled"`
	// Why the gateway disabled it.
	Disabled *Failure `json:"disabled,omitempty"`
	// Since when it is disabled.
	DisabledAt Time `json:"disabledAt,omitzero"`
	// Since when deliveries do nothing but fail.
	FailingSince Time `json:"failingSince,omitzero"`
	// Signing secrets that are kept.
	Secrets []SigningSecret `json:"secrets"`
	// What a pull subscription has acknowledged.
	Cursor string `json:"cursor,omitempty"`
	// When it was made.
	CreatedAt Time `json:"createdAt"`
	// When it last changed.
	UpdatedAt Time `json:"updatedAt"`
}

// SigningSecret is a secret that signs deliveries. Its value is only in the answer to the request
// that brought or made it.
type SigningSecret struct {
	// Id of the secret.
	ID string `json:"id"`
	// The secret; only in the answer to the request that brought or made it.
	Secret string `json:"secret,omitempty"`
	// When it was made.
	CreatedAt Time `json:"createdAt"`
	// When it stops signing; missing when it does not.
	ExpiresAt Time `json:"expiresAt,omitzero"`
}

// AddSecretRequest is the body of POST /v1/subscriptions/{id}/secrets.
type AddSecretRequest struct {
	// whsec_ and the base64 of 32 bytes; made when left out.
	Secret string `json:"secret,omitempty"`
	// For how long the other secrets go on signing beside it; a day when left out.
	OverlapSeconds *int `json:"overlapSeconds,omitempty"`
}

// SubscriptionList is the answer of GET /v1/subscriptions.
type SubscriptionList struct {
	// The oldest first.
	Subscriptions []Subscription `json:"subscriptions"`
}

// Delivery is what became of one event at one forward subscription.
type Delivery struct {
	// Id of the event.
	Event string `json:"event"`
	// Id of the subscription.
	Subscription string `json:"subscription"`
	// Key of the application.
	Application string `json:"application,omitempty"`
	// pending, waiting, delivered or dead.
	Status DeliveryStatus `json:"status" enum:"pending,waiting,delivered,dead"`
	// Attempts so far.
	Tries int `json:"tries"`
	// When it is tried next.
	NextAt Time `json:"nextAt,omitzero"`
	// The latest attempts, in order.
	Attempts []DeliveryAttempt `json:"attempts"`
	// When it was first tried.
	CreatedAt Time `json:"createdAt"`
	// When it last changed.
	UpdatedAt Time `json:"updatedAt"`
}

// DeliveryAttempt is one POST to a subscription's URL.
type DeliveryAttempt struct {
	// Start of the request.
	StartedAt Time `json:"startedAt"`
	// Milliseconds until the answer.
	DurationMs int64 `json:"durationMs"`
	// HTTP status of the answer; missing when there was none.
	Status int `json:"status,omitempty"`
	// What went wrong.
	Error string `json:"error,omitempty"`
}

// DeliveryPage is one page of deliveries.
type DeliveryPage struct {
	// Newest event first.
	Deliveries []Delivery `json:"deliveries"`
	// Gets the next page; missing on the last.
	Cursor string `json:"cursor,omitempty"`
}

// ReplayRequest is the body of POST /v1/subscriptions/{id}/replay: one of the two.
type ReplayRequest struct {
	// earliest or a time: the subscription gets everything since then again.
	From string `json:"from,omitempty"`
	// Id of one event to deliver again.
	Event string `json:"event,omitempty"`
	// Try what waits for its next try now.
	Parked bool `json:"parked,omitempty"`
}
