package messenger

import (
	"context"
	"encoding/json"
	"net/http"
)

// CustomEvent is one event of the app's analytics.
type CustomEvent struct {
	Name       string         // such as fb_mobile_purchase
	ValueToSum *float64       // the amount, in Currency
	Currency   string         // such as USD
	Params     map[string]any // further members of the event
}

// MarshalJSON is the event as it goes on the wire.
func (e CustomEvent) MarshalJSON() ([]byte, error) {
	wire := map[string]any{}
	for name, value := range e.Params {
		wire[name] = value
	}
	wire["_eventName"] = e.Name
	if e.ValueToSum != nil {
		wire["_valueToSum"] = *e.ValueToSum
	}
	if e.Currency != "" {
		wire["_fb_currency"] = e.Currency
	}
	return json.Marshal(wire)
}

// CustomEvents are events of one person for the app's analytics.
type CustomEvents struct {
	AppID                      AppID
	PageID                     PageID
	PSID                       PSID
	Events                     []CustomEvent
	AdvertiserTrackingEnabled  bool
	ApplicationTrackingEnabled bool
}

// LogCustomEvents logs events of a person in the analytics of an app.
//
// Docs: https://developers.facebook.com/docs/app-events/bots-for-messenger
func (c *Client) LogCustomEvents(ctx context.Context, e CustomEvents) error {
	path := nodePath(e.AppID, "activities")
	events, err := json.Marshal(e.Events)
	if err != nil {
		return &CallError{http.MethodPost, path, err, true}
	}
	body := struct {
		Event       string `json:"event"`
		Events      string `json:"custom_events"`
		Advertiser  int    `json:"advertiser_tracking_enabled"`
		Application int    `json:"application_tracking_enabled"`
		ExtInfo     string `json:"extinfo"`
		PageID      PageID `json:"page_id"`
		PSID        PSID   `json:"page_scoped_user_id"`
	}{"CUSTOM_APP_EVENTS", string(events), bit(e.AdvertiserTrackingEnabled), bit(e.ApplicationTrackingEnabled), `["mb1"]`, e.PageID, e.PSID}
	return c.Do(ctx, http.MethodPost, path, nil, body, nil)
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}
