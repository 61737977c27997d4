package apisrv

import (
	"net/http"
	"reflect"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/gateway"
)

// route is one address of the API: what answers it, and all that its description says. Mux,
// authorization and document are made of the same table.
type route struct {
	method    string
	path      string
	scope     gateway.Scope // empty for routes without a key
	tag       string
	summary   string
	detail    string // more, where the summary does not say it all
	params    []param
	status    int      // of success
	media     []string // of the answer, where it is not JSON or not JSON alone
	zip       bool     // a zip file is taken beside JSON
	also      *route   // another status and answer of success; nil for none
	conflicts bool     // 409 says that the thing asked about is not, or no more, as it must be
	do        handler  // what answers it, and what bodies it takes and gives
}

// Tags in the order of the document.
const (
	tagMessages      = "messages"
	tagEvents        = "events"
	tagSubscriptions = "subscriptions"
	tagProfiles      = "profiles"
	tagApplications  = "applications"
	tagChannels      = "channels"
	tagGateway       = "gateway"
)

func pageParams() []param {
	return []param{number("limit", 1, maxPageSize, pageSize, "Size of the page."), text("cursor", "Cursor of the page before.")}
}

func idempotencyParams() []param {
	return []param{header("Idempotency-Key", "The same request under the same key is not sent twice within seven days.")}
}

func ifMatchParams() []param {
	return []param{header("If-Match", "ETag as read; 412 when the profile has changed since.")}
}

func (s *server) routes() []route {
	var all []route
	for _, part := range [][]route{s.messageRoutes(), s.eventRoutes(), s.subscriptionRoutes(), s.profileRoutes(), s.erasureRoutes(), s.applicationRoutes(), s.scriptRoutes(), s.entryPointRoutes(), s.channelRoutes(), s.routingRoutes(), s.gatewayRoutes()} {
		all = append(all, part...)
	}
	return all
}

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }

func (s *server) messageRoutes() []route {
	return []route{
		{method: http.MethodPost, path: "/v1/messages", scope: gateway.ScopeMessagesWrite, tag: tagMessages, summary: "Send a message",
			detail: "The message is stored durably before the answer. A repeat under the same Idempotency-Key answers the same message with `Idempotent-Replayed: true`.",
			params: idempotencyParams(),
			status: http.StatusAccepted, do: takes(s.sendMessage)},
		{method: http.MethodPost, path: "/v1/messages/batch", scope: gateway.ScopeMessagesWrite, tag: tagMessages, summary: "Send up to 1,000 messages",
			detail: "Each message has a verdict of its own; those accepted are stored in one commit.", params: idempotencyParams(),
			status: http.StatusAccepted, do: takes(s.sendBatch)},
		{method: http.MethodPost, path: "/v1/messages/check", scope: gateway.ScopeMessagesWrite, tag: tagMessages, summary: "Ask whether a message may be sent",
			detail: "A dry run: nothing is stored or sent. What is wrong with the message is an error; what the platform's rules say of it is the answer.",
			status: http.StatusOK, do: takes(s.checkMessage)},
		{method: http.MethodGet, path: "/v1/messages", scope: gateway.ScopeMessagesRead, tag: tagMessages, summary: "List messages, newest first",
			params: listMessagesParams(), status: http.StatusOK, do: answers(s.listMessages)},
		{method: http.MethodGet, path: "/v1/messages/{id}", scope: gateway.ScopeMessagesRead, tag: tagMessages, summary: "Read a message with its attempts and its timeline",
			status: http.StatusOK, do: answers(s.getMessage)},
		{method: http.MethodPost, path: "/v1/messages/{id}/cancel", scope: gateway.ScopeMessagesWrite, tag: tagMessages, summary: "Cancel a message that is still queued",
			conflicts: true, status: http.StatusOK, do: answers(s.cancelMessage)},
		{method: http.MethodPost, path: "/v1/messages/{id}/release", scope: gateway.ScopeMessagesWrite, tag: tagMessages, summary: "Send a message that a restore has held",
			conflicts: true, status: http.StatusOK, do: answers(s.releaseMessage)},
	}
}

