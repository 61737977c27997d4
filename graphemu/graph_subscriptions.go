package graphemu

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"net/url"
	"strconv"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

// subscriptionsAPI answers the calls about webhooks: the callbacks of apps, and
// which fields of which pages they subscribe to.
type subscriptionsAPI struct {
	*world
	callbacks *callbacks
}

// ownApp refuses a call that is not made with the app's own token.
func (a subscriptionsAPI) ownApp(c *call) *messenger.Error {
	if c.page != "" || c.app != c.node || !a.hasApp(c.node) {
		return refuse(15, 0, "(#15) This method must be called with an app access_token.")
	}
	return nil
}

// subscribe is POST /{app}/subscriptions: it calls the callback before it
// answers.
func (a subscriptionsAPI) subscribe(c *call) (any, *messenger.Error) {
	if e := a.ownApp(c); e != nil {
		return nil, e
	}
	cb := callback{URL: c.params.text("callback_url"), VerifyToken: c.params.text("verify_token"), Fields: c.params.list("fields"), Version: c.version()}
	if object := c.params.text("object"); object != "page" {
		return nil, refuse(100, 0, "(#100) Param object must be page here")
	}
	for _, f := range cb.Fields {
		if !knownField(f) {
			return nil, refuse(100, 0, "(#100) Param fields must be one of the fields of object page: "+f+" is not")
		}
	}
	if u, err := url.Parse(cb.URL); err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return nil, refuse(100, 0, "(#100) callback_url must be an absolute URL")
	}
	if why := a.verify(c.r.Context(), c.app, cb); why != "" {
		return nil, refuse(2200, 0, "(#2200) Callback verification failed with the following errors: "+why)
	}
	a.setCallback(c.app, &cb)
	return success(), nil
}

// verify sends the verification request to a callback. It returns what is wrong with the
// answer, or "".
func (a subscriptionsAPI) verify(ctx context.Context, appID string, cb callback) string {
	ctx, cancel := context.WithTimeout(ctx, a.courier.schedule().timeout())
	defer cancel()
	sum := sha256.Sum256([]byte(a.epoch + cb.VerifyToken + cb.URL))
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
	attempt := WebhookAttempt{Time: a.clock.now(), AppID: appID, Field: "verification", Attempt: 1, Request: WebhookRequest{URL: shown.String()}}
	began := time.Now()
	why := a.callbacks.challenge(ctx, u.String(), challenge, &attempt)
	attempt.DurationMS, attempt.OK, attempt.Error = milliseconds(time.Since(began)), why == "", why
	a.records.addWebhook(context.Background(), attempt)
	return why
}

// get is GET /{app}/subscriptions.
func (a subscriptionsAPI) get(c *call) (any, *messenger.Error) {
	if e := a.ownApp(c); e != nil {
		return nil, e
	}
	list := []messenger.AppSubscription{}
	if cb, ok := a.callback(c.app); ok {
		sub := messenger.AppSubscription{Object: "page", CallbackURL: cb.URL, Active: !cb.Inactive, Fields: []messenger.SubscriptionField{}}
		for _, f := range cb.Fields {
			sub.Fields = append(sub.Fields, messenger.SubscriptionField{Name: f, Version: cb.Version})
		}
		list = append(list, sub)
	}
	return map[string]any{"data": list}, nil
}

// unsubscribe is DELETE /{app}/subscriptions.
func (a subscriptionsAPI) unsubscribe(c *call) (any, *messenger.Error) {
	if e := a.ownApp(c); e != nil {
		return nil, e
	}
	if object := c.params.text("object"); object == "" || object == "page" {
		a.setCallback(c.app, nil)
	}
	return success(), nil
}

// sendSample is POST /{app}/subscriptions_sample: a test delivery.
func (a subscriptionsAPI) sendSample(c *call) (any, *messenger.Error) {
	if e := a.ownApp(c); e != nil {
		return nil, e
	}
	field := c.params.text("field")
	if !knownField(field) {
		return nil, refuse(100, 0, "(#100) Param field must be one of the fields of object page")
	}
	a.sample(c.app, field)
	return success(), nil
}

// subscribeToPage is POST /{page}/subscribed_apps.
func (a subscriptionsAPI) subscribeToPage(c *call) (any, *messenger.Error) {
	fields := c.params.list("subscribed_fields")
	if len(fields) == 0 && !a.calendar.takes(messenger.FeatureFieldsOfPages, a.calendar.era(c.ver)) {
		fields = knownFields() // at that time an app could not choose
	}
	if len(fields) == 0 {
		return nil, refuse(100, 0, "(#100) The parameter subscribed_fields is required.")
	}
	for _, f := range fields {
		if !knownField(f) {
			return nil, refuse(100, 0, "(#100) Param subscribed_fields must be one of the fields of object page: "+f+" is not")
		}
	}
	return success(), a.subscribePage(c.page, c.app, fields)
}

// ofPage is GET /{page}/subscribed_apps.
func (a subscriptionsAPI) ofPage(c *call) (any, *messenger.Error) {
	list := []messenger.PageSubscription{}
	for _, app := range a.subscribedApps(c.page) {
		list = append(list, messenger.PageSubscription{
			ID: messenger.AppID(app.id), Name: app.name,
			Link: "https://www.facebook.com/games/?app_id=" + app.id, SubscribedFields: app.fields,
		})
	}
	return map[string]any{"data": list}, nil
}

// unsubscribeFromPage is DELETE /{page}/subscribed_apps.
func (a subscriptionsAPI) unsubscribeFromPage(c *call) (any, *messenger.Error) {
	a.dropSubscription(c.app, c.page)
	return success(), nil
}
