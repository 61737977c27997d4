package graphemu

import (
	"fmt"

	"github.com/chasqui/chasqui/messenger"
)

// handler carries a call out.
type handler func(*call) (any, *messenger.Error)

// graphHandlers are the endpoints of the Graph API, by method and name.
func (s *Server) graphHandlers() map[string]handler {
	return map[string]handler{
		"POST messages":                    s.send,
		"GET page":                         s.getPage,
		"POST page":                        s.postPage,
		"GET app":                          s.getApp,
		"GET profile":                      s.getProfile,
		"GET debug_token":                  s.debugToken,
		"GET access_token":                 s.getAccessToken,
		"POST access_token":                s.getAccessToken,
		"GET user":                         s.getUser,
		"GET accounts":                     s.getAccounts,
		"GET subscriptions":                s.getSubscriptions,
		"POST subscriptions":               s.subscribe,
		"DELETE subscriptions":             s.unsubscribe,
		"POST subscriptions_sample":        s.sampleSubscription,
		"GET subscribed_apps":              s.getSubscribedApps,
		"POST subscribed_apps":             s.subscribePage,
		"DELETE subscribed_apps":           s.unsubscribePage,
		"GET messenger_profile":            s.getMessengerProfile,
		"POST messenger_profile":           s.setMessengerProfile,
		"DELETE messenger_profile":         s.deleteMessengerProfile,
		"POST thread_settings":             s.onPage(s.setThreadSettings),
		"DELETE thread_settings":           s.onPage(s.deleteThreadSettings),
		"GET custom_user_settings":         s.onPage(s.getUserSettings),
		"POST custom_user_settings":        s.onPage(s.setUserSettings),
		"DELETE custom_user_settings":      s.onPage(s.deleteUserSettings),
		"POST message_attachments":         s.uploadAttachment,
		"GET personas":                     s.onPage(s.listPersonas),
		"POST personas":                    s.onPage(s.createPersona),
		"GET persona":                      s.onNode(s.getPersona),
		"DELETE persona":                   s.onNode(s.deletePersona),
		"GET custom_labels":                s.getLabels,
		"POST custom_labels":               s.onPage(s.createLabel),
		"POST label":                       s.onNode(s.associateLabel),
		"DELETE label":                     s.onNode(s.dissociateLabel),
		"GET custom_label":                 s.onNode(s.getLabel),
		"DELETE custom_label":              s.onNode(s.deleteLabel),
		"POST message_creatives":           s.onPage(s.createCreative),
		"POST broadcast_messages":          s.onPage(s.createBroadcast),
		"GET broadcast":                    s.onNode(s.getBroadcast),
		"POST broadcast":                   s.onNode(s.cancelBroadcast),
		"GET insights/messages_sent":       s.onNode(s.broadcastInsights),
		"POST insights/messages_sent":      s.onNode(s.broadcastInsights),
		"POST broadcast_reach_estimations": s.onPage(s.estimateReach),
		"GET estimate":                     s.onNode(s.getEstimate),
		"POST sponsored_message_ads":       s.sponsor,
		"POST messenger_codes":             s.onPage(s.createCode),
		"POST pass_thread_control":         s.onPage(s.passThread),
		"POST take_thread_control":         s.onPage(s.takeThread),
		"POST request_thread_control":      s.onPage(s.requestThread),
		"POST release_thread_control":      s.onPage(s.releaseThread),
		"POST extend_thread_control":       s.onPage(s.extendThread),
		"GET thread_owner":                 s.onPage(s.threadOwner),
		"GET secondary_receivers":          s.onPage(s.secondaryReceivers),
		"GET insights":                     s.onPage(s.getInsights),
		"POST nlp_configs":                 s.onPage(s.setNLP),
		"POST activities":                  s.logEvents,
		"GET ids_for_apps":                 s.idsForApps,
		"GET ids_for_pages":                s.idsForPages,
		"GET messaging_feature_review":     s.onPage(s.featureReview),
		"GET page_message_tags":            s.messageTags,
		"POST unlink_accounts":             s.onPage(s.unlinkAccounts),
		"GET conversations":                s.onPage(s.listConversations),
		"GET conversation":                 s.getConversation,
		"GET messages":                     s.listMessages,
		"GET message":                      s.getMessage,
		"POST private_replies":             s.onNode(s.privateReply),
	}
}

// endpoint names the call, as fault rules do.
func (s *Server) endpoint(c *call) string {
	switch {
	case c.edge != "" && (s.handlers["GET "+c.edge] != nil || s.handlers["POST "+c.edge] != nil):
		return c.edge
	case c.edge != "":
		return "unknown"
	case c.node == "debug_token" || c.node == "page_message_tags":
		return c.node
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case c.node == "me" || s.pages[c.node] != nil:
		return "page"
	case s.apps[c.node] != nil || c.node == "app":
		return "app"
	case c.user != "" && c.node == c.user:
		return "user"
	}
	if n, ok := s.nodes[c.node]; ok {
		return n.Kind
	}
	if kind, _, _ := s.threadNode(c); kind != "" {
		return kind
	}
	return "profile"
}

func (s *Server) dispatch(endpoint string, c *call) (any, *messenger.Error) {
	if h := s.handlers[c.method+" "+endpoint]; h != nil {
		return h(c)
	}
	if endpoint == "unknown" {
		return nil, refuse(2500, 0, fmt.Sprintf("Unknown path components: /%.80s", c.edge))
	}
	return nil, unsupported(c)
}

// onPage is a handler of an edge of the page whose token the caller has. The
// lock is held while f runs.
func (s *Server) onPage(f func(*call, *pageState) (any, *messenger.Error)) handler {
	return func(c *call) (any, *messenger.Error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		page, e := s.ownPage(c)
		if e != nil {
			return nil, e
		}
		return f(c, page)
	}
}

// nodeRef says what an id belongs to.
type nodeRef struct{ Kind, Page string }

// onNode is a handler of something that belongs to the page whose token the
// caller has. The lock is held while f runs.
func (s *Server) onNode(f func(*call, *pageState) (any, *messenger.Error)) handler {
	return func(c *call) (any, *messenger.Error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		n, ok := s.nodes[c.node]
		if !ok || c.page == "" || n.Page != c.page {
			return nil, unsupported(c)
		}
		return f(c, s.pages[n.Page])
	}
}

// newNode makes an id for something of a page. The lock is held.
func (s *Server) newNode(kind string, page *pageState) string {
	id := s.ids.fresh(kind, 16)
	s.nodes[id] = nodeRef{kind, page.ID}
	return id
}

// find returns what has the id, or nil.
func findByID[T interface{ nodeID() string }](list []T, id string) (found T, i int) {
	for i, x := range list {
		if x.nodeID() == id {
			return x, i
		}
	}
	return found, -1
}