func (s *server) subscriptionRoutes() []route {
	read, write := gateway.ScopeSubscriptionsRead, gateway.ScopeSubscriptionsWrite
	return []route{
		{method: http.MethodPost, path: "/v1/subscriptions", scope: write, tag: tagSubscriptions, summary: "Subscribe to events",
			detail: "A forward subscription has events posted to its URL, signed by the Standard Webhooks scheme; a pull subscription is asked for them. The answer is the only one that shows the signing secrets.",
			status: http.StatusCreated, do: takes(s.createSubscription)},
		{method: http.MethodGet, path: "/v1/subscriptions", scope: read, tag: tagSubscriptions, summary: "List subscriptions",
			status: http.StatusOK, do: answers(s.listSubscriptions)},
		{method: http.MethodGet, path: "/v1/subscriptions/{id}", scope: read, tag: tagSubscriptions, summary: "Read a subscription",
			status: http.StatusOK, do: answers(s.getSubscription)},
		{method: http.MethodPatch, path: "/v1/subscriptions/{id}", scope: write, tag: tagSubscriptions, summary: "Change, disable or enable a subscription",
			status: http.StatusOK, do: takes(s.updateSubscription)},
		{method: http.MethodDelete, path: "/v1/subscriptions/{id}", scope: write, tag: tagSubscriptions, summary: "Delete a subscription with its deliveries",
			status: http.StatusNoContent, do: does(s.deleteSubscription)},
		{method: http.MethodPost, path: "/v1/subscriptions/{id}/secrets", scope: write, tag: tagSubscriptions, summary: "Add a signing secret and let the others run out",
			status: http.StatusCreated, do: takes(s.addSecret)},
		{method: http.MethodDelete, path: "/v1/subscriptions/{id}/secrets/{secret}", scope: write, tag: tagSubscriptions, summary: "End a signing secret at once",
			status: http.StatusNoContent, do: does(s.deleteSecret)},
		{method: http.MethodGet, path: "/v1/subscriptions/{id}/events", scope: gateway.ScopeEventsRead, tag: tagSubscriptions, summary: "Pull events",
			detail: "Answers the events after the acknowledged cursor, or after `after`, and moves nothing.",
			params: pullParams(), status: http.StatusOK, do: answers(s.pullEvents)},
		{method: http.MethodPost, path: "/v1/subscriptions/{id}/ack", scope: gateway.ScopeEventsRead, tag: tagSubscriptions, summary: "Acknowledge pulled events up to a cursor",
			status: http.StatusOK, do: takes(s.acknowledge)},
		{method: http.MethodGet, path: "/v1/subscriptions/{id}/deliveries", scope: read, tag: tagSubscriptions, summary: "List deliveries, newest event first",
			params: deliveryParams(), status: http.StatusOK, do: answers(s.listDeliveries)},
		{method: http.MethodPost, path: "/v1/subscriptions/{id}/replay", scope: write, tag: tagSubscriptions, summary: "Deliver again",
			detail: "`event` delivers one event again, under the same webhook-id. `from` moves the subscription back, so that everything since is delivered again. `parked` tries what waits for its next try now.",
			status: http.StatusNoContent, do: takesOnly(s.replay)},
	}
}

func (s *server) eventRoutes() []route {
	return []route{
		{method: http.MethodGet, path: "/v1/events", scope: gateway.ScopeEventsRead, tag: tagEvents, summary: "List events in order",
			detail: "`application=none` lists the events that no application owns.",
			params: eventParams(), status: http.StatusOK, do: answers(s.listEvents)},
		{method: http.MethodGet, path: "/v1/set-aside", scope: gateway.ScopeEventsRead, tag: tagEvents, summary: "List events that were set aside",
			detail: "An event on which a part of the gateway fails again and again is set aside, so that the others go on. It stays in the log, and subscribers have it.",
			params: setAsideParams(), status: http.StatusOK, do: answers(s.listSetAside)},
		{method: http.MethodPost, path: "/v1/set-aside/{id}/{reader}/retry", scope: gateway.ScopeApplicationsWrite, tag: tagEvents, summary: "Deal anew with an event that was set aside",
			detail: "409 when it fails again; it stays set aside then.", status: http.StatusNoContent, do: does(s.retrySetAside)},
	}
}

