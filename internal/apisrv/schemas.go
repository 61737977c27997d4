package apisrv

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/gateway"
)

const schemaPrefix = "#/components/schemas/"

// profile describes gatewayapi.Profile, which is any JSON object with some fields of the gateway's
// own.
type profile struct {
	ID             string            `json:"id,omitempty" doc:"Your own id for the person; made when left out."`
	FBMessengerIDs map[string]string `json:"fbMessengerIds,omitempty" doc:"Application key → page-scoped id of the person."`
	Facebook       map[string]any    `json:"facebook,omitempty" doc:"What the platform says of the person."`
	FirstTouch     *touch            `json:"firstTouch,omitempty" doc:"How the person came first."`
	LastTouch      *touch            `json:"lastTouch,omitempty" doc:"How the person came last."`
	CreatedAt      gatewayapi.Time   `json:"createdAt,omitzero" doc:"When it was made."`
	UpdatedAt      gatewayapi.Time   `json:"updatedAt,omitzero" doc:"When it last changed."`
}

// touch describes how a person came.
type touch struct {
	At         gatewayapi.Time `json:"at" doc:"When."`
	Source     string          `json:"source,omitempty" doc:"Such as MESSENGER_CODE or SHORTLINK."`
	Ref        string          `json:"ref,omitempty" doc:"The ref they brought."`
	AdID       string          `json:"adId,omitempty" doc:"Of an ad."`
	EntryPoint string          `json:"entryPoint,omitempty" doc:"Id of the entry point."`
}

// webhooks describe what forward subscriptions get.
func webhooks(registry huma.Registry) map[string]*huma.PathItem {
	signed := func(name, doc string) *huma.Param {
		return &huma.Param{Name: name, In: "header", Required: true, Description: doc, Schema: &huma.Schema{Type: huma.TypeString}}
	}
	event := content(registry.Schema(typeOf[gatewayapi.Event](), true, ""), "application/json")
	event["application/json"].Example = example(`{"id":"evt_0000000000042","type":"message.inbound","createdAt":"2026-01-31T12:00:00.000Z","application":"0123456789ABCDEF0123456789ABCDEF","pageId":"1906385232743451",
		"person":{"id":"1504003133884466"},"profileId":"ana","data":{"mid":"m_1","text":"Hello","sentAt":"2026-01-31T11:59:59.000Z"}}`)
	return map[string]*huma.PathItem{"event": {Post: &huma.Operation{
		OperationID: "receiveEvent", Tags: []string{tagSubscriptions}, Summary: "An event, posted to the URL of a forward subscription",
		Description: "Signed by the Standard Webhooks scheme. Any 2xx within 15 seconds says that you have it; 410 disables the subscription; all else is tried again, for a day.",
		Parameters: []*huma.Param{signed("webhook-id", "Id of the event, on every try the same."), signed("webhook-timestamp", "When it is posted, seconds since 1970."),
			signed("webhook-signature", "`v1,` and the base64 of the signature; several with blanks between while secrets overlap.")},
		RequestBody: &huma.RequestBody{Required: true, Content: event},
		Responses:   map[string]*huma.Response{"204": {Description: "The event is yours."}, "410": {Description: "Nobody is here any more: the subscription is disabled."}},
		Security:    []map[string][]string{},
	}}}
}

func example(text string) any {
	var v any
	if json.Unmarshal([]byte(text), &v) != nil {
		panic("apisrv: an example is not JSON: " + text) // they stand in this package
	}
	return v
}

// requestExample is a body to begin with.
func requestExample(id string) any {
	text, ok := map[string]string{
		"createMessage":      `{"to":{"fbMessengerId":"1504003133884466"},"body":"Your table is ready."}`,
		"createMessages":     `{"messages":[{"to":{"profileId":"ana"},"body":"Your table is ready."}]}`,
		"checkMessage":       `{"to":{"profileId":"ana"},"body":"Your table is ready."}`,
		"createSubscription": `{"kind":"forward","url":"https://shop.example/events","eventTypes":["message.inbound"]}`,
		"createProfile":      `{"id":"ana","firstName":"Ana","email":"ana@example.com"}`,
		"updateProfile":      `{"lastName":"Quispe","email":null}`,
		"connectApplication": `{"page":{"accessToken":"EAAB…"},"application":{"id":"134629536878857","secret":"…"}}`,
		"createEntryPoint":   `{"application":"0123456789ABCDEF0123456789ABCDEF","kind":"code","ref":"table-7","name":"Table 7"}`,
		"acknowledgeEvents":  `{"cursor":"cDQy"}`,
	}[id]
	if !ok {
		return nil
	}
	return example(text)
}

