package graphemu

import (
	"encoding/json"

	"github.com/chasqui/chasqui/messenger"
)

// customEventsAPI answers the call that logs custom events.
type customEventsAPI struct{ *world }

// log is POST /{app}/activities. It needs no token.
func (a customEventsAPI) log(c *call) (any, *messenger.Error) {
	if !a.hasApp(c.node) {
		return nil, errNoObject
	}
	if kind := c.params.text("event"); kind != "CUSTOM_APP_EVENTS" && kind != "MOBILE_APP_INSTALL" {
		return nil, refuse(100, 0, "(#100) Param event must be one of {CUSTOM_APP_EVENTS, MOBILE_APP_INSTALL}")
	}
	raw := c.params["custom_events"]
	if text := c.params.text("custom_events"); text != "" {
		raw = json.RawMessage(text)
	}
	var events []map[string]any
	if json.Unmarshal(raw, &events) != nil || len(events) == 0 {
		return nil, refuse(100, 0, "(#100) Param custom_events must be a list of events")
	}
	for _, e := range events {
		if name, ok := e["_eventName"].(string); !ok || name == "" {
			return nil, refuse(100, 0, "(#100) Every custom event needs an _eventName")
		}
	}
	c.psid = c.params.text("page_scoped_user_id")
	if !a.logEvents(c.node, c.params.text("page_id"), c.psid, mustJSON(events)) {
		return nil, refuse(100, 0, "(#100) Param page_scoped_user_id must be a person of the page page_id")
	}
	return success(), nil
}