func (s *server) profileRoutes() []route {
	read, write := gateway.ScopeProfilesRead, gateway.ScopeProfilesWrite
	return []route{
		{method: http.MethodPost, path: "/v1/profiles", scope: write, tag: tagProfiles, summary: "Create a profile under an id of your own",
			status: http.StatusCreated, do: takes(s.createProfile)},
		{method: http.MethodGet, path: "/v1/profiles", scope: read, tag: tagProfiles, summary: "Find profiles",
			params: listProfilesParams(), status: http.StatusOK, do: answers(s.listProfiles)},
		{method: http.MethodGet, path: "/v1/profiles/{id}", scope: read, tag: tagProfiles, summary: "Read a profile",
			status: http.StatusOK, do: answers(s.getProfile)},
		{method: http.MethodPatch, path: "/v1/profiles/{id}", scope: write, tag: tagProfiles, summary: "Change a profile by a JSON merge patch (RFC 7396)",
			params: ifMatchParams(), conflicts: true, status: http.StatusOK, do: takes(s.patchProfile)},
		{method: http.MethodDelete, path: "/v1/profiles/{id}", scope: write, tag: tagProfiles, summary: "Delete a profile, or erase a person",
			detail: "With `forget=true` everything that is kept of the person is removed or emptied, in the tables and in the logs, and what is queued for them is canceled: the answer is 202 with an erasure.",
			params: forgetParams(), status: http.StatusNoContent, also: &route{status: http.StatusAccepted, do: handler{answer: typeOf[gatewayapi.Erasure]()}}, do: writes(s.deleteOrForget)},
	}
}

func (s *server) applicationRoutes() []route {
	read, write := gateway.ScopeApplicationsRead, gateway.ScopeApplicationsWrite
	update := func(method string) route {
		return route{method: method, path: "/v1/applications/{key}", scope: write, tag: tagApplications, summary: "Replace a token or secret",
			detail: "What is left out stays. A new token resumes a paused page; a new secret holds for all pages of the Facebook app.",
			status: http.StatusOK, do: takes(s.updateApplication)}
	}
	return []route{
		{method: http.MethodPost, path: "/v1/applications", scope: write, tag: tagApplications, summary: "Connect a page",
			detail: "Checks the token, subscribes the app and the page, and gives the application its key: everything or nothing.",
			status: http.StatusCreated, do: takes(s.connectApplication)},
		{method: http.MethodGet, path: "/v1/applications", scope: read, tag: tagApplications, summary: "List connected pages",
			status: http.StatusOK, do: answers(s.listApplications)},
		{method: http.MethodGet, path: "/v1/applications/{key}", scope: read, tag: tagApplications, summary: "Read an application",
			status: http.StatusOK, do: answers(s.getApplication)},
		update(http.MethodPatch), update(http.MethodPut),
		{method: http.MethodDelete, path: "/v1/applications/{key}", scope: write, tag: tagApplications, summary: "Disconnect a page",
			status: http.StatusNoContent, do: does(s.deleteApplication)},
		{method: http.MethodPut, path: "/v1/applications/{key}/messenger-profile", scope: write, tag: tagApplications,
			summary: "Set Get Started, greeting, menu and ice breakers", detail: "The body is the platform's own messenger_profile object and is passed on as it is.",
			status: http.StatusNoContent, do: takesOnly(s.setMessengerProfile)},
		{method: http.MethodPost, path: "/v1/applications/{key}/check", scope: read, tag: tagApplications, summary: "Ask the platform how an application fares",
			status: http.StatusOK, do: answers(s.checkApplication)},
		{method: http.MethodGet, path: "/v1/applications/{key}/check", scope: read, tag: tagApplications, summary: "Ask the platform how an application fares",
			status: http.StatusOK, do: answers(s.checkApplication)},
	}
}

func (s *server) gatewayRoutes() []route {
	routes := []route{
		{method: http.MethodGet, path: "/healthz", tag: tagGateway, summary: "Whether the process runs", status: http.StatusOK, media: []string{textPlain}, do: writes(s.healthz)},
		{method: http.MethodGet, path: "/readyz", tag: tagGateway, summary: "Whether it should get requests", detail: "503 while it stops, when nothing could be committed in the last seconds, or when a reader of the log has not got on for half a minute.",
			status: http.StatusOK, media: []string{textPlain}, do: writes(s.readyz)},
		{method: http.MethodGet, path: "/openapi.json", tag: tagGateway, summary: "This description", status: http.StatusOK, media: []string{"application/json"}, do: writes(s.openAPI)},
		{method: http.MethodGet, path: "/docs", tag: tagGateway, summary: "This description as a page", status: http.StatusOK, media: []string{"text/html"}, do: writes(s.docs)},
	}
	return routes
}