func channelName() *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Enum: anyOf(gateway.Channels())}
}

// pathSchema is what stands in a path.
func pathSchema(name string, r route) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeString}
	switch {
	case name == "image":
		s.Enum = []any{"image.png", "image.svg", "image.pdf"}
	case name == "channel":
		s.Enum = []any{gateway.ChannelMessenger, gateway.ChannelSMS, gateway.ChannelEmail}
	case name == "key" && r.tag == tagApplications:
		s.Description = "Key of the application."
	}
	return s
}

// finishSchemas makes the schemas as the handlers are: lists are never null, answers are open for
// what is new, and what is null where it is nothing says so.
func finishSchemas(api *huma.OpenAPI, registry huma.Registry) {
	schemas := registry.Map()
	for _, s := range schemas {
		neverNull(s)
	}
	if e := schemas["Event"]; e != nil {
		e.Properties["type"].Enum = anyOf(words(gateway.EventTypes()))
		person := e.Properties["person"]
		e.Properties["person"] = &huma.Schema{Description: person.Description, OneOf: []*huma.Schema{{Ref: person.Ref}, {Type: "null"}}}
	}
	for _, name := range []string{"CreateSubscriptionRequest", "UpdateSubscriptionRequest", "Subscription"} {
		schemas[name].Properties["eventTypes"].Items.Enum = anyOf(words(gateway.EventTypes()))
	}
	answered := map[string]bool{"Profile": true} // which is open in requests too
	for _, item := range api.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if op == nil {
				continue
			}
			for _, answer := range op.Responses {
				for _, media := range answer.Content {
					reach(media.Schema, schemas, answered)
				}
			}
		}
	}
	reach(&huma.Schema{Ref: schemaPrefix + "Event"}, schemas, answered)
	for name := range answered {
		if closed, ok := schemas[name].AdditionalProperties.(bool); ok && !closed {
			schemas[name].AdditionalProperties = nil
		}
	}
	schemas["Profile"].AdditionalProperties = true
}

// neverNull takes null from lists, which are empty instead.
func neverNull(s *huma.Schema) {
	if s.Type == huma.TypeArray {
		s.Nullable = false
		neverNull(s.Items)
	}
	for _, p := range s.Properties {
		neverNull(p)
	}
	if more, ok := s.AdditionalProperties.(*huma.Schema); ok {
		neverNull(more)
	}
}

// reach notes the schemas that one leads to.
func reach(s *huma.Schema, schemas map[string]*huma.Schema, seen map[string]bool) {
	if s == nil {
		return
	}
	if name, ok := strings.CutPrefix(s.Ref, schemaPrefix); ok && !seen[name] {
		seen[name] = true
		reach(schemas[name], schemas, seen)
	}
	reach(s.Items, schemas, seen)
	for _, p := range s.Properties {
		reach(p, schemas, seen)
	}
	for _, one := range slices.Concat(s.OneOf, s.AnyOf, s.AllOf) {
		reach(one, schemas, seen)
	}
	if more, ok := s.AdditionalProperties.(*huma.Schema); ok {
		reach(more, schemas, seen)
	}
}

func describedTags() []*huma.Tag {
	tag := func(name, description string) *huma.Tag { return &huma.Tag{Name: name, Description: description} }
	return []*huma.Tag{
		tag(tagMessages, "Send messages to people, and see what became of them."), tag(tagEvents, "The log of all that happened."),
		tag(tagSubscriptions, "Have events posted to you, or pull them."), tag(tagProfiles, "People as you know them."), tag(tagApplications, "Connected pages."),
		tag(tagScripts, "Bots from scripts."), tag(tagConversations, "What a bot knows of a person."), tag(tagEntryPoints, "Codes and links, and what came of them."),
		tag(tagChannels, "Accounts for SMS, e-mail and webhooks, opt-outs, and stored rules."), tag(tagGateway, "How the gateway fares, and this description."),
	}
}
