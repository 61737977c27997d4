package graphemu

import (
	"slices"

	"github.com/chasqui/chasqui/messenger"
)

// callback is an app's subscription of the object "page".
type callback struct {
	URL         string   `json:"url"`
	VerifyToken string   `json:"verify_token"`
	Fields      []string `json:"fields"`
	Version     string   `json:"version"`
	Inactive    bool     `json:"inactive,omitempty"` // the platform says that it has been switched off
}

// SetCallbackActive sets whether an app's callback for pages is reported as active. Webhooks
// are sent to it all the same.
func (s *Server) SetCallbackActive(appID string, active bool) {
	s.init()
	s.world.setCallbackActive(appID, active)
}

func (w *world) setCallbackActive(appID string, active bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if app := w.apps[appID]; app != nil && app.Callback != nil {
		app.Callback.Inactive = !active
	}
}

// callback returns an app's callback, false when it has none.
func (w *world) callback(appID string) (callback, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if app := w.apps[appID]; app != nil && app.Callback != nil {
		return *app.Callback, true
	}
	return callback{}, false
}

// setCallback sets an app's callback, which has been verified, or removes it with nil.
func (w *world) setCallback(appID string, cb *callback) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if app := w.apps[appID]; app != nil {
		app.Callback = cb
	}
}

// subscribePage subscribes an app to fields of a page.
func (w *world) subscribePage(pageID, appID string, fields []string) *messenger.Error {
	w.mu.Lock()
	defer w.mu.Unlock()
	page := w.pages[pageID]
	if page == nil {
		return errNoObject
	}
	page.Subscribed[appID] = fields
	return nil
}

// dropSubscription unsubscribes an app from a page.
func (w *world) dropSubscription(appID, pageID string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if page := w.pages[pageID]; page != nil {
		delete(page.Subscribed, appID)
	}
}

// subscribedApp is an app with the fields of a page to which it has subscribed.
type subscribedApp struct {
	id, name string
	fields   []string
}

func (w *world) subscribedApps(pageID string) []subscribedApp {
	w.mu.Lock()
	defer w.mu.Unlock()
	page := w.pages[pageID]
	if page == nil {
		return nil
	}
	var out []subscribedApp
	for _, id := range w.appOrder {
		if fields, ok := page.Subscribed[id]; ok {
			out = append(out, subscribedApp{id, w.apps[id].Name, fields})
		}
	}
	return out
}

// sample sends an app a test event of a field, for each page to which it has
// subscribed.
func (w *world) sample(appID, field string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	app := w.apps[appID]
	if app == nil || app.Callback == nil {
		return
	}
	for _, id := range w.pageOrder {
		if page := w.pages[id]; page.Subscribed[appID] != nil {
			w.emitChange(page, nil, field, appID, map[string]string{"page_id": page.ID})
		}
	}
}

func knownField(name string) bool { return slices.Contains(knownFields(), name) }

// knownFields returns the fields of the object page: those that Meta's SDK lists
// (Page.SubscribedFields), and those of the Messenger Platform's pages that are not among them.
// The emulator causes events of the Messenger ones only.
func knownFields() []string {
	return []string{
		"affiliation", "attire", "awards", "bio", "birthday", "branded_camera", "business_integrity", "call_permission_reply", "call_settings_update", "calls", "category",
		"checkins", "commerce_order", "company_overview", "conversations", "culinary_team", "current_location", "description", "email", "feature_access_list", "feed",
		"founded", "general_info", "general_manager", "group_feed", "hometown", "hours", "inbox_labels", "invalid_topic_placeholder",
		"invoice_access_bank_slip_events", "invoice_access_invoice_change", "invoice_access_invoice_draft_change",
		"invoice_access_onboarding_status_active", "leadgen", "leadgen_fat", "live_videos", "local_delivery", "location",
		"marketing_message_delivery_failed", "mcom_invoice_change", "members", "mention", "merchant_review", "message_context", "message_deliveries",
		"message_echoes", "message_edits", "message_mention", "message_reactions", "message_reads", "message_template_status_update", "messages",
		"messaging_account_linking", "messaging_appointments", "messaging_checkout_updates", "messaging_customer_information", "messaging_direct_sends",
		"messaging_fblogin_account_linking", "messaging_feedback", "messaging_game_plays", "messaging_handovers", "messaging_in_thread_lead_form_submit",
		"messaging_integrity", "messaging_optins", "messaging_optouts", "messaging_page_feedback", "messaging_payments", "messaging_policy_enforcement", "messaging_postbacks",
		"messaging_pre_checkouts", "messaging_referrals", "mission", "name", "page_about_story", "page_change_proposal", "page_upcoming_change", "parking",
		"payment_options", "payment_request_update", "personal_info", "personal_interests", "phone", "picture", "price_range", "product_review",
		"products", "public_transit", "publisher_subscriptions", "ratings", "registration", "response_feedback", "send_cart", "standby", "user_action",
		"video_text_question_responses", "videos", "website",
	}
}
