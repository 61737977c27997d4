package graphemu

import (
	"fmt"
	"maps"

	"github.com/chasqui/chasqui/messenger"
)

// handler carries a call out and returns what it answers.
type handler func(*call) (any, *messenger.Error)

// routes returns the endpoints of the Graph API, by method and name.
func (g *graphAPI) routes() map[string]handler {
	all := g.platformRoutes()
	maps.Copy(all, g.messagingRoutes())
	return all
}

// platformRoutes returns the endpoints that are not about messages: apps, pages, people, tokens
// and subscriptions.
func (g *graphAPI) platformRoutes() map[string]handler {
	w, page := g.world, g.onPage
	nodes, tokens, subscriptions := nodesAPI{w}, tokensAPI{w}, subscriptionsAPI{w, g.callbacks}
	matching, linking, review := matchingAPI{w}, linkingAPI{w}, reviewAPI{w}
	return map[string]handler{
		"GET page":                     nodes.page,
		"POST page":                    nodes.postPage,
		"GET app":                      nodes.app,
		"GET profile":                  nodes.profile,
		"GET user":                     nodes.user,
		"GET accounts":                 nodes.accounts,
		"GET debug_token":              tokens.debug,
		"GET access_token":             tokens.get,
		"POST access_token":            tokens.get,
		"GET subscriptions":            subscriptions.get,
		"POST subscriptions":           subscriptions.subscribe,
		"DELETE subscriptions":         subscriptions.unsubscribe,
		"POST subscriptions_sample":    subscriptions.sendSample,
		"GET subscribed_apps":          page(subscriptions.ofPage),
		"POST subscribed_apps":         page(subscriptions.subscribeToPage),
		"DELETE subscribed_apps":       page(subscriptions.unsubscribeFromPage),
		"POST activities":              customEventsAPI{w}.log,
		"GET ids_for_apps":             matching.apps,
		"GET ids_for_pages":            matching.pages,
		"GET messaging_feature_review": page(review.features),
		"GET page_message_tags":        review.tags,
		"POST unlink_accounts":         page(linking.unlink),
	}
}

// messagingRoutes returns the endpoints of the Messenger Platform: what is sent, and what people
// see of a page.
func (g *graphAPI) messagingRoutes() map[string]handler {
	w, page, node := g.world, g.onPage, g.onNode
	messages, conversations, handover := sendAPI{w, g.callbacks}, conversationsAPI{w}, handoverAPI{w}
	profile, personas, labels, broadcasts := profileAPI{w}, personasAPI{w}, labelsAPI{w}, broadcastsAPI{w}
	return map[string]handler{
		"POST messages":                    messages.send,
		"POST message_attachments":         messages.upload,
		"POST private_replies":             node(messages.replyPrivately),
		"GET messenger_profile":            page(profile.get),
		"POST messenger_profile":           page(profile.set),
		"DELETE messenger_profile":         page(profile.delete),
		"POST thread_settings":             page(profile.setThreadSettings),
		"DELETE thread_settings":           page(profile.deleteThreadSettings),
		"GET custom_user_settings":         page(profile.getUserSettings),
		"POST custom_user_settings":        page(profile.setUserSettings),
		"DELETE custom_user_settings":      page(profile.deleteUserSettings),
		"GET personas":                     page(personas.list),
		"POST personas":                    page(personas.create),
		"GET persona":                      node(personas.get),
		"DELETE persona":                   node(personas.delete),
		"GET custom_labels":                labels.list,
		"POST custom_labels":               page(labels.create),
		"POST label":                       node(labels.associate),
		"DELETE label":                     node(labels.dissociate),
		"GET custom_label":                 node(labels.get),
		"DELETE custom_label":              node(labels.delete),
		"POST message_creatives":           page(broadcasts.createCreative),
		"POST broadcast_messages":          page(broadcasts.create),
		"GET broadcast":                    node(broadcasts.get),
		"POST broadcast":                   node(broadcasts.cancel),
		"GET insights/messages_sent":       node(broadcasts.sent),
		"POST insights/messages_sent":      node(broadcasts.sent),
		"POST broadcast_reach_estimations": page(broadcasts.estimateReach),
		"GET estimate":                     node(broadcasts.getEstimate),
		"POST sponsored_message_ads":       broadcasts.sponsor,
		"POST messenger_codes":             page(codesAPI{w}.create),
		"POST pass_thread_control":         page(handover.pass),
		"POST take_thread_control":         page(handover.take),
		"POST request_thread_control":      page(handover.request),
		"POST release_thread_control":      page(handover.release),
		"POST extend_thread_control":       page(handover.extend),
		"GET thread_owner":                 page(handover.owner),
		"GET secondary_receivers":          page(handover.secondary),
		"GET insights":                     page(insightsAPI{w}.get),
		"POST nlp_configs":                 page(nlpAPI{w}.set),
		"GET conversations":                page(conversations.list),
		"GET conversation":                 conversations.get,
		"GET messages":                     conversations.messages,
		"GET message":                      conversations.getMessage,
	}
}

// endpoint returns the name of the endpoint, as fault rules use it.
func (g *graphAPI) endpoint(c *call) string {
	switch {
	case c.edge != "" && (g.handlers["GET "+c.edge] != nil || g.handlers["POST "+c.edge] != nil):
		return c.edge
	case c.edge != "":
		return "unknown"
	case c.node == "debug_token" || c.node == "page_message_tags":
		return c.node
	}
	return g.world.kindOf(c.node, c.page, c.user)
}

// dispatch carries a call out by the handler of its endpoint.
func (g *graphAPI) dispatch(endpoint string, c *call) (any, *messenger.Error) {
	h := g.handlers[c.method+" "+endpoint]
	switch {
	case h == nil && endpoint == "unknown":
		return nil, refuse(2500, 0, fmt.Sprintf("Unknown path components: /%.80s", c.edge))
	case h == nil:
		return nil, unsupported(c)
	}
	value, e := h(c)
	if e == errNoObject {
		return nil, unsupported(c)
	}
	return value, e
}

// onPage wraps a handler of an edge of the page: it refuses a call that is not made with a
// token of that page.
func (g *graphAPI) onPage(h handler) handler {
	return func(c *call) (any, *messenger.Error) {
		if c.page != c.node || !g.world.hasPage(c.node) {
			return nil, errNoObject
		}
		return h(c)
	}
}

// onNode wraps a handler of an object that belongs to a page: it refuses a call that is not
// made with a token of that page.
func (g *graphAPI) onNode(h handler) handler {
	return func(c *call) (any, *messenger.Error) {
		if !g.world.belongs(c.node, c.page) {
			return nil, errNoObject
		}
		return h(c)
	}
}

// success returns the answer of a call that returns nothing else.
func success() any { return map[string]bool{"success": true} }
