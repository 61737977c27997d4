package graphemu

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

func (s *Server) knownField(name string) bool { return slices.Contains(s.knownFields(), name) }

// knownFields are the fields of the object page: those that Meta's SDK lists
// (Page.SubscribedFields), and those of the Messenger Platform's pages that are
// not among them. The emulator makes events of the Messenger ones only.
func (s *Server) knownFields() []string {
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

// ownApp gives the app of a call that needs an app token.
func (s *Server) ownApp(c *call) (*appState, *messenger.Error) {
	app := s.apps[c.node]
	if app == nil || c.page != "" || c.app != app.ID {
		e := refuse(15, 0, "(#15) This method must be called with an app access_token.")
		return nil, e
	}
	return app, nil
}

// subscribe is POST /{app}/subscriptions: it calls the callback before it
// answers.
func (s *Server) subscribe(c *call) (any, *messenger.Error) {
	s.mu.Lock()
	app, e := s.ownApp(c)
	s.mu.Unlock()
	if e != nil {
		return nil, e
	}
	cb := callback{URL: c.params.text("callback_url"), VerifyToken: c.params.text("verify_token"), Fields: c.params.list("fields"), Version: c.ver}
	if cb.Version == "" {
		cb.Version = messenger.DefaultVersion
	}
	if object := c.params.text("object"); object != "page" {
		return nil, refuse(100, 0, "(#100) Param object must be page here")
	}
	for _, f := range cb.Fields {
		if !s.knownField(f) {
			return nil, refuse(100, 0, "(#100) Param fields must be one of the fields of object page: "+f+" is not")
		}
	}
	if u, err := url.Parse(cb.URL); err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return nil, refuse(100, 0, "(#100) callback_url must be an absolute URL")
	}
	if why := s.verifyCallback(c.r.Context(), app.ID, cb); why != "" {
		return nil, refuse(2200, 0, "(#2200) Callback verification failed with the following errors: "+why)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	app.Callback = &cb
	return success(), nil
}

// verifyCallback makes the verification request; it returns what is wrong with
// the answer, or "".
func (s *Server) verifyCallback(ctx context.Context, appID string, cb callback) string {
	ctx, cancel := context.WithTimeout(ctx, s.courier.schedule().timeout())
	defer cancel()
	sum := sha256.Sum256([]byte(s.Epoch + cb.VerifyToken + cb.URL))
	challenge := strconv.FormatUint(uint64(binary.BigEndian.Uint32(sum[:])), 10)
	u, err := url.Parse(cb.URL)
	if err != nil {
		return "the URL cannot be read"
	}
	q := u.Query()
	q.Set("hub.mode", "subscribe")
	q.Set("hub.challenge", challenge)
	q.Set("hub.verify_token", cb.VerifyToken)
	u.RawQuery = q.Encode()
	q.Set("hub.verify_token", "[hidden]")
	shown := *u
	shown.RawQuery = q.Encode()
	a := WebhookAttempt{Time: s.clock.now(), AppID: appID, Field: "verification", Attempt: 1, Request: WebhookRequest{URL: shown.String()}}
	began := time.Now()
	why := s.challenge(ctx, u.String(), challenge, &a)
	a.DurationMS, a.OK, a.Error = milliseconds(time.Since(began)), why == "", why
	s.records.addWebhook(context.Background(), a)
	return why
}

func (s *Server) challenge(ctx context.Context, target, challenge string, a *WebhookAttempt) string {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return "the URL cannot be called"
	}
	req.Header.Set("User-Agent", "facebookplatform/1.0 (+http://developers.facebook.com)")
	resp, err := s.callbacks.client.Do(req)
	if err != nil {
		return "curl_errno = 7; the callback cannot be reached"
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	if err != nil {
		return "the answer cannot be read"
	}
	a.Answer = &WebhookAnswer{Status: resp.StatusCode, Body: string(body)}
	switch {
	case resp.StatusCode != http.StatusOK:
		return "HTTP Status Code = " + strconv.Itoa(resp.StatusCode) + "; HTTP Message = " + http.StatusText(resp.StatusCode)
	case strings.TrimSpace(string(body)) != challenge: // a line break at the end has always been good enough
		return "Response does not match challenge, expected value = \"" + challenge + "\""
	}
	return ""
}

// getSubscriptions is GET /{app}/subscriptions.
func (s *Server) getSubscriptions(c *call) (any, *messenger.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	app, e := s.ownApp(c)
	if e != nil {
		return nil, e
	}
	list := []messenger.AppSubscription{}
	if cb := app.Callback; cb != nil {
		sub := messenger.AppSubscription{Object: "page", CallbackURL: cb.URL, Active: !cb.Inactive, Fields: []messenger.SubscriptionField{}}
		for _, f := range cb.Fields {
			sub.Fields = append(sub.Fields, messenger.SubscriptionField{Name: f, Version: cb.Version})
		}
		list = append(list, sub)
	}
	return map[string]any{"data": list}, nil
}

// unsubscribe is DELETE /{app}/subscriptions.
func (s *Server) unsubscribe(c *call) (any, *messenger.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	app, e := s.ownApp(c)
	if e != nil {
		return nil, e
	}
	if object := c.params.text("object"); object == "" || object == "page" {
		app.Callback = nil
	}
	return success(), nil
}

// ownPage gives the page of a call that needs a page token.
func (s *Server) ownPage(c *call) (*pageState, *messenger.Error) {
	page := s.pages[c.node]
	if page == nil || c.page != page.ID {
		return nil, unsupported(c)
	}
	return page, nil
}

// subscribePage is POST /{page}/subscribed_apps.
func (s *Server) subscribePage(c *call) (any, *messenger.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	page, e := s.ownPage(c)
	if e != nil {
		return nil, e
	}
	fields := c.params.list("subscribed_fields")
	if len(fields) == 0 && !s.calendar.takes(messenger.FeatureFieldsOfPages, s.calendar.era(c.ver)) {
		fields = s.knownFields() // there was no choice
	}
	if len(fields) == 0 {
		return nil, refuse(100, 0, "(#100) The parameter subscribed_fields is required.")
	}
	for _, f := range fields {
		if !s.knownField(f) {
			return nil, refuse(100, 0, "(#100) Param subscribed_fields must be one of the fields of object page: "+f+" is not")
		}
	}
	page.Subscribed[c.app] = fields
	return success(), nil
}

// getSubscribedApps is GET /{page}/subscribed_apps.
func (s *Server) getSubscribedApps(c *call) (any, *messenger.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	page, e := s.ownPage(c)
	if e != nil {
		return nil, e
	}
	list := []messenger.PageSubscription{}
	for _, id := range s.appOrder {
		if fields, ok := page.Subscribed[id]; ok {
			list = append(list, messenger.PageSubscription{
				ID: messenger.AppID(id), Name: s.apps[id].Name,
				Link: "https://www.facebook.com/games/?app_id=" + id, SubscribedFields: fields,
			})
		}
	}
	return map[string]any{"data": list}, nil
}

// unsubscribePage is DELETE /{page}/subscribed_apps.
func (s *Server) unsubscribePage(c *call) (any, *messenger.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	page, e := s.ownPage(c)
	if e != nil {
		return nil, e
	}
	delete(page.Subscribed, c.app)
	return success(), nil
}

func success() any { return map[string]bool{"success": true} }

// sampleSubscription is POST /{app}/subscriptions_sample: a test delivery.
func (s *Server) sampleSubscription(c *call) (any, *messenger.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	app, e := s.ownApp(c)
	if e != nil {
		return nil, e
	}
	field := c.params.text("field")
	if !s.knownField(field) {
		return nil, refuse(100, 0, "(#100) Param field must be one of the fields of object page")
	}
	for _, id := range s.pageOrder {
		page := s.pages[id]
		if page.Subscribed[app.ID] != nil && app.Callback != nil {
			sample := s.fromPage(page, field)
			sample.only, sample.change = app.ID, mustJSON(map[string]any{"field": field, "value": map[string]string{"page_id": page.ID}})
			s.emit(page, nil, sample)
		}
	}
	return success(), nil
}
