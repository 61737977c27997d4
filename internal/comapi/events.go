package comapi

import (
	"maps"
	"net/http"
	"slices"
)

// availableEvent is an event that a webhook can want.
type availableEvent struct {
	Name        string            `json:"name"`
	Type        string            `json:"type"`
	Description string            `json:"description"`
	Filters     []availableFilter `json:"filters"`
	Schema      any               `json:"schema,omitempty"`
}

type availableFilter struct {
	Name        string `json:"name"`
	Required    bool   `json:"required"`
	Description string `json:"description"`
}

// eventWords describes the events and the fields of their payloads, by name.
func eventWords() map[string][]string {
	receipt := []string{"id", "details", "channelData", "metadata", "updatedOn"}
	profile := []string{"id", "fbMessengerId", "facebook", "_createdOn", "_updatedOn"}
	words := map[string][]string{
		"message.inbound": {"Messages and taps on buttons from people", "messageId", "channel", "from", "to", "body", "messageParts", "receivedOn", "status", "metadata", "channelData", "correlation"},
		"facebook.optin":  {"People who opted in on Messenger", "fbMessengerId", "profileId", "stateData", "ref", "pageId", "rawData"},
		"profile.create":  append([]string{"Profiles that are new"}, profile...),
		"profile.update":  append([]string{"Profiles that have changed"}, profile...),
	}
	for _, status := range []string{"sent", "delivered", "read", "failed", "expired"} {
		words["message."+status] = append([]string{"Outbound messages that are " + status}, receipt...)
	}
	return words
}

// availableEvents lists what a webhook can want.
func (f *Face) availableEvents(q *request) error {
	list := []availableEvent{}
	words := eventWords()
	for _, name := range slices.Sorted(maps.Keys(topicTypes)) {
		e := availableEvent{Name: name, Type: name, Description: words[name][0], Filters: []availableFilter{{Name: "channel", Description: "Channel that the event is about, such as sms"}}}
		if q.URL.Query().Get("includeSchemas") == "true" {
			properties := map[string]any{}
			for _, field := range words[name][1:] {
				properties[field] = schemaOf(field)
			}
			e.Schema = map[string]any{"type": "object", "properties": properties}
		}
		list = append(list, e)
	}
	return q.Reply(http.StatusOK, list)
}

// schemaOf is the JSON schema of a field of a payload.
func schemaOf(field string) map[string]string {
	switch field {
	case "details", "channelData", "metadata", "from", "to", "correlation", "stateData", "rawData", "facebook":
		return map[string]string{"type": "object"}
	case "messageParts":
		return map[string]string{"type": "array"}
	case "updatedOn", "receivedOn", "_createdOn", "_updatedOn":
		return map[string]string{"type": "string", "format": "date-time"}
	}
	return map[string]string{"type": "string"}
}

// availableTemplate is a group of events that often go together.
type availableTemplate struct {
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Events      []string `json:"events"`
}

// availableTemplates lists groups of events.
func (f *Face) availableTemplates(q *request) error {
	messages := []string{"message.sent", "message.delivered", "message.read", "message.expired", "message.failed", "message.inbound"}
	return q.Reply(http.StatusOK, []availableTemplate{
		{"Message events", "What becomes of messages, and what people write", messages},
		{"Message and profile events", "The same, with profiles", append(slices.Clone(messages), "profile.create", "profile.update")},
	})
}
